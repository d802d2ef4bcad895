"""How models may be named: what is read, and what is refused before anything is asked."""

import pytest

from sefa_cli.errors import SefaError
from sefa_cli.sources import references


def test_hub_references_become_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    base = "https://huggingface.co"
    for ref, address in {
        "hf:a/b/car.pt": f"{base}/a/b/resolve/main/car.pt",
        "hf:a/b.c/sub/my car.pt": f"{base}/a/b.c/resolve/main/sub/my%20car.pt",
        "hf:a/b/car.pt@v1.0": f"{base}/a/b/resolve/v1.0/car.pt",
        "hf:a/b/car.pt@refs/pr/1": f"{base}/a/b/resolve/refs%2Fpr%2F1/car.pt",
    }.items():
        assert references.web_address(ref) == address
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/hub/")
    assert references.web_address("hf:a/b/c") == "https://mirror.example/hub/a/b/resolve/main/c"


@pytest.mark.parametrize(
    ("page", "file"),
    [
        ("github.com/o/r/blob/main/a/b.pt", "github.com/o/r/raw/main/a/b.pt"),
        ("www.github.com/o/r/blob/v1.0/b.pt?raw=true", "github.com/o/r/raw/v1.0/b.pt"),
        ("gitlab.com/g/s/r/-/blob/main/b.pt", "gitlab.com/g/s/r/-/raw/main/b.pt"),
        ("www.dropbox.com/s/x/b.pt?dl=0", "dropbox.com/s/x/b.pt?dl=1"),
        ("dropbox.com/s/x/b.pt", "dropbox.com/s/x/b.pt?dl=1"),
        ("www.dropbox.com/scl/fi/x/b.pt?rlkey=1&dl=0", "dropbox.com/scl/fi/x/b.pt?rlkey=1&dl=1"),
        ("www.dropbox.com/scl/fi/x/b.pt?dl=0&e=1", "dropbox.com/scl/fi/x/b.pt?dl=1&e=1"),
    ],
)
def test_a_page_about_a_file_becomes_the_address_of_the_file(page: str, file: str) -> None:
    assert references.canonical(f"https://{page}") == f"https://{file}"
    pin = f"#sha256={'ab' * 32}"
    assert references.canonical(f"https://{page}{pin}") == f"https://{file}{pin}"
    references.check_ref(references.canonical(f"https://{page}"))


@pytest.mark.parametrize(
    ("page", "host"),
    [
        ("github.com", "GitHub"),
        ("github.com/o/r", "GitHub"),
        ("github.com/o/r/", "GitHub"),
        ("github.com/o/r?tab=readme-ov-file#models", "GitHub"),
        ("www.github.com/o/r/tree/main/a", "GitHub"),
        ("github.com/o/r/releases", "GitHub"),
        ("github.com/o/r/releases/tag/v1", "GitHub"),
        ("gitlab.com/g/r", "GitLab"),
        ("gitlab.com/g/r/-/tree/main", "GitLab"),
        ("drive.google.com/file/d/ID/view?usp=sharing", "Google Drive"),
        ("drive.google.com/open?id=ID", "Google Drive"),
        ("drive.google.com/drive/folders/ID", "Google Drive"),
        ("www.dropbox.com/scl/fo/x/y?dl=0", "Dropbox"),
        ("1drv.ms/u/s!x", "OneDrive"),
        ("mega.nz/file/x", "MEGA"),
        ("www.kaggle.com/models/o/r", "Kaggle"),
        ("pan.baidu.com/s/x", "Baidu"),
    ],
)
def test_a_page_that_is_not_a_file_is_refused(page: str, host: str) -> None:
    with pytest.raises(SefaError, match=f"is a page of {host}, not a file"):
        references.check_ref(f"https://{page}")


@pytest.mark.parametrize(
    "file",
    [
        "github.com/o/r/raw/main/b.pt",
        "github.com/o/r/releases/download/v1/b.pt",
        "github.com/o/r/releases/latest/download/b.pt",
        "gitlab.com/g/r/-/raw/main/b.pt",
        "drive.google.com/uc?export=download&id=ID",
        "drive.usercontent.google.com/download?id=ID",
        "example.org/github.com/o/r",
    ],
)
def test_a_file_behind_such_a_host_is_asked_for(file: str) -> None:
    references.check_ref(f"https://{file}")


def test_wheel_references_are_taken_apart() -> None:
    wheel = references.parse_package("pypi:random-face==2021.7.21.1/random_face/data")
    assert (wheel.requirement, wheel.inner) == ("random-face==2021.7.21.1", "random_face/data")
    assert references.parse_package("pypi:a==1").inner == ""


