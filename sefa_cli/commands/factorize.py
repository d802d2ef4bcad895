"""`sefa factorize`: directions from the weights alone, written as a bundle."""

from typing import Annotated, Any

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import say, wrote


def factorize(
    model: options.Model,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="OUT.dirs", help="The bundle to write; - for stdout."
        ),
    ],
    layers: Annotated[
        str,
        typer.Option(
            "--layers",
            "-L",
            metavar="RANGE",
            help="The layers to factorize: all, bottom, middle, top, or code indices such as 0-4.",
        ),
    ] = "all",
    num: Annotated[
        int | None,
        typer.Option("--num", metavar="N", help="Keep the first N directions. Default: all."),
    ] = None,
    to_rgb: Annotated[
        str,
        typer.Option(
            "--to-rgb",
            metavar="first|last|all|none",
            help="Which of the layers' to-RGBs to include.",
        ),
    ] = "last",
    normalize: Annotated[
        bool, typer.Option(help="Scale the row of each output to unit length, as published.")
    ] = True,
    center: Annotated[bool, typer.Option(help="Subtract the mean row first.")] = False,
    deflate_gain: Annotated[
        bool,
        typer.Option(
            "--deflate-gain",
            help="Project the leading direction out of every row first. In models without "
            "demodulation it is a common gain of the styles, which destroys the picture.",
        ),
    ] = False,
    tensors: Annotated[
        str | None,
        typer.Option(
            "--tensors",
            metavar="GLOB",
            help="Factorize the tensors whose names in the file match, such as "
            "'G_ema.*affine.weight'. Works with any checkpoint, also of an unknown family.",
        ),
    ] = None,
    latent_axis: Annotated[
        int | None,
        typer.Option(
            "--latent-axis",
            metavar="N",
            min=0,
            help="The axis of --tensors that goes over the latent, if their shapes do not tell: 1 "
            "for linear layers and convolutions, 0 for transposed convolutions.",
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    offline: options.Offline = None,
) -> None:
    """Find the directions of MODEL by closed-form factorization (SeFa).

    The defaults are the published method, sorted by eigenvalue. It takes less than a second, needs
    no GPU and no samples, and reads only the first projections of the checkpoint.
    """
    from sefa_cli.discovery import factorize as discovery
    from sefa_cli.errors import UsageError
    from sefa_cli.files import BUNDLES, check_writable
    from sefa_cli.ranges import format_range

    if output != "-":
        check_writable(output, overwrite, BUNDLES)
    if tensors is not None and (layers, to_rgb) != ("all", "last"):
        raise UsageError("--tensors and --layers or --to-rgb cannot be used together")
    if tensors is None and latent_axis is not None:
        raise UsageError("--latent-axis has no effect without --tensors")
    how: Any = {
        "num": num,
        "normalize": normalize,
        "center": center,
        "deflate_gain": deflate_gain,
        "offline": offline,
    }
    if tensors is None:
        bundle = discovery.factorize(model, layers, to_rgb=to_rgb, **how)
    else:
        from sefa_cli.discovery.tensors import factorize_tensors

        bundle = factorize_tensors(model, tensors, latent_axis=latent_axis, **how)
    bundle.save(output, overwrite=overwrite)
    if bundle.style_gains and not deflate_gain:
        say(
            f"direction {format_range(bundle.style_gains)} is a common style gain and destroys the "
            "picture at moderate steps; --deflate-gain removes it first"
        )
    wrote(output)
