"""Addresses copied from a browser: pages about a file, told from the file itself.

A page that has an exact address of its file becomes that address; any other is refused, because
what would come is a web page.
"""

import re

from sefa_cli.errors import SefaError

_PART = r"[^/?#]+"
# The page, and the address of its file.
_EXACT = (
    (rf"https://(?:www\.)?(github\.com/{_PART}/{_PART})/blob/([^?#]+)(?:\?[^#]*)?", r"\1/raw/\2"),
    (r"https://(gitlab\.com/[^?#]+?)/-/blob/([^?#]+)(?:\?[^#]*)?", r"\1/-/raw/\2"),
    (
        r"https://(?:www\.)?(dropbox\.com/(?:s|scl/fi)/[^?#]+\?(?:[^#]*&)?)dl=0(&[^#]*)?",
        r"\1dl=1\2",
    ),
    (r"https://(?:www\.)?(dropbox\.com/s/[^?#]+)", r"\1?dl=1"),
)
_BY_HAND = "Download it with a browser, and name the file."
_REFUSED = (  # the host and path, whose page it is, what to do
    (
        rf"(?:www\.)?github\.com(?:/{_PART}){{0,2}}(?:/(?:tree|releases|wiki|issues|commit)(?:/(?!(?:latest/)?download/).*)?)?",
        "GitHub",
        "Open the file on that page, and copy the link of its button Download or View raw.",
    ),
    (
        r"gitlab\.com(?:/[^?#]*/-/(?:tree|releases).*|(?:/[^/?#]+){0,2})",
        "GitLab",
        "Open the file on that page, and copy the link of its button Download.",
    ),
    (r"(?:drive|docs)\.google\.com/(?!uc).*", "Google Drive", _BY_HAND),
    (r"(?:www\.)?dropbox\.com/(?:sh|scl/fo|home)/.*", "Dropbox", _BY_HAND),
    (r"(?:1drv\.ms|onedrive\.live\.com|[\w-]+\.sharepoint\.com)/.*", "OneDrive", _BY_HAND),
    (r"mega\.(?:nz|io)/.*", "MEGA", _BY_HAND),
    (r"(?:www\.)?kaggle\.com/.*", "Kaggle", _BY_HAND),
    (r"pan\.baidu\.com/.*", "Baidu", _BY_HAND),
)
_HOST = r"(?:www\.|(?:[a-z0-9-]+\.)+(?:com|co|org|net|io|edu|ai|nz|ms)/)\S+"


def file_behind(ref: str) -> str:
    """Return the address of the file that a page is about, or `ref` as it is.

    Example:
        >>> file_behind("https://github.com/o/r/blob/main/a/car.pt")
        'https://github.com/o/r/raw/main/a/car.pt'
    """
    plain, mark, checksum = ref.partition("#")
    for page, file in _EXACT:
        if match := re.fullmatch(page, plain):
            return f"https://{match.expand(file)}{mark}{checksum}"
    return ref


def check_page(ref: str) -> None:
    """Raise SefaError for a page that is not a file's."""
    place = re.sub(r"[?#].*", "", ref.removeprefix("https://")).rstrip("/")
    for pattern, host, remedy in _REFUSED:
        if ref.startswith("https://") and re.fullmatch(pattern, place, re.DOTALL):
            raise SefaError(f"{ref} is a page of {host}, not a file", "a file's address", remedy)


def is_bare_address(ref: str) -> bool:
    """Return whether `ref` reads as a web address that lacks its `https://`.

    Example:
        >>> is_bare_address("github.com/o/r/raw/main/a.pt"), is_bare_address("models/a.pt")
        (True, False)
    """
    return bool(re.fullmatch(_HOST, ref, re.IGNORECASE))
