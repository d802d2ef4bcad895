"""A `sefa` that is forked from a process which has torch already: for pages of many commands.

To import torch takes a command two seconds, and such a page has dozens of them. All else is as in
a new process: the words, the folder, the environment, the pipes and the exit code.
"""

import contextlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# What lies on the PATH. It hands its own pipes over, and ends as the command does.
_SEFA = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as forker:
    forker.connect({address!r})
    socket.send_fds(forker, [b"."], [0, 1, 2])
    forker.sendall(json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode())
    forker.shutdown(socket.SHUT_WR)
    sys.exit(int(forker.recv(16)))
"""


@contextlib.contextmanager
def forked_sefa(folder: Path) -> Iterator[str]:
    """Put such a `sefa` into an empty folder, and yield a PATH that begins with the folder."""
    address = str(folder / "forker")
    (folder / "sefa").write_text(_SEFA.format(python=sys.executable, address=address))
    (folder / "sefa").chmod(0o755)
    command = [sys.executable, "-P", __file__, address]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as forker:
        assert forker.stdout is not None and forker.stdout.readline() == b"ready\n"
        bin = Path(sys.executable).parent
        try:
            yield os.pathsep.join([str(folder), str(bin), os.environ["PATH"]])
        finally:
            forker.kill()  # or leaving `with` would wait for it for ever


def fork(address: str) -> None:
    """Fork a process for each command, and another one that tells how it ended."""
    import torch  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those who tell are not waited for
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            break
        connection.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    listener.close()
    _, pipes, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile() as told:
        words, folder, environment = json.load(told)
    if child := os.fork():
        for pipe in pipes:
            os.close(pipe)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        connection.sendall(str(code if code >= 0 else 128 - code).encode())  # as a shell says it
        os._exit(0)
    connection.close()
    for number, pipe in enumerate(pipes):
        os.dup2(pipe, number)
        os.close(pipe)
    sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = words
    runpy.run_module("sefa_cli", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    fork(sys.argv[1])
