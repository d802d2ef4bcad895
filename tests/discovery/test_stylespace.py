"""StyleSpace: channels as directions of w+, on a painter with known channels and on networks."""

from typing import Any

import numpy as np
import pytest
import torch

import sefa_cli
from sefa_cli.discovery.request import Request
from sefa_cli.discovery.stylespace import channels, leading, overlaps, reach
from sefa_cli.editing.codes import codes_from_seeds
from sefa_cli.editing.source import load_generator
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.generators.linearize import Linearization
from sefa_cli.projections import select
from tests.helpers import networks

FORE = np.zeros((16, 16), np.uint8)
FORE[4:8, 4:8] = 255


@pytest.fixture
def known() -> tuple[Linearization, dict[int, np.ndarray]]:
    """A painter of two layers with three channels each, and the matrices of its styles.

    Channel 1 of layer 1 brightens the region alone, channel 2 of layer 0 most of all the region.
    The others change the rest.
    """
    random = np.random.RandomState(0)
    matrices = {i: random.randn(3, 5).astype(np.float32) for i in (0, 1)}
    inside = FORE / 255.0
    patterns = np.stack([(1 - inside) * random.rand(16, 16) for _ in range(6)])
    patterns[4], patterns[2] = 0.01 * inside, 5 * inside + 4.9 * np.roll(inside, 8, axis=0)
    weights = torch.from_numpy(patterns)

    def paint(codes: torch.Tensor) -> torch.Tensor:
        affine = [torch.from_numpy(matrices[i]).double().T for i in (0, 1)]
        styles = torch.cat([codes[:, i] @ affine[i] for i in (0, 1)], dim=1)
        return torch.einsum("bc,chw->bhw", styles, weights)[:, None].repeat(1, 3, 1, 1)

    code = torch.zeros(2, 5, dtype=torch.float64)
    return Linearization(paint, code, [0, 1], per_layer=True), matrices


def test_a_channel_moves_alone(known: tuple[Linearization, dict[int, np.ndarray]]) -> None:
    _, matrices = known
    found = channels(matrices)
    assert found.layers == (0, 0, 0, 1, 1, 1) and found.numbers == (0, 1, 2, 0, 1, 2)
    moves = found.spread(range(6), [0, 1])  # (6, 2, 5)
    np.testing.assert_allclose(np.linalg.norm(moves.reshape(6, -1), axis=1), 1, atol=1e-6)
    styles = np.concatenate([moves[:, i] @ matrices[i].T for i in (0, 1)], axis=1)
    np.testing.assert_allclose(styles * found.lengths[:, None], np.eye(6), atol=1e-5)


def test_the_regions_own_channel_comes_first(
    known: tuple[Linearization, dict[int, np.ndarray]],
) -> None:
    """However faint it is: what counts is where a channel changes the picture."""
    linearization, matrices = known
    found = channels(matrices)
    back = 255 - FORE
    told: list[int] = []
    seen = reach(
        linearization, FORE, back, found.spread(range(6), [0, 1]),
        progress=lambda done, total: told.append(done),
    )  # fmt: skip
    order, mean = leading([seen, seen], 2)
    assert [(found.layers[i], found.numbers[i]) for i in order] == [(1, 1), (0, 2)]
    assert mean.overlap[0] == 1 and mean.outside[0] < 1e-12 and told[-1] == 6
    # a unit of style changes the region's pixels by 0.01: a unit of w by 1 / length of that
    np.testing.assert_allclose(mean.inside[0] ** 0.5 * found.lengths[4], 0.01, rtol=1e-5)


def test_an_overlap_counts_as_many_pixels_as_the_region_has() -> None:
    maps = np.zeros((1, 16, 16))
    maps[0, 4:8, 4:6] = 2  # half of the region, and another half beside it
    maps[0, 12:16, 4:6] = 1
    assert overlaps(torch.from_numpy(maps), torch.from_numpy(FORE).double()).tolist() == [0.5]


@pytest.mark.parametrize("matrix", [np.ones((3, 2)), np.array([[1.0, 1, 0], [2, 2, 0]])])
def test_channels_that_cannot_move_alone_are_refused(matrix: np.ndarray) -> None:
    with pytest.raises(UsageError, match=f"the {len(matrix)} channels of layer 7 cannot move one"):
        channels({7: matrix.astype(np.float32)})


def located(**how: Any) -> sefa_cli.Bundle:
    generator = load_generator(networks.mobilestylegan(), "cpu")
    region = sefa_cli.Region.box(8, 8, 12, 12)
    given = {"layers": [2, 5], "seeds": [0, 1], "size": 32, "method": "stylespace", **how}
    return sefa_cli.localize(generator, region, **given)


def test_a_bundle_of_channels_edits_their_styles_and_nothing_else() -> None:
    bundle = located(num=3)
    assert (bundle.space, bundle.directions.shape) == ("w+", (3, 2, 8))
    assert (np.diff(bundle.eigenvalues) <= 0).all() and bundle.eigenvalues.max() <= 1
    layer, channel = bundle.params["channels"][0]
    assert bundle.labels[0] == f"channel {layer}.{channel}"
    generator = load_generator(networks.mobilestylegan(), "cpu")
    codes = generator.truncate(generator.map(generator.sample([3])), 0.7)
    codes = codes if codes.ndim == 3 else codes[:, None].repeat(1, generator.num_layers, 1)
    alpha = 2 * bundle.info[0]["scale"]  # two units of style
    moved = bundle.move(codes, 0, alpha) - codes
    for one in select(networks.mobilestylegan(), "all", "all"):
        change = moved[0, one.index].numpy() @ one.matrix.finite(one.name).T
        expected = 2.0 * (np.arange(len(change)) == channel) * (one.index == layer)
        np.testing.assert_allclose(change, expected, atol=1e-4)


def test_the_change_of_a_channel_is_that_of_small_steps() -> None:
    bundle = located(seeds=[0], num=2)
    generator = load_generator(networks.mobilestylegan(), "cpu")
    codes = codes_from_seeds(generator, [0])
    fore = bundle.mask / 255.0
    for k in range(2):
        ends = [
            generator.synthesize(bundle.move(codes, k, step), size=32, preview=True).numpy()
            for step in (-1e-2, 1e-2)
        ]
        change = ((ends[1] - ends[0]) / 2e-2)[0]
        inside = np.sqrt((np.square(change).mean(axis=0) * fore).sum() / fore.sum())
        assert inside == pytest.approx(bundle.info[k]["change"]["inside"], rel=0.02)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"layers": [0]}, "the 16 channels of layer 0 cannot move one by one"),
        ({"num": 9}, "num must be between 1 and 8"),
        ({"tau": 0.1}, "tau has no effect with method stylespace; expected resefa"),
        ({"space": "w"}, "space has no effect with method stylespace"),
        ({"layers": "auto"}, "cannot choose layers with method stylespace"),
        ({"save_jacobian": "J.npy"}, "jacobian has no effect with method stylespace"),
    ],
)
def test_what_does_not_suit_channels_is_refused(how: dict[str, Any], said: str) -> None:
    with pytest.raises(SefaError, match=said):
        located(**how)


def test_channels_have_no_bundle_for_each_seed() -> None:
    with pytest.raises(SefaError, match="per_seed has no effect with method stylespace"):
        Request(method="stylespace", per_seed=True)


def test_progress_counts_every_channel_of_every_picture() -> None:
    told: list[tuple[str, int, int]] = []
    located(progress=lambda *news: told.append(news))
    assert told[-1] == ("localizing", 16, 16)  # two pictures of eight channels
