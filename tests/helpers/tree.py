"""The repository's own text files, for the tests that read all of them."""

import subprocess
from pathlib import Path

from tests.helpers import ROOT


def tracked(*patterns: str) -> list[str]:
    """The text files of the repository that match, as git lists them, new ones included."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True)
    names = sorted(set(done.stdout.decode().split("\0")) - {""})
    return [name for name in names if (ROOT / name).is_file() and is_text(ROOT / name)]


def is_text(path: Path) -> bool:
    """Whether a file is UTF-8 without NUL: pictures, models and bundles are not."""
    content = path.read_bytes()
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in content
