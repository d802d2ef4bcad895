"""`sefa animate`: a film of directions, swept from one step to another."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sefa_cli.commands import checks, options
from sefa_cli.commands.console import say, working, wrote
from sefa_cli.commands.journey import Wish, journey_of
from sefa_cli.commands.photos import Photos, start_from_photos
from sefa_cli.commands.picture_options import BundleFile, Look, Start, picture_options

if TYPE_CHECKING:
    from sefa_cli.rendering.film import FilmOptions


def animate(
    bundle_file: BundleFile,
    *,
    k: Annotated[
        list[str] | None,
        typer.Option(
            "--k",
            "-k",
            metavar="K",
            help="Directions: indices, ranges and labels such as 0-2,smile; -1 is the last, all "
            "takes every one. May be repeated.",
        ),
    ] = None,
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
    first: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="SEED|FILE",
            help="Go from this face to that of --to, instead of sweeping directions: a seed, or a "
            "file of codes (face.npz:2 is its code 2). X.dirs may then be a model.",
        ),
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="SEED|FILE", help="Where --from goes to.")
    ] = None,
    storyboard: Annotated[
        str | None,
        typer.Option(
            "--storyboard",
            metavar="FILE.toml",
            help="Go along the key frames in this file: seeds, codes and moves, with their times.",
        ),
    ] = None,
    seeds: Annotated[str | None, options.seeds("0")] = None,
    span: Annotated[str, options.span(", or several in turn, such as 0,3,-3,0")] = "auto",
    frames: Annotated[
        int | None,
        typer.Option(
            "--frames",
            max=100_000,
            metavar="N",
            min=2,
            help="Frames from one end to the next, 2 to 100,000. Default: 48.",
        ),
    ] = None,
    fps: Annotated[
        float,
        typer.Option("--fps", metavar="N", min=0.1, max=100, help="Frames per second, 0.1 to 100."),
    ] = 25,
    bounce: Annotated[
        bool,
        typer.Option("--bounce", help="Go there and back, so that the film repeats smoothly."),
    ] = False,
    hold: Annotated[
        float, typer.Option("--hold", metavar="SECONDS", help="Stay at each end for this long.")
    ] = 0,
    ease: Annotated[
        str | None,
        typer.Option(
            "--ease",
            metavar="linear|smooth",
            help="smooth slows down at each end. Default: linear, or what the storyboard says.",
        ),
    ] = None,
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
    without jumps needs --bounce and a --range that begins at 0. With --from and --to, or with
    --storyboard, the film goes between faces.
    """
    from sefa_cli.commands.showing import Showing
    from sefa_cli.editing.moves import check_ease
    from sefa_cli.rendering.films import check_film_path

    way: FilmOptions = {
        "fps": fps,
        "bounce": bounce,
        "hold": hold,
        "captions": captions,
    }
    if ease is not None:
        check_ease(ease)
        way["ease"] = ease
    checks.check_once(once, output)
    check_film_path(output, overwrite, fps)
    if first or last or storyboard:
        words = {"--k": k, "--range": None if span == "auto" else span, "--seeds": seeds}
        words |= {"--arrange": None if arrange == "rows" else arrange, "--photo": photos.photo}
        wish = journey_of(bundle_file, (first, last), storyboard, frames, words, start, look, way)
    else:
        sweep = {**way, "frames": 48 if frames is None else frames, "arrange": arrange}
        wish = _sweep_of(bundle_file, k or [], span, seeds, start, look, photos, sweep)
    showing = Showing.of(show)
    with working(f"loading {wish.model}") as work:
        film = wish.make()
        showing.count = len(film)
        advance = work.begin("animating", len(film), "frames", "the film is written at the end")
        film.save(output, overwrite, not once, advance, showing.watch)
    say(f"pictures: {film.about}", level=0 if look.fast else 1)
    length, inexact = film.timing(output)
    say(f"film: {length}", level=0 if inexact else 1)
    wrote(output)
    showing.show(output)
    wish.check()


def _sweep_of(
    bundle_file: BundleFile,
    k: list[str],
    span: str,
    seeds: str | None,
    start: Start,
    look: Look,
    photos: Photos,
    way: Mapping[str, Any],
) -> Wish:
    """Read the bundle, and find the codes of photos. Raises SefaError for wrong options."""
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.editing.moves import stops_of
    from sefa_cli.rendering.animation import sweep

    dirs = bundle_file.path
    bundle = Bundle.load(dirs)
    for words in k:
        bundle.indices(words)
    how: Any = {**picture_options(dirs, bundle, seeds, start, look), **way}
    if span != "auto":
        stops_of(span)
    check_photos = start_from_photos(bundle, photos, how)
    ref = start.model or str(bundle.model["ref"])
    return Wish(ref, lambda: sweep(bundle, k, span, **how), check_photos)
