"""Make the examples beside the spec: golden/ must be read, hostile/ must be refused.

    python formats/make [FOLDER]

The same files come out every time; a test holds that the committed ones are those. Each hostile
file is golden/w.dirs with a single fault, so that a reader which accepts it, or refuses it for
another reason, shows a hole; in `hostile/index.json`, `mentions` is a word of a good message.
"""

import json
import sys
from pathlib import Path
from typing import Any

import hostile_content
import hostile_files
from golden import golden

GROUPS = (
    hostile_files.no_bundles,
    hostile_files.containers,
    hostile_files.texts,
    hostile_content.facts,
    hostile_content.models,
    hostile_content.directions,
    hostile_content.numbers,
    hostile_content.masks,
)


def write(folder: Path, files: dict[str, bytes], index_name: str, index: dict[str, Any]) -> None:
    """Write the files and their index, and remove what is no longer made."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.dirs"):
        if old.name not in files:
            old.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    listing = json.dumps(index, indent=1, ensure_ascii=False) + "\n"
    (folder / index_name).write_text(listing, encoding="utf-8")


def main(folder: Path) -> None:
    """Write golden/ and hostile/ into the folder."""
    files, index = {}, {}
    for name, about, content, data in golden():
        files[f"{name}.dirs"] = data
        index[f"{name}.dirs"] = {"about": about, **content}
    write(folder / "golden", files, "expected.json", index)
    files, index = {}, {}
    for group in GROUPS:
        for name, reason, mentions, data in group():
            assert f"{name}.dirs" not in files, name
            files[f"{name}.dirs"] = data
            index[f"{name}.dirs"] = {"reason": reason, "mentions": mentions}
    write(folder / "hostile", files, "index.json", index)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent)
