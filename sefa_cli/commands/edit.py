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
            help="The step, in units of the latent; -4,-2,2,4 makes a column each; auto takes "
            "-2, -1, 1 and 2 of the steps that `sefa inspect` shows.",
        ),
    ],
    seeds: options.Seeds = "0-4",
    layers: options.MoveLayers = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|DIR|-",
            help="A sheet (.png, .jpg, .webp), before and after per seed; a folder gets a picture "
            "each; - is stdout.",
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
    from sefa_cli.commands.showing import Showing
    from sefa_cli.editing.moves import name_of, parse_moves
    from sefa_cli.files import check_writable
    from sefa_cli.rendering.edits import edit as edited
    from sefa_cli.rendering.options import PictureOptions, view_of
    from sefa_cli.rendering.outputs import picture_target

    bundle = Bundle.load(dirs)
    table = parse_moves(bundle, k, alpha)
    how: PictureOptions = {
        "seeds": seeds, "codes": codes, "truncation": trunc, "truncation_layers": trunc_layers,
        "label": class_label, "layers": layers, "model": model, "any_model": any_model,
        "beside": options.folder_of(dirs), "noise_mode": noise_mode, "size": size, "fast": fast,
        "translate": options.parse_translate(translate), "rotate": rotate, "device": device,
        "offline": offline,
    }  # fmt: skip
    view_of(how)
    target = picture_target(output, f"{options.stem(dirs)}_{name_of(table)}", overwrite)
    if save_codes:
        check_writable(save_codes, overwrite)
    showing = Showing.of(show)

    edits = edited(bundle, table, **how)
    if save_codes:
        edits.save_codes(save_codes, overwrite)
    with progress("editing", edits.count(target)) as advance:
        for path in edits.write(target, advance, showing.see):
            wrote(path)
    say(f"pictures: {edits.about(target)}", level=0 if fast else 1)
    if save_codes:
        wrote(save_codes)
    showing.show(target.path)
