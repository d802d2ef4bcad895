"""Files of the Hugging Face hub: one under all its addresses, pinned to its commit."""

from pathlib import Path

import pytest

import sefa_cli
from sefa_cli.editing.source import open_model_of
from sefa_cli.errors import OfflineError
from sefa_cli.sources.locate import locate, pinned
from tests.helpers import CONTAINERS
from tests.helpers.server import Page, Server

MODEL = b"PK\x03\x04" + bytes(range(256))
COMMIT = "0123456789abcdef" * 2 + "01234567"


@pytest.mark.parametrize(
    "ref",
    [
        "hf:a/b/sub/m.pt",
        "hf://a/b/sub/m.pt",
        "hf://models/a/b@main/sub/m.pt",
        "https://huggingface.co/a/b/blob/main/sub/m.pt",
        "https://huggingface.co/a/b/resolve/main/sub/m.pt?download=true",
    ],
)
def test_a_file_of_the_hub_is_pinned_to_its_commit(
    ref: str, own_cache: Path, web: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub names the commit where it sends the reader on to its storage."""
    monkeypatch.setenv("HF_ENDPOINT", web.url(""))
    web.pages["/a/b/resolve/main/sub/m.pt"] = Page(redirect=web.url("/store"), commit=COMMIT)
    web.pages["/store"] = Page(MODEL)
    path = locate(ref)
    assert pinned(ref, path) == f"hf:a/b/sub/m.pt@{COMMIT}"
    assert locate(f"hf:a/b/sub/m.pt@{COMMIT}", offline=True) == path  # not fetched again
    for other in ("hf:a/b/m.pt", "hf:a/c/sub/m.pt"):
        with pytest.raises(OfflineError):
            locate(f"{other}@{COMMIT}", offline=True)
    path.write_bytes(MODEL[::-1])  # by hand: another file
    assert pinned(ref, locate(ref, offline=True)) == "hf:a/b/sub/m.pt"


def test_a_bundle_names_the_commit(
    own_cache: Path, web: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", web.url(""))
    golden = (CONTAINERS / "ckpt_genforce_stylegan2.pth").read_bytes()
    web.pages["/a/b/resolve/main/m.pth"] = Page(golden, commit=COMMIT)
    bundle = sefa_cli.factorize("hf:a/b/m.pth")
    assert bundle.model["ref"] == f"hf:a/b/m.pth@{COMMIT}"
    assert open_model_of(bundle, offline=True).ref == f"hf:a/b/m.pth@{COMMIT}"


def test_a_revision_that_cannot_be_resolved_is_kept_as_it_was_given(
    own_cache: Path, web: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", web.url(""))
    web.pages["/a/b/resolve/v1/m.pt"] = Page(MODEL)
    page = "https://huggingface.co/a/b/blob/v1/m.pt"
    assert pinned(page, locate(page)) == "hf:a/b/m.pt@v1"
