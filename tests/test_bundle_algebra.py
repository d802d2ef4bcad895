"""Directions named, picked, turned round, mixed and cleaned."""

from dataclasses import replace

import numpy as np
import pytest

from sefa_cli.bundle import Bundle
from sefa_cli.bundle_algebra import (
    Algebra,
    Source,
    annotate,
    mixed,
    parse_chosen,
    parse_mix,
    picked,
    relabelled,
    without,
)
from sefa_cli.errors import SefaError, UsageError


def bundle_of(
    rows: object, layers: tuple[int, ...] = (0, 1), labels: tuple[str, ...] = ()
) -> Bundle:
    rows = np.asarray(rows, np.float32)
    info = [{"label": label} for label in labels] + [{}] * (len(rows) - len(labels))
    return Bundle(
        directions=rows,
        eigenvalues=np.arange(len(rows), 0, -1.0),
        layers=np.array(layers),
        method="sefa",
        params={},
        space="w",
        model={
            "ref": "m.pt", "family": "stylegan2", "resolution": 32, "z_dim": 4, "w_dim": 4,
            "num_layers": 8, "layer_names": [f"l{i}" for i in range(8)], "fingerprint": "a" * 64,
        },
        info=tuple(info),
    )  # fmt: skip


@pytest.fixture
def face() -> Source:
    return Source("face.dirs", bundle_of(np.eye(4), labels=("yaw", "smile")))


@pytest.fixture
def hair() -> Source:
    return Source("hair.dirs", bundle_of(np.eye(4)[2:], labels=("long", "smile")))


def test_labels_change_and_nothing_else(face: Source) -> None:
    before = face.bundle
    after = relabelled(before, {0: None, 2: "age"})
    assert after.labels == [None, "smile", "age", None]
    assert relabelled(after, {0: "yaw", 2: None}).to_bytes() == before.to_bytes()
    assert relabelled(before, {0: "smile", 1: "yaw"}).labels[:2] == ["smile", "yaw"]  # swapped


@pytest.mark.parametrize("label", ["smile", "3", "0-4", "", "a\nb"])
def test_labels_that_cannot_be(face: Source, label: str) -> None:
    with pytest.raises(SefaError):
        relabelled(face.bundle, {0: label})


def test_answers_are_kept_with_a_direction(face: Source) -> None:
    before = face.bundle
    asked = annotate(before, "smile", {"level": "bottom", "obvious": True, "by": "me"})
    after = annotate(asked, 1, {"meaningful": False, "level": None, "note": "teeth come along"})
    answers = {"obvious": True, "meaningful": False, "by": "me", "note": "teeth come along"}
    assert after.info[1] == {"label": "smile", "annotation": answers}
    assert Bundle.from_bytes(after.to_bytes()).info == after.info
    assert annotate(after, 1, None).to_bytes() == before.to_bytes()
    assert annotate(before, 0, {"obvious": None}).to_bytes() == before.to_bytes()


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"level": "lowest"}, "the level is 'lowest'; expected bottom, middle or top"),
        ({"level": ["top"]}, "bottom, middle or top"),
        ({"obvious": "yes"}, "obvious is 'yes'; expected true or false"),
        ({"meaningful": 1}, "meaningful is 1"),
        ({"note": "a\nb"}, "one line"),
        ({"note": ""}, "the note is ''"),
        ({"seen": {1, 2}}, "set"),
    ],
)
def test_answers_that_cannot_be(face: Source, answers: dict[str, object], said: str) -> None:
    with pytest.raises(SefaError, match=said):
        annotate(face.bundle, 0, answers)
    with pytest.raises(UsageError, match="nobody"):
        annotate(face.bundle, "nobody", {"obvious": True})


def test_picked_rows_know_where_they_come_from(face: Source, hair: Source) -> None:
    algebra = Algebra([face, hair])
    made = picked(algebra, [*parse_chosen(face, "1-2"), *parse_chosen(hair, "long")])
    np.testing.assert_array_equal(made.directions, np.eye(4)[[1, 2, 2]])
    assert made.labels == ["smile", None, "long"]
    assert made.info[2]["from"] == {
        "bundle": "hair.dirs", "k": 0, "method": "sefa", "eigenvalue": 2.0,
    }  # fmt: skip
    assert made.eigenvalues is None and made.method == "pick"
    assert Bundle.from_bytes(made.to_bytes()).info == made.info


