"""A bundle as a notebook shows it: facts, then its leading directions with a bar for each."""

from html import escape
from typing import TYPE_CHECKING

from sefa_cli.ranges import format_range

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle

_SHOWN = 10  # directions
_BAR = (
    '<div style="width:12em"><div style="height:.8em;width:{:.1f}%;background:#3b6ea5"></div></div>'
)


def bundle_html(bundle: "Bundle", num: int = _SHOWN) -> str:
    """Return an HTML table of the leading `num` directions: index, eigenvalue, bar, label."""
    values = bundle.eigenvalues
    top = 0.0 if values is None else max(abs(float(value)) for value in values)
    rows = []
    for k in range(min(num, bundle.k)):
        cells = [str(k), "", "", bundle.labels[k] or ""]
        if values is not None and top:
            cells[1:3] = [f"{values[k]:.4g}", ""]
        cells = [escape(cell) for cell in cells]
        if values is not None and top:
            cells[2] = _BAR.format(100 * abs(float(values[k])) / top)
        if k in bundle.style_gains:
            cells[3] += " (common style gain)"
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    more = f"<p>and {bundle.k - num} more</p>" if bundle.k > num else ""
    layers = format_range(bundle.layers.tolist())
    title = (
        f"{bundle.k} {bundle.method} directions in {bundle.space} of {bundle.model['ref']}, "
        f"layers {layers} of {bundle.model['num_layers']}"
    )
    head = "<tr><th>k</th><th>eigenvalue</th><th></th><th>label</th></tr>"
    return f"<div><b>{escape(title)}</b><table>{head}{''.join(rows)}</table>{more}</div>"
