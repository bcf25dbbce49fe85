"""What can go wrong with a database."""

from __future__ import annotations

__all__ = ["StoreBusy", "StoreMismatch", "StoreUnavailable", "StoreUnusable"]


class StoreUnavailable(Exception):
    """The database does not answer now. Try again later."""


class StoreBusy(Exception):
    """Another process works with the database, which has one writer. The message says what to change."""


class StoreMismatch(Exception):
    """The database belongs to another chain or deployment than the one that is served."""


class StoreUnusable(ValueError):
    """The URL names no database that we can use. The message says what to change."""
