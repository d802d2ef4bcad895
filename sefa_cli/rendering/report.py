"""A report: a folder with one page and its pictures, sweeps of directions over samples.

Pictures are rendered and written one by one. The page is written first and again after every
direction, so an interrupted report opens and shows which pictures are missing.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.moves import Move
from sefa_cli.errors import UsageError
from sefa_cli.files import folder_beside, make_folder
from sefa_cli.rendering.edits import Edits
from sefa_cli.rendering.options import PictureOptions
from sefa_cli.rendering.pictures import Picture, save_png
from sefa_cli.rendering.region_preview import region_overlay
from sefa_cli.rendering.report_folder import PAGE, PICTURES, check_report_folder
from sefa_cli.rendering.report_page import write_page
from sefa_cli.rendering.scene import open_scene_of
from sefa_cli.rendering.shell import shell_line
from sefa_cli.rendering.view import View


@dataclass(frozen=True)
class Report:
    """The content of a report: a row for each direction and sample, with a picture for each α."""

    edits: Edits
    view: View
    sweeps: Mapping[int, tuple[float, ...]]  # the α of each direction, equally many
    dirs: str  # the bundle as the user named it
    command: str  # makes this report again
    look: Mapping[str, object] = field(default_factory=dict)  # options shared with `sefa edit`
    photos: Sequence[Mapping[str, Any]] = ()  # that the codes belong to, for photos.html
    photo_files: Mapping[str, Picture] = field(default_factory=dict)  # their pictures

    @property
    def ks(self) -> tuple[int, ...]:
        """The directions."""
        return tuple(self.sweeps)

    @property
    def alphas(self) -> tuple[float, ...] | None:
        """The α of all directions, or None if each has its own."""
        first, *others = self.sweeps.values()
        return first if all(other == first for other in others) else None

    @property
    def samples(self) -> range:
        """The indices of the samples among the starting codes."""
        return range(len(self.edits.scene.start.numbers))

    def file(self, k: int, sample: int, alpha: float) -> str:
        """Return the file of a cell, relative to the page; without a move all k share it."""
        stem = self.edits.scene.start.stem(sample)
        if alpha == 0:
            return f"{PICTURES}/{stem}.png"
        return f"{PICTURES}/k{k}/{stem}_{alpha:+.12g}.png"

    def cell_command(self, k: int, sample: int, alpha: float) -> str:
        """Return the command that writes the same picture, byte for byte, into `cells`."""
        start = self.edits.scene.start
        move = {"--dirs": self.dirs, "--k": k, "--alpha": f"{alpha:.12g}"}
        seeds = {"--seeds": start.numbers[sample]} if start.kind == "seed" else {}
        return shell_line(["sefa", "edit"], {**move, **seeds, **self.look, "-o": "cells"})

    def files(self) -> Iterator[str]:
        """Yield the file of every picture of the page, each once."""
        for n, k in enumerate(self.ks):
            for alpha in self.sweeps[k]:
                if alpha or n == 0:
                    yield from (self.file(k, sample, alpha) for sample in self.samples)

    @property
    def total(self) -> int:
        """The number of pictures."""
        return sum(1 for _ in self.files())

    def missing(self, folder: Path) -> int:
        """Return how many pictures `folder` still lacks."""
        return sum(not (folder / name).exists() for name in self.files())

    def regions(self) -> dict[str, NDArray[np.uint8]]:
        """Return the weights of the bundle's region by file: one for all seeds, or one for each."""
        mask, seeds = self.edits.bundle.mask, self.edits.bundle.params.get("seeds")
        if mask is None:
            return {}
        if mask.ndim == 2:
            return {f"{PICTURES}/region.png": mask}
        if not isinstance(seeds, list) or len(seeds) != len(mask):
            return {}
        return {
            self._region_of(seed): weights
            for seed, weights in zip(seeds, mask, strict=True)
            if seed in self.edits.scene.start.numbers and self.edits.scene.start.kind == "seed"
        }

    def region_file(self, sample: int) -> str | None:
        """Return the file of the region for a sample, or None."""
        mask = self.edits.bundle.mask
        if mask is not None and mask.ndim == 2:
            return f"{PICTURES}/region.png"
        name = self._region_of(self.edits.scene.start.numbers[sample])
        return name if name in self.regions() else None

    def _region_of(self, seed: int) -> str:
        return f"{PICTURES}/region_seed{seed:04d}.png"

    def pictures(self, k: int) -> Iterator[tuple[str, Picture, dict[str, str]]]:
        """Yield files, pictures and their notes; only the first `k` has those without a move."""
        for alpha in self.sweeps[k]:
            if alpha == 0 and k != self.ks[0]:
                continue
            move = Move(((k, alpha),))
            codes = self.edits.moved(move)
            for sample, picture in enumerate(self.edits.render(move, self.view)):
                note = self.edits.note_after(move, sample, codes[sample])
                yield self.file(k, sample, alpha), picture, note


