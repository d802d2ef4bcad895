"""A note in every saved picture: how it was made, so that it can be shared and made again."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.moves import Move
from sefa_cli.interchange.notes import KEY, to_text

if TYPE_CHECKING:
    import torch


def note(
    model: Mapping[str, Any], start: Mapping[str, int | str], moves: Iterable[Mapping[str, Any]],
    code: "torch.Tensor", psi: float | None = None, label: int | None = None,
) -> dict[str, str]:  # fmt: skip
    """Return the text entry of a PNG picture.

    Args:
        model: The name of the model, and its fingerprint if it is known.
        start: The seed, or the number of the code in its file; and what it was mixed with.
        moves: What `of_move` says of each move.
        code: The code after all moves, `(layers, dim)` or `(dim,)`; of each face if `start` has
            the number of faces.
        psi: The truncation that was asked for.
        label: The class.
    """
    look = {"truncation": psi, "class": None if label is None else int(label)}
    look = {name: value for name, value in look.items() if value is not None}
    about = {"model": dict(model), **start, **look, "moves": list(moves)}
    return {KEY: to_text(about, code.cpu().numpy())}


def of_model(bundle: Bundle) -> dict[str, str]:
    """Return the name and fingerprint of a bundle's model."""
    return {key: str(bundle.model[key]) for key in ("ref", "fingerprint")}


def of_move(bundle: Bundle, move: Move, layers: Iterable[int] | None = None) -> dict[str, Any]:
    """Return a move in plain data: the bundle's SHA-256, the layers, and each step."""
    steps = [
        {"k": k, "alpha": alpha} | ({"label": label} if (label := bundle.labels[k]) else {})
        for k, alpha in move.steps
    ]
    moved = bundle.layers if layers is None else layers
    digest = hashlib.sha256(bundle.to_bytes()).hexdigest()
    return {"bundle": digest, "layers": [int(layer) for layer in moved], "steps": steps}