def test_flipped(face: Source) -> None:
    made = picked(Algebra([face]), parse_chosen(face, "yaw"), flip=True)
    np.testing.assert_array_equal(made.directions, -np.eye(4)[:1])
    assert made.info[0]["from"]["flipped"] is True


def test_other_layers_make_a_row_per_layer(face: Source) -> None:
    high = Source("high.dirs", bundle_of(np.eye(4)[:1], layers=(1, 5)))
    algebra = Algebra([face, high])
    made = picked(algebra, [(face, 0), (high, 0)])
    assert made.directions.shape == (2, 3, 4) and list(made.layers) == [0, 1, 5]
    moved = made.directions[:, :, 0] * made.info[0]["scale"]
    np.testing.assert_allclose(moved, [[1, 1, 0], [0, 1, 1]], atol=1e-6)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("0.7*yaw + 0.3*age", [(0.7, "yaw"), (0.3, "age")]),
        ("yaw - smile", [(1, "yaw"), (-1, "smile")]),
        ("-2*3", [(-2, "3")]),
        ('.5*"turns left"+2.*face:1', [(0.5, '"turns left"'), (2, "face:1")]),
    ],
)
def test_mixes_are_read(text: str, terms: list[tuple[float, str]]) -> None:
    assert parse_mix(text) == terms


@pytest.mark.parametrize("text", ["", "0.7**yaw", "yaw smile", "0.7*", "+", "yaw +"])
def test_mixes_that_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError):
        parse_mix(text)


def test_a_mix_is_a_unit_vector_with_its_length_as_scale(face: Source) -> None:
    made = mixed(Algebra([face]), "3*yaw - 4*smile", "older-turned")
    np.testing.assert_allclose(made.directions, [[0.6, -0.8, 0, 0]], atol=1e-6)
    assert made.info[0]["scale"] == pytest.approx(5) and made.labels == ["older-turned"]
    assert [part["weight"] for part in made.info[0]["from"]["parts"]] == [3, -4]


def test_a_mix_that_is_zero(face: Source) -> None:
    with pytest.raises(SefaError, match="comes out zero"):
        mixed(Algebra([face]), "yaw - yaw", "nothing")


def test_cleaned_of_a_side_effect(face: Source) -> None:
    mix = Source("mix.dirs", mixed(Algebra([face]), "yaw + smile", "both"))
    algebra = Algebra([mix, face])
    made = without(picked(algebra, [(mix, 0)]), algebra, ["face:smile"])
    np.testing.assert_allclose(made.directions, np.eye(4)[:1], atol=1e-6)
    assert made.info[0]["from"]["without"] == ["face:smile"]
    with pytest.raises(SefaError, match="comes out zero"):
        without(picked(algebra, [(face, 1)]), algebra, ["face:smile"])


def test_finding(face: Source, hair: Source) -> None:
    algebra = Algebra([face, hair])
    assert algebra.find("yaw") == (face, 0)
    assert algebra.find("hair:smile") == (hair, 1) == algebra.find("hair.dirs:1")
    with pytest.raises(UsageError, match=r"face\.dirs and hair\.dirs"):
        algebra.find("smile")
    with pytest.raises(UsageError, match="of which bundle"):
        algebra.find("1")
    with pytest.raises(UsageError, match="yaw"):
        algebra.find("yew")


def test_other_models_and_spaces_are_refused(face: Source) -> None:
    other = replace(face.bundle, model={**face.bundle.model, "fingerprint": "b" * 64})
    with pytest.raises(SefaError, match="different models"):
        Algebra([face, Source("other.dirs", other)])
    other = replace(face.bundle, space="z")
    with pytest.raises(SefaError, match="different spaces"):
        Algebra([face, Source("other.dirs", other)])
