"""Localize: a model, a region and a request in, a bundle of directions out.

`prepare` opens the model, draws the region on the pictures and refuses what cannot be done;
`Prepared.run` does the work. `localize` is both at once.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.arguments import public
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.checkpoints import checkpoint_of
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.discovery.few_passes import companions
from sefa_cli.discovery.regions.landmarks import faces_for
from sefa_cli.discovery.regions.named import subject_of
from sefa_cli.discovery.regions.region import Region, as_region
from sefa_cli.discovery.regions.region import background as still
from sefa_cli.discovery.request import Files, Request, Tau
from sefa_cli.discovery.search import Target
from sefa_cli.discovery.work import Prepared, Progress
from sefa_cli.editing.source import load_generator
from sefa_cli.editing.start import start_from
from sefa_cli.errors import UsageError
from sefa_cli.generators.base import Generator
from sefa_cli.generators.devices import check_device
from sefa_cli.projections import picture_shape
from sefa_cli.ranges import Indices
from sefa_cli.rendering.view import View

if TYPE_CHECKING:
    from sefa_cli.editing.codes import CodeArray

CHOICES = {one.name for one in fields(Request)}
AnyRegion = Region | str | Path | NDArray[np.generic]


@public
def localize(  # noqa: PLR0913 - keywords, each with a default
    model: str | Path | Checkpoint | Generator,
    region: AnyRegion,
    *,
    background: AnyRegion | None = None,
    output: Path | str | None = None,
    save_jacobian: Path | str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    device: str = "auto",
    offline: bool | None = None,
    progress: Progress | None = None,
    seeds: Indices | None = None,
    codes: Path | str | CodeArray | None = None,
    truncation: float | None = None,
    label: int | None = None,
    layers: Indices | None = None,
    space: str | None = None,
    size: int = 256,
    fast: bool = True,
    tau: Tau | None = None,
    num: int | None = None,
    alone: bool = False,
    exact_gram: bool = False,
    published: bool = False,
    method: str = "resefa",
    rank: int | None = None,
    sum_channels: bool = False,
    sketch: int | None = None,
    precision: str = "auto",
    memory: int | None = None,
    stability: bool = False,
) -> Bundle:
    """Find directions that change one region of the picture and leave the rest alone.

    Derivatives of the picture are taken for each seed: about 160 for a w of 512 dimensions, in
    other spaces one for every dimension. The directions n maximize nᵀM_f n / nᵀ(M_b + c I) n, with
    M_f and M_b the mean JᵀJ over the region's and the background's pixels, each picture scaled to
    the mean trace, and the ridge c = tau · tr M_b.

    Args:
        model: A zoo name, path, address, open checkpoint or loaded generator.
        region: A `Region`, a name such as `"eyes"`, a mask `(height, width)` or a mask file's
            `Path`. The mask needs the picture's aspect.
        background: What must stay still, if not all the rest.
        output: Also write the bundle here. An interrupted search then keeps what it did in
            `OUTPUT.partial`, and the same call with `resume=True` goes on from there;
            without it, only `overwrite=True` starts again.
        save_jacobian: Also write all derivatives to this `.npy` file: float32
            `(seeds, dim, channels, height, width)`.
        resume: Go on with what an interrupted search kept.
        overwrite: Replace files that exist.
        device: `"auto"`, `"cpu"`, `"cuda"` or `"mps"`; not used for a loaded generator.
        offline: Fetch nothing.
        progress: Called as `progress(what, done, total)` after each piece of work. What it
            raises stops the search.
        seeds: Seeds of the pictures, as numbers or as a range. Several are averaged.
            Default: 0 to 4.
        codes: Codes to start from instead of seeds: a file, or an array `(n, layers, dim)`.
        truncation: Truncation psi. Default: the family's, such as 0.7.
        label: Class of a conditional model.
        layers: The layers that move: a level (`"all"`, `"bottom"`, `"middle"`, `"top"`), a range,
            numbers, or `"auto"` for the level that suits the seeds. Default: the middle ones.
        space: `"w"` moves all layers by one row, `"w+"` each layer by its own row.
            Default: the model's.
        size: Working size in pixels, of the longer side, from 8 to the model's. Default: up to 256.
        fast: Take the network's shortcut, if it has one.
        tau: Ridge on the background, as a share of its change: 0 or more, or `"auto"`.
            Default: 1e-4; in w+ 1e-3.
        num: Keep the leading directions. Default: 6 of a few passes, 64 in w+, else all.
        alone: Look at the given pictures alone. Without it, the pictures of other seeds join
            where there are fewer than three.
        exact_gram: Take a pass for every dimension, for the given pictures alone. Without it, w
            takes about a third of them, turn by turn, until the leading directions are right.
        published: The published procedure: `exact_gram`, all layers and a tau of 1e-3. Pictures
            are still scaled to the mean trace before they are averaged.
        method: `"resefa"`, or to compare `"nullspace"` (LOCO Edit), `"lowrank"` (LowRankGAN) or
            `"stylespace"`.
        rank: With `"nullspace"`, how many directions of the background are projected out.
            Default: 5.
        sum_channels: Sum each pixel's channels first, as the published code does above 256 px.
        sketch: Number of random rows to begin with instead of a pass for every dimension; 0
            takes a pass for each. Default: 200 for latents of over 2048 dimensions, else 0.
        precision: Precision of the derivatives. `"bf16"`, and on CUDA `"tf32"`, are coarser and
            faster. Default: `"bf16"` for a few passes where that is faster, else `"float32"`.
        memory: Bytes for the derivatives. Default: half of what is free.
        stability: Also measure how much the seeds' directions agree.

    Returns:
        The bundle. Each direction carries its `change`: the root mean square change of the pixels
        for α = 1, to first order, inside and outside the region.

    Raises:
        UsageError: The model does not have the region or a choice, or choices contradict each
            other.
        SefaError: The model cannot be found or read, or nothing changes the region.

    Source:
        Zhu et al., Region-Based Semantic Factorization in GANs, ICML 2022,
        eq. 7 (the quotient) and eq. 10 (the ridge).

    Example:
        >>> bundle = sefa.localize(
        ...     tiny, sefa.Region.box(20, 10, 8, 12), seeds=[0], size=32, num=3, device="cpu"
        ... )
        >>> bundle.directions.shape, bundle.params["region"]
        ((3, 32), 'box 20,10,8,12')
    """
    given = {name: value for name, value in locals().items() if value is not None}
    if seeds is not None and codes is not None:
        raise UsageError("seeds and codes cannot be used together")
    choices: dict[str, Any] = {name: given[name] for name in CHOICES & given.keys()}
    request = Request(**choices)
    task = prepare(
        model,
        region,
        request,
        Files(output, save_jacobian, resume, overwrite),
        background=background,
        device=device,
        offline=offline,
    )
    return task.run(progress).bundles[0]


def prepare(
    model: str | Path | Checkpoint | Generator,
    region: AnyRegion,
    request: Request,
    files: Files = Files(),
    *,
    background: AnyRegion | None = None,
    device: str = "auto",
    offline: bool | None = None,
) -> Prepared:
    """Open the model, draw the region on its pictures, and refuse what cannot be done.

    Args:
        model: A zoo name, path, address, open checkpoint or loaded generator.
        region: A `Region`, a name, a mask `(height, width)` or a mask file's `Path`.
        request: How directions are looked for.
        files: What is written.
        background: What must stay still, if not all the rest.
        device: `"auto"`, `"cpu"`, `"cuda"` or `"mps"`; not used for a loaded generator.
        offline: Fetch nothing.

    Raises:
        UsageError: for what the model does not have, or choices that contradict each other.
        SefaError: for a model that cannot be found or read, or a picture without a face.

    Example:
        >>> task = prepare(tiny, Region.box(20, 10, 8, 12), Request(seeds=[0, 1], size=32))
        >>> task.passes, task.target.text, task.jacobian_shape
        (64, 'box 20,10,8,12', (2, 32, 3, 32, 32))
    """
    check_device(device)
    checkpoint = checkpoint_of(model, offline)
    ref = str(model) if isinstance(model, str | Path) else checkpoint.ref
    subject = subject_of(ref, checkpoint.family)
    region = as_region(region).on(subject)
    held = None if background is None else as_region(background).on(subject)
    faces = faces_for(region.text if region.kind == "region" else None, subject, offline)
    search = files.search(request, checkpoint)
    generator = model if isinstance(model, Generator) else load_generator(checkpoint, device)
    search = search.settled(generator)
    searches = search.alternatives(checkpoint)
    start = start_from(
        generator, request.seed_range, request.codes, request.truncation, None, request.label
    )
    whole = start
    request.check_count(len(whole.numbers))
    if files.shard is not None:
        share = files.shard.share(len(whole.numbers))
        start = start.only(share.start, share.stop)
    own = len(start.numbers)
    missing = request.pictures(search, own, generator.w_dim) - own
    others = companions(missing, start.numbers if request.codes is None else ())
    start = start.joined(others, generator, request.truncation, request.label)
    view = View(search.size, request.fast, label=request.label, truncation=request.truncation)
    pictures = view.pictures(generator, start.codes, start.numbers)
    if faces is not None:
        fore, text = faces.weights(list(pictures), start.names), f"{region.kind} {faces.text}"
    else:
        shape = picture_shape(checkpoint, search.size) or next(pictures).shape[:2]
        fore, text = region.weights(*shape), region.label
    target = Target(text, fore, None if held is None else still(fore, held))
    return Prepared(request, files, checkpoint, generator, start, view, target, searches, whole)
