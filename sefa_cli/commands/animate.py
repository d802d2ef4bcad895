"""`sefa animate`: a film of directions, swept from one step to another."""

from typing import Annotated

import typer

from sefa_cli.commands import checks, options
from sefa_cli.commands.console import say, working, wrote
from sefa_cli.commands.photos import Photos, start_from_photos
from sefa_cli.commands.picture_options import BundleFile, Look, Start, picture_options


def animate(
    bundle_file: BundleFile,
    k: Annotated[
        list[str],
        typer.Option(
            "--k",
            "-k",
            metavar="K",
            help="Directions: indices, ranges and labels such as 0-2,smile; -1 is the last, all "
            "takes every one. May be repeated.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|DIR",
            help="The film: a .gif, .mp4, .mov, .webm, .webp or .apng; a .png is an animated "
            "PNG too. A name without a suffix is a folder of frames.",
        ),
    ],
    start: Start,
    look: Look,
    photos: Photos,
    seeds: Annotated[str | None, options.seeds("0")] = None,
    span: Annotated[str, options.span(", or several in turn, such as 0,3,-3,0")] = "auto",
    frames: Annotated[
        int,
        typer.Option("--frames", metavar="N", min=2, help="Frames from one end to the next."),
    ] = 48,
    fps: Annotated[
        float, typer.Option("--fps", metavar="N", min=0.1, max=100, help="Frames per second.")
    ] = 25,
    bounce: Annotated[
        bool,
        typer.Option("--bounce", help="Go there and back, so that the film repeats smoothly."),
    ] = False,
    hold: Annotated[
        float, typer.Option("--hold", metavar="SECONDS", help="Stay at each end for this long.")
    ] = 0,
    ease: Annotated[
        str,
        typer.Option("--ease", metavar="linear|smooth", help="smooth slows down at each end."),
    ] = "linear",
    arrange: Annotated[
        str,
        typer.Option(
            "--arrange",
            metavar="rows|sequence",
            help="With several directions: rows shows them at once, one below another; sequence "
            "shows one after another.",
        ),
    ] = "rows",
    captions: Annotated[
        bool, typer.Option("--captions", help="Write the label and the step under each row.")
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Play once instead of repeating (GIF, WebP and APNG).")
    ] = False,
    overwrite: options.Overwrite = False,
    show: options.Show = False,
) -> None:
    """Sweep directions and write a film, with several seeds side by side.

    Pictures have at most 512 pixels unless you give --size. A GIF has one palette for the whole
    film and counts time in hundredths of a second. MP4 is H.264, which browsers play. A sequence
    without jumps needs --bounce and a --range that begins at 0.
    """
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.commands.showing import Showing
    from sefa_cli.editing.moves import stops_of
    from sefa_cli.rendering.animation import SweepOptions, sweep
    from sefa_cli.rendering.films import check_film_path

    dirs = bundle_file.path
    bundle = Bundle.load(dirs)
    for words in k:
        bundle.indices(words)
    how: SweepOptions = {
        **picture_options(dirs, bundle, seeds, start, look),
        "frames": frames,
        "fps": fps,
        "bounce": bounce,
        "hold": hold,
        "ease": ease,
        "arrange": arrange,
        "captions": captions,
    }
    if span != "auto":
        stops_of(span)
    checks.check_once(once, output)
    check_film_path(output, overwrite, fps)
    showing = Showing.of(show)
    check_photos = start_from_photos(bundle, photos, how)

    with working(f"loading {start.model or bundle.model['ref']}") as work:
        film = sweep(bundle, k, span, **how)
        showing.count = len(film)
        advance = work.begin("animating", len(film), "frames", "the film is written at the end")
        film.save(output, overwrite, not once, advance, showing.watch)
    say(f"pictures: {film.about}", level=0 if look.fast else 1)
    length, inexact = film.timing(output)
    say(f"film: {length}", level=0 if inexact else 1)
    wrote(output)
    showing.show(output)
    check_photos()
