"""What a GPU gives: pictures a second, localize from start to end, precision, lack of memory.

bench/gpu.sh calls this on a bare machine, without network:

    python bench/gpu.py OUT [--model random.pth] [--default-model FILE] [--device cuda] [--tiny]

Every figure is the median of several turns, each ended by a synchronization. OUT/gpu.json is
written after every part, so a run that is cut off keeps what it measured; a part that fails says
why and the next one goes on. `--tiny` does it all in a minute on a CPU: that is how it is tested.
"""

import argparse
import json
import statistics
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import published_stylegan2
import torch

import sefa_cli as sefa

REGION = (0.40, 0.62, 0.20, 0.14)  # left, top, width, height of a mouth, as shares of the picture
Part = Callable[["Bench"], dict[str, Any]]


class Bench:
    """The device, the model and the sizes that all parts share."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked, self.tiny = asked, asked.tiny
        self.device = torch.device(asked.device)
        self.turns = 2 if self.tiny else 7
        self.end = time.monotonic() + asked.seconds
        self.generator = sefa.load_generator(asked.model, device=asked.device)

    def codes(self, generator: Any, count: int) -> torch.Tensor:
        return generator.truncate(generator.map(generator.sample(range(count))), 0.7)

    def seconds(self, work: Callable[[], object]) -> float:
        """Median seconds of `work`, after two turns that are not counted."""
        taken = []
        for turn in range(self.turns + 2):
            self.wait()
            start = time.perf_counter()
            work()
            self.wait()
            if turn > 1:
                taken.append(time.perf_counter() - start)
        return statistics.median(taken)

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


@contextmanager
def computing(mode: str, device: torch.device) -> Iterator[None]:
    """Convolutions and products in float32, tf32 or bf16."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = mode == "tf32"
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, mode == "bf16"):
        yield


def machine(bench: Bench) -> dict[str, Any]:
    """The card and the software."""
    name = torch.cuda.get_device_name() if bench.device.type == "cuda" else "CPU"
    return {
        "device": name, "torch": torch.__version__, "cuda": torch.version.cuda,
        "python": sys.version.split()[0], "model": repr(bench.generator),
    }  # fmt: skip


def arithmetic(bench: Bench) -> dict[str, Any]:
    """FLOP per second of a dense 3×3 convolution in each precision: the floor of all below."""
    batch, channels, side = (1, 8, 8) if bench.tiny else (8, 512, 64)
    x = torch.randn(batch, channels, side, side, device=bench.device)
    kernel = torch.randn(channels, channels, 3, 3, device=bench.device)
    work = 2 * 9 * batch * channels**2 * side**2
    rates = {}
    for mode in modes(bench):
        with computing(mode, bench.device):
            rates[mode] = work / bench.seconds(lambda: torch.conv2d(x, kernel, padding=1))
    return {"FLOP per second": rates}


def modes(bench: Bench) -> list[str]:
    return ["float32", "tf32", "bf16"] if bench.device.type == "cuda" else ["float32", "bf16"]


def pictures(bench: Bench) -> dict[str, Any]:
    """Pictures a second, ours and as published, by batch and precision; ours in other forms."""
    own = bench.generator
    table: dict[str, Any] = {}
    batches = (1, 2) if bench.tiny else (1, 8)
    difference = published_stylegan2.same(own, bench.codes(own, 1))
    if difference > 1e-3:
        raise RuntimeError(f"the published sequence paints another picture: {difference:g}")
    for batch in batches:
        codes = bench.codes(own, batch)
        for mode in modes(bench):
            with computing(mode, bench.device):
                ours = bench.seconds(partial(own.synthesize, codes))
                peer = bench.seconds(partial(published_stylegan2.paint, own, codes))
            table[f"{mode}, batch {batch}"] = {
                "ours": batch / ours, "published": batch / peer, "ratio": peer / ours,
            }  # fmt: skip
    return {"difference to published": difference, "pictures per second": table}


def forms(bench: Bench) -> dict[str, Any]:
    """Pictures a second in tf32: channels last, torch.compile, CUDA graphs."""
    own = bench.generator
    table: dict[str, Any] = {}
    mode = "tf32" if bench.device.type == "cuda" else "float32"
    batch = 2 if bench.tiny else 8
    codes = bench.codes(own, batch)
    compiled = {} if bench.tiny else {"compile": "default", "CUDA graphs": "reduce-overhead"}

    def tried(name: str, work: Callable[[], object]) -> None:
        try:
            with computing(mode, bench.device):
                start = time.perf_counter()
                work()
                bench.wait()
                first = time.perf_counter() - start
                table[name] = {"first call, s": first, "pictures": batch / bench.seconds(work)}
        except Exception as error:
            table[name] = {"failed": f"{type(error).__name__}: {error}"[:300]}

    tried("as it is", lambda: own.synthesize(codes))
    for name, how in compiled.items():
        torch.compiler.reset()
        tried(name, partial(torch.compile(own.synthesize, mode=how), codes))
    last = sefa.load_generator(bench.asked.model, device=bench.asked.device)
    last.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    tried("channels last", lambda: last.synthesize(codes))
    return {"mode": mode, "batch": batch, "forms": table}


