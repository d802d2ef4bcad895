"""The table beside the codes: for each photo how near its code comes, and how long it took."""

import csv
import math
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

from sefa_cli.errors import SefaError
from sefa_cli.files import open_atomically
from sefa_cli.inversion.batch import Outcome

COLUMNS = ("name", "photo", "loss", "psnr", "lpips", "seconds", "notes", "error")


def rows(outcomes: Sequence[Outcome]) -> list[dict[str, str]]:
    """Return a row of text for each photo; what is not known is empty."""
    return [_row(one) for one in outcomes]


def save_table(path: Path, rows: Sequence[Mapping[str, str]], overwrite: bool = False) -> None:
    """Write the table as CSV. Raises SefaError if the file exists or cannot be written."""
    text = StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    with open_atomically(path, overwrite) as file:
        file.write(text.getvalue().encode())


def _row(one: Outcome) -> dict[str, str]:
    blank: Mapping[str, str] = dict.fromkeys(COLUMNS, "")
    known = {"name": one.name, "photo": str(one.path)}
    if isinstance(one.result, SefaError):
        return {**blank, **known, "error": one.result.found}
    found = one.result
    return {
        **blank,
        **known,
        "loss": f"{found.loss:.4f}",
        "psnr": f"{found.psnr:.2f}",
        "lpips": "" if found.lpips is None else f"{found.lpips:.3f}",
        "seconds": "" if math.isnan(one.seconds) else f"{one.seconds:.1f}",
        "notes": "; ".join(found.photo.notes),
    }
