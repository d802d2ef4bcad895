"""`sefa localize`: directions for one region of the picture, into a bundle."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import progress_bar, say, wrote
from sefa_cli.errors import UsageError
from sefa_cli.files import check_writable

if TYPE_CHECKING:
    from sefa_cli.discovery.work import Found, Prepared


def localize(
    model: options.Model,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="OUT.dirs", help="The bundle.")
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(
            metavar="TOP,LEFT,HEIGHT,WIDTH",
            help="The region: pixels of --size, or fractions with a decimal point.",
        ),
    ] = None,
    mask: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Or a picture: white counts, gray counts in part."),
    ] = None,
    polygon: Annotated[
        str | None, typer.Option(metavar='"Y,X Y,X Y,X"', help="Or its corners.")
    ] = None,
    seg: Annotated[
        str | None, typer.Option(metavar="FILE", help="Or a segmentation map, with --seg-ids.")
    ] = None,
    seg_ids: Annotated[
        str | None, typer.Option("--seg-ids", metavar="RANGE", help="The segments of --seg: 3,4.")
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Or its name: eyes, mouth, face:hair (`sefa inspect MODEL`)."
        ),
    ] = None,
    background: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A mask of what must stay still. Default: all the rest."),
    ] = None,
    seeds: options.Seeds = "0-4",
    space: Annotated[
        str | None,
        typer.Option(metavar="w|w+|z", help="w and z: one row for all layers; w+: a row for each."),
    ] = None,
    layers: Annotated[
        str,
        typer.Option(
            "--layers",
            "-L",
            metavar="RANGE|auto",
            help="The layers that move. auto takes the level that suits the seeds, in four times "
            "the time.",
        ),
    ] = "all",
    size: Annotated[int, typer.Option(min=8, help="Working size in pixels.")] = 256,
    fast: Annotated[
        bool, typer.Option("--fast/--exact", help="Take the network's shortcut, if it has one.")
    ] = True,
    tau: Annotated[
        str,
        typer.Option(
            metavar="TAU|auto",
            help="Ridge on the background, as a share of its change. 0 adds none, auto takes the "
            "one that suits the seeds.",
        ),
    ] = "1e-3",
    num: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="K", help="Keep the leading K directions. Default: all, in w+ 64."
        ),
    ] = None,
    method: Annotated[str, typer.Option(metavar="resefa|lowrank", help="The method.")] = "resefa",
    sum_channels: Annotated[
        bool, typer.Option("--sum-channels", help="Sum each pixel's channels first.")
    ] = False,
    codes: options.Codes = None,
    trunc: options.Trunc = None,
    class_label: options.ClassLabel = None,
    sketch: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Begin with N random rows instead of a pass for every dimension; 0 takes a pass "
            "for each. Default: 200 for latents of over 2048 dimensions (w+), else 0.",
        ),
    ] = None,
    precision: Annotated[
        str,
        typer.Option(
            metavar="float32|tf32|bf16",
            help="Precision of the derivatives: on CUDA, tf32 and bf16 are faster and coarser.",
        ),
    ] = "float32",
    memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory for the derivatives: 800M, 4G.")
    ] = None,
    save_jacobian: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.npy",
            help="Save all derivatives too: seeds × dimensions × channels × height × width.",
        ),
    ] = None,
    preview: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.png", help="Write the pictures with the region outlined, and stop."
        ),
    ] = None,
    per_seed: Annotated[
        bool, typer.Option("--per-seed", help="Write a bundle for each seed, OUT_seed0003.dirs.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue after an interrupt, with the same options.")
    ] = False,
    stability: Annotated[
        bool, typer.Option("--stability", help="Report how much the seeds' directions agree.")
    ] = False,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
    offline: options.Offline = None,
) -> None:
    """Find directions that change one region of the picture and leave the rest alone (ReSeFa).

    It takes a derivative of the picture along every dimension of the latent, for each seed. With
    the default model on two CPU cores, a seed takes about a minute. Several seeds are averaged.
    `edit` and `animate` use the bundle like any other, on any seed. With a row for each layer
    (w+), a sketch of random rows replaces thousands of derivatives.
    """
    from sefa_cli.allocator import keep_blocks
    from sefa_cli.discovery.localize import prepare
    from sefa_cli.discovery.regions.region import one_region
    from sefa_cli.discovery.request import Files, Request

    if output is None and preview is None:
        raise UsageError("no output", "-o OUT.dirs, or --preview FILE.png")
    if preview is not None:
        check_writable(preview, overwrite)
        output = None
    request = Request(
        seeds=seeds,
        codes=codes,
        truncation=trunc,
        label=class_label,
        layers=layers,
        space=space,
        size=size,
        fast=fast,
        tau=tau,
        num=num,
        method=method,
        sum_channels=sum_channels,
        sketch=sketch,
        precision=precision,
        memory=None if memory is None else options.parse_bytes(memory),
        stability=stability,
        per_seed=per_seed,
    )
    files = Files(output, save_jacobian, resume, overwrite)
    chosen = one_region(box, mask, polygon, seg, seg_ids, region)
    still = None if background is None else Path(background)
    keep_blocks()
    task = prepare(model, chosen, request, files, background=still, device=device, offline=offline)
    if preview is None:
        _run(task)
    else:
        _show_region(task, preview)


def _show_region(task: "Prepared", path: str) -> None:
    """Write the pictures with the region outlined."""
    from sefa_cli.rendering.pictures import save_png
    from sefa_cli.rendering.region_preview import region_preview

    target = task.target
    sheet = region_preview(task.pictures, target.fore, target.back, task.start.names)
    save_png(path, sheet, task.files.overwrite)
    wrote(path)


def _run(task: "Prepared") -> None:
    """Do the work with a bar, and say what was found."""
    jacobian = task.files.jacobian
    if jacobian is not None:
        say(f"{jacobian} takes {task.jacobian_bytes / 1e6:.0f} MB")
    try:
        with progress_bar() as progress:
            found = task.run(progress)
    except (KeyboardInterrupt, SystemExit) as interrupt:
        if getattr(interrupt, "__notes__", None):
            partial = task.files.partial
            say(f"{partial} keeps what was done; go on by the same command with --resume")
        raise
    for path in (*([jacobian] if jacobian else []), *found.paths):
        wrote(path)
    _tell(found)


def _tell(found: "Found") -> None:
    """Say how good the directions are, as far as it was measured."""
    from sefa_cli.discovery.collect import SMALL
    from sefa_cli.ranges import format_range

    if found.residual is not None:
        advice = "" if found.residual < SMALL else "; a larger --sketch does better"
        say(f"the sketch's leading directions are right to within {found.residual:.1%}{advice}")
    if found.quotient is not None:
        chosen = f"layers {format_range(found.search.layers)}, tau {found.search.tau:g}"
        how = f"{found.quotient:.3g} times as much as the rest"
        say(f"{chosen}: on a seed left out, the region changes {how}")
    if found.stability is not None:
        say(f"{found.stability:.0%} of the leading spans is shared by the seeds")
