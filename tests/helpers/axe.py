"""What axe-core finds on a page."""

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

IMPACTS = ("minor", "moderate", "serious", "critical")


def violations(page: Page, part: str = "document", least: str = "serious") -> list[Any]:
    """Return what axe finds in a part of the page, from an impact on."""
    page.wait_for_timeout(500)  # fading dialogs have too little contrast
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text())
    asked = f"axe.run({part}, {{rules: {{'target-size': {{enabled: true}}}}}})"
    found = page.evaluate(asked)["violations"]
    return [
        (one["id"], [node["html"][:200] + node["failureSummary"] for node in one["nodes"]])
        for one in found
        if one["impact"] in IMPACTS[IMPACTS.index(least) :]
    ]
