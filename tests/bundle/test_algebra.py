"""Directions named, picked, turned round, mixed and cleaned."""

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sefa_cli.bundle.algebra import Algebra, Source
from sefa_cli.bundle.annotations import annotate, relabeled
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.expressions import parse_mix
from sefa_cli.bundle.picking import mix, mixed, picked, without
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


def parse_chosen(source: Source, text: str) -> list[tuple[Source, int]]:
    return [(source, k) for k in source.bundle.indices(text)]


@pytest.fixture
def face() -> Source:
    return Source("face.dirs", bundle_of(np.eye(4), labels=("yaw", "smile")))


@pytest.fixture
def hair() -> Source:
    return Source("hair.dirs", bundle_of(np.eye(4)[2:], labels=("long", "smile")))


def test_labels_change_and_nothing_else(face: Source) -> None:
    before = face.bundle
    after = relabeled(before, {0: None, 2: "age"})
    assert after.labels == [None, "smile", "age", None]
    assert relabeled(after, {0: "yaw", 2: None}).to_bytes() == before.to_bytes()
    assert relabeled(before, {0: "smile", 1: "yaw"}).labels[:2] == ["smile", "yaw"]  # swapped


@pytest.mark.parametrize("label", ["smile", "3", "0-4", "", "a\nb"])
def test_labels_that_cannot_be(face: Source, label: str) -> None:
    with pytest.raises(SefaError):
        relabeled(face.bundle, {0: label})


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
        "bundle": "hair.dirs", "k": 0, "method": "sefa", "eigenvalue": 2.0, "params": {},
        "label": "long",
    }  # fmt: skip
    assert made.eigenvalues is None and made.method == "pick"
    assert Bundle.from_bytes(made.to_bytes()).info == made.info


def test_flipped(face: Source) -> None:
    made = picked(Algebra([face]), parse_chosen(face, "yaw"), flip=True)
    np.testing.assert_array_equal(made.directions, -np.eye(4)[:1])
    assert made.info[0]["from"]["flipped"] is True
    again = Source("turned.dirs", made)
    assert "flipped" not in picked(Algebra([again]), [(again, 0)], flip=True).info[0]["from"]


def test_what_is_known_of_a_direction_goes_with_it(face: Source) -> None:
    answers = {"level": "bottom", "meaningful": True}
    known = replace(annotate(face.bundle, 1, answers), params={"gain_threshold": 0.3, "seeds": [4]})
    change = {"change": {"inside": 2.0, "outside": 1.0, "later": "kept"}}
    info: tuple[dict[str, Any], ...] = (
        {},
        {**known.info[1], **change, "gain": 0.4, "scale": 2.0, "later": 1},
        {},
        {},
    )
    known = replace(known, info=info, mask=np.full((1, 2, 2), 9, np.uint8))
    source = Source("face.dirs", known)
    made = picked(Algebra([source]), [(source, 1)])
    assert {**made.info[0], "from": None} == {**info[1], "from": None}
    assert made.style_gains == (0,) and made.params["seeds"] == [4]
    np.testing.assert_array_equal(made.mask, known.mask)
    high = Source("high.dirs", bundle_of(np.eye(4)[:1], layers=(1, 5)))
    both = picked(Algebra([source, high]), [(source, 1)])
    assert both.mask is None and "seeds" not in both.params
    assert both.info[0]["scale"] == pytest.approx(2 * 2**0.5)
    assert both.info[0]["change"]["inside"] == pytest.approx(2 / 2**0.5)
    cleaned = without(made, Algebra([source]), ["0"]).info[0]
    assert cleaned.keys() == {"label", "scale", "later", "from"}


def test_provenance_leads_to_the_first_bundle_and_ends_somewhere(face: Source) -> None:
    source = face
    for _ in range(40):
        source = Source("picked.dirs", picked(Algebra([source]), [(source, 0)]))
    assert source.bundle.info[0]["from"]["bundle"] == "face.dirs"
    for _ in range(20):  # JSON may nest 32 levels
        source = Source("mix.dirs", mix([(source.name, source.bundle)], "0", label="yaw"))
    assert Bundle.from_bytes(source.bundle.to_bytes()).labels == ["yaw"]
    step = source.bundle.info[0]["from"]["parts"][0]
    assert (step["bundle"], step["method"]) == ("mix.dirs", "mix")


def test_a_label_of_two_bundles(face: Source, hair: Source) -> None:
    with pytest.raises(SefaError, match=r"face\.dirs and hair\.dirs both have a direction 'smile'"):
        picked(Algebra([face, hair]), [(face, 1), (hair, 1)])


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


