"""Pictures before and after moves, one by one or in a sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from sefa_cli.arguments import public, public_with
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.moves import Move, Steps, moves_of
from sefa_cli.editing.presets import Part, Preset
from sefa_cli.errors import UsageError
from sefa_cli.interchange.labels import in_file_name
from sefa_cli.rendering.gallery import Pictures, Progress, counted
from sefa_cli.rendering.lettering import heading
from sefa_cli.rendering.note import note, of_model, of_move
from sefa_cli.rendering.options import PICTURES, PictureOptions
from sefa_cli.rendering.pictures import Picture
from sefa_cli.rendering.scene import Scene, bundle_of, open_scene_of
from sefa_cli.rendering.sheets import contact_sheet
from sefa_cli.rendering.view import View

if TYPE_CHECKING:
    import torch


@public_with(**PICTURES, seeds="0-4")
def edit(bundle: Bundle | Path | str, steps: Steps, **options: Unpack[PictureOptions]) -> Edits:
    """Move codes along directions of a bundle, and return the pictures.

    code′ = code + Σ αᵢ nᵢ on the bundle's layers.

    Args:
        bundle: A bundle, or the path of its file.
        steps: The step α along each direction (index or label), in units of the latent.
            `{"smile": 2, 3: -1}` is one move along both directions;
            `{"smile": [-4, -2, 2, 4]}` makes a column for each step. "auto" is the suggested
            step (see `Bundle.step`); alone it makes columns of -2, -1, 1 and 2 of them.
        **options: What to render and how: see [sefa_cli.PictureOptions][]. The default seeds are
            0 to 4. Pictures in a sheet have at most 512 pixels unless `size` is given.

    Returns:
        The pictures, rendered on demand.

    Raises:
        UsageError: A direction does not exist, or an option is not valid.
        MismatchError: The bundle belongs to another model.
        SefaError: The model or the bundle cannot be read.

    Source: Shen & Zhou, CVPR 2021, equation 1.

    Example:
        >>> bundle = sefa.factorize(tiny, num=4).name({1: "smile"})
        >>> edits = sefa.edit(bundle, {"smile": 2, 3: -1}, seeds=[0, 7], model=tiny, device="cpu")
        >>> edits
        <2 pictures: 2 seeds, 1 move>
        >>> edits[0].size, tuple(edits.codes.shape)
        ((32, 32), (2, 8, 32))
    """
    bundle = bundle_of(bundle, options)
    table = moves_of(bundle, steps)
    return Edits(open_scene_of(bundle, options, seeds="0-4"), bundle, table)


@public_with(**PICTURES, seeds="0-4")
def edit_preset(preset: Preset | Path | str, **options: Unpack[PictureOptions]) -> Edits:
    """Move codes as a preset says, and return the pictures.

    Args:
        preset: A preset, or the path of its file.
        **options: As for `edit`, without `layers`, which the preset knows.

    Returns:
        The pictures, rendered on demand.

    Raises:
        UsageError: An option is not valid.
        MismatchError: The preset belongs to another model.
        SefaError: The preset or the model cannot be read.

    Example:
        >>> sefa.factorize(tiny, num=4).save("face.dirs")
        >>> edits = sefa.edit("face.dirs", {0: 2, 3: -1}, device="cpu")
        >>> edits.preset("happy", "face.dirs").save("happy.toml")
        >>> sefa.edit_preset("happy.toml", seeds=3, device="cpu")
        <1 picture: 1 seed, 1 move>
    """
    if options.get("layers") is not None:
        raise UsageError("layers with a preset", "none: the preset knows its layers")
    preset = preset if isinstance(preset, Preset) else Preset.load(preset)
    *first, last = preset.parts
    if options.get("beside") is None:
        options["beside"] = Path(last.file)
    scene = open_scene_of(last.bundle, options, seeds="0-4")
    scene = replace(scene, layers=last.layers)
    return Edits(scene, last.bundle, [[last.move]], tuple(first), preset.name)


@dataclass(frozen=True, eq=False, repr=False)
class Edits(Pictures):
    """A table of moves, applied to codes: a row for each direction, a column for each α.

    The pictures are those after the moves, in the order of the moves, then of the codes. A sheet
    also shows each code before any move.

    Attributes:
        scene: The generator, the starting codes and the view.
        bundle: The directions.
        table: The moves.
        first: Moves along directions of other bundles, made before each move of the table.
        title: The name of the preset that the only move is from, if it is from one.

    Example:
        >>> bundle = sefa.factorize(tiny).name({1: "smile"})
        >>> edits = sefa.edit(bundle, {"smile": [-2, 2]}, seeds=3, model=tiny, device="cpu")
        >>> len(edits), tuple(edits.codes.shape), [edits.stem(i) for i in range(2)]
        (2, (2, 8, 32), ['seed0003_k1_-2.00', 'seed0003_k1_+2.00'])
    """

    scene: Scene
    bundle: Bundle
    table: Sequence[Sequence[Move]] = ()
    first: Sequence[Part] = ()
    title: str = ""
    sheet_size = 512

    def __len__(self) -> int:
        return len(self.moves) * len(self.scene.start.numbers)

    def __repr__(self) -> str:
        starts, moves = len(self.scene.start.numbers), len(self.moves)
        kind = self.scene.start.kind
        return (
            f"<{len(self):,} picture{'s' * (len(self) != 1)}: "
            f"{starts:,} {kind}{'s' * (starts != 1)}, {moves} move{'s' * (moves != 1)}>"
        )

    @property
    def sheet_rows(self) -> int:
        """One for each direction and start."""
        return len(self.table) * len(self.scene.start.names)

    @property
    def sheet_count(self) -> int:
        """The number of pictures in a sheet, including those before the moves."""
        return len(self) + len(self.scene.start.numbers)

    @cached_property
    def moves(self) -> list[Move]:
        """All moves, row by row."""
        return [move for row in self.table for move in row]

    @cached_property
    def codes(self) -> torch.Tensor:
        """All moved codes, grouped by move: `(moves · n, layers, dim)` or `(moves · n, dim)`."""
        import torch

        return torch.cat([self.moved(move) for move in self.moves])

    def moved(self, move: Move, chosen: slice = slice(None)) -> torch.Tensor:
        """Return the codes after one move, or the chosen ones: `(n, layers, dim)` or `(n, dim)`."""
        from sefa_cli.editing.start import moved

        start = replace(self.scene.start, codes=self.scene.start.codes[chosen])
        for part in self.first:
            start = part.moved(start)
        return moved(start, self.bundle, move, self.scene.layers)

    @public
    def preset(self, name: str, file: Path | str) -> Preset:
        """Return the move as a preset, which names the bundle's file.

        Args:
            name: What pictures and menus call it.
            file: The file of the bundle.

        Returns:
            The preset, to save; `edit_preset` makes its move again.

        Raises:
            UsageError: There are several moves.

        Example:
            >>> edits = sefa.edit(sefa.factorize(tiny), {0: 2}, model=tiny, device="cpu")
            >>> edits.preset("happy", "face.dirs").name
            'happy'
        """
        if len(self.moves) != 1:
            raise UsageError(
                f"{len(self.moves)} moves in a preset", "one, along one step of each direction"
            )
        own = Part(str(file), self.bundle, self.moves[0], self.scene.layers)
        return Preset(name, (*self.first, own))

    @public
    def save_codes(self, path: Path | str, overwrite: bool = False) -> None:
        """Write all moved codes to an .npz file, as `w` or `z`.

        Args:
            path: The file; `codes=` reads it.
            overwrite: Replace the file if it exists.

        Raises:
            SefaError: The file exists or cannot be written.

        Example:
            >>> edits = sefa.edit(sefa.factorize(tiny), {0: 2}, model=tiny, device="cpu")
            >>> edits.save_codes("moved.npz")
        """
        from sefa_cli.editing.codes import save_codes

        save_codes(path, self.codes, overwrite, self.scene.generator.space)

    def one(self, i: int) -> Picture:
        """Return picture `i` as uint8 `(height, width, channels)`."""
        number = self.scene.start.numbers[i % len(self.scene.start.numbers)]
        return next(self.scene.view.pictures(self.scene.generator, self._code(i), [number]))

    def _code(self, i: int) -> torch.Tensor:
        """Return the moved code of picture `i`, `(1, layers, dim)` or `(1, dim)`."""
        move, code = divmod(i, len(self.scene.start.numbers))
        return self.moved(self.moves[move], slice(code, code + 1))

    def stem(self, i: int) -> str:
        """Return the file name of picture `i`, without its suffix: `seed0003_k3_+2.00`."""
        move, code = divmod(i, len(self.scene.start.numbers))
        name = in_file_name(self.title) or self.moves[move].name
        return f"{self.scene.start.stem(code)}_{name}"

    def note(self, i: int) -> dict[str, str]:
        """Return the note in the PNG file of picture `i`: model, seed, code, moves."""
        move, code = divmod(i, len(self.scene.start.numbers))
        return self.note_after(self.moves[move], code, self._code(i)[0])

    def note_after(self, move: Move, number: int, code: torch.Tensor) -> dict[str, str]:
        """Return the note of the `number`-th start after a move, which made it `code`."""
        start = self.scene.start.origin(number)
        moves = [of_move(part.bundle, part.move, part.layers) for part in self.first]
        moves.append(of_move(self.bundle, move, self.scene.layers))
        look = self.scene.view.truncation, self.scene.view.label
        return note(of_model(self.bundle), start, moves, code, *look)

    def render(self, move: Move, view: View | None = None) -> Iterator[Picture]:
        """Yield the pictures after one move, uint8 `(height, width, channels)`."""
        scene = self.scene
        codes = self.moved(move)
        yield from (view or scene.view).pictures(scene.generator, codes, scene.start.numbers)

    def paint_sheet(self, view: View, progress: Progress) -> Picture:
        """Return one picture: a row for each direction and code, a column for each α, in order."""
        scene = self.scene
        before = counted(scene.pictures(view), progress)
        order = self._order()
        rows: list[Sequence[Picture]] = []
        names: list[str] = []
        for moves in self.table:
            after = [counted(self.render(move, view), progress) for move in moves]
            columns = [before, *after]
            rows += zip(*(columns[i] for i in order), strict=True)
            names += [self._row_name(moves, name) for name in scene.start.names]
        texts = [["before", *self._texts(row)] for row in self.table]
        texts = [[row[i] for i in order] for row in texts]
        if all(row == texts[0] for row in texts):
            return contact_sheet(rows, names, texts[0])
        captions = [row for row in texts for _ in before]
        return contact_sheet(rows, names, captions=captions)

    def _order(self) -> list[int]:
        """Return the columns of a sheet by α; 0 is the picture before, i the i-th move.

        The picture before stands at α = 0, and before combined moves.
        """
        moves = self.table[0]
        alphas = [0.0, *(move.steps[0][1] if len(move.steps) == 1 else 1.0 for move in moves)]
        return sorted(range(len(alphas)), key=alphas.__getitem__)

    def direction_name(self, k: int) -> str:
        """Return direction `k` as headings name it: its label, or `k 3`."""
        return heading(self.bundle.labels[k]) or f"k {k}"

    def _row_name(self, moves: Sequence[Move], name: str) -> str:
        if len(self.table) == 1:
            return name
        return f"{self.direction_name(moves[0].steps[0][0])}, {name}"

    def _texts(self, moves: Sequence[Move]) -> list[str]:
        """Return the headings of the moves in a row, without the direction if there are more."""
        if self.title:
            return [heading(self.title) or "preset"]
        if len(self.table) > 1:
            return [f"α {move.steps[0][1]:+g}" for move in moves]
        return [
            ", ".join(f"{self.direction_name(k)}  α {alpha:+g}" for k, alpha in move.steps)
            for move in moves
        ]
