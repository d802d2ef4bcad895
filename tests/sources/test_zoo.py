"""The zoo's own list, the user's list, and what is wrong with a broken one, in one line."""

import os
import re
from pathlib import Path

import pytest

from sefa_cli.errors import SefaError
from sefa_cli.families.registry import built_in
from sefa_cli.sources import references, zoo
from sefa_cli.sources.store import Facts

CAR_PT = "c69f161fd576801027cbaa8b09142b5dd9f508034b2d0f4a2a0cdcbc1d587c9c"
CAR_PKL = "e1618eee2b3ce87c4a3849442f7850ef12a478556bff035c8e09ee7e23b3794c"
OFFICIAL = ["car", "ffhq", "cat", "church", "horse"]
SHA = "ab" * 32
GOOD = """
[mine]
family = "stylegan2"
resolution = 64
source = "https://example.com/mine.pt"
license = "CC0"
"""


def own_zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *texts: str) -> list[Path]:
    paths = [tmp_path / f"zoo{number}.toml" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    monkeypatch.setenv("SEFA_ZOO", os.pathsep.join(map(str, paths)))
    return paths


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none", "none does not exist."),
        ("folder", "folder is a folder; expected a file."),
        ("loop", "cannot read {}/loop: its links lead in a circle."),
        ("folder/a/b", "folder/a/b does not exist."),
        ("file/a", "cannot read {}/file/a: part of its path is a file, not a folder."),
        ("pipe", "pipe is a pipe; expected a file."),
        ("device", "device is not an ordinary file; expected a file."),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_as_other_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "device").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "pipe")
    os.close(os.open(tmp_path / "pipe", os.O_RDWR))
    monkeypatch.setenv("SEFA_ZOO", str(tmp_path / name))
    with pytest.raises(SefaError) as refused:
        zoo.load_zoo()
    text = str(refused.value)
    assert said.format(tmp_path) in text
    assert text.endswith("SEFA_ZOO names it; correct or unset that.")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("stylegan2_cars", "stylegan2_car"),
        ("stylegan2car", "stylegan2_car"),
        ("mobilestylegan", "mobilestylegan_ffhq"),
        ("stylegan3", ""),
        ("stylegan3_cat", ""),
    ],
)
def test_what_a_name_may_have_meant(typed: str, meant: str) -> None:
    assert (zoo.nearest(typed) or [""])[0] == meant  # never another generation of networks


@pytest.mark.usefixtures("own_cache")
def test_the_default_model_is_known_to_the_last_byte() -> None:
    entry = zoo.find("mobilestylegan_ffhq")
    assert (entry.family, entry.resolution) == ("mobilestylegan", 1024)
    assert entry.wanted.facts == Facts(
        37588926, "e5d10e2be7df63f06123855ec591ca35dcb1d059eba47ddcb175d7d26b4019b5"
    )
    assert {name: facts.size for name, facts in entry.wanted.files.items()} == {
        "MappingNetwork.xml": 59865,
        "MappingNetwork.bin": 8405040,
        "SynthesisNetwork.xml": 425183,
        "SynthesisNetwork.bin": 32025440,
    }
    assert "Apache-2.0 as its publisher states" in entry.license
    assert "non-commercial teacher" in entry.license


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize("name", OFFICIAL)
def test_the_official_models_are_there_in_both_forms(name: str) -> None:
    entry = zoo.find(f"stylegan2_{name}")
    assert entry.wanted.refs == (f"hf:ZeqiangLai/StyleGAN2/stylegan2-{name}-config-f.pt",)
    pickle, openmmlab = entry.also
    assert pickle.refs[0].endswith(f"/stylegan2/networks/stylegan2-{name}-config-f.pkl")
    assert f"/official_weights/stylegan2-{name}-config-f-" in openmmlab.refs[0]
    assert pickle.facts.size is not None
    assert entry.wanted.facts.sha256 != pickle.facts.sha256
    assert "non-commercial" in entry.license


@pytest.mark.usefixtures("own_cache")
def test_the_car_is_as_the_hub_states_it() -> None:
    entry = zoo.find("stylegan2_car")
    assert entry.resolution == 512
    assert entry.wanted.facts == Facts(123949595, CAR_PT)
    assert entry.also[0].facts == Facts(364027523, CAR_PKL)


@pytest.mark.usefixtures("own_cache")
def test_every_entry_is_well_formed_and_names_another_file() -> None:
    everything = list(zoo.every_wanted())
    digits = [wanted.facts.digits for wanted in everything if wanted.facts.digits]
    assert len(set(digits)) == len(digits) > 30
    refs = [ref for wanted in everything for ref in wanted.refs]
    assert len(set(refs)) == len(refs)
    for ref in refs:
        references.check_ref(ref)
        assert not ref.startswith("http:")
    folders = [entry.wanted.folder for entry in zoo.load_zoo().values()]
    assert len(set(folders)) == len(folders)


@pytest.mark.usefixtures("own_cache")
def test_every_entry_is_of_a_family_that_is_read_and_has_a_license_and_a_note() -> None:
    for entry in zoo.load_zoo().values():
        assert entry.family in built_in(), entry.name
        assert entry.license, entry.name
        assert entry.note.endswith("."), entry.name
        assert entry.resolution & (entry.resolution - 1) == 0, entry.name
        px = re.search(r"_(\d{2,4})$", entry.name)  # the number in a name is its pixels
        assert not px or int(px[1]) == entry.resolution or "cifar10" in entry.name