def found(bench: Bench, generator: Any, **choices: Any) -> tuple[float, Any]:
    """Seconds of a whole `localize` of a mouth, and its bundle."""
    size = min(generator.resolution, 64 if bench.tiny else 256)
    x, y, width, height = (round(share * size) for share in REGION)
    mask = np.zeros((size, size), np.uint8)
    mask[y : y + height, x : x + width] = 255
    choices = {"seeds": [0], "size": size, "num": 6, "alone": True, **choices}
    bench.wait()
    start = time.perf_counter()
    bundle = sefa.localize(generator, mask, **choices)
    return time.perf_counter() - start, bundle


def cosines(one: Any, other: Any) -> list[float]:
    a, b = one.directions.reshape(one.k, -1), other.directions.reshape(other.k, -1)
    return np.abs(np.sum(a * b, axis=1)).round(4).tolist()


def localizing(bench: Bench) -> dict[str, Any]:
    """Seconds of localize, one seed, and |cos| of its directions with those of float32."""
    table: dict[str, Any] = {}
    exact = None
    for mode in modes(bench):
        found(bench, bench.generator, precision=mode)  # not counted: kernels are chosen
        taken, bundle = found(bench, bench.generator, precision=mode)
        exact = exact or bundle
        table[mode] = {"seconds": taken, "cosines": cosines(bundle, exact)}
    return {"localize": table}


def default_model(bench: Bench) -> dict[str, Any]:
    """The default model: pictures a second and localize."""
    if bench.asked.default_model is None:
        return {"left out": "no --default-model"}
    own = sefa.load_generator(bench.asked.default_model, device=bench.asked.device)
    codes = bench.codes(own, 1)
    table: dict[str, float] = {}
    for mode in modes(bench)[: 1 if bench.tiny else None]:
        with computing(mode, bench.device):
            table[mode] = 1 / bench.seconds(lambda: own.synthesize(codes))
    if bench.tiny:
        return {"pictures per second": table}
    return {"pictures per second": table, "localize, s": found(bench, own)[0]}


def little_memory(bench: Bench) -> dict[str, Any]:
    """The same directions with hardly any memory left: chunks are halved instead of failing."""
    exact = found(bench, bench.generator)[1]
    ballast = None
    if bench.device.type == "cuda":
        torch.cuda.empty_cache()
        free = torch.cuda.mem_get_info()[0] - (3 << 30)
        ballast = torch.empty(max(free, 0), dtype=torch.uint8, device=bench.device)
    taken, bundle = found(bench, bench.generator)
    del ballast
    return {"seconds": taken, "cosines": cosines(bundle, exact)}


PARTS: dict[str, Part] = {
    "machine": machine, "arithmetic": arithmetic, "pictures": pictures, "localize": localizing,
    "default model": default_model, "little memory": little_memory, "forms": forms,
}  # fmt: skip


def lines(value: Any, indent: str = "  ") -> Iterator[str]:
    """Yield nested results as lines of a table."""
    for key, entry in value.items():
        if isinstance(entry, dict):
            yield f"{indent}{key}"
            yield from lines(entry, indent + "  ")
        else:
            shown = f"{entry:.4g}" if isinstance(entry, float) else str(entry)
            yield f"{indent}{key:<28} {shown}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", default="random.pth")
    parser.add_argument("--default-model")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--seconds", type=float, default=480, help="no part starts after this")
    asked = parser.parse_args()
    bench, failed = Bench(asked), 0
    results: dict[str, dict[str, Any]] = {}
    for name, part in PARTS.items():
        start = time.monotonic()
        if start > bench.end:
            results[name] = {"left out": "no time left"}
            continue
        try:
            results[name] = part(bench)
        except Exception as error:
            traceback.print_exc()
            results[name], failed = {"failed": f"{type(error).__name__}: {error}"[:500]}, failed + 1
        results[name]["took, s"] = round(time.monotonic() - start, 1)
        text = "\n".join([name, *lines(results[name])])
        print(text, flush=True)
        asked.out.joinpath("gpu.json").write_text(json.dumps(results, indent=1) + "\n")
        with asked.out.joinpath("gpu.txt").open("a") as table:
            table.write(text + "\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
