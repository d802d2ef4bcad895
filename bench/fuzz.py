"""Feed the readers of files and words with broken inputs, and print what it took.

    python bench/fuzz.py bundle --inputs 100000          a row for each parser named
    python bench/fuzz.py all --seconds 60                each of them for a minute
    python bench/fuzz.py pickle --guided --inputs 100000 guided by coverage (pip install atheris)

Inputs are whole files and lines, changed by a few mutations: flipped bits, forged lengths, parts
cut out, doubled, or taken from another. A reader may return or raise SefaError; anything else is a
finding, and so are a second of CPU time and memory beyond 8 MB + 64 times the input (for pictures:
beyond what 170 megapixels take). Ends with 1 if there was a finding.
"""

import argparse
import contextlib
import importlib
import itertools
import os
import random
import resource
import sys
import tempfile
import time
import traceback
import tracemalloc
import warnings
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
atheris = importlib.import_module("atheris") if "--guided" in sys.argv else None
with atheris.instrument_imports(include=["sefa_cli"]) if atheris else contextlib.nullcontext():
    from bench.fuzz_parsers import PARSERS, Parser
    from sefa_cli.errors import SefaError

SLOW = 1.0  # seconds of CPU
TIMES = 64  # bytes for each byte of the input
_EVERY = 40  # inputs whose memory is not measured: tracing is slow
_BITS = (3, 7, 8, 15, 16, 31, 32, 63, 64)
_EDGES = (0, 1, *(2**bits - 1 for bits in _BITS), *(2**bits for bits in _BITS[:-1]))


def mutated(seeds: list[bytes], words: tuple[bytes, ...], rng: random.Random) -> bytes:
    """Return a seed with one to eight changes."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5, 8))):
        at, length = rng.randrange(len(data) + 1), rng.choice((1, 1, 2, 4, 8, 32, 200))
        match rng.randrange(8):
            case 0 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(data):
                data[at] = rng.randrange(256)
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = data[at : at + length] * rng.choice((1, 2, 50))
            case 4:
                size = rng.choice((1, 2, 4, 8))
                edge = rng.choice(_EDGES) & (256**size - 1)
                data[at : at + size] = edge.to_bytes(size, rng.choice(("little", "big")))
            case 5:
                other = rng.choice(seeds)
                cut = rng.randrange(len(other) + 1)
                data[at : at + length] = other[cut : cut + rng.choice((length, 1000))]
            case 6 if words:
                data[at : at + rng.choice((0, 1, 4))] = rng.choice(words)
            case 7 if rng.random() < 0.2:
                del data[at:]
    return bytes(data)


class Figures:
    """What a parser did with its inputs."""

    def __init__(self, parser: Parser) -> None:
        self.parser, self.inputs, self.refused = parser, 0, 0
        self.slowest = self.most = 0.0  # seconds; bytes of memory beyond the input's share
        self.peak = 0
        self.findings: dict[str, bytes] = {}  # by where they come from, with an input

    def feed(self, data: bytes) -> None:
        """Read one input."""
        traced = self.inputs % _EVERY == 0
        self.inputs += 1
        if traced:
            tracemalloc.start()
        began = time.process_time()
        try:
            self.parser.read(data)
        except SefaError:
            self.refused += 1
        except Exception as error:
            self.findings.setdefault(_place(error), data)
        took = time.process_time() - began
        self.slowest = max(self.slowest, took)
        if took > SLOW:
            self.findings.setdefault("slower than a second", data)
        if traced:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            self.peak = max(self.peak, peak)
            if peak > self.parser.room + TIMES * len(data):
                self.findings.setdefault("more memory than stated", data)

    def row(self, seconds: float) -> str:
        """Return the row of the table."""
        return (
            f"{self.parser.name:12}{self.inputs:12,}{self.refused:12,}{seconds:10.0f}"
            f"{len(self.findings):10}{self.peak / 1e6:10.2f}{1000 * self.slowest:11.1f}"
        )


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "sefa_cli" in f.filename] or list(frames)
    where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
    return f"{type(error).__name__} at {where}: {str(error)[:80]}"


def inputs(parser: Parser, seed: int) -> Iterator[bytes]:
    """Yield the seeds themselves, then mutations without end."""
    rng, seeds = random.Random(seed), parser.seeds()
    yield from seeds
    while True:
        yield mutated(seeds, parser.words, rng)


def fuzz(parser: Parser, count: int, seconds: float, seed: int = 0) -> Figures:
    """Feed a parser with mutations until there are enough, or until the time is over."""
    figures, until = Figures(parser), time.monotonic() + seconds
    for data in itertools.islice(inputs(parser, seed), count):
        figures.feed(data)
        if time.monotonic() > until:
            break
    return figures


def fuzz_guided(parser: Parser, count: int, seconds: float) -> None:
    """Let atheris look for inputs that reach new code, up to an end. Ends the process."""
    assert atheris is not None
    began, figures = time.monotonic(), Figures(parser)
    seeds = parser.seeds()

    def one(data: bytes) -> None:
        figures.feed(data)
        took = time.monotonic() - began
        if figures.inputs == count or took > seconds:
            show(figures, took)
            os._exit(int(bool(figures.findings)))

    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(seeds):
            Path(corpus, str(number)).write_bytes(data)
        largest = str(max(4096, *(2 * len(data) for data in seeds)))
        options = [f"-runs={2 * count}", f"-max_len={largest}", "-verbosity=0", corpus]
        atheris.Setup([sys.argv[0], *options], one)
        atheris.Fuzz()


def show(figures: Figures, seconds: float) -> None:
    """Print the row and the findings."""
    print(figures.row(seconds), flush=True)
    for place, data in figures.findings.items():
        print(f"  {place}\n    {data[:200]!r}", flush=True)


def main() -> int:
    """Fuzz the parsers that are asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parser", nargs="+", choices=[*PARSERS, "all"])
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--guided", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    limit = 8 << 30  # of addresses: a forged size ends in MemoryError, not in a dead machine
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    print(f"{'parser':12}{'inputs':>12}{'refused':>12}{'seconds':>10}{'findings':>10}", end="")
    print(f"{'peak, MB':>10}{'slowest, ms':>12}", flush=True)
    found = 0
    for name in PARSERS if "all" in asked.parser else asked.parser:
        if asked.guided:
            fuzz_guided(PARSERS[name], asked.inputs, asked.seconds)
        began = time.process_time()
        figures = fuzz(PARSERS[name], asked.inputs, asked.seconds, asked.seed)
        show(figures, time.process_time() - began)
        found += len(figures.findings)
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
