"""The direction bundle: read, checked, written, and computed with."""

from sefa_cli.bundle.bundle import Bundle

__all__ = ["Bundle"]
