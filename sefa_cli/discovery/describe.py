"""The contents of a file as plain data: a bundle of directions, or a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sefa_cli.arguments import public
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import SefaError
from sefa_cli.file_kinds import open_file
from sefa_cli.interchange.notes import is_png, read_note
from sefa_cli.ranges import format_range

if TYPE_CHECKING:
    from sefa_cli.containers.checkpoint import Checkpoint
    from sefa_cli.generators.base import Generator


class Description(Mapping[str, Any]):
    """A bundle or a checkpoint in plain data, by name; what `sefa inspect --json` prints.

    Attributes:
        kind: "bundle", "checkpoint" or "picture".
        bundle: The bundle that is described, None for the others.

    Example:
        >>> about = sefa.inspect(tiny)
        >>> about.kind, about["levels"]["bottom"], about["layers"][0]["index"]
        ('checkpoint', [0, 1], 0)
    """

    def __init__(
        self, facts: Mapping[str, Any], bundle: Bundle | None = None, kind: str = ""
    ) -> None:
        self._facts = dict(facts)
        self.bundle = bundle
        self.kind = kind or ("checkpoint" if bundle is None else "bundle")

    def __getitem__(self, name: str) -> Any:
        return self._facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def __repr__(self) -> str:
        if self.bundle is not None:
            return f"<Description of {self.bundle!r}>"
        if self.kind == "picture":
            return f"<Description of a picture of {self['model']['ref']}>"
        config = self["config"]
        return (
            f"<Description of {self['ref']}: {self['family']}, {config['resolution']} px, "
            f"{len(self['layers'])} projections of {config['space']}>"
        )

    def _repr_html_(self) -> str:
        """Return a table, as notebooks show it."""
        from html import escape

        if self.kind == "picture":
            return escape(repr(self))
        if self.bundle is not None:
            from sefa_cli.bundle.html import bundle_html

            return bundle_html(self.bundle)
        config = self["config"]
        facts = {
            "container": f"{self['container']}, dialect {self['dialect']}",
            "family": self["family"],
            "picture": f"{config['resolution']} px, {config['img_channels']} channels",
            "latent": f"z {config['z_dim']}, w {config['w_dim']}",
            "fingerprint": self["fingerprint"],
            "levels": "  ".join(f"{n} {format_range(i)}" for n, i in self["levels"].items() if i),
            "regions": ", ".join(self["regions"]),
        }
        rows = (
            f"<tr><td>{escape(name)}</td><td>{escape(str(fact))}</td></tr>"
            for name, fact in facts.items()
        )
        return f"<div><b>{escape(str(self['ref']))}</b><table>{''.join(rows)}</table></div>"


@public
def inspect(
    ref: str | Path | Bundle | Checkpoint | Generator, offline: bool | None = None
) -> Description:
    """Describe a bundle, a checkpoint or a picture; nothing in it is executed or changed.

    Args:
        ref: A bundle or its file, a checkpoint's path, a zoo name, an address, an open checkpoint,
            a loaded generator, or a PNG picture that sefa made.
        offline: Fetch nothing. Default: what SEFA_OFFLINE says.

    Returns:
        The description, a mapping from names to plain data. Indices start at 0.

    Raises:
        SefaError: It cannot be found or read.
        OfflineError: It is not cached and may not be fetched.

    Example:
        >>> about = sefa.inspect(tiny)
        >>> about
        <Description of tiny.pth: stylegan2, 32 px, 11 projections of w>
        >>> about["config"]["w_dim"], about["layers"][0]["shape"]
        (32, [32, 32])
    """
    if isinstance(ref, Bundle):
        return Description(_of_bundle(ref), ref)
    if not isinstance(ref, str | Path):
        return Description(_of_checkpoint(ref, offline))
    if is_bundle(ref):
        bundle = Bundle.load(ref)
        return Description(_of_bundle(bundle), bundle)
    if is_png(ref):
        about, code = read_note(ref)
        return Description({**about, "latent": list(code.shape[1:])}, kind="picture")
    from sefa_cli.families.reading import EXPECTED

    try:
        return Description(_of_checkpoint(ref, offline))
    except SefaError as error:
        if error.expected != EXPECTED:
            raise
        expected = f"a bundle, a picture made by sefa, or {EXPECTED}"
        raise SefaError(error.found, expected, error.remedy) from None


def is_bundle(ref: str | Path) -> bool:
    """Return whether this is a bundle: "-", or a file with its metadata key or suffix."""
    path = Path(ref)
    if str(ref) == "-":
        return True
    if not path.is_file():
        return path.suffix == ".dirs" and not path.exists()
    with open_file(path) as start:
        head = start.read(65536)
    plain = head.replace(b"\\", b"")  # the metadata is JSON text inside JSON text
    return path.suffix == ".dirs" or (head[8:9] == b"{" and b'"sefa-directions' in plain)


def _of_bundle(bundle: Bundle) -> dict[str, Any]:
    values = bundle.eigenvalues
    return {
        "format_version": bundle.version,
        "tool": bundle.tool,
        "method": bundle.method,
        "params": dict(bundle.params),
        "space": bundle.space,
        "model": dict(bundle.model),
        "layers": [int(layer) for layer in bundle.layers],
        "k": bundle.k,
        "dim": bundle.dim,
        "per_layer": bundle.directions.ndim == 3,
        "eigenvalues": None if values is None else [float(value) for value in values],
        "steps": list(bundle.steps),  # suggested α
        "labels": list(bundle.labels),
        "style_gains": list(bundle.style_gains),
        "directions": [dict(about) for about in bundle.info],
        "mask": None if bundle.mask is None else list(bundle.mask.shape),
    }


def _of_checkpoint(
    ref: str | Path | Checkpoint | Generator, offline: bool | None
) -> dict[str, Any]:
    from sefa_cli.checkpoints import checkpoint_of
    from sefa_cli.discovery.regions.named import named_regions, subject_of
    from sefa_cli.projections import fingerprint, first_projections, levels

    checkpoint = checkpoint_of(ref, offline)
    name = str(ref) if isinstance(ref, str | Path) else checkpoint.ref
    regions = named_regions(subject_of(name, checkpoint.family))
    return {
        "ref": checkpoint.ref,
        "container": checkpoint.container,
        "dialect": checkpoint.dialect,
        **({"origin": checkpoint.origin} if checkpoint.origin else {}),
        "family": checkpoint.family,
        "fingerprint": fingerprint(checkpoint),
        "config": dict(checkpoint.config),
        "levels": {name: list(indices) for name, indices in levels(checkpoint).items()},
        "regions": {  # top, left, height, width, as fractions
            name: [[float(number) for number in box] for box in boxes]
            for name, boxes in regions.items()
        },
        "layers": [
            {
                "index": layer.index,
                "name": layer.name,
                "resolution": layer.resolution,
                "kind": layer.kind,
                "shape": list(layer.matrix.shape),
            }
            for layer in first_projections(checkpoint)
        ],
        "notes": [*checkpoint.notes, *_damaged(checkpoint)],
    }


def _damaged(checkpoint: Checkpoint) -> list[str]:
    """Return which tensors hold NaN or infinite numbers: the first in words, others by count."""
    damaged = []
    for name, tensor in checkpoint.tensors.items():
        try:
            tensor.finite(name)
        except SefaError as error:
            damaged.append(f"{error.found}.")
    more = len(damaged) - 1
    others = "1 more tensor does" if more == 1 else f"{more} more tensors do"
    return [*damaged[:1], *([f"{others} so, too."] if more > 0 else [])]
