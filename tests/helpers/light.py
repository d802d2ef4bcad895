"""Commands run in a process of their own, to see what they import."""

import subprocess
import sys
from collections.abc import Iterable


def run_without(heavy: Iterable[str], *words: str) -> None:
    """Run `sefa …` here: it must succeed, and import none of the modules in `heavy`."""
    code = (
        f"import sys; sys.argv = ['sefa', *{words!r}]\n"
        "from sefa_cli.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code in (0, None), end.code\n"
        f"found = {set(heavy)!r} & set(sys.modules)\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
