"""`sefa animate`: a film of one direction, swept from one step to another."""

from typing import Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import progress, say, wrote


def animate(
    dirs: options.Dirs,
    k: Annotated[str, typer.Option("--k", metavar="K", help="A direction: index or label.")],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help=".gif, .mp4, .webp, .apng by suffix; a name without suffix is a folder of frames.",
        ),
    ],
    span: Annotated[
        str, typer.Option("--range", metavar="A:B", help="First and last step.")
    ] = "-3:3",
    frames: Annotated[int, typer.Option("--frames", min=2, help="Frames of one sweep.")] = 48,
    fps: Annotated[float, typer.Option("--fps", min=0.1, max=100, help="Frames a second.")] = 25,
    bounce: Annotated[
        bool, typer.Option("--bounce", help="There and back: loops without a jump.")
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
) -> None:
    """Sweep one direction and write a film, several seeds side by side.

    Pictures have at most 512 pixels unless --size says more. GIF gets one palette for the whole
    film and counts time in hundredths of a second; MP4 is H.264 that plays in a browser.
    """
    from sefa_cli.bundle import Bundle
    from sefa_cli.commands.setting import opened, parse_placement
    from sefa_cli.editing.moves import parse_direction, parse_span
    from sefa_cli.rendering.films import check_film_path, frame_alphas, write_film
    from sefa_cli.rendering.view import View

    bundle = Bundle.load(dirs)
    direction = parse_direction(bundle, k)
    alphas = frame_alphas(*parse_span(span), frames, bounce)
    view = View(size, fast, noise_mode, class_label, trunc)
    placement = parse_placement(translate, rotate)
    check_film_path(output, overwrite, fps)

    generator, chosen = opened(
        bundle, dirs, layers, model,
        any_model=any_model, device=device, offline=offline, placement=placement,
    )  # fmt: skip
    from sefa_cli.editing.start import start_from
    from sefa_cli.rendering.edits import Edits

    start = start_from(generator, seeds, codes, trunc, trunc_layers, class_label)
    edits = Edits(generator, bundle, start, [], chosen)
    view = view.at_most(generator, 512)
    with progress("animating", len(alphas)) as advance:
        made = edits.frames(view, direction, alphas)
        write_film(output, made, fps, overwrite=overwrite, progress=advance)
    say(f"pictures: {view.about(generator)}", level=0 if fast else 1)
    wrote(output)
