"""`sefa factorize`: directions of the whole picture, written as a bundle."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import say, working, wrote
from sefa_cli.discovery.methods import check_method, check_options, methods_of
from sefa_cli.errors import UsageError, either

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle


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
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="NAME",
            help=f"How directions are found: {either(methods_of('factorize'))}. Those other than "
            "sefa look at samples of the latent.",
        ),
    ] = "sefa",
    num: Annotated[
        int | None,
        typer.Option("--num", metavar="N", help="Keep the first N directions. Default: all."),
    ] = None,
    to_rgb: Annotated[
        str,
        typer.Option(
            "--to-rgb",
            metavar="NAME",
            help="Which of the layers' to-RGBs to include: first, last, all or none.",
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
            "`'*affine.weight'`. Works with any checkpoint, also of an unknown family.",
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
    samples: Annotated[
        int | None,
        typer.Option(
            "--samples",
            metavar="N",
            help="How many codes ganspace or frechet samples. Default: 10,000, and 50.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            metavar="N",
            help="The seed of the samples or of random directions; for local-basis, that of the "
            "w; for frechet, the first of the samples. Default: 0.",
        ),
    ] = None,
    refine: Annotated[
        str | None,
        typer.Option(
            "--refine",
            metavar="X.dirs",
            help="With frechet: keep the span of these directions and find a better basis in it.",
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    offline: options.Offline = None,
) -> None:
    """Find the directions of MODEL by closed-form factorization (SeFa).

    The defaults are the published method, sorted by eigenvalue. It takes less than a second, needs
    no GPU and no samples, and reads only the first projections of the checkpoint.

    Other methods, to compare: ganspace (principal components of codes), local-basis (where the
    mapping network can go from one w), frechet (what local bases have in common), and random.
    """
    from sefa_cli.files import BUNDLES, check_writable
    from sefa_cli.ranges import format_range

    if output != "-":
        check_writable(output, overwrite, BUNDLES)
    factorized: Mapping[str, Any] = {
        "to_rgb": to_rgb,
        "normalize": normalize,
        "center": center,
        "deflate_gain": deflate_gain,
    }
    sampled = {"samples": samples, "seed": seed, "refine": refine}
    how: dict[str, Any] = {"num": num, "offline": offline}
    check_method("factorize", method)
    _refuse(method, {**factorized, **sampled, "tensors": tensors, "latent_axis": latent_axis})
    if method != "sefa":
        bundle = _sampled(model, method, layers, sampled, how)
    else:
        bundle = _factorized(model, layers, tensors, latent_axis, {**factorized, **how})
    bundle.save(output, overwrite=overwrite)
    if bundle.style_gains and not deflate_gain:
        say(
            f"direction {format_range(bundle.style_gains)} is a common style gain and destroys the "
            "picture at moderate steps" + ("; --deflate-gain removes it first" * (method == "sefa"))
        )
    wrote(output)


_UNSAID = {"to_rgb": "last", "normalize": True, "center": False, "deflate_gain": False}


def _refuse(method: str, options: Mapping[str, Any]) -> None:
    """Raise UsageError for options that the method does not know."""

    def spelled(name: str) -> str:
        return {"normalize": "--no-normalize"}.get(name, "--" + name.replace("_", "-"))

    said = {name: value != _UNSAID.get(name) for name, value in options.items()}
    check_options(method, said, spelled)


def _factorized(
    model: str, layers: str, tensors: str | None, latent_axis: int | None, how: dict[str, Any]
) -> "Bundle":
    from sefa_cli.discovery.factorize import factorize

    if tensors is None:
        if latent_axis is not None:
            raise UsageError("--latent-axis has no effect without --tensors")
        return factorize(model, layers, **how)
    from sefa_cli.discovery.tensors import factorize_tensors

    if (layers, how.pop("to_rgb")) != ("all", "last"):
        raise UsageError("--tensors and --layers or --to-rgb cannot be used together")
    return factorize_tensors(model, tensors, latent_axis=latent_axis, **how)


def _sampled(
    model: str, method: str, layers: str, sampled: Mapping[str, Any], how: Mapping[str, Any]
) -> "Bundle":
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.discovery.sampling import factorize_samples

    refine = sampled["refine"]
    with working(f"loading {model}"):
        return factorize_samples(
            model,
            method,
            layers,
            samples=sampled["samples"],
            seed=sampled["seed"] or 0,
            refine=None if refine is None else Bundle.load(refine),
            **how,
        )
