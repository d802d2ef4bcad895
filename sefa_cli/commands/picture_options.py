"""The options of the commands that make pictures: in groups, each written and checked once.

A command takes a group as one parameter, and `spread` gives it an option for each field. Groups
are checked before torch or a model is loaded, so that a typing error costs no time.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sefa_cli.commands import checks, options
from sefa_cli.errors import UsageError

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.rendering.options import PictureOptions, RenderOptions


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with an option for each field of the dataclasses among its parameters."""
    groups: dict[str, tuple[Any, list[str]]] = {}
    spread_out: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        kind: Any = parameter.annotation
        if hasattr(kind, "__dataclass_fields__"):
            fields = list(inspect.signature(kind, eval_str=True).parameters.values())
            groups[parameter.name] = kind, [field.name for field in fields]
            spread_out += fields
        else:
            spread_out.append(parameter)

    def run(**words: Any) -> None:
        made = {
            name: kind(**{field: words.pop(field) for field in fields})
            for name, (kind, fields) in groups.items()
        }
        command(**words, **made)

    run.__doc__, run.__name__, run.__module__ = (
        command.__doc__,
        command.__name__,
        command.__module__,
    )
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in spread_out]
    )
    return run


# Generating eq, repr and frozen would cost every command 0.4 ms per class, and nobody uses them.
@dataclass(kw_only=True, eq=False, repr=False)
class BundleFile:
    """The bundle, named by its position or by `--dirs`."""

    file: Annotated[
        str | None,
        typer.Argument(metavar="X.dirs", help="The bundle of directions; - for stdin."),
    ] = None
    dirs: Annotated[
        list[str] | None,
        typer.Option("--dirs", "-d", metavar="X.dirs", help="Another way to name the bundle."),
    ] = None

    @property
    def path(self) -> str:
        """The one bundle. Raises UsageError if two were named."""
        if len(self._named) > 1:
            raise UsageError(
                f"{len(self._named)} bundles are given: {', '.join(self._named)}", "one"
            )
        return self._named[0]

    @property
    def is_named(self) -> bool:
        """Whether a bundle was named."""
        return bool(self._named)

    @property
    def _named(self) -> list[str]:
        return [*([] if self.file is None else [self.file]), *(self.dirs or [])]


@dataclass(kw_only=True, eq=False, repr=False)
class Start:
    """What the directions move: which layers, of which codes, in which model."""

    layers: Annotated[
        str | None,
        typer.Option(
            "--layers",
            "-L",
            metavar="RANGE",
            help="Move these layers instead of the bundle's: bottom, middle, top, all, or code "
            "indices such as 2-5,7.",
        ),
    ] = None
    codes: options.Codes = None
    mix_from: options.MixFrom = None
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="The bundle's model, if it cannot be found by itself.",
        ),
    ] = None
    any_model: Annotated[
        bool, typer.Option("--any-model", help="Accept a --model with another fingerprint.")
    ] = False


@dataclass(kw_only=True, eq=False, repr=False)
class Look:
    """How pictures are rendered."""

    trunc: options.Trunc = None
    trunc_layers: Annotated[
        str | None,
        typer.Option(
            "--trunc-layers",
            metavar="RANGE",
            help="Truncate only these layers: code indices such as 0-7.",
        ),
    ] = None
    noise_mode: Annotated[
        str,
        typer.Option(
            "--noise-mode", metavar="const|random|none", help="The noise inside the network."
        ),
    ] = "const"
    class_label: options.ClassLabel = None
    translate: Annotated[
        str | None,
        typer.Option(
            "--translate",
            metavar="X,Y",
            help="Move the picture right and down, as parts of its width (StyleGAN3 only).",
        ),
    ] = None
    rotate: Annotated[
        float | None,
        typer.Option(
            "--rotate",
            metavar="DEGREES",
            help="Turn the picture counterclockwise (StyleGAN3 only).",
        ),
    ] = None
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            metavar="N",
            help="Size in pixels of the longer side; each pixel is the mean of the area it covers. "
            "Default: at most 256 in `evaluate`, `report` and sheets of `sample`, at most 512 in "
            "sheets of `edit`, else the model's.",
        ),
    ] = None
    fast: Annotated[
        bool,
        typer.Option("--fast", help="Use the network's shortcut if it has one: faster and softer."),
    ] = False
    device: options.Device = "auto"
    offline: options.Offline = None

    @property
    def places(self) -> list[str]:
        """The options that move or turn the picture."""
        given = {"--translate": self.translate, "--rotate": self.rotate}
        return [option for option, value in given.items() if value is not None]


def render_options(seeds: str | None, look: Look) -> "RenderOptions":
    """Return the keywords of the library's picture functions. Raises SefaError early."""
    from sefa_cli.editing.sum import check_truncation
    from sefa_cli.rendering.options import view_of

    if seeds is not None:
        checks.check_seeds(seeds)
    check_truncation(look.trunc, "--trunc")
    checks.check_device(look.device)
    if look.size is not None and look.size < 1:
        raise UsageError(f"--size must be 1 or more, got {look.size}")
    how: RenderOptions = {
        "truncation": look.trunc,
        "truncation_layers": look.trunc_layers,
        "label": look.class_label,
        "noise_mode": look.noise_mode,
        "size": look.size,
        "fast": look.fast,
        "translate": options.parse_translate(look.translate),
        "rotate": look.rotate,
        "device": look.device,
        "offline": look.offline,
    }
    if seeds is not None:
        how["seeds"] = seeds
    view_of(how)
    return how


def picture_options(
    dirs: str, bundle: "Bundle", seeds: str | None, start: Start, look: Look
) -> "PictureOptions":
    """Return the keywords of the library's edits of a bundle. Raises SefaError early.

    Args:
        dirs: The bundle as it was named.
        bundle: The bundle.
        seeds: `--seeds`, None if it was not given.
        start: What the directions move.
        look: How pictures are rendered.
    """
    from sefa_cli.editing.sum import check_space

    how: PictureOptions = {
        **render_options(seeds, look),
        "codes": start.codes,
        "mix_from": start.mix_from,
        "layers": start.layers,
        "model": start.model,
        "any_model": start.any_model,
        "beside": options.folder_of(dirs),
    }
    space = "z" if bundle.space == "z" else "w"
    if start.any_model and start.model is None:
        raise UsageError("--any-model has no effect without --model")
    if start.model is not None:
        checks.check_model(start.model, look.offline)
    if start.model is None or not start.any_model:
        checks.check_for_model(bundle.model, start.layers, look)
        checks.check_mix(start.mix_from, {**bundle.model, "space": space})
    if look.class_label is not None or bundle.space == "z":  # elsewhere few models have classes
        from sefa_cli.editing.source import open_model_of

        checkpoint = open_model_of(
            bundle, start.model, how["beside"], any_model=start.any_model, offline=look.offline
        )
        check_space(bundle.space, checkpoint.config.space)
        checks.check_class(look.class_label, checkpoint.config["c_dim"], start.codes is None)
    other = start.model is not None and start.any_model
    checks.check_codes(start.codes, seeds, look, space, None if other else bundle.model)
    return how
