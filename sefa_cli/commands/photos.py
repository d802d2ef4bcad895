"""`--photo`: an edit that starts from the code of a photograph."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import say, working
from sefa_cli.commands.streams import visible
from sefa_cli.errors import SefaError, UsageError

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.commands.console import Advance, Work
    from sefa_cli.rendering.edits import Edits
    from sefa_cli.rendering.options import PictureOptions


@dataclass(frozen=True, kw_only=True)
class Photos:
    """The photographs that an edit starts from."""

    photo: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE…",
            help="Start from the codes of these photographs, or of a folder's, found as "
            "`sefa invert` does and kept.",
        ),
    ] = None
    align: options.Align = False
    face: options.Face = None
    tune: Annotated[
        bool,
        typer.Option(
            "--tune",
            help="Also fit the model to the photographs, by LPIPS as `sefa invert --tune --loss "
            "lpips`. Edits then keep the person. Takes minutes for each photograph, once, and "
            "fetches 64 MB.",
        ),
    ] = False

    def check(self, how: "PictureOptions") -> None:
        """Refuse options that cannot act together, before anything is loaded."""
        if not self.photo:
            given = {"--align": self.align, "--face": self.face is not None, "--tune": self.tune}
            for option in (one for one, is_given in given.items() if is_given):
                raise UsageError(f"{option} has no effect without --photo")
            return
        for option in ("seeds", "codes"):
            if how.get(option) is not None:
                raise UsageError(f"--photo and --{option} cannot be used together")
        if self.tune and isinstance(model := how.get("model"), str):
            check_untuned(model)

    def check_paste(self, moves: int, is_folder: bool) -> None:
        """Refuse `--paste` where it has no effect, or no place for its pictures."""
        if not (self.photo and self.align):
            raise UsageError("--paste has no effect without --photo and --align")
        if not is_folder and moves * len(self.photo) > 1:
            raise UsageError("--paste makes several pictures, not a sheet", "a folder, -o DIR")
        from sefa_cli.discovery.regions.landmarks import refusal

        if (refused := refusal()) is not None:
            raise refused

    def pasted(self, edits: "Edits", how: "PictureOptions") -> "Edits":
        """Return edits whose faces are put back into the photos."""
        from sefa_cli.inversion.paste import pasted
        from sefa_cli.inversion.remembered import PhotoCodes

        codes = how["codes"]
        assert isinstance(codes, PhotoCodes)
        return pasted(edits, codes.photos, self.face, how.get("offline"))


class Tuning:
    """Tells how tuning goes on; it begins with the first pass."""

    def __init__(self, work: "Work", passes: int, count: int) -> None:
        self._work, self._total = work, passes * count
        self._advance: Advance | None = None
        self._done = 0

    def step(self, name: str, passes: int, loss: float) -> None:
        """Count a pass of a photo."""
        if self._advance is None:
            self._advance = self._work.begin("tuning", self._total, "passes")
        self._done += 1
        self._advance.doing = f"{name}, loss {loss:.4f}"
        self._advance.reach(self._done)


class Told:
    """Tells how a batch of photos goes on: its passes, and which photos cannot be read."""

    def __init__(self, work: "Work", passes: int, count: int, advice: str) -> None:
        self._advance = work.begin("inverting", passes * count, "passes", advice)
        self._passes = passes
        self.searched: list[str] = []  # the names of photos whose codes were not kept from before
        self.refused = 0

    def step(self, name: str, done: int, loss: float) -> None:
        """Count a pass of a photo."""
        if name not in self.searched:
            self.searched.append(name)
        self._advance.doing = f"{name}, loss {loss:.4f}"
        self._advance.reach(self._passes * (len(self.searched) - 1) + done)

    def skip(self) -> None:
        """Leave out a photo that needs no passes, so that the time left stays right."""
        self._advance.total -= self._passes

    def refuse(self, error: SefaError) -> None:
        """Say why a photo cannot be read."""
        self.refused += 1
        self.skip()
        print(visible(f"sefa: {error}"), file=sys.stderr)


def check_untuned(model: str) -> None:
    """Raise UsageError for a model that is tuned already."""
    from sefa_cli.checkpoints import about_tuned

    if about_tuned(model) is not None:
        raise UsageError(f"{model} is tuned already", "the model it changes")


def given_photos(names: Sequence[str]) -> list[Path]:
    """Return the files of photos. Raises SefaError for a single one that cannot be read.

    Of several, those that can be read are searched for.
    """
    from sefa_cli.inversion.photos import find_photos, upright_photo

    paths = find_photos(names)
    if len(paths) == 1:
        upright_photo(paths[0], 3, str(paths[0]), [])
    return paths


def say_refusals(refused: list[str]) -> None:
    """Say which photos a shard could not read."""
    for text in refused:
        print(visible(f"sefa: {text}"), file=sys.stderr)


def say_missing(missing: int, count: int, output: Path | str) -> None:
    """Raise SefaError if photos are missing in the output."""
    if missing:
        raise SefaError(
            f"{missing:,} of {count:,} photos could not be read",
            remedy=f"{output} holds the others.",
        )


def start_from_photos(bundle: "Bundle", own: Photos, how: "PictureOptions") -> Callable[[], object]:
    """Put the codes of photos, and the generator that found them, into the options of an edit.

    Codes are kept in the cache: the second edit of a photo starts at once. Call what is returned
    when all is written: it raises SefaError if some photos could not be read. Raises UsageError if
    the options name other codes, SefaError if no photo can be read.
    """
    own.check(how)
    if not own.photo:
        return lambda: None
    from sefa_cli.inversion.how import How

    way = How(align=own.align, face=own.face)
    paths = given_photos(own.photo)
    with working("loading the model") as work:
        from sefa_cli.allocator import keep_blocks
        from sefa_cli.editing.source import generator_for, load_generator
        from sefa_cli.inversion.invert import Inverter
        from sefa_cli.inversion.remembered import codes_of, tuned_to

        keep_blocks()
        generator = generator_for(
            bundle, how.get("model"), how.get("beside"), device=how.get("device", "auto"),
            any_model=how.get("any_model", False), offline=how.get("offline"),
        )  # fmt: skip
        inverter = Inverter(generator, way, how.get("offline"))
        told = Told(
            work, inverter.how.passes, len(paths), "the next edit of a photo starts at once"
        )
        try:
            how["codes"] = codes = codes_of(paths, inverter, told.step, told.refuse)
        except (KeyboardInterrupt, SystemExit) as interrupt:
            if len(told.searched) > 1:
                interrupt.add_note("codes were kept; the same command goes on")
            raise
        if own.tune:
            tuning = Tuning(work, inverter.how.passes, len(codes.photos))
            tuned = tuned_to(codes, inverter, tuning.step, how.get("offline"))
            generator = load_generator(tuned, how.get("device", "auto"))
    how["model"] = generator
    if len(told.searched) + told.refused < len(paths):
        say("codes of photos are taken from the cache", level=1)

    def check_all() -> None:
        if told.refused:
            raise SefaError(
                f"{told.refused:,} of {len(paths):,} photos could not be read",
                remedy="The others were edited.",
            )

    return check_all
