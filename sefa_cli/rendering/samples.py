"""The unedited pictures of some seeds or codes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from sefa_cli.arguments import public_with
from sefa_cli.rendering.gallery import Pictures, Progress, counted
from sefa_cli.rendering.note import note
from sefa_cli.rendering.options import PICTURES, RenderOptions
from sefa_cli.rendering.pictures import Picture
from sefa_cli.rendering.scene import Scene, open_scene
from sefa_cli.rendering.sheets import grid
from sefa_cli.rendering.view import View

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator


@public_with(**PICTURES, seeds="0-31")
def sample(model: str | Path | Generator, **options: Unpack[RenderOptions]) -> Samples:
    """Return the unedited pictures of some seeds.

    Args:
        model: A zoo name, a path, a URL, or a generator from `load_generator`.
        **options: What to render and how: see [sefa_cli.RenderOptions][]. The default seeds are
            0 to 31. Pictures in a sheet have at most 256 pixels unless `size` is given.

    Returns:
        The pictures, rendered on demand.

    Raises:
        UsageError: An option is not valid.
        SefaError: The model cannot be read.

    Example:
        >>> pictures = sefa.sample(tiny, seeds="0-2", device="cpu")
        >>> pictures
        <3 pictures of tiny.pth>
        >>> pictures[0].size
        (32, 32)
    """
    scene = open_scene(options, model, seeds="0-31")
    return Samples(scene, str(getattr(model, "family", model)))


@dataclass(frozen=True, eq=False, repr=False)
class Samples(Pictures):
    """The pictures of the starting codes, one for each.

    Attributes:
        scene: The generator, the starting codes and the view.
        ref: The model's name or file; the family of a loaded generator.

    Example:
        >>> pictures = sefa.sample(tiny, seeds="0-2", device="cpu")
        >>> len(pictures), pictures[-1].size, tuple(pictures.scene.start.codes.shape)
        (3, (32, 32), (3, 8, 32))
    """

    scene: Scene
    ref: str
    sheet_size = 256

    def __len__(self) -> int:
        return len(self.scene.start.numbers)

    def __repr__(self) -> str:
        return f"<{len(self):,} picture{'s' * (len(self) != 1)} of {Path(self.ref).name}>"

    @property
    def sheet_count(self) -> int:
        """The number of pictures in a sheet."""
        return len(self)

    def one(self, i: int) -> Picture:
        """Return picture `i` as uint8 `(height, width, channels)`."""
        start = self.scene.start
        view, codes = self.scene.view, start.codes[i : i + 1]
        return next(view.pictures(self.scene.generator, codes, start.numbers[i : i + 1]))

    def stem(self, i: int) -> str:
        """Return the file name of picture `i`, without its suffix: `seed0003`."""
        return self.scene.start.stem(i)

    def note(self, i: int) -> dict[str, str]:
        """Return the note in the PNG file of picture `i`: model, seed and code."""
        start = self.scene.start
        look = self.scene.view.truncation, self.scene.view.label
        return note({"ref": self.ref}, start.origin(i), (), start.codes[i], *look)

    def paint_sheet(self, view: View, progress: Progress) -> Picture:
        """Return all pictures in one, uint8 `(height, width, 3)`, each above its number."""
        made = counted(self.scene.pictures(view), progress)
        start = self.scene.start
        return grid(made, start.pictures or [str(number) for number in start.numbers])
