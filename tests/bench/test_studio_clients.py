"""Several people on one studio: bench/studio_clients.py, on a small model for seconds."""

import asyncio
import importlib.util
import random
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.helpers import CONTAINERS, ROOT


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("clients", ROOT / "bench" / "studio_clients.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["clients"] = module  # its dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_people_who_move_sliders_all_get_pictures(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    shutil.copy(CONTAINERS / "ckpt_genforce_stylegan2.pth", tmp_path / "tiny.pth")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEFA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(bench, "LOOK", 0.3)
    monkeypatch.setattr(bench, "DRAG", 0.7)
    assert asyncio.run(bench.measure("tiny.pth", count=6, seconds=2, rounds=1)) == []
    row = capsys.readouterr().out.splitlines()[-1].split()
    assert row[0] == "1" and int(row[4]) >= 2, row  # the fewest pictures of a client


def test_what_is_wrong_is_told(bench: ModuleType) -> None:
    client = bench.Client("http://x/", None, [])
    client._take({"3": {"tag": "div", "props": {"role": "alert"}, "text": "it broke"}})
    client._lost()
    assert client.wrong == ["the page says: it broke", "a connection was lost"]


def test_a_slider_is_found_by_its_name(bench: ModuleType) -> None:
    client = bench.Client("http://x/", None, [])
    slider = {"aria-label": "direction 4", "model-value": 0, "min": -3, "max": 3}
    client._take({"5": {"tag": "q-slider", "props": slider}, "6": {"tag": "div"}})
    assert client._sliders() == ["5"] and random.Random(0).choice(client._sliders()) == "5"
    client._take({"5": None})
    assert client._sliders() == []


def test_a_picture_of_a_moving_slider_is_fetched(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    client = bench.Client("http://x/", None, [])
    monkeypatch.setattr(client, "_show", shown.append)
    for code in ('runMethod(12, "show", ["/picture/a/1.png"])', 'runMethod(12, "clear", [])'):
        asyncio.run(client._run({"_id": 4, "code": f"return {code}"}))
    assert shown == ["/picture/a/1.png"]
