"""What axe-core finds on a page, what is too small to hit, and what does not fit."""

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

IMPACTS = ("minor", "moderate", "serious", "critical")
LEAST = 24  # pixels of a target

# Fading dialogs have too little contrast. Bars of progress never stand still. Quasar follows a
# change between light and dark a moment after the page's own style does.
_AT_REST = """() => !document.querySelector('[class*="-enter-active"], [class*="-leave-active"]')
    && !document.querySelector(
        matchMedia('(prefers-color-scheme: dark)').matches ? '.body--light' : '.body--dark')
    && document.getAnimations().every((one) => one.effect.getTiming().iterations === Infinity
        || one.effect.target?.closest('.q-linear-progress'))"""

_SMALL = """(least) => {
    const targets = 'a[href], button, input, select, textarea, [role=slider], [tabindex="0"]';
    const around = '.q-field__control, .q-checkbox, .q-toggle, .q-slider, label', found = [];
    for (const one of document.querySelectorAll(targets)) {
        const whole = one.closest(around) || one;
        const style = getComputedStyle(one), { width, height } = whole.getBoundingClientRect();
        if (style.visibility === 'hidden' || !width || !height) continue;  // cannot be hit at all
        if (Math.min(width, height) < least - 0.01)
            found.push(`${width} x ${height}: ${one.outerHTML.slice(0, 200)}`);
    }
    return found;
}"""

_CRAMPED = """() => {
    const seen = (one) => {
        const { width, height } = one.getBoundingClientRect();
        return width && height && getComputedStyle(one).visibility !== 'hidden';
    };
    const found = [], all = (names) => [...document.querySelectorAll(names)].filter(seen);
    for (const one of all('.q-field__label, .quiet, .brand, .fault, .q-btn__content'))
        if (one.clientWidth && one.scrollWidth > one.clientWidth + 1 && !one.style.textOverflow)
            found.push('cut off: ' + one.textContent);
    for (const row of all('.controls, .panel-head, .region, .film, .facts, .over, .direction')) {
        const parts = [...row.children].filter(seen), end = row.getBoundingClientRect().right;
        parts.forEach((one, i) => {
            const a = one.getBoundingClientRect();
            if (a.right > end + 1) found.push('beyond its row: ' + one.outerHTML.slice(0, 200));
            for (const other of parts.slice(i + 1)) {
                const b = other.getBoundingClientRect();
                if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
                        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
                    found.push(`on each other: ${one.textContent} / ${other.textContent}`);
            }
        });
    }
    if (document.documentElement.scrollWidth > innerWidth) found.push('the page is too wide');
    return found;
}"""


def violations(
    page: Page, part: str = "document", least: str = "serious", rule: str | None = None
) -> list[Any]:
    """Return what axe finds in a part of the page, from an impact on: of all rules, or of one."""
    page.wait_for_function(_AT_REST)
    if not page.evaluate("'axe' in window"):
        page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text())
    rules = f"runOnly: ['{rule}']" if rule else "rules: {'target-size': {enabled: true}}"
    # What passed would take longer to bring here than to check.
    run = f"axe.run({part}, {{{rules}, resultTypes: ['violations']}})"
    found = page.evaluate(f"{run}.then((found) => found.violations)")
    return [
        (one["id"], [node["html"][:200] + node["failureSummary"] for node in one["nodes"]])
        for one in found
        if one["impact"] in IMPACTS[IMPACTS.index(least) :]
    ]


def shuts_out(page: Page) -> list[Any]:
    """Return what keeps people from what a page shows, light and dark, also on a phone."""
    found = violations(page) + page.evaluate(_SMALL, LEAST)
    page.emulate_media(color_scheme="dark")
    found += violations(page, rule="color-contrast")
    page.emulate_media(color_scheme="light")
    size = page.viewport_size
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        found += page.evaluate(_CRAMPED)
    page.set_viewport_size(size)
    return found
