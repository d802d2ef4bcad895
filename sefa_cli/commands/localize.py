"""`sefa localize`: directions for one region of the picture, into a bundle."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import progress, say, wrote
from sefa_cli.errors import UsageError
from sefa_cli.files import check_writable

if TYPE_CHECKING:
    from sefa_cli.discovery.partial import Partial


def localize(
    model: options.Model,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="OUT.dirs", help="The bundle.")
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(
            metavar="TOP,LEFT,HEIGHT,WIDTH",
            help="The region: pixels of --size, or fractions with a point.",
        ),
    ] = None,
    mask: Annotated[
        str | None, typer.Option(metavar="FILE", help="… a picture: white counts, gray weighs.")
    ] = None,
    polygon: Annotated[
        str | None, typer.Option(metavar='"Y,X Y,X Y,X"', help="… its corners.")
    ] = None,
    seg: Annotated[
        str | None, typer.Option(metavar="FILE", help="… a segmentation map, with --seg-ids.")
    ] = None,
    seg_ids: Annotated[
        str | None, typer.Option("--seg-ids", metavar="RANGE", help="Its segments: 3,4.")
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="… by name: eyes, mouth, face:hair (`sefa inspect MODEL`)."
        ),
    ] = None,
    background: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A mask of what must stay still, if not all the rest."),
    ] = None,
    seeds: options.Seeds = "0-4",
    space: Annotated[
        str | None,
        typer.Option(metavar="w|w+|z", help="One row for all layers, or a row for each."),
    ] = None,
    layers: Annotated[
        str,
        typer.Option(
            "--layers",
            "-L",
            metavar="RANGE|auto",
            help="The layers that move; auto the level that suits the seeds, for four times the "
            "time.",
        ),
    ] = "all",
    size: Annotated[int, typer.Option(min=8, help="Working size in pixels.")] = 256,
    fast: Annotated[
        bool, typer.Option("--fast/--exact", help="The network's shortcut, where it has one.")
    ] = True,
    tau: Annotated[
        str,
        typer.Option(
            metavar="TAU|auto",
            help="Ridge on the background, as a share of its change; 0 is none, auto what suits "
            "the seeds.",
        ),
    ] = "1e-3",
    num: Annotated[
        int | None,
        typer.Option(min=1, metavar="K", help="Keep the leading K directions; in w+ 64."),
    ] = None,
    method: Annotated[str, typer.Option(metavar="resefa|lowrank", help="The method.")] = "resefa",
    sum_channels: Annotated[
        bool, typer.Option("--sum-channels", help="Sum a pixel's channels first.")
    ] = False,
    codes: options.Codes = None,
    trunc: options.Trunc = None,
    class_label: options.ClassLabel = None,
    sketch: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Begin with N random rows instead of a pass for every dimension; 0 takes them "
            "all. Where nothing is said 200 for latents of over 2048 dimensions (w+), else 0.",
        ),
    ] = None,
    precision: Annotated[
        str,
        typer.Option(
            metavar="float32|tf32|bf16",
            help="Of the derivatives: on CUDA the others are faster, and coarser.",
        ),
    ] = "float32",
    memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory for the derivatives: 800M, 4G.")
    ] = None,
    save_jacobian: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.npy",
            help="Keep all derivatives too: seeds × dimensions × channels × height × width.",
        ),
    ] = None,
    preview: Annotated[
        str | None,
        typer.Option(metavar="FILE.png", help="Show the region over the pictures, and stop."),
    ] = None,
    per_seed: Annotated[
        bool, typer.Option("--per-seed", help="A bundle per seed, OUT_seed0003.dirs.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after an interrupt, with the same options.")
    ] = False,
    stability: Annotated[
        bool, typer.Option("--stability", help="Say how much the seeds' directions agree.")
    ] = False,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
    offline: options.Offline = None,
) -> None:
    """Find directions that change one region of the picture and leave the rest alone (ReSeFa).

    A derivative of the picture is taken along every dimension of the latent, for each seed; on
    two CPU cores that is about a minute a seed for the default model. Several seeds are
    averaged. `edit` and `animate` use the bundle as any other, on any seed. With a row for each
    layer (w+) a sketch of random rows takes the place of thousands of derivatives.
    """
    from sefa_cli.allocator import keep_blocks
    from sefa_cli.checkpoints import open_checkpoint
    from sefa_cli.discovery import localize as discovery
    from sefa_cli.discovery.jacobian_file import check_jacobian_file, file_bytes, jacobian_file
    from sefa_cli.discovery.partial import Partial
    from sefa_cli.discovery.pictures import SMALL
    from sefa_cli.discovery.regions.landmarks import faces_for
    from sefa_cli.discovery.regions.named import subject_of
    from sefa_cli.discovery.regions.region import background as still
    from sefa_cli.discovery.regions.region import one_region
    from sefa_cli.editing.source import load_generator
    from sefa_cli.editing.start import start_from
    from sefa_cli.generators.precision import check_precision
    from sefa_cli.projections import fingerprint, parse_layers
    from sefa_cli.ranges import format_range
    from sefa_cli.rendering.pictures import save_png
    from sefa_cli.rendering.region_preview import region_preview
    from sefa_cli.rendering.view import View

    if output is None and preview is None:
        raise UsageError("no output", "-o OUT.dirs, or --preview FILE.png")
    for path in filter(None, (preview, output if preview is None else None)):
        check_writable(path, overwrite)
    budget = None if memory is None else options.parse_bytes(memory)
    if save_jacobian is not None:
        check_jacobian_file(save_jacobian, overwrite)
        if resume:
            raise UsageError("--save-jacobian with --resume", "one of them: all has to be made")

    checkpoint = open_checkpoint(model, offline=offline)
    subject = subject_of(model, checkpoint.family)
    asked = one_region(box, mask, polygon, seg, seg_ids, region, subject)
    faces = faces_for(region, subject, offline)
    held = None if background is None else one_region(mask=background)
    space = space or checkpoint.config["space"]
    search = discovery.Search(
        layers=parse_layers(checkpoint, "all" if layers == "auto" else layers),
        auto_layers=layers == "auto",
        space=space,
        size=min(size, checkpoint.config["resolution"]),
        fast=fast,
        **_ridge(tau),
        num=num,
        method=method,
        sum_channels=sum_channels,
        sketch=sketch,
        precision=precision,
        truncation=trunc,
        memory=budget,
    )
    d = checkpoint.config["w_dim"]
    if num is None and space == "w+":
        search = replace(search, num=min(64, search.most(d)))
    search.check(checkpoint)
    if save_jacobian is not None and search.sketched(d):
        raise UsageError("--save-jacobian with a sketch, which never has it", "--sketch 0")
    searches = search.alternatives(checkpoint)
    if save_jacobian is not None and len(searches) > 1:
        raise UsageError("--save-jacobian with -L auto", "one of them, or -L middle")
    keep_blocks()
    generator = load_generator(checkpoint, device)
    check_precision(precision, generator.device)
    start = start_from(generator, seeds, codes, trunc, None, class_label)
    if per_seed or len(start.numbers) < 2:
        alone = "with --per-seed" if per_seed else "for a single seed"
        if search.auto_tau:
            raise UsageError(f"--tau auto {alone}", "two seeds or more, or --tau 1e-3")
        if search.auto_layers:
            raise UsageError(f"-L auto {alone}", "two seeds or more, or -L middle")
    view = View(search.size, fast, label=class_label, truncation=trunc)
    pictures = list(view.pictures(generator, start.codes, start.numbers))
    first = pictures[0]  # (height, width, channels)
    fore = asked.weights(*first.shape[:2])
    text = Path(asked.text).name if asked.kind in ("mask", "seg") else asked.text  # no folders
    if faces is not None:
        fore, text = faces.weights(pictures, start.names), faces.text
    target = discovery.Target(
        f"{asked.kind} {text}", fore, None if held is None else still(fore, held)
    )
    if preview is not None:
        sheet = region_preview(pictures, fore, target.back, start.names)
        save_png(preview, sheet, overwrite)
        wrote(preview)
        return

    psi = trunc
    if trunc is None and (codes is None or generator.conditioned):
        psi = generator.default_truncation
    params = {"trunc": psi, "class": class_label, "codes": codes and Path(codes).name}
    output = str(output)
    task = {
        **discovery.parameters(target, search, start.numbers, d),
        **params,
        "per_seed": per_seed,
    }
    partial = Partial(Path(output), {**task, "fingerprint": fingerprint(checkpoint)})
    if resume:
        partial.read()
    shape = (len(start.numbers), search.dim(d), first.shape[2], *first.shape[:2])
    with _told(partial), ExitStack() as stack:
        watch = None
        if save_jacobian is not None:
            say(f"{save_jacobian} takes {file_bytes(shape) / 1e6:.0f} MB")
            watch = stack.enter_context(jacobian_file(save_jacobian, shape, overwrite))
        passes = sum(own.passes(d, len(start.numbers)) for own in searches)
        advance = stack.enter_context(progress("localizing", passes))
        pictured = discovery.Pictures(
            generator, start.codes, start.numbers, target, class_label, partial, advance, watch
        )
        tried = [(own, pictured.matrices(own, joint=not per_seed)) for own in searches]
    if save_jacobian is not None:
        wrote(save_jacobian)
    search, found, quotient = discovery.settled(tried)
    if (residual := discovery.residual(found)) is not None:
        enough = residual < SMALL
        say(
            f"the sketch's leading directions are right to within {residual:.1%}"
            + ("" if enough else "; a larger --sketch does better")
        )
    if quotient is not None:
        chosen = f"layers {format_range(search.layers)}, tau {search.tau:g}"
        how = f"{quotient:.3g} times as much as the rest"
        say(f"{chosen}: on a seed left out, the region changes {how}")
    if stability:
        say(f"{discovery.stability(found, search):.0%} of the leading spans is shared by the seeds")
    bundles = discovery.region_bundles(
        checkpoint, found, target, search, start.numbers, params, joint=not per_seed
    )
    stem = output.removesuffix(".dirs")
    each = [f"{stem}_{start.stem(i)}.dirs" for i in range(len(start.numbers))]
    for path, bundle in zip(each if per_seed else [output], bundles, strict=True):
        bundle.save(path, overwrite)
        wrote(path)
    partial.remove()


@contextmanager
def _told(partial: "Partial") -> Iterator[None]:
    """Say after an interrupt how to go on."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if partial.written:
            say(f"{partial.path} keeps what was done; go on by the same command with --resume")
        raise


def _ridge(text: str) -> dict[str, Any]:
    """`--tau` as the search takes it. Raises UsageError for what is neither a number nor auto."""
    if text == "auto":
        return {"auto_tau": True}
    try:
        return {"tau": float(text)}
    except ValueError:
        raise UsageError(f"tau {text!r} is no number", "something like 1e-3, 0, or auto") from None
