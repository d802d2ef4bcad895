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
        typer.Option("--k", metavar="K", help="Directions: 0-2,smile. The first ten if not said."),
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
    from sefa_cli.commands.opening import opened, parse_placement
    from sefa_cli.editing.moves import parse_span
    from sefa_cli.files import free_name
    from sefa_cli.ranges import format_range
    from sefa_cli.rendering.report import Report, check_report_folder, sweep_steps, write_report
    from sefa_cli.rendering.shell import shell_line
    from sefa_cli.rendering.view import View

    bundle = Bundle.load(dirs)
    ks = tuple(range(min(10, bundle.k))) if k is None else bundle.indices(k)
    alphas = sweep_steps(*parse_span(span), steps)
    view = View(size, fast, noise_mode, class_label, trunc)
    placement = parse_placement(translate, rotate)
    output = output or str(free_name(".", f"{options.stem(dirs)}_report", ""))
    check_report_folder(output, overwrite)

    generator, chosen = opened(
        bundle, dirs, layers, model,
        any_model=any_model, device=device, offline=offline, placement=placement,
    )  # fmt: skip
    from sefa_cli.editing.start import start_from
    from sefa_cli.rendering.edits import Edits

    start = start_from(generator, seeds, codes, trunc, trunc_layers, class_label)
    view = view.at_most(generator, 256)
    look = {
        "--layers": layers, "--codes": codes, "--model": model, "--any-model": any_model,
        "--trunc": trunc, "--trunc-layers": trunc_layers,
        "--noise-mode": None if noise_mode == "const" else noise_mode,
        "--class": class_label, "--translate": translate, "--rotate": rotate,
        "--size": view.size, "--fast": fast, "--device": None if device == "auto" else device,
    }  # fmt: skip
    shown = {"--seeds": None if codes else seeds, "--k": format_range(ks)}
    swept = {"--range": span, "--steps": steps}
    command = shell_line(["sefa", "report", dirs], {"-o": output, **shown, **swept, **look})
    page = Report(
        Edits(generator, bundle, start, [], chosen), view, ks, alphas, dirs, command, look
    )
    with progress("rendering", page.total) as advance:
        written = write_report(page, output, overwrite, advance)
    say(f"pictures: {view.about(generator)}", level=0 if fast else 1)
    if as_json:
        from sefa_cli.rendering.report import described

        print_json(described(page, written.parent))
    else:
        wrote(written)