@pytest.mark.usefixtures("own_cache")
def test_the_published_models_are_all_there() -> None:
    """As the publishers' own pages list them; how many of each is a count of those pages."""
    names = list(zoo.load_zoo())
    groups = {"stylegan2_ada_": 12, "stylegan3_t_": 7, "stylegan3_r_": 6, "self_distilled_": 7,
              "stylegan_xl_": 14, "gan_zoo_": 5, "biggan_deep_": 3, "mmgen_biggan_": 7}  # fmt: skip
    assert {group: sum(n.startswith(group) for n in names) for group in groups} == groups
    assert sum("_config_" in n for n in names) == 5 + 5 + 3


@pytest.mark.usefixtures("own_cache")
def test_digits_in_a_published_name_are_the_prefix() -> None:
    """OpenMMLab and torch.hub end names in `-<first 8 digits of the SHA-256>.pth`."""
    named = [w for w in zoo.every_wanted() if re.search(r"openmmlab|fbaipublic", w.refs[0])]
    assert len(named) == 5 + 6 + 3 + 5 + 5 + 7
    for wanted in named:
        assert wanted.refs[0].endswith(f"-{wanted.facts.sha256_prefix}.pth")


@pytest.mark.usefixtures("own_cache")
def test_own_entries_are_added_and_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    car = GOOD.replace("[mine]", "[stylegan2_car]")
    own_zoo(tmp_path, monkeypatch, GOOD + car, GOOD.replace("CC0", "MIT"))
    assert zoo.find("mine").license == "CC0"  # the first file that has it
    assert zoo.find("stylegan2_car").resolution == 64
    assert zoo.find("stylegan2_cat").resolution == 256
    assert next(iter(zoo.load_zoo())) == "mine"


@pytest.mark.usefixtures("own_cache")
def test_a_changed_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [path] = own_zoo(tmp_path, monkeypatch, GOOD)
    assert zoo.find("mine").license == "CC0"
    path.write_text(GOOD.replace("CC0", "MIT"))
    os.utime(path, ns=(1, 1))
    assert zoo.find("mine").license == "MIT"


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize(
    ("name", "near"),
    [("stylegan2_cars", "stylegan2_car"), ("stylegan2-car.pkl", "stylegan2_car"),
     ("mobilestylegan-ffhq", "mobilestylegan_ffhq"), ("Stylegan2_Horse", "stylegan2_horse")],
)  # fmt: skip
def test_an_unknown_name_brings_the_nearest(name: str, near: str) -> None:
    with pytest.raises(SefaError, match=f"Did you mean {near}"):
        zoo.find(name)


@pytest.mark.usefixtures("own_cache")
def test_a_far_name_brings_no_guess() -> None:
    with pytest.raises(SefaError, match="`sefa models` lists what can be fetched"):
        zoo.find("qqqqqqqq")


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[mine", "not TOML"),
        ("\udcff", "not TOML"),
        ("mine = 3", r"\[mine\] is a single value"),
        ("[[mine]]", r"\[mine\] is a single value"),
        ('["my car"]', "not a valid model name"),
        ('["../x"]', "not a valid model name"),
        (GOOD.replace("family", "fmaily"), "has no family"),
        (GOOD + "color = 3", "unknown key 'color'.*expected also, family"),
        (GOOD.replace("64", '"64"'), "resolution = '64'.*expected a number of pixels"),
        (GOOD.replace("64", "true"), "resolution = True"),
        (GOOD.replace("64", "-64"), "resolution -64"),
        (GOOD.replace('"CC0"', "0"), "license = 0; expected a text"),
        (GOOD.replace("https:", "http:"), "not encrypted"),
        (GOOD.replace("https://example.com/", "hf:"), "does not name a file on the hub"),
        (GOOD.replace("https://example.com/", "pypi:"), "does not name a wheel"),
        (GOOD.replace("https://example.com/mine.pt", "mine.pt"), "does not name a host"),
        (GOOD + "size = 0.5", "size = 0.5; expected a number of bytes"),
        (GOOD + "size = 0", "size 0"),
        (GOOD + 'sha256 = "abc"', "sha256 'abc'; expected 64 hexadecimal digits"),
        (GOOD + 'sha256_prefix = "abc"', "sha256_prefix 'abc'; expected 8 to 63 hexadecimal"),
        (GOOD + f'sha256 = "{SHA}"\nsha256_prefix = "{SHA[:8]}"', "expected one of them"),
        (GOOD + 'mirrors = ["https://h/x"]', "mirrors but no sha256"),
        (GOOD + f'sha256 = "{SHA}"\nmirrors = "https://h/x"', "mirrors = .*expected a list"),
        (GOOD + f'sha256 = "{SHA}"\nmirrors = [3]', "a list of references"),
        (GOOD + 'files = { "a.bin" = {} }', "source is not a wheel"),
        (GOOD + 'files = { "../a.bin" = {} }', "an odd file '../a.bin'"),
        (GOOD + 'files = { "a.bin" = { sha = 1 } }', "unknown key 'sha'"),
        (GOOD + "also = [{}]", "has no source"),
        (GOOD + "also = [{ source = 3 }]", "source = 3"),
        (GOOD + "also = [3]", "a list of tables"),
    ],
)
def test_a_broken_file_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text, "utf-8", "surrogateescape")
    monkeypatch.setenv("SEFA_ZOO", str(path))
    with pytest.raises(SefaError, match=words) as caught:
        zoo.load_zoo()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("own_cache")
def test_a_misled_hub_endpoint_does_not_break_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.example.com")
    assert zoo.load_zoo()
