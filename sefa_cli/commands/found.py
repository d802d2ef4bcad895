"""What `localize` and `supervise` found, in words."""

from typing import TYPE_CHECKING

from sefa_cli.commands.console import say

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.discovery.region_bundle import Found
    from sefa_cli.discovery.sefa import Float64

_LARGE = 1.0  # the residual of a direction that is one of many as good


def _report_residuals(residuals: "Float64", bundle: "Bundle") -> None:
    """Say what the leading directions of a bundle lack."""
    from sefa_cli.discovery import collect, few_passes, null_space
    from sefa_cli.ranges import format_range

    own, small, large = residuals[: bundle.k], few_passes.SMALL, _LARGE
    if bundle.method == "nullspace":  # each direction depends on all that the background shows
        own, small = residuals.max().repeat(bundle.k), null_space.SMALL
        large = null_space.LARGE
    residual = own.max()
    unsure = [i for i, one in enumerate(own) if one > small]

    if "few_passes" not in bundle.params:
        advice = "" if residual < collect.SMALL else "; a larger --sketch gives better ones"
        say(f"the sketch's leading directions are right to within {residual:.1%}{advice}")
    elif unsure:
        those, are = ("directions", "are") if len(unsure) > 1 else ("direction", "is")
        say(
            f"{those} {format_range(unsure)} {are} approximate (residual {residual:.2g}, "
            f"{small:g} is small); --exact-gram takes every derivative",
            level=0 if residual > large else 1,
        )


def report(found: "Found") -> None:
    """Say how good the directions are, as far as it was measured."""
    from sefa_cli.ranges import format_range

    if found.residuals is not None:
        _report_residuals(found.residuals, found.bundles[0])
    if found.quotient is not None:
        chosen = f"layers {format_range(found.search.layers)}, tau {found.search.tau:g}"
        times = f"{found.quotient:.3g} times as much as the rest"
        say(f"{chosen}: on a seed left out, the region changes {times}")
    if found.stability is not None:
        say(f"the seeds share {found.stability:.0%} of the leading spans")


def tell_accuracy(bundle: "Bundle") -> None:
    """Say how well the boundaries of `supervise` separate samples that were held out."""
    for name, right in zip(bundle.labels, bundle.params["accuracy"], strict=True):
        say(f"{name}: the boundary is right about {right:.0%} of the samples held out")
