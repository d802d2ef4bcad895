"""The noise modes a picture can be made with: the file's noise, new noise, or none."""

from sefa_cli.errors import UsageError, either

NOISE_MODES = ("const", "random", "none")


def check_noise_mode(noise_mode: str) -> None:
    """Raise UsageError for an unknown noise mode."""
    if noise_mode not in NOISE_MODES:
        raise UsageError(f"unknown noise mode {noise_mode!r}", either(NOISE_MODES))
