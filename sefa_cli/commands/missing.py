"""The error for a package that is not installed. Many commands work without torch."""

import sys
from importlib.util import find_spec

from sefa_cli.errors import SefaError

_PACKAGES = {"PIL": "pillow"}  # modules whose package has another name


def missing_package(error: ModuleNotFoundError) -> SefaError | None:
    """Return the error that tells users what to install, or None if the fault is ours."""
    module = (error.name or "").partition(".")[0]
    if not module or module == "sefa_cli" or module in sys.stdlib_module_names:
        return None
    if find_spec("torch") is None:  # and maybe more: one command installs all of it
        return SefaError(
            "this command needs torch, which is not installed",
            remedy="Install all of sefa with: pip install sefa-cli (or `pip install .` in its "
            "folder). Without a GPU, install the CPU build of torch first: choose CPU on "
            "https://pytorch.org/get-started/locally/",
        )
    package = _PACKAGES.get(module, module.replace("_", "-"))
    return SefaError(
        f"this command needs {package}, which is not installed",
        remedy=f"Install it with: pip install {package}",
    )
