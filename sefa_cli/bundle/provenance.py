"""Where a direction came from, as a bundle keeps it: `info[k]["from"]`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle

_MEMORY = 6  # bundles that a record goes back: JSON may nest 32 levels, a mix takes three


def origin_of(name: str, bundle: "Bundle", k: int) -> dict[str, Any]:
    """Return the record of direction `k` of the bundle called `name`.

    A direction that was picked before keeps the record of the first bundle it was in.
    """
    about = bundle.info[k]
    before = about.get("from", {})
    if bundle.method == "pick" and "bundle" in before:
        return dict(before)
    origin: dict[str, Any] = {"bundle": name, "k": k, "method": bundle.method}
    if "bundles" not in bundle.params:
        origin["params"] = bundle.params
    if bundle.eigenvalues is not None:
        origin["eigenvalue"] = float(bundle.eigenvalues[k])
    if "label" in about:
        origin["label"] = about["label"]
    return {**origin, "from": recent(before)} if before else origin


def recent(origin: Any, steps: int = _MEMORY) -> Any:
    """Return a record without what lies more than `steps` bundles back."""
    if isinstance(origin, list):
        return [recent(part, steps) for part in origin]
    if not isinstance(origin, dict):
        return origin
    return {
        key: recent(value, steps - 1) if key in ("from", "parts", "without") else value
        for key, value in origin.items()
        if steps > 1 or key not in ("from", "parts", "without")
    }
