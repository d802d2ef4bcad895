"""The Gram matrices of pictures already done, kept beside the output until all are."""

import hashlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from sefa_cli.canonical import canonical_json
from sefa_cli.discovery.jacobian import Grams
from sefa_cli.errors import SefaError
from sefa_cli.files import open_atomically


class Partial:
    """`OUT.dirs.partial`: what an interrupted search had finished, a picture at a time."""

    def __init__(self, output: Path, task: object) -> None:
        """`task` is everything that changes the numbers, as JSON takes it."""
        self.path = output.with_name(output.name + ".partial")
        self.key = hashlib.sha256(canonical_json(task).encode()).hexdigest()
        self.done: dict[int, Grams] = {}

    def read(self) -> None:
        """Take up what is there. Raises SefaError where that is of another search or unreadable."""
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                if str(archive["key"]) != self.key:
                    raise SefaError(
                        f"{self.path} belongs to a search with other options",
                        "the same model, region and options",
                        "Repeat them, or leave out --resume.",
                    )
                for number in archive["numbers"].tolist():
                    self.done[number] = Grams(archive[f"fore{number}"], archive[f"back{number}"])
        except FileNotFoundError:
            raise SefaError(
                f"there is no {self.path} to resume", remedy="Leave out --resume."
            ) from None
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise SefaError(
                f"{self.path} cannot be read", remedy="Leave out --resume to begin again."
            ) from error

    def keep(self, number: int, grams: Grams) -> None:
        """Add a finished picture and write the file anew."""
        self.done[number] = grams
        arrays: dict[str, Any] = {f"fore{i}": done.fore for i, done in self.done.items()}
        arrays |= {f"back{i}": done.back for i, done in self.done.items()}
        with open_atomically(self.path, overwrite=True) as file:
            np.savez(file, key=self.key, numbers=list(self.done), **arrays)

    def remove(self) -> None:
        """All is done: the file has served."""
        self.path.unlink(missing_ok=True)
