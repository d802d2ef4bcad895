"""The `config.json` beside a BigGAN-deep file: which blocks double the side, and epsilon."""

import json
from pathlib import Path
from typing import Any, NamedTuple

_MOST_BYTES = 1 << 16
_EPSILON = 1e-4  # of batch norm, in all published models


class Beside(NamedTuple):
    """What shapes do not tell."""

    ups: tuple[int, ...]  # blocks that double the side
    epsilon: float = _EPSILON  # of batch norm


def read_config(path: Path, blocks: int) -> tuple[Beside, tuple[str, ...]]:
    """From the file beside `path`, else every second of so many blocks, as all published models.

    Also says which, in sentences: none where the file was there and is of such a network.
    """
    published = Beside(tuple(range(1, blocks, 2)))
    beside = [path.with_name("config.json")]
    if "pytorch_model.bin" in path.name:  # as downloads of several models are named
        beside.insert(0, path.with_name(path.name.replace("pytorch_model.bin", "config.json")))
    text = next(filter(None, map(_text, beside)), None)
    if text is None:
        said = "No config.json lies beside the file: every second block doubles the side, "
        return published, (said + "as in the published models.",)
    config = _parse(text, blocks)
    if config is None:
        return published, ("The config.json beside the file is of another network; not used.",)
    return config, ()


def _text(path: Path) -> bytes | None:
    try:
        if not path.is_file():
            return None
        with open(path, "rb") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return None


def _parse(text: bytes, blocks: int) -> Beside | None:
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
    return Beside(tuple(i for i, layer in enumerate(layers) if layer[0]), epsilon)
