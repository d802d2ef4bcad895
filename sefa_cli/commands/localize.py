"""`sefa localize`: directions for one region of the picture, into a bundle."""

from pathlib import Path
from typing import Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import progress, say, wrote
from sefa_cli.errors import UsageError
from sefa_cli.files import check_writable


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
        str | None, typer.Option(metavar="FILE", help="… a picture: white counts, grey weighs.")
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
        str | None, typer.Option(metavar="NAME", help="… a named box: eyes, mouth, face:hair.")
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
        str, typer.Option("--layers", "-L", metavar="RANGE", help="The layers that move.")
    ] = "all",
    size: Annotated[int, typer.Option(min=8, help="Working size in pixels.")] = 256,
    fast: Annotated[
        bool, typer.Option("--fast/--exact", help="The network's shortcut, where it has one.")
    ] = True,
    tau: Annotated[
        float, typer.Option(help="Ridge on the background, as a share of its change; 0 is none.")
    ] = 1e-3,
    num: Annotated[
        int | None, typer.Option(min=1, metavar="K", help="Keep the leading K directions.")
    ] = None,
    method: Annotated[str, typer.Option(metavar="resefa|lowrank", help="The method.")] = "resefa",
    sum_channels: Annotated[
        bool, typer.Option("--sum-channels", help="Sum a pixel's channels first.")
    ] = False,
    codes: options.Codes = None,
    trunc: options.Trunc = None,
    class_label: options.ClassLabel = None,
    memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory for the derivatives: 800M, 4G.")
    ] = None,
    preview: Annotated[
        str | None,
        typer.Option(metavar="FILE.png", help="Show the region over the pictures, and stop."),
    ] = None,
    per_seed: Annotated[
        bool, typer.Option("--per-seed", help="A bundle per seed, OUT_seed0003.dirs.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after an interrupt: finished seeds are kept.")
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
    two CPU cores that is about two minutes a seed for the default model. Several seeds are
    averaged. `edit` and `animate` use the bundle as any other, on any seed.
    """
    from sefa_cli.allocator import keep_blocks
    from sefa_cli.checkpoints import open_checkpoint
    from sefa_cli.discovery import localize as discovery
    from sefa_cli.discovery.named_regions import subject_of
    from sefa_cli.discovery.partial import Partial
    from sefa_cli.discovery.regions import background as still
    from sefa_cli.discovery.regions import one_region
    from sefa_cli.editing.source import load_generator
    from sefa_cli.editing.start import start_from
    from sefa_cli.projections import fingerprint, parse_layers
    from sefa_cli.rendering.pictures import save_png
    from sefa_cli.rendering.region_preview import region_preview
    from sefa_cli.rendering.view import View

    if output is None and preview is None:
        raise UsageError("no output", "-o OUT.dirs, or --preview FILE.png")
    for path in filter(None, (preview, output if preview is None else None)):
        check_writable(path, overwrite)
    budget = None if memory is None else options.parse_bytes(memory)

    checkpoint = open_checkpoint(model, offline=offline)
    subject = subject_of(model, checkpoint.family)
    asked = one_region(box, mask, polygon, seg, seg_ids, region, subject)
    held = None if background is None else one_region(mask=background)
    space = space or checkpoint.config["space"]
    search = discovery.Search(
        layers=parse_layers(checkpoint, layers),
        space=space,
        size=min(size, checkpoint.config["resolution"]),
        fast=fast,
        tau=tau,
        num=num if num or space != "w+" else 64,
        method=method,
        sum_channels=sum_channels,
        memory=budget,
    )
    discovery.check(search, checkpoint)
    keep_blocks()
    generator = load_generator(checkpoint, device)
    start = start_from(generator, seeds, codes, trunc, None, class_label)
    view = View(search.size, fast, label=class_label)
    pictures = view.pictures(generator, start.codes, start.numbers)
    first = next(pictures)
    fore = asked.weights(*first.shape[:2])
    text = Path(asked.text).name if asked.kind in ("mask", "seg") else asked.text  # no folders
    target = discovery.Target(
        f"{asked.kind} {text}", fore, None if held is None else still(fore, held)
    )
    if preview is not None:
        sheet = region_preview([first, *pictures], fore, target.back, start.names)
        save_png(preview, sheet, overwrite)
        wrote(preview)
        return

    default = 0.7 if space != "z" and codes is None else None
    psi = default if trunc is None else trunc
    params = {"trunc": psi, "class": class_label, "codes": codes and Path(codes).name}
    output = str(output)
    task = {**discovery.parameters(target, search, start.numbers), **params}
    partial = Partial(Path(output), {**task, "fingerprint": fingerprint(checkpoint)})
    if resume:
        partial.read()
    with progress(
        "localizing", discovery.passes(generator, search) * len(start.numbers)
    ) as advance:
        found = discovery.all_grams(
            generator, start.codes, start.numbers, target, search, class_label, partial, advance
        )
    if stability:
        say(f"{discovery.stability(found, search):.0%} of the leading spans is shared by the seeds")
    sets = [(output, start.numbers, discovery.mean_grams(found))]
    if per_seed:
        stem = output.removesuffix(".dirs")
        sets = [
            (f"{stem}_{start.stem(i)}.dirs", start.numbers[i : i + 1], grams)
            for i, grams in enumerate(found)
        ]
    for path, numbers, matrices in sets:
        made = discovery.region_bundle(checkpoint, matrices, target, search, numbers, params)
        made.save(path, overwrite)
        wrote(path)
    partial.remove()
