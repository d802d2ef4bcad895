"""`sefa edit`: pictures before and after a move along directions."""

from typing import Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import progress, say, wrote


def edit(
    dirs: options.Dirs,
    k: Annotated[
        list[str],
        typer.Option(
            "--k",
            metavar="K",
            help="A direction: an index or a label; 0-2,smile makes a row each. "
            "Repeated --k/--alpha pairs combine into one move.",
        ),
    ],
    alpha: Annotated[
        list[str],
        typer.Option(
            "--alpha",
            metavar="A",
            help="The step, in units of the latent; -4,-2,2,4 makes a column each.",
        ),
    ],
    seeds: options.Seeds = "0-4",
    layers: options.MoveLayers = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.png|DIR|-",
            help="A sheet, before and after per seed; a folder gets a picture each; - is stdout.",
        ),
    ] = None,
    codes: options.Codes = None,
    save_codes: Annotated[
        str | None,
        typer.Option("--save-codes", metavar="FILE.npz", help="Keep the moved codes."),
    ] = None,
    model: options.ModelOption = None,
    any_model: options.AnyModel = False,
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
    """Move codes along directions of a bundle and show the pictures.

    The bundle knows its model. In a sheet pictures have at most 512 pixels unless --size says
    more; a folder gets full ones, named like seed0003_k3_+2.00.png.
    """
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.commands.opening import opened, parse_placement
    from sefa_cli.commands.outputs import picture_target
    from sefa_cli.commands.showing import Showing
    from sefa_cli.editing.moves import name_of, parse_moves
    from sefa_cli.files import check_writable
    from sefa_cli.rendering.view import View

    bundle = Bundle.load(dirs)
    table = parse_moves(bundle, k, alpha)
    view = View(size, fast, noise_mode, class_label, trunc)
    placement = parse_placement(translate, rotate)
    target = picture_target(output, f"{options.stem(dirs)}_{name_of(table)}", overwrite)
    if save_codes:
        check_writable(save_codes, overwrite)
    showing = Showing.of(show)

    generator, chosen = opened(
        bundle, dirs, layers, model,
        any_model=any_model, device=device, offline=offline, placement=placement,
    )  # fmt: skip
    from sefa_cli.editing.codes import save_codes as keep_codes
    from sefa_cli.editing.start import start_from
    from sefa_cli.rendering.edits import Edits

    start = start_from(generator, seeds, codes, trunc, trunc_layers, class_label)
    edits = Edits(generator, bundle, start, table, chosen)
    if save_codes:
        keep_codes(save_codes, edits.all_codes(), overwrite, generator.space)
    moves = sum(map(len, table))
    if target.is_folder:
        with progress("editing", moves * len(start.numbers)) as advance:
            for stem, picture in edits.pictures(view):
                wrote(target.save_one(showing.see(picture), stem, view.about(generator)))
                advance()
    else:
        with progress("editing", (1 + moves) * len(start.numbers)) as advance:
            view = view.at_most(generator, 512)
            sheet = showing.see(edits.sheet(view, advance))
        wrote(target.save_sheet(sheet, view.about(generator)))
    say(f"pictures: {view.about(generator)}", level=0 if fast else 1)
    if save_codes:
        wrote(save_codes)
    showing.show(target.path)
