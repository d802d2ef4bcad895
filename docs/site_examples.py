"""Docstrings say `Example:`; griffe knows only `Examples:` and reads other doctests as Markdown."""

import re
from typing import Any

import griffe


class Examples(griffe.Extension):
    """Read a docstring's `Example:` as the section that shows code."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the heading before the docstring is parsed."""
        if obj.docstring:
            text = obj.docstring.value
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", text, flags=re.MULTILINE)
