"""What `localize` found, in words."""

from typing import TYPE_CHECKING

from sefa_cli.commands.console import say

if TYPE_CHECKING:
    from sefa_cli.discovery.region_bundle import Found


def _report_residual(residual: float, few: bool) -> None:
    """Say what the leading directions lack."""
    from sefa_cli.discovery import collect, few_passes

    if not few:
        advice = "" if residual < collect.SMALL else "; a larger --sketch gives better ones"
        say(f"the sketch's leading directions are right to within {residual:.1%}{advice}")
    elif residual > few_passes.SMALL:
        count = few_passes.LEADING
        say(
            f"of the leading {count} directions, the least certain has a residual of "
            f"{residual:.2g}; --exact-gram takes every derivative"
        )


def report(found: "Found") -> None:
    """Say how good the directions are, as far as it was measured."""
    from sefa_cli.ranges import format_range

    if found.residual is not None:
        _report_residual(found.residual, "few_passes" in found.bundles[0].params)
    if found.quotient is not None:
        chosen = f"layers {format_range(found.search.layers)}, tau {found.search.tau:g}"
        times = f"{found.quotient:.3g} times as much as the rest"
        say(f"{chosen}: on a seed left out, the region changes {times}")
    if found.stability is not None:
        say(f"the seeds share {found.stability:.0%} of the leading spans")
