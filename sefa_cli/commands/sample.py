"""`sefa sample`: the unedited pictures of some seeds, to choose from."""

from typing import Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import progress, say, wrote


def sample(
    model: options.Model,
    seeds: options.Seeds = "0-31",
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|DIR|-",
            help="A sheet (.png, .jpg, .webp) with the seed numbers; a folder gets a picture each; "
            "- is stdout.",
        ),
    ] = None,
    trunc: options.Trunc = None,
    trunc_layers: options.TruncLayers = None,
    noise_mode: options.NoiseMode = "const",
    class_label: options.ClassLabel = None,
    translate: options.Translate = None,
    rotate: options.Rotate = None,
    size: options.Size = None,
    fast: options.Fast = False,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
    offline: options.Offline = None,
    show: options.Show = False,
) -> None:
    """Show the pictures of some seeds, unedited, with their numbers.

    In a sheet they have at most 256 pixels unless --size says more; a folder gets full pictures.
    """
    from sefa_cli.commands.showing import Showing
    from sefa_cli.rendering.options import RenderOptions, view_of
    from sefa_cli.rendering.outputs import picture_target
    from sefa_cli.rendering.samples import sample as sampled

    how: RenderOptions = {
        "seeds": seeds, "truncation": trunc, "truncation_layers": trunc_layers,
        "label": class_label, "noise_mode": noise_mode, "size": size, "fast": fast,
        "translate": options.parse_translate(translate), "rotate": rotate, "device": device,
        "offline": offline,
    }  # fmt: skip
    view_of(how)
    target = picture_target(output, "sample", overwrite)
    showing = Showing.of(show)

    pictures = sampled(model, **how)
    with progress("sampling", pictures.count(target)) as advance:
        for path in pictures.write(target, advance, showing.see):
            wrote(path)
    say(f"pictures: {pictures.about(target)}", level=0 if fast else 1)
    showing.show(target.path)
