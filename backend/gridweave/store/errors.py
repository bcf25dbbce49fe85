"""What can go wrong with a database."""

from __future__ import annotations

__all__ = ["StoreMismatch", "StoreUnavailable"]


class StoreUnavailable(Exception):
    """The database does not answer now. Try again later."""


class StoreMismatch(Exception):
    """The database belongs to another chain or deployment than the one that is served."""
