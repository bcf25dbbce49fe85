"""Why a local chain cannot run."""

from __future__ import annotations

__all__ = ["AnvilMissing", "LocalnetBusy", "LocalnetError"]


class LocalnetError(Exception):
    """The message says what to do next."""


class AnvilMissing(LocalnetError):
    """There is no anvil to run."""


class LocalnetBusy(LocalnetError):
    """Another process supervises this chain already."""
