"""Localize: a model, a region and a request in, a bundle of directions out.

`prepare` opens the model, draws the region on the pictures and refuses what cannot be done;
`Prepared.run` does the work. `localize` is both at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from sefa_cli.arguments import public
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.checkpoints import open_checkpoint
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.discovery.few_passes import companions
from sefa_cli.discovery.regions.landmarks import faces_for
from sefa_cli.discovery.regions.named import subject_of
from sefa_cli.discovery.regions.region import Region, as_region
from sefa_cli.discovery.regions.region import background as still
from sefa_cli.discovery.request import Choices, Files, Request
from sefa_cli.discovery.search import Target
from sefa_cli.discovery.work import Prepared, Progress
from sefa_cli.editing.source import load_generator
from sefa_cli.editing.start import start_from
from sefa_cli.errors import UsageError
from sefa_cli.generators.base import Generator
from sefa_cli.rendering.view import View

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
    **choices: Unpack[Choices],
) -> Bundle:
    """Find directions that change one region of the picture and leave the rest alone.

    A derivative of the picture is taken along every dimension of the latent, for each seed. The
    directions n maximize nᵀM_f n / nᵀM_b n, with M_f and M_b the mean JᵀJ over the region's and
    the background's pixels.

    Args:
        model: A zoo name, path, address, open checkpoint or loaded generator.
        region: A `Region`, a name such as `"eyes"`, a mask `(height, width)` or a mask file's
            `Path`. The mask needs the picture's aspect.
        background: What must stay still, if not all the rest.
        output: Also write the bundle here. An interrupted search then keeps what it did in
            `OUTPUT.partial`, and the same call with `resume=True` goes on from there.
        save_jacobian: Also write all derivatives to this `.npy` file: float32
            `(seeds, dim, channels, height, width)`.
        resume: Go on with what an interrupted search kept.
        overwrite: Replace files that exist.
        device: `"auto"`, `"cpu"`, `"cuda"` or `"mps"`; not used for a loaded generator.
        offline: Fetch nothing.
        progress: Called as `progress(what, done, total)` after each piece of work. What it
            raises stops the search.
        **choices: Seeds, layers, tau and more: the fields of `Request`, where the defaults are.

    Returns:
        The bundle. Each direction carries its `change`: the root mean square change of the pixels
        for α = 1, to first order, inside and outside the region.

    Raises:
        UsageError: for a region or choices that the model does not have or that contradict each
            other.
        SefaError: for a model that cannot be found or read, and for a region that nothing changes.

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
    if choices.get("seeds") is not None and choices.get("codes") is not None:
        raise UsageError("seeds and codes cannot be used together")
    request = Request(**choices)
    if request.per_seed:
        raise UsageError("a bundle for each seed", "one bundle", "Call it once for each seed.")
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
    if isinstance(model, Generator):
        checkpoint = model.checkpoint
    elif isinstance(model, Checkpoint):
        checkpoint = model
    else:
        checkpoint = open_checkpoint(str(model), offline=offline)
    ref = str(model) if isinstance(model, str | Path) else checkpoint.ref
    subject = subject_of(ref, checkpoint.family)
    region = as_region(region).on(subject)
    held = None if background is None else as_region(background).on(subject)
    faces = faces_for(region.text if region.kind == "region" else None, subject, offline)
    request = files.needs(request)
    search = request.search(checkpoint)
    count = len(search.alternatives(checkpoint))
    files.check_search(request, search, count, checkpoint.config["w_dim"])
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
    pictures = list(view.pictures(generator, start.codes, start.numbers))
    fore, text = region.weights(*pictures[0].shape[:2]), region.label
    if faces is not None:
        fore, text = faces.weights(pictures, start.names), f"{region.kind} {faces.text}"
    target = Target(text, fore, None if held is None else still(fore, held))
    return Prepared(request, files, checkpoint, generator, start, pictures, target, searches, whole)
