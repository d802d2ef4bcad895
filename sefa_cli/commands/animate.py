"""`sefa animate`: a film of directions, swept from one step to another."""

from typing import Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import progress, say, wrote


def animate(
    dirs: options.Dirs,
    k: Annotated[
        list[str],
        typer.Option(
            "--k", metavar="K", help="Directions: an index, a range or a label; may be repeated."
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A .gif, .mp4, .mov, .webm, .webp or .apng; a name without suffix is a folder of "
            "frames.",
        ),
    ],
    span: Annotated[
        str,
        typer.Option(
            "--range",
            metavar="A:B",
            help="First and last step; auto: two suggested steps to both sides.",
        ),
    ] = "-3:3",
    frames: Annotated[int, typer.Option("--frames", min=2, help="Frames of one sweep.")] = 48,
    fps: Annotated[float, typer.Option("--fps", min=0.1, max=100, help="Frames a second.")] = 25,
    bounce: Annotated[
        bool, typer.Option("--bounce", help="There and back: loops without a jump.")
    ] = False,
    hold: Annotated[
        float, typer.Option("--hold", metavar="SECONDS", help="Rest at both ends.")
    ] = 0,
    ease: Annotated[
        str,
        typer.Option("--ease", metavar="linear|smooth", help="smooth slows down at both ends."),
    ] = "linear",
    arrange: Annotated[
        str,
        typer.Option(
            "--arrange",
            metavar="rows|sequence",
            help="Several directions at once, one below another, or one after another.",
        ),
    ] = "rows",
    captions: Annotated[
        bool, typer.Option("--captions", help="Write label and step under each row.")
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Do not repeat: GIF, WebP and APNG play once.")
    ] = False,
    seeds: options.Seeds = "0",
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
    overwrite: options.Overwrite = False,
    offline: options.Offline = None,
    show: options.Show = False,
) -> None:
    """Sweep directions and write a film, several seeds side by side.

    Pictures have at most 512 pixels unless --size says more. GIF gets one palette for the whole
    film and counts time in hundredths of a second; MP4 is H.264 that plays in a browser. In a
    sequence nothing jumps with --bounce and a --range that begins at 0.
    """
    from sefa_cli.commands.showing import Showing
    from sefa_cli.editing.moves import parse_span
    from sefa_cli.rendering.animation import SweepOptions, sweep
    from sefa_cli.rendering.films import check_film_path

    how: SweepOptions = {
        "frames": frames, "fps": fps, "bounce": bounce, "hold": hold, "ease": ease,
        "arrange": arrange, "captions": captions,
        "seeds": seeds, "codes": codes, "truncation": trunc, "truncation_layers": trunc_layers,
        "label": class_label, "layers": layers, "model": model, "any_model": any_model,
        "beside": options.folder_of(dirs), "noise_mode": noise_mode, "size": size, "fast": fast,
        "translate": options.parse_translate(translate), "rotate": rotate, "device": device,
        "offline": offline,
    }  # fmt: skip
    check_film_path(output, overwrite, fps)
    showing = Showing.of(show)

    film = sweep(dirs, k, "auto" if span == "auto" else parse_span(span), **how)
    with progress("animating", len(film)) as advance:
        film.save(output, overwrite, not once, advance, showing.watch)
    say(f"pictures: {film.about}", level=0 if fast else 1)
    length, inexact = film.timing(output)
    say(f"film: {length}", level=0 if inexact else 1)
    wrote(output)
    showing.show(output)
