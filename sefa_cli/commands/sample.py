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
            metavar="FILE.png|DIR|-",
            help="A sheet with the seed numbers; a folder gets a picture each; - is stdout.",
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
    from sefa_cli import allocator
    from sefa_cli.checkpoints import open_checkpoint
    from sefa_cli.commands.opening import parse_placement, place
    from sefa_cli.commands.outputs import picture_target
    from sefa_cli.commands.showing import Showing
    from sefa_cli.editing.source import load_generator
    from sefa_cli.editing.start import start_from
    from sefa_cli.rendering.sheets import grid
    from sefa_cli.rendering.view import View

    view = View(size, fast, noise_mode, class_label, trunc)
    placement = parse_placement(translate, rotate)
    target = picture_target(output, "sample", overwrite)
    showing = Showing.of(show)
    allocator.keep_blocks()
    generator = load_generator(open_checkpoint(model, offline=offline), device)
    place(generator, placement)
    start = start_from(generator, seeds, None, trunc, trunc_layers, class_label)
    if not target.is_folder:
        view = view.at_most(generator, 256)
    sheet = []
    with progress("sampling", len(start.numbers)) as advance:
        for i, picture in enumerate(view.pictures(generator, start.codes, start.numbers)):
            if target.is_folder:
                showing.see(picture)
                wrote(target.save_one(picture, start.stem(i), view.about(generator)))
            else:
                sheet.append(picture)
            advance()
    if not target.is_folder:
        numbers = [str(number) for number in start.numbers]
        whole = showing.see(grid(sheet, numbers))
        wrote(target.save_sheet(whole, view.about(generator)))
    say(f"pictures: {view.about(generator)}", level=0 if fast else 1)
    showing.show(target.path)
