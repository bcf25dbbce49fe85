"""Which of the two databases."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["WRITES", "Kind"]

WRITES = "gridweave_writes"
"""Execution option of a connection whose transaction is going to write."""


class Kind(StrEnum):
    """Which of the two databases, and so which migrations and how durable."""

    OUTBOX = "outbox"
    """A commit survives a power cut."""
    INDEX = "index"
    """A commit may be lost in a power cut, never torn: the chain gives it again."""
