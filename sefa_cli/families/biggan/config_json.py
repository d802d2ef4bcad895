"""The `config.json` next to a BigGAN-deep file: which blocks double the side, and epsilon."""

import json
from pathlib import Path
from typing import Any, NamedTuple

_MOST_BYTES = 1 << 16
_EPSILON = 1e-4  # of batch norm, in all published models


class Settings(NamedTuple):
    """What shapes do not tell."""

    ups: tuple[int, ...]  # blocks that double the side
    epsilon: float = _EPSILON  # of batch norm


def read_config(path: Path, blocks: int) -> tuple[Settings, tuple[str, ...]]:
    """Return what the file next to `path` says, else what all published models have.

    The second value explains it in sentences: empty if the file was found and fits.
    """
    published = Settings(tuple(range(1, blocks, 2)))
    paths = [path.with_name("config.json")]
    if "pytorch_model.bin" in path.name:  # as downloads of several models are named
        paths.insert(0, path.with_name(path.name.replace("pytorch_model.bin", "config.json")))
    text = next(filter(None, map(_text, paths)), None)
    if text is None:
        said = "No config.json lies next to the file: every second block doubles the side, "
        return published, (said + "as in the published models.",)
    config = _parse(text, blocks)
    if config is None:
        return published, (
            "The config.json next to the file describes another network and was not used.",
        )
    return config, ()


def _text(path: Path) -> bytes | None:
    try:
        if not path.is_file():
            return None
        with open(path, "rb") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return None


def _parse(text: bytes, blocks: int) -> Settings | None:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    layers = found.get("layers") if isinstance(found, dict) else None
    if not isinstance(layers, list) or len(layers) != blocks:
        return None
    if not all(isinstance(layer, list) and layer and type(layer[0]) is bool for layer in layers):
        return None
    epsilon = found.get("eps", _EPSILON)
    if type(epsilon) is not float or not 0 <= epsilon < 1:
        return None
    return Settings(tuple(i for i, layer in enumerate(layers) if layer[0]), epsilon)
