"""Run a prepared request: passes, the partial file, the bundles."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.discovery.collect import Collector
from sefa_cli.discovery.jacobian_file import file_bytes, jacobian_file
from sefa_cli.discovery.partial import Partial
from sefa_cli.discovery.region_bundle import Found, found_in, parameters
from sefa_cli.discovery.region_parts import region_digests, region_job, region_part
from sefa_cli.discovery.request import Files, Request
from sefa_cli.discovery.search import Search, Target
from sefa_cli.discovery.style_bundle import style_bundle, style_channels
from sefa_cli.editing.start import Start
from sefa_cli.files import check_writable
from sefa_cli.generators.base import Generator
from sefa_cli.projections import model_card, weights_digest
from sefa_cli.rendering.pictures import Picture
from sefa_cli.rendering.view import View

Progress = Callable[[str, int, int], None]  # the stage, pieces done, pieces in all


@dataclass(frozen=True)
class Prepared:
    """A request that is ready to run: the model is open and the region is drawn."""

    request: Request
    files: Files
    checkpoint: Checkpoint
    generator: Generator
    start: Start
    view: View  # of the pictures
    target: Target
    searches: Sequence[Search]  # one, or one for each level to choose from
    whole: Start  # with a shard, all codes; those of the shard are in `start`

    @property
    def passes(self) -> int:
        """Number of derivatives to make; with a sketch, at most."""
        count = len(self.start.numbers)
        if self.searches[0].method == "stylespace":
            return count * len(style_channels(self.checkpoint, self.searches[0]).rows)
        return sum(search.passes(self.generator.w_dim, count) for search in self.searches)

    @property
    def jacobian_shape(self) -> tuple[int, int, int, int, int]:
        """Shape of all derivatives: `(seeds, dim, channels, height, width)`."""
        height, width = self.target.fore.shape[-2:]
        dim = self.searches[0].dim(self.generator.w_dim)
        return len(self.start.numbers), dim, self.generator.img_channels, height, width

    @cached_property
    def pictures(self) -> list[Picture]:
        """The pictures that the derivatives are of, `(height, width, channels)` each."""
        return list(self.view.pictures(self.generator, self.start.codes, self.start.numbers))

    @property
    def jacobian_bytes(self) -> int:
        """Size of the file of all derivatives."""
        return file_bytes(self.jacobian_shape)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The bundles to write: one, or one for each picture."""
        if self.files.written is None or not self.request.per_seed:
            return () if self.files.written is None else (self.files.written,)
        stem = str(self.files.output).removesuffix(".dirs")
        numbers = range(len(self.start.numbers))
        return tuple(Path(f"{stem}_{self.start.stem(i)}.dirs") for i in numbers)

    def run(self, progress: Progress | None = None) -> Found:
        """Find the directions, and write what `files` asks for.

        Args:
            progress: Called as `progress("localizing", done, passes)`. Its exceptions stop the
                search.

        Raises:
            SefaError: for a region that nothing changes, too little memory, or a file that cannot
                be written. An interrupt (KeyboardInterrupt, SystemExit) carries a note if the
                search can be resumed.
        """
        for path in self.paths:
            check_writable(path, self.files.overwrite)
        begun = self._begun()
        partial = begun._partial()
        with _noted(partial):
            return begun._run(progress, partial)

    def _begun(self) -> "Prepared":
        """Return the same in the precision of the search to resume, where any will do.

        "auto" may settle otherwise on another CPU.
        """
        if self.files.resume and self.request.precision == "auto":
            for precision in ("float32", "bf16"):
                searches = [replace(search, precision=precision) for search in self.searches]
                other = replace(self, searches=searches)
                partial = other._partial()
                if partial is not None and partial.is_of_this_search():
                    return other
        return self

    def _run(self, progress: Progress | None, partial: Partial | None) -> Found:
        if self.searches[0].method == "stylespace":
            return self._styles(progress)
        joint = not self.request.per_seed
        if partial is not None and self.files.resume and partial.path.exists():
            partial.read()
        jacobian, shape = self.files.jacobian, self.jacobian_shape
        file = jacobian_file(jacobian, shape, self.files.overwrite) if jacobian else nullcontext()
        with file as watch:
            collector = Collector(
                self.generator,
                self.start.codes,
                self.start.numbers,
                self.target,
                self.request.label,
                partial,
                self._advance(progress),
                watch,
            )
            tried = [(search, collector.matrices(search, joint)) for search in self.searches]
        model = model_card(self.checkpoint)
        if self.files.shard is not None:
            part = region_part(
                self.files.shard, self.job, self.target, [found for _, found in tried]
            )
            part.save(self.paths[0], self.files.overwrite)
            found = Found((), self.paths, self.searches[0], None, None, None)
        else:
            found = found_in(
                tried,
                model,
                self.target.first(self.start.count),
                self.start.numbers[: self.start.count],
                self._params(),
                joint=joint,
                agreement=self.request.stability,
            )
            found = replace(found, paths=self._save(found.bundles))
        if partial is not None:
            partial.remove()
        return found

    def _styles(self, progress: Progress | None) -> Found:
        """Find single channels of the styles."""
        bundle = style_bundle(
            self.generator,
            self.start,
            self.target,
            self.searches[0],
            self.request.label,
            self._params(),
            self._advance(progress),
        )
        return Found((bundle,), self._save([bundle]), self.searches[0], None, None, None)

    @property
    def job(self) -> dict[str, Any]:
        """What all shards share: all that the bundle needs besides the matrices."""
        job = {
            "items": list(self.whole.numbers),
            "model": model_card(self.checkpoint),
            "weights": weights_digest(self.checkpoint),
            "parameters": self._task(self.whole),
            "codes": self._params(),
            "searches": [asdict(replace(search, memory=None)) for search in self.searches],
            "stability": self.request.stability,
        }
        return region_job(job, self.target)

    def _params(self) -> dict[str, Any]:
        """Return what else changed the codes, as the bundle keeps it."""
        asked, psi = self.request, self.request.truncation
        if psi is None and (asked.codes is None or self.generator.conditioned):
            psi = self.generator.default_truncation
        name = asked.codes_name
        if isinstance(asked.codes, str | Path):
            name = Path(asked.codes).name
        beside = self.start.numbers[self.start.count :]
        return {
            "trunc": psi,
            "class": asked.label,
            "codes": name,
            **({"companions": list(beside)} if beside else {}),
        }

    def _partial(self) -> Partial | None:
        if self.files.partial is None:
            return None
        first = self.searches[0]
        task = {
            **self._task(self.start),
            **self._params(),
            **region_digests(self.target),
            "space": first.space,
            "method": first.method,
            "per_seed": self.request.per_seed,
            "weights": weights_digest(self.checkpoint),
        }
        return Partial(self.files.partial, task)

    def _task(self, start: Start) -> dict[str, Any]:
        """Return what the numbers depend on besides the model and `_params`."""
        first = self.searches[0]
        task = parameters(self.target, first, start.numbers, self.generator.w_dim)
        if self.request.codes is not None:
            task["codes_digest"] = _digest(start.codes)
        return task

    def _advance(self, progress: Progress | None) -> Callable[[int], None] | None:
        if progress is None:
            return None
        done, total = 0, self.passes

        def advance(passes: int) -> None:
            nonlocal done
            done += passes
            progress("localizing", done, total)

        return advance

    def _save(self, bundles: Sequence[Bundle]) -> tuple[Path, ...]:
        for path, bundle in zip(self.paths, bundles, strict=bool(self.paths)):
            bundle.save(path, self.files.overwrite)
        return self.paths


def _digest(codes: torch.Tensor) -> str:
    return hashlib.sha256(codes.cpu().numpy().tobytes()).hexdigest()


@contextmanager
def _noted(partial: Partial | None) -> Iterator[None]:
    """Add to an interrupt that the search can be resumed."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as interrupt:
        if partial is not None and partial.written:
            interrupt.add_note(f"{partial.path} keeps the work so far; continue with resume=True")
        raise
