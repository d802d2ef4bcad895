"""Adapts two sections of our docstrings, `Example:` and `Source:`, to what griffe expects."""

import re
from typing import Any

import griffe


class Examples(griffe.Extension):
    """Shows `Example:` as code and `Source:` as a paragraph."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the headings before the docstring is parsed."""
        if obj.docstring:
            text = obj.docstring.value
            text = re.sub(r"^Example:$", "Examples:", text, flags=re.MULTILINE)
            obj.docstring.value = re.sub(
                r"^Source:\s+((?:.+\n?)+)",
                lambda source: "**Source:** " + " ".join(source[1].split()) + "\n",
                text,
                flags=re.MULTILINE,
            )