@pytest.mark.parametrize(
    "text", ["", " ", '"', '0.7*"', "1e5*", "yaw*2", "0.7**yaw", "yaw smile", "0.7*", "+", "yaw +"]
)
def test_mixes_that_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError):
        parse_mix(text)


def test_a_mix_is_a_unit_vector_with_its_length_as_scale(face: Source) -> None:
    made = mix([(face.name, face.bundle)], "3*yaw - 4e0*smile", label="older-turned")
    np.testing.assert_allclose(made.directions, [[0.6, -0.8, 0, 0]], atol=1e-6)
    assert made.info[0]["scale"] == pytest.approx(5) and made.labels == ["older-turned"]
    assert [part["weight"] for part in made.info[0]["from"]["parts"]] == [3, -4]


@pytest.mark.parametrize("text", ["yaw - yaw", "0*yaw", "0.1*yaw + 0.2*smile - .1*0 - .2*1"])
def test_a_mix_that_is_zero(face: Source, text: str) -> None:
    with pytest.raises(SefaError) as caught:
        mix([(face.name, face.bundle)], text, label="nothing")
    assert str(caught.value).startswith(f"the mix '{text}' comes out zero")


def test_small_weights_are_not_zero_and_large_ones_no_number(face: Source) -> None:
    small = mixed(Algebra([face]), "1e-9*yaw")
    assert small.info[0]["scale"] == pytest.approx(1e-9) and small.directions[0, 0] == 1
    with pytest.raises(UsageError, match="the weight 1e999 is infinite"):
        mixed(Algebra([face]), "1e999*yaw")
    with pytest.raises(SefaError, match="too long to be measured"):
        mixed(Algebra([face]), "1e300*yaw + smile")


@pytest.mark.parametrize(
    "label", ['a "b" c', "a+b", "2*x", "x:y", '"', "a\\b", "yaw - smile", "ünö"]
)
def test_every_label_can_be_written_in_a_mix(label: str) -> None:
    source = Source("face.dirs", bundle_of(np.eye(4), labels=("yaw", label)))
    quoted = label.replace("\\", "\\\\").replace('"', '\\"')
    for text in (f'2*"{quoted}" - yaw', f'2 * face:"{quoted}" - 1*face:0'):
        made = mixed(Algebra([source]), text)
        np.testing.assert_allclose(made.directions[0, :2] * 5**0.5, [-1, 2], atol=1e-6)
    assert Algebra([source]).find(label) == (source, 1)


def test_cleaned_of_a_side_effect(face: Source) -> None:
    summed = Source("mix.dirs", mix([(face.name, face.bundle)], "yaw + smile", label="both"))
    algebra = Algebra([summed, face])
    made = without(picked(algebra, [(summed, 0)]), algebra, ["face:smile"])
    np.testing.assert_allclose(made.directions, np.eye(4)[:1], atol=1e-6)
    taken = {"bundle": "face.dirs", "k": 1, "label": "smile"}
    assert taken.items() <= made.info[0]["from"]["without"][0].items()
    with pytest.raises(SefaError, match="nothing of 'smile' is left without face:smile"):
        without(picked(algebra, [(face, 1)]), algebra, ["face:smile"])
    with pytest.raises(SefaError, match="nothing of direction 0 is left without face:0-3"):
        without(picked(algebra, [(face, 3)]), algebra, ["face:0-3"])
    twice = without(picked(algebra, [(summed, 0)]), algebra, ["face:smile", "face:1"])
    np.testing.assert_allclose(twice.directions, made.directions, atol=1e-7)


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
    assert algebra.find_all("face:0-1") == [(face, 0), (face, 1)]
    with pytest.raises(UsageError, match="2 directions"):
        algebra.find("face:0-1")
    with pytest.raises(UsageError, match="2 bundles are called face"):
        Algebra([face, Source("face.dirs", hair.bundle)]).find("face:0")


def test_other_models_and_spaces_are_refused(face: Source) -> None:
    other = replace(face.bundle, model={**face.bundle.model, "fingerprint": "b" * 64})
    with pytest.raises(SefaError, match="bundles of one model"):
        Algebra([face, Source("other.dirs", other)])
    other = replace(face.bundle, space="z")
    with pytest.raises(SefaError, match=r"is in z, face.dirs in .*bundles of one space"):
        Algebra([face, Source("other.dirs", other)])


def test_a_mix_of_spaces_takes_no_time() -> None:
    """16,000 spaces took 13 s: the pattern tried every way to share them."""
    began = time.process_time()
    with pytest.raises(UsageError, match="cannot read the mix"):
        parse_mix(" " * 16_000)
    assert time.process_time() - began < 1
