"""`sefa report`: a page of sweeps in a folder, to look at directions in a browser."""

from typing import Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import print_json, say, working, wrote
from sefa_cli.commands.picture_options import BundleFile, Look, Start, picture_options
from sefa_cli.errors import UsageError


def report(
    bundle_file: BundleFile,
    start: Start,
    look: Look,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="The folder for the page and its pictures. Default: an automatic name, here.",
        ),
    ] = None,
    seeds: Annotated[str | None, options.seeds("0-4")] = None,
    k: Annotated[
        str | None,
        typer.Option(
            "--k",
            "-k",
            metavar="K",
            help="Directions, such as 0-2,smile, -1 for the last, or all. Default: the first ten.",
        ),
    ] = None,
    span: Annotated[str, options.span(", or a list of steps such as -4,-1,1,4")] = "auto",
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            metavar="N",
            help="The number of pictures in a sweep. Default: 7; 5 for auto.",
        ),
    ] = None,
    as_json: options.Json = False,
    overwrite: options.Overwrite = False,
) -> None:
    """Show directions as a page: a row for each direction and seed, to sweep with the mouse.

    Open the folder from disk or send it as it is: it needs no network. Pictures have at most 256
    pixels unless you give --size. Each shows the command that makes it again.
    """
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.files import free_name
    from sefa_cli.ranges import format_range
    from sefa_cli.rendering.report import report_of, write_report
    from sefa_cli.rendering.report_folder import check_report_folder

    dirs = bundle_file.path
    bundle = Bundle.load(dirs)
    ks = tuple(range(min(10, bundle.k))) if k is None else bundle.indices(k)
    if steps is not None and not 2 <= steps <= 201:
        raise UsageError(f"--steps must be between 2 and 201, got {steps}")
    count = steps or (5 if span == "auto" else 7)
    sweeps = {k: _alphas(bundle.step(k), span, count) for k in ks}
    if "," in span and steps is not None:
        raise UsageError("--steps has no effect with a list of steps: the list has its own")
    how = picture_options(dirs, bundle, seeds, start, look)
    if start.codes is None:
        how.setdefault("seeds", "0-4")
    output = output or str(free_name(".", f"{options.stem(dirs)}_report", "", overwrite))
    check_report_folder(output, overwrite)

    said = {
        "-o": output,
        "--seeds": how.get("seeds"),
        "--k": format_range(ks),
        "--range": span,
        "--steps": None if "," in span else count,
    }
    with working(f"loading {start.model or bundle.model['ref']}") as work:
        page = report_of(bundle, sweeps, dirs, said, how)
        advance = work.begin("rendering", page.total, "pictures", "the page opens at any time")
        try:
            written = write_report(page, output, overwrite, advance)
        except (KeyboardInterrupt, SystemExit) as interrupt:
            for kept in getattr(interrupt, "__notes__", [])[-1:]:
                interrupt.add_note(f"{kept}; the same command with --overwrite makes all of them")
            raise
    say(f"pictures: {page.view.about(page.edits.scene.generator)}", level=0 if look.fast else 1)
    if as_json:
        from sefa_cli.rendering.report import described

        print_json(described(page, written.parent))
    else:
        wrote(written)


def _alphas(step: float, span: str, count: int) -> tuple[float, ...]:
    """Return the steps of a sweep: those of a list, or `count` over a range."""
    from sefa_cli.editing.moves import FARTHEST, ends_of, parse_alphas
    from sefa_cli.rendering.report import sweep_steps

    if "," in span:
        return tuple(parse_alphas(span))
    ends = (-FARTHEST * step, FARTHEST * step) if span == "auto" else ends_of(span)
    return sweep_steps(*ends, count)
