"""The ingredients of every picture: a generator, codes to start from, and a view."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.allocator import keep_blocks
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.mixing import mixed, parse_mix
from sefa_cli.errors import UsageError
from sefa_cli.file_kinds import check_exists
from sefa_cli.generators.devices import check_device
from sefa_cli.parts import Shard
from sefa_cli.projections import parse_layers
from sefa_cli.ranges import Indices, as_indices
from sefa_cli.rendering.options import PICTURES, PictureOptions, RenderOptions, view_of
from sefa_cli.rendering.pictures import Picture
from sefa_cli.rendering.view import View

if TYPE_CHECKING:
    from sefa_cli.editing.start import Start
    from sefa_cli.generators.base import Generator


@dataclass(frozen=True)
class Scene:
    """A generator, codes to start from, and how to render pictures.

    Attributes:
        generator: The generator.
        start: The truncated codes, with a number and a name for each.
        view: Size, shortcut, noise and class of the pictures.
        layers: Code indices to move; None means the bundle's.
    """

    generator: "Generator"
    start: "Start"
    view: View = field(default_factory=View)
    layers: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.view.placement is not None:
            self.generator.placed(*self.view.placement)  # refused by most families

    def shared(self, shard: Shard) -> "Scene":
        """Return the scene with a share of the codes: their pictures are those of the whole."""
        share = shard.share(len(self.start.numbers))
        return replace(self, start=self.start.only(share.start, share.stop))

    def pictures(self, view: View) -> Iterator[Picture]:
        """Yield the pictures of the starting codes, uint8 `(height, width, channels)`."""
        return view.pictures(self.generator, self.start.codes, self.start.numbers)


def bundle_of(bundle: Bundle | Path | str, options: PictureOptions) -> Bundle:
    """Return the bundle, read if this is a path; its model may be in the same folder."""
    if isinstance(bundle, Bundle):
        return bundle
    if options.get("beside") is None:
        options["beside"] = Path(bundle)
    return Bundle.load(bundle)


def open_scene(
    options: RenderOptions, model: "str | Path | Generator", seeds: Indices = 0
) -> Scene:
    """Open a model, and make the codes that pictures start from.

    Args:
        options: What to start from and how to render.
        model: A zoo name, a path, a URL, or a generator.
        seeds: The seeds if the options have none.

    Raises:
        UsageError: An option is not valid.
        SefaError: The model cannot be read.
    """
    check_scene(options)
    from sefa_cli.editing.source import load_generator

    keep_blocks()
    device, offline = options.get("device", PICTURES["device"]), options.get("offline")
    return _scene(load_generator(model, device, offline), options, seeds)


def open_scene_of(bundle: Bundle, options: PictureOptions, seeds: Indices = 0) -> Scene:
    """Open the model of a bundle, and make the codes that its directions will move.

    Raises:
        UsageError: An option is not valid.
        MismatchError: The bundle belongs to another model.
        SefaError: The model cannot be read.
    """
    check_scene(options)
    from sefa_cli.editing.source import generator_for

    keep_blocks()
    generator = generator_for(
        bundle,
        options.get("model"),
        options.get("beside"),
        device=options.get("device", PICTURES["device"]),
        any_model=options.get("any_model", PICTURES["any_model"]),
        offline=options.get("offline"),
    )
    layers = options.get("layers")
    chosen = None if layers is None else parse_layers(generator.checkpoint, layers)
    return replace(_scene(generator, options, seeds), layers=chosen)


def check_scene(options: RenderOptions) -> None:
    """Raise UsageError, before the model is read, for options that cannot be."""
    view_of(options)
    seeds, codes, mix = options.get("seeds"), options.get("codes"), options.get("mix_from")
    if seeds is not None and codes is not None:
        raise UsageError("seeds and codes cannot be used together")
    if seeds is not None:
        as_indices(seeds, "seed", 2**32)
    if isinstance(codes, str | Path):
        check_exists(codes)
    if mix is not None:
        parse_mix(mix)
    if (layers := options.get("truncation_layers")) is not None:
        as_indices(layers, "truncation layer")
    check_device(options.get("device", PICTURES["device"]))


def _scene(generator: "Generator", options: RenderOptions, seeds: Indices) -> Scene:
    from sefa_cli.editing.start import start_from
    from sefa_cli.generators.inputs import as_size

    as_size(options.get("size"), generator.resolution)
    how = options.get("truncation"), options.get("truncation_layers"), options.get("label")
    own = options.get("seeds")
    start = start_from(generator, seeds if own is None else own, options.get("codes"), *how)
    if (mix := options.get("mix_from")) is not None:
        start = mixed(start, generator, mix, *how)
    return Scene(generator, start, view_of(options))
