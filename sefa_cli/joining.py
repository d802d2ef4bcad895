"""Join a Ray cluster, or start one: where to look, what opens it, and how a failure is worded."""

import functools
import os
import secrets
import signal
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sefa_cli.errors import SefaError

_ANSWER = 10.0  # seconds for a machine to answer
SAME_TOKEN = (  # what to do about a cluster that does not let us in
    "The cluster and this machine need the same token in ~/.ray/auth_token. For a cluster "
    "without one, set RAY_AUTH_MODE=disabled."
)
_UNLUCKY = "Initialization failure from server"


def _check_answers(address: str) -> None:
    """Raise SefaError if nothing is there: Ray itself would look for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER).close()
    except (OSError, OverflowError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise SefaError(
            f"cannot reach {address}: {why}",
            remedy="Start a cluster there with `ray start --head`, or use --on ray.",
        ) from error


def _use_token(address: str) -> None:
    """Do as `ray start` does: a token that is there is used.

    `ray.init` alone joins a named head without it, and leaves a new one in the home folder for a
    cluster that lives for one command.
    """
    named = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys()
    kept = os.path.expanduser("~/.ray/auth_token")  # noqa: PTH111 (Path.home may raise)
    if named or os.path.exists(kept):  # noqa: PTH110 (so may Path.exists)
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    elif address == "local":
        os.environ["RAY_AUTH_TOKEN"] = _own_token()


@functools.cache
def _own_token() -> str:
    """Return the token of the clusters that this process starts: Ray reads it once."""
    return secrets.token_hex(32)


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Connect to a cluster, or start one here, and yield ray. Raises SefaError.

    What Ray reads from the environment is as before at the end.
    """
    before = dict(os.environ)
    try:
        ray = _connect(address)
        try:
            yield ray
        finally:
            ray.shutdown()
    finally:
        for name in [name for name in os.environ if name.startswith("RAY_")]:
            if name in before:
                os.environ[name] = before[name]
            else:
                del os.environ[name]


def _connect(address: str) -> Any:
    """Connect to a cluster, or start one here, and return ray. Raises SefaError."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    _use_token(address)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    own: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == "local":
        own |= {"include_dashboard": False, "object_store_memory": 80 << 20}
    else:
        if address != "auto":
            _check_answers(address)
        os.environ.setdefault("RAY_gcs_server_port_wait_time_s", "1")  # else it tries for 40 s
    import ray

    try:
        with warnings.catch_warnings(action="ignore"):
            _init(ray, address, own)
    except Exception as error:  # Ray has no common one, and also raises this very class
        text = " ".join(str(error).split())
        if address == "auto" and "not find any running" in text:
            raise SefaError(
                "no Ray cluster runs on this machine",
                remedy="Start one with `ray start --head`, or use --on ray.",
            ) from error
        raise SefaError(
            f"cannot work with the Ray cluster at {address}: {text:.300}",
            remedy=SAME_TOKEN if _is_barred(address, error) else "",
        ) from error
    for number, handler in before.items():  # Ray puts its own there
        signal.signal(number, handler)
    return ray


def _init(ray: Any, address: str, own: dict[str, Any]) -> None:
    """Connect; Ray's client server forks, and on a busy machine the fork may hang."""
    for tries_left in reversed(range(3)):
        try:
            ray.init(address, **own)
            return
        except ConnectionError as error:
            if not tries_left or _UNLUCKY not in str(error):
                raise
            ray.shutdown()


def _is_barred(address: str, error: BaseException | None) -> bool:
    """Return whether a cluster let us not in for our token, which Ray may say in a cause only."""
    if address.startswith("ray://") and "connection timeout" in str(error):
        return _bars_strangers(address.removeprefix("ray://"))
    while error is not None:
        if "uthenticat" in f"{type(error).__name__} {error}":
            return True
        error = error.__cause__
    return False


def _bars_strangers(address: str) -> bool:
    """Ask a client server: of one that does not know our token, Ray says that time ran out."""
    import ray.util.client.worker

    its: Any = ray.util.client.worker
    with its.grpc.insecure_channel(address) as channel:
        ask = its.ray_client_pb2_grpc.RayletDriverStub(channel).ClusterInfo
        try:
            ask(its.ray_client_pb2.ClusterInfoRequest(), timeout=_ANSWER)
        except its.grpc.RpcError as error:
            return bool(error.code() == its.grpc.StatusCode.UNAUTHENTICATED)
    return False
