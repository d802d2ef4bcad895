"""What holds for all inputs: what is written is read back, and what is refused is refused in words.

`EXAMPLES=20000 pytest tests/test_properties.py` tries more than the few of a usual run.
"""

import io
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.expressions import parse_mix, unquoted
from sefa_cli.container import Tensor, pack, unpack
from sefa_cli.discovery.regions.shapes import box, polygon
from sefa_cli.editing.moves import Move
from sefa_cli.editing.presets import Part, Preset
from sefa_cli.editing.storyboard import Key, Storyboard
from sefa_cli.errors import SefaError
from sefa_cli.interchange.containers import Archive, opened
from sefa_cli.parts import Shard
from sefa_cli.ranges import format_range, parse_range
from tests.helpers import FORMATS

GOLDEN = sorted((FORMATS / "golden").glob("*.dirs"))
BUNDLE = Bundle.load(GOLDEN[0])
WORDS = some.text(alphabet="0123456789-+,.:*eE \"\\ab\u00e9\n[]{}='", max_size=40) | some.text()
NUMBERS = some.floats(-1000, 1000).filter(bool)
ANY_NUMBERS: Any = arrays.arrays(
    some.sampled_from(["<f4", "<f8", "<f2", "<i8", "|u1", ">i2"]).map(np.dtype),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
)
repeated = settings(
    max_examples=int(os.environ.get("EXAMPLES", "40")),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("properties")


@repeated
@given(some.lists(some.integers(0, 10**6), min_size=1, max_size=40, unique=True))
def test_a_range_is_read_back(indices: list[int]) -> None:
    assert parse_range(format_range(indices), "seed") == tuple(indices)


@repeated
@given(WORDS)
@pytest.mark.parametrize(
    "parse",
    [
        lambda text: parse_range(text, "layer", 18), parse_mix, Shard.parse,
        lambda text: box(text)(8, 6), lambda text: polygon(text)(8, 6),
    ],
    ids=["range", "mix", "shard", "box", "polygon"],
)  # fmt: skip
def test_any_text_is_read_or_refused(parse: Callable[[str], object], text: str) -> None:
    with suppress(SefaError):
        assert parse(text) is not None


@repeated
@given(some.lists(some.tuples(NUMBERS, some.text(min_size=1)), min_size=1, max_size=5))
def test_a_mix_is_read_back(terms: list[tuple[float, str]]) -> None:
    def quoted(label: str) -> str:
        return '"' + label.replace("\\", "\\\\").replace('"', '\\"') + '"'

    terms = [(weight, label.replace("\n", " ")) for weight, label in terms]
    text = " ".join(f"{'-' if w < 0 else '+'} {abs(w)!r}*{quoted(label)}" for w, label in terms)
    assert [(weight, unquoted(name)) for weight, name in parse_mix(text)] == terms


@repeated
@given(some.data())
def test_a_box_covers_its_pixels(data: some.DataObject) -> None:
    height, width = data.draw(some.integers(1, 40)), data.draw(some.integers(1, 40))
    top, left = data.draw(some.integers(0, height - 1)), data.draw(some.integers(0, width - 1))
    tall = data.draw(some.integers(1, height - top))
    wide = data.draw(some.integers(1, width - left))
    expected = np.zeros((height, width), np.uint8)
    expected[top : top + tall, left : left + wide] = 255
    np.testing.assert_array_equal(box(f"{top},{left},{tall},{wide}")(height, width), expected)
    end, right = top + tall, left + wide
    corners = f"{top},{left} {top},{right} {end},{right} {end},{left}"
    np.testing.assert_array_equal(polygon(corners)(height, width), expected)


@repeated
@given(some.integers(1, 200), some.integers(1, 20))
def test_shards_share_everything_once(items: int, count: int) -> None:
    count = min(count, items)
    shares = [Shard(number, count).share(items) for number in range(1, count + 1)]
    assert [item for share in shares for item in share] == list(range(items))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@repeated
@given(some.dictionaries(some.text(), some.text(), max_size=4), some.data())
def test_a_container_is_read_back(metadata: dict[str, str], data: some.DataObject) -> None:
    names = data.draw(some.lists(some.text(min_size=1), max_size=4, unique=True))
    names = [name for name in names if name != "__metadata__"]
    tensors = {
        name: Tensor("U8", shape, bytes(int(np.prod(shape))))
        for name in names
        for shape in [data.draw(some.tuples(some.integers(0, 4), some.integers(0, 4)))]
    }
    assert unpack(io.BytesIO(pack(metadata, tensors))) == (metadata, tensors)


@repeated
@given(some.dictionaries(some.integers(0, BUNDLE.k - 1), some.text(max_size=12)))
def test_a_bundle_is_read_back(labels: dict[int, str]) -> None:
    try:
        named = BUNDLE.name({k: label for k, label in labels.items()})  # noqa: C416 (a wider type)
    except SefaError:
        return
    data = named.to_bytes()
    again = Bundle.from_bytes(data)
    assert again.to_bytes() == data and again.labels == named.labels


@repeated
@given(some.data())
def test_a_cut_or_changed_bundle_is_read_or_refused(data: some.DataObject) -> None:
    whole = bytearray(data.draw(some.sampled_from(GOLDEN)).read_bytes())
    for at in data.draw(some.lists(some.integers(0, len(whole) - 1), max_size=3)):
        whole[at] = data.draw(some.integers(0, 255))
    with suppress(SefaError):
        Bundle.from_bytes(bytes(whole[: data.draw(some.integers(0, len(whole)))]))


@repeated
@given(array=ANY_NUMBERS)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_an_array_is_read_back(folder: Path, suffix: str, array: np.ndarray) -> None:
    path = folder / f"a{suffix}"
    np.save(path, array) if suffix == ".npy" else np.savez(path, w=array)
    content = opened(path)
    found = content["w"] if isinstance(content, Archive) else content
    assert isinstance(found, np.ndarray) and found.shape == array.shape
    np.testing.assert_array_equal(found, array)


MOVES = some.lists(
    some.tuples(some.integers(0, BUNDLE.k - 1), NUMBERS), min_size=1, unique_by=lambda step: step[0]
)


def parts(steps: list[tuple[int, float]]) -> tuple[Part, ...]:
    return (Part(str(GOLDEN[0]), BUNDLE, Move(tuple(steps))),)


@repeated
@given(
    name=some.text(min_size=1).filter(lambda t: bool(t.strip()) and t.isprintable()), steps=MOVES
)
def test_a_preset_is_read_back(folder: Path, name: str, steps: list[tuple[int, float]]) -> None:
    Preset(name, parts(steps)).save(folder / "p.toml", overwrite=True)
    read = Preset.load(folder / "p.toml")
    assert (read.name, read.parts[0].move.steps) == (name, tuple(steps))


@repeated
@given(
    times=some.lists(some.floats(0.001, 3600), min_size=1, max_size=4, unique=True),
    seeds=some.lists(some.integers(0, 2**32 - 1), min_size=5, max_size=5),
    caption=some.text(some.characters(exclude_categories=["Cs"]), max_size=10).filter(
        str.isprintable
    ),
    steps=MOVES,
)
def test_a_storyboard_is_read_back(
    folder: Path, times: list[float], seeds: list[int], caption: str, steps: list[tuple[int, float]]
) -> None:
    moments = [0.0, *sorted(times)]
    keys = [
        Key(at, seed, "7:0-1", 0.5, parts(steps), caption)
        for at, seed in zip(moments, seeds, strict=False)
    ]
    (folder / "s.toml").write_text(Storyboard(tuple(keys), f"m{caption}").to_text(), "utf-8")
    read = Storyboard.load(folder / "s.toml")
    assert read.model == f"m{caption}"
    assert [(k.at, k.source, k.caption) for k in read.keys] == [
        (k.at, k.source, k.caption) for k in keys
    ]
    assert read.keys[0].parts[0].move.steps == tuple(steps)
