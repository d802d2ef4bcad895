"""The options of `sefa localize`, in groups: the region, and how directions are looked for."""

from dataclasses import dataclass
from typing import Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.discovery.methods import methods_of
from sefa_cli.errors import either


# See picture_options for why nothing else is generated.
@dataclass(kw_only=True, eq=False, repr=False)
class Where:
    """The region that should change, given in one of five ways, and what must stay still."""

    box: Annotated[
        str | None,
        typer.Option(
            metavar="Y,X,H,W",
            help="The region by its top, left, height and width: pixels of --size, or parts of the "
            "picture with a decimal point.",
        ),
    ] = None
    mask: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Or a picture: white pixels count, gray ones count in part."
        ),
    ] = None
    polygon: Annotated[
        str | None, typer.Option(metavar='"Y,X Y,X Y,X"', help="Or the corners of a polygon.")
    ] = None
    seg: Annotated[
        str | None, typer.Option(metavar="FILE", help="Or a segmentation map, with --seg-ids.")
    ] = None
    seg_ids: Annotated[
        str | None,
        typer.Option("--seg-ids", metavar="RANGE", help="The segments of --seg, such as 3,4."),
    ] = None
    region: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Or a name such as eyes, mouth or face:hair. `sefa inspect MODEL` lists them.",
        ),
    ] = None
    background: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="A mask of what must stay still. Default: all outside the region."
        ),
    ] = None


@dataclass(kw_only=True, eq=False, repr=False)
class How:
    """How directions are looked for."""

    space: Annotated[
        str | None,
        typer.Option(
            metavar="w|w+|z",
            help="w and z move all layers by one row, w+ moves each layer by its own. Default: "
            "what the model has, w or z.",
        ),
    ] = None
    layers: Annotated[
        str | None,
        typer.Option(
            "--layers",
            "-L",
            metavar="RANGE|auto",
            help="The layers that move. auto chooses the level that suits the seeds, from every "
            "derivative of four levels. Default: middle.",
        ),
    ] = None
    size: Annotated[
        int, typer.Option(metavar="N", help="The working size in pixels, 8 or more.")
    ] = 256
    fast: Annotated[
        bool, typer.Option("--fast/--exact", help="Use the network's shortcut if it has one.")
    ] = True
    tau: Annotated[
        str | None,
        typer.Option(
            metavar="TAU|auto",
            help="The ridge on the background, as a part of its change. 0 adds none, auto chooses "
            "the one that suits the seeds, from every derivative. Default: 1e-4; 1e-3 in w+.",
        ),
    ] = None
    num: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Keep the first N directions; more of them take more derivatives. Default: 6 "
            "where a few derivatives are taken, 64 in w+, else all.",
        ),
    ] = None
    alone: Annotated[
        bool,
        typer.Option(
            "--alone", help="Look at these seeds alone. Without it, others join one or two."
        ),
    ] = False
    exact_gram: Annotated[
        bool,
        typer.Option(
            "--exact-gram",
            help="Take every derivative, of these seeds alone. Without it, w takes about a third "
            "of them.",
        ),
    ] = False
    published: Annotated[
        bool,
        typer.Option(
            "--published",
            help="The published procedure: --exact-gram -L all --tau 1e-3. Pictures are still "
            "scaled to the mean trace before they are averaged.",
        ),
    ] = False
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=f"The method: {either(methods_of('localize'))}. To compare with ReSeFa, these are "
            "LOCO Edit's null space, LowRankGAN, and StyleSpace, which takes a derivative for each "
            "channel of the styles.",
        ),
    ] = "resefa"
    rank: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="With nullspace: how many directions of the rest are projected out. Default: 5.",
        ),
    ] = None
    sum_channels: Annotated[
        bool, typer.Option("--sum-channels", help="First add up the channels of each pixel.")
    ] = False
    codes: options.Codes = None
    trunc: options.Trunc = None
    class_label: options.ClassLabel = None
    sketch: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Begin with N random rows instead of a derivative for each dimension; 0 takes "
            "every derivative. Default: 200 for latents of over 2048 dimensions (w+), else none.",
        ),
    ] = None
    precision: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="The precision of the derivatives: float32, tf32, bf16 or auto. bf16, and on CUDA "
            "tf32, are coarser and faster. auto is bf16 for a few derivatives where that is "
            "faster, else float32.",
        ),
    ] = "auto"
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Memory for the derivatives, such as 800M or 4G. Default: half of what is free; "
            "with --on, 2G.",
        ),
    ] = None
    per_seed: Annotated[
        bool,
        typer.Option("--per-seed", help="Write a bundle for each seed, such as OUT_seed0003.dirs."),
    ] = False
    stability: Annotated[
        bool, typer.Option("--stability", help="Report how much the directions of the seeds agree.")
    ] = False
