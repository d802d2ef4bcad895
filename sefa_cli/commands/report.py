"""`sefa report`: a page of sweeps in a folder, to look at directions in a browser."""

from typing import Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import print_json, progress, say, wrote


def report(
    dirs: Annotated[
        str, typer.Argument(metavar="X.dirs", help="The bundle of directions; - for stdin.")
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="The folder of the page and its pictures."
        ),
    ] = None,
    seeds: options.Seeds = "0-4",
    k: Annotated[
        str | None,
        typer.Option(
            "--k", metavar="K", help="Directions, such as 0-2,smile. Default: the first ten."
        ),
    ] = None,
    span: Annotated[
        str, typer.Option("--range", metavar="A:B", help="First and last step.")
    ] = "-3:3",
    steps: Annotated[
        int, typer.Option("--steps", min=2, max=201, help="Pictures of one sweep.")
    ] = 7,
    layers: options.MoveLayers = None,
    codes: options.Codes = None,
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
    as_json: options.Json = False,
    overwrite: options.Overwrite = False,
    offline: options.Offline = None,
) -> None:
    """Show directions as a page: a row for each direction and seed, to sweep with the mouse.

    The folder opens from disk, needs no network and can be sent as it is. Pictures have at most
    256 pixels unless --size says more. Each says the command that makes it again.
    """
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.editing.moves import parse_span
    from sefa_cli.files import free_name
    from sefa_cli.ranges import format_range
    from sefa_cli.rendering.options import PictureOptions, view_of
    from sefa_cli.rendering.report import check_report_folder, report_of, sweep_steps, write_report

    bundle = Bundle.load(dirs)
    ks = tuple(range(min(10, bundle.k))) if k is None else bundle.indices(k)
    alphas = sweep_steps(*parse_span(span), steps)
    how: PictureOptions = {
        "seeds": seeds, "codes": codes, "truncation": trunc, "truncation_layers": trunc_layers,
        "label": class_label, "layers": layers, "model": model, "any_model": any_model,
        "beside": options.folder_of(dirs), "noise_mode": noise_mode, "size": size, "fast": fast,
        "translate": options.parse_translate(translate), "rotate": rotate, "device": device,
        "offline": offline,
    }  # fmt: skip
    view_of(how)
    output = output or str(free_name(".", f"{options.stem(dirs)}_report", ""))
    check_report_folder(output, overwrite)

    said = {"-o": output, "--seeds": None if codes else seeds, "--k": format_range(ks),
            "--range": span, "--steps": steps}  # fmt: skip
    page = report_of(bundle, ks, alphas, dirs, said, how)
    with progress("rendering", page.total) as advance:
        written = write_report(page, output, overwrite, advance)
    say(f"pictures: {page.view.about(page.edits.scene.generator)}", level=0 if fast else 1)
    if as_json:
        from sefa_cli.rendering.report import described

        print_json(described(page, written.parent))
    else:
        wrote(written)