@pytest.mark.parametrize(
    "ref",
    [
        "http://example.com/car.pt",
        "https:///car.pt",
        "https://[::1/car.pt",
        "http:car.pt",
        "http://localhost.example.com/car.pt",
        "http://127.0.0.1.example.com/car.pt",
        "hf:car.pt",
        "hf:owner/repo",
        "hf:owner/repo/",
        "hf:../repo/car.pt",
        "hf:owner/repo/../../car.pt",
        "hf:owner/repo/car.pt@",
        "pypi:random-face",
        "pypi:==1",
        "pypi:--index-url==1",
        "pypi:a==1 --pre",
        "pypi:a==1/../b",
        "pypi:a==1//b",
        "pypi:a>=1/b",
    ],
)
def test_malformed_references_are_refused(ref: str) -> None:
    assert references.is_remote(ref)
    with pytest.raises(SefaError):
        references.check_ref(ref)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8/x", "http://localhost/x", "http://[::1]/x"]
)
def test_plain_http_to_this_machine_is_fine(address: str) -> None:
    references.check_address(address)


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        ("https://h/a/car.pkl?download=1#x", "car.pkl"),
        ("https://h/a%2F..%2Fcar.pkl", "car.pkl"),
        ("https://h/", "model"),
        ("https://h/...", "model"),
        ("https://h/.hidden", "hidden"),
        ("hf:a/b/sub/car.pt@v1", "car.pt"),
        ("https://h/a b:c.pt", "a_b_c.pt"),
    ],
)
def test_file_names_are_harmless(ref: str, name: str) -> None:
    assert references.file_name(ref) == name


def test_a_checksum_may_be_pinned_as_pip_does() -> None:
    digest = "AB" * 32
    pinned = f"https://h/car.pkl#sha256={digest}"
    assert references.pinned_sha256(pinned) == digest.lower()
    assert references.web_address(pinned) == "https://h/car.pkl"
    assert references.pinned_sha256("https://h/car.pkl#sha256=abc") is None


@pytest.mark.parametrize(
    ("ref", "scheme"), [("ftp://h/x", "ftp"), ("s3://b/x", "s3"), ("C:\\x", None), ("a.pt", None)]
)
def test_foreign_schemes(ref: str, scheme: str | None) -> None:
    assert references.foreign_scheme(ref) == scheme


def test_what_is_loopback() -> None:
    assert all(map(references.is_loopback, ["127.0.0.1", "127.1.2.3", "::1", "localhost"]))
    assert not any(
        map(references.is_loopback, ["0.0.0.0", "::", "192.168.0.2", "localhost.example.org"])
    )


@pytest.mark.parametrize(
    ("ref", "address"),
    [
        ("hf://o/r/a/b.pt", "https://huggingface.co/o/r/resolve/main/a/b.pt"),
        ("hf://models/o/r@v1.0/b.pt", "https://huggingface.co/o/r/resolve/v1.0/b.pt"),
        ("hf://o/r@refs/pr/1/b.pt", "https://huggingface.co/o/r/resolve/refs%2Fpr%2F1/b.pt"),
        ("hf://o/r@refs%2Fpr%2F1/b.pt", "https://huggingface.co/o/r/resolve/refs%2Fpr%2F1/b.pt"),
        *(
            (f"https://{page}", "https://huggingface.co/o/r/resolve/main/a/b.pt")
            for page in (
                "huggingface.co/o/r/blob/main/a/b.pt",
                "huggingface.co/o/r/resolve/main/a/b.pt?download=true",
                "hf.co/o/r/raw/main/a/b.pt",
            )
        ),
        (
            "https://huggingface.co/o/r/blob/refs%2Fpr%2F1/my%20b.pt",
            "https://huggingface.co/o/r/resolve/refs%2Fpr%2F1/my%20b.pt",
        ),
    ],
)
def test_the_hub_s_own_addresses(ref: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert references.canonical(ref).startswith("hf:o/r/")
    assert references.web_address(ref) == address
    assert references.file_name(references.canonical(ref)).endswith("b.pt")


@pytest.mark.parametrize(
    ("ref", "form"),
    [
        ("hf:foo/bar", "hf:OWNER/REPO/FILE"),
        ("hf://foo/bar", "hf://OWNER/REPO/FILE"),
        ("https://huggingface.co/foo/bar", "https://huggingface.co/foo/bar/blob/main/FILE"),
        ("https://hf.co/foo/bar/tree/main/x", "https://hf.co/foo/bar/blob/main/FILE"),
    ],
)
def test_a_repository_names_no_file_and_the_answer_has_the_form_typed(ref: str, form: str) -> None:
    with pytest.raises(SefaError, match="does not name a file on the hub; expected ") as refused:
        references.check_ref(references.canonical(ref))
    assert refused.value.expected.startswith(form)