def report_of(
    bundle: Bundle,
    sweeps: Mapping[int, tuple[float, ...]],
    dirs: str,
    own: Mapping[str, object],
    options: PictureOptions,
) -> Report:
    """Open the model and return the report of a bundle.

    Args:
        bundle: The directions.
        sweeps: The steps α of each direction to show, by its index.
        dirs: The bundle as the user named it, for the commands on the page.
        own: Options that only `sefa report` has, for its own command.
        options: What to render and how. Pictures have at most 256 pixels unless `size` is given.
    """
    scene = open_scene_of(bundle, options)
    view = scene.view.at_most(scene.generator, 256)
    look = _words(options, view.size)
    command = shell_line(["sefa", "report", dirs], {**own, **look})
    return Report(Edits(scene, bundle), view, sweeps, dirs, command, look)


def _words(options: PictureOptions, size: int | None) -> dict[str, object]:
    """Return the options that `sefa report` shares with `sefa edit`, as words of a command."""
    noise_mode, device = options.get("noise_mode", "const"), options.get("device", "auto")
    translate = options.get("translate")
    return {
        "--layers": options.get("layers"),
        "--codes": options.get("codes"),
        "--mix-from": options.get("mix_from"),
        "--model": options.get("model"),
        "--any-model": options.get("any_model"),
        "--trunc": options.get("truncation"),
        "--trunc-layers": options.get("truncation_layers"),
        "--noise-mode": None if noise_mode == "const" else noise_mode,
        "--class": options.get("label"),
        "--translate": None if translate is None else ",".join(f"{part:g}" for part in translate),
        "--rotate": options.get("rotate"),
        "--size": size,
        "--fast": options.get("fast"),
        "--device": None if device == "auto" else device,
    }


def sweep_steps(first: float, last: float, steps: int) -> tuple[float, ...]:
    """Return `steps` values of α from `first` to `last`, rounded to a thousandth of the range.

    The page shows exactly the α that was used. Raises UsageError unless there are 2 to 201 steps
    and two different ends.
    """
    if not 2 <= steps <= 201:
        raise UsageError(f"steps must be between 2 and 201, got {steps}")
    if first == last:
        raise UsageError(f"range {first:g}:{last:g} is empty", "two different ends, such as -3:3")
    digits = 3 - int(np.floor(np.log10(abs(last - first))))
    return tuple(float(np.round(a, digits)) + 0.0 for a in np.linspace(first, last, steps))


def write_report(
    report: Report,
    path: Path | str,
    overwrite: bool = False,
    progress: Callable[[], object] | None = None,
) -> Path:
    """Write the page and its pictures into the folder `path`, and return the page.

    `progress` is called after each picture. After a failure or an interrupt the page stays, with
    gaps for the missing pictures; a report that is replaced stays as it was. Raises SefaError if
    a file cannot be written, or if a step is so large that the network returns NaN.
    """
    folder = check_report_folder(path, overwrite)
    if folder.is_dir() and any(folder.iterdir()):
        with folder_beside(folder, lambda: check_report_folder(path, overwrite)) as beside:
            _begin(report, beside)
            _fill(report, beside, progress)
        return folder / PAGE
    _begin(report, folder)
    try:
        _fill(report, folder, progress)
    except BaseException as error:
        write_page(report, folder / PAGE)
        made = report.total - report.missing(folder)
        kept = f"{made:,} of {report.total:,} pictures are in {folder}"
        error.add_note(kept)  # an interrupt says it
        if isinstance(error, Exception):
            logging.getLogger(__name__).info("%s", kept)
        raise
    return folder / PAGE


def _begin(report: Report, folder: Path) -> None:
    """Write the regions and the page without pictures."""
    for k in report.ks:
        make_folder(folder / PICTURES / f"k{k}")
    for name, weights in report.regions().items():
        save_png(folder / name, region_overlay(weights))
    for name, picture in report.photo_files.items():
        save_png(folder / name, picture)
    write_page(report, folder / PAGE)


def _fill(report: Report, folder: Path, progress: Callable[[], object] | None) -> None:
    about = report.view.about(report.edits.scene.generator)
    for k in report.ks:
        for name, picture, note in report.pictures(k):
            save_png(folder / name, picture, text={"Comment": about, **note})
            if progress:
                progress()
        write_page(report, folder / PAGE)


def described(report: Report, folder: Path) -> dict[str, Any]:
    """Return the content of the page, for programs; paths are relative to the page."""
    bundle, start = report.edits.bundle, report.edits.scene.start
    values = bundle.eigenvalues
    return {
        "page": str(folder / PAGE),
        "command": report.command,
        "bundle": report.dirs,
        "method": bundle.method,
        "model": bundle.model["ref"],
        "pictures": report.view.about(report.edits.scene.generator),
        "missing": report.missing(folder),
        "eigenvalues": None if values is None else values.tolist(),
        "alphas": None if report.alphas is None else list(report.alphas),
        "samples": start.names,
        "directions": [
            {
                **bundle.info[k],
                "k": k,
                "alphas": list(report.sweeps[k]),
                "eigenvalue": None if values is None else float(values[k]),
                "style_gain": k in bundle.style_gains,
            }
            for k in report.ks
        ],
        "cells": [
            {
                "k": k,
                start.kind: start.numbers[sample],
                "alpha": alpha,
                "picture": report.file(k, sample, alpha),
                "region": report.region_file(sample),
                "command": report.cell_command(k, sample, alpha),
            }
            for k in report.ks
            for sample in report.samples
            for alpha in report.sweeps[k]
        ],
    }
