"""The same seed gives the same picture: with other seeds beside it, and on other threads."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from sefa_cli import Bundle, Region, localize, sample
from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.generators.base import Generator
from tests.conftest import TINY
from tests.helpers import networks

# What threads may change: sums in another order, which the rounding to 255 levels mostly hides.
MOST_LEVELS = 1
MOST_VALUES = 1e-4  # the share of values that differ
MOST_CHANGE = 1e-4  # of a number of a unit direction of a region


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def pixels(generator: Generator, seeds: str, threads: int = 1) -> np.ndarray:
    torch.set_num_threads(threads)
    return np.stack([np.asarray(one) for one in sample(generator, seeds=seeds, device="cpu")])


def check(generator: Generator) -> None:
    alone = pixels(generator, "1")
    np.testing.assert_array_equal(pixels(generator, "0-1")[1:2], alone)
    for threads in (2, 4):
        change = np.abs(pixels(generator, "1", threads).astype(int) - alone)
        assert change.max() <= MOST_LEVELS and (change > 0).mean() < MOST_VALUES


def test_a_small_network() -> None:
    check(build(read_checkpoint(Path(TINY)), "cpu"))


def test_a_wide_network() -> None:
    check(build(networks.stylegan2(channels=72, resolution=64), "cpu"))


def test_the_real_model(faces: Generator) -> None:
    check(faces)


@pytest.mark.slow
def test_a_bundle_of_a_region() -> None:
    """The same threads give the same bytes; others change the last digits of the derivatives."""

    def found(threads: int) -> Bundle:
        torch.set_num_threads(threads)
        region = Region.box(20, 10, 8, 12)
        return localize(str(TINY), region, seeds="0-1", size=32, device="cpu")

    one = found(1)
    assert found(1).to_bytes() == one.to_bytes()
    for threads in (2, 4):
        assert np.abs(found(threads).directions - one.directions).max() < MOST_CHANGE
