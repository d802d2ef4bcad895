"""`sefa localize`: directions for one region of the picture, into a bundle."""

from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands import checks, options
from sefa_cli.commands.console import say, warn, working, wrote
from sefa_cli.commands.found import report
from sefa_cli.commands.localize_options import How, Where
from sefa_cli.commands.shares import Shares
from sefa_cli.errors import UsageError

_MEMORY = "2G"  # of each worker on a cluster: all must have the same

if TYPE_CHECKING:
    from sefa_cli.containers.checkpoint import Checkpoint
    from sefa_cli.discovery.regions.region import Region
    from sefa_cli.discovery.request import Files, Request
    from sefa_cli.discovery.work import Prepared


def localize(
    model: options.Model,
    where: Where,
    how: How,
    shares: Shares,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="OUT.dirs", help="The bundle to write.")
    ] = None,
    seeds: Annotated[str | None, options.seeds("0-4")] = None,
    preview: Annotated[
        str | None,
        typer.Option(metavar="FILE.png", help="Only write the pictures with the region outlined."),
    ] = None,
    save_jacobian: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.npy",
            help="Also save all derivatives: seeds × dimensions × channels × height × width.",
        ),
    ] = None,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
    offline: options.Offline = None,
) -> None:
    """Find directions that change one region of the picture and leave the rest alone (ReSeFa).

    For each seed, this takes derivatives of the picture, first along directions that the weights
    suggest, then along what these lack. With the default model on two CPU cores, a seed takes
    8 to 16 seconds. At least three pictures are averaged: other seeds join yours. `edit` and
    `animate` use the bundle like any other, on any seed.
    """
    from sefa_cli.discovery.request import Files

    if preview is not None:
        from sefa_cli.files import check_writable

        if shares.shard or shares.on:
            raise UsageError(f"{shares.option} and --preview cannot be used together")
        check_writable(preview, overwrite, [".png"])
        if output is not None:
            warn(f"{output} will not be written: --preview only writes pictures")
    region, still = _regions(where)
    request = _request(how, seeds)
    checks.check_device(device, request.precision)
    own, resume = shares.own(), shares.resume
    files = Files(None if preview else output, save_jacobian, resume, overwrite, own)
    checkpoint = _check_for_model(model, region, still, request, files, offline)
    if shares.on is not None:
        from sefa_cli.commands import on_cluster
        from sefa_cli.files import check_writable

        check_writable(str(output), overwrite)
        more = [] if how.memory else ["--memory", _MEMORY]
        items = on_cluster.seeds_or_codes(request.seed_range, how.codes, checkpoint.config)
        on_cluster.merge(shares, str(output), items, device, overwrite, more)
        return

    with working(f"loading {model}"):
        from sefa_cli.allocator import keep_blocks
        from sefa_cli.discovery.localize import prepare

        keep_blocks()
        task = prepare(
            model, region, request, files, background=still, device=device, offline=offline
        )
    if resume and not overwrite and options.is_done(own, output, lambda: task.job):
        return
    if preview is None:
        _run(task)
    else:
        _show_region(task, preview)


def _regions(where: Where) -> "tuple[Region, Region | None]":
    """Return the region and the background; files are read and numbers parsed now."""
    from sefa_cli.discovery.regions.region import Region, one_region

    still = None if where.background is None else Region.mask(where.background)
    region = one_region(
        where.box, where.mask, where.polygon, where.seg, where.seg_ids, where.region
    )
    return region, still


def _request(how: How, seeds: str | None) -> "Request":
    """Return what is asked for; raises UsageError for words that no model understands."""
    from sefa_cli.discovery.request import Request
    from sefa_cli.editing.sum import check_truncation

    if how.codes is not None and seeds is not None:
        raise UsageError("--seeds and --codes cannot be used together")
    check_truncation(how.trunc, "--trunc")
    seeds = "0-4" if seeds is None else seeds
    checks.check_seeds(seeds)
    return Request(
        seeds=seeds,
        codes=how.codes,
        truncation=how.trunc,
        label=how.class_label,
        layers=how.layers,
        space=how.space,
        size=how.size,
        fast=how.fast,
        tau=how.tau,
        num=how.num,
        alone=how.alone,
        exact_gram=how.exact_gram,
        published=how.published,
        method=how.method,
        rank=how.rank,
        sum_channels=how.sum_channels,
        sketch=how.sketch,
        precision=how.precision,
        memory=None if how.memory is None else options.parse_bytes(how.memory),
        stability=how.stability,
        per_seed=how.per_seed,
    )


def _check_for_model(
    model: str,
    region: "Region",
    still: "Region | None",
    request: "Request",
    files: "Files",
    offline: bool | None,
) -> "Checkpoint":
    """Return the model; what it does not have is refused before its weights or torch are loaded."""
    from sefa_cli.checkpoints import open_checkpoint
    from sefa_cli.discovery.regions.landmarks import check_found
    from sefa_cli.discovery.regions.named import subject_of
    from sefa_cli.projections import picture_shape

    checkpoint = open_checkpoint(model, offline=offline)
    checks.check_class(request.label, checkpoint.config["c_dim"], request.codes is None)
    subject = subject_of(model, checkpoint.family)
    region = region.on(subject)
    if region.kind == "region":
        check_found(region.text, subject)
    search = files.search(request, checkpoint)
    if request.codes is not None:
        checks.check_file_of_codes(str(request.codes), checkpoint.config)
    else:
        count = checks.check_seeds(request.seed_range)
        request.check_count(count)
        if files.shard is not None:
            files.shard.share(count)
    checks.check_region(region, still, picture_shape(checkpoint, search.size))
    return checkpoint


def _show_region(task: "Prepared", path: str) -> None:
    """Write the pictures with the region outlined."""
    from sefa_cli.rendering.pictures import save_png
    from sefa_cli.rendering.region_preview import region_preview

    target = task.target
    sheet = region_preview(task.pictures, target.fore, target.back, task.start.names)
    save_png(path, sheet, task.files.overwrite)
    wrote(path)


def _run(task: "Prepared") -> None:
    """Find the directions with a bar, and report how good they are."""
    jacobian = task.files.jacobian
    if jacobian is not None:
        say(f"{jacobian} takes {task.jacobian_bytes / 1e6:.0f} MB")
    partial = task.files.partial
    try:
        with working("localizing") as work:
            few = task.searches[0].few(task.generator.w_dim)  # of these, residuals alone are kept
            kept = not few and task.request.method != "stylespace"
            advice = "after an interrupt, --resume goes on" if kept else ""
            advance = work.begin("localizing", task.passes, "derivatives", advice)
            found = task.run(lambda doing, done, total: advance.reach(done))
    except (KeyboardInterrupt, SystemExit) as interrupt:
        if getattr(interrupt, "__notes__", None):
            interrupt.add_note(
                f"{partial} keeps what was done; the same command with --resume goes on"
            )
        raise
    for path in (*([jacobian] if jacobian else []), *found.paths):
        wrote(path)
    report(found)
