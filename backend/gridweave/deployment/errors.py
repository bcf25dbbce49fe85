"""Why a deployment cannot go on."""

from __future__ import annotations

__all__ = ["DeploymentError", "DeploymentStalled", "RecordMismatch"]


class DeploymentError(Exception):
    """The message says what to change."""


class RecordMismatch(DeploymentError):
    """The record was written for another chain, or for other settings that cannot be changed any more."""


class DeploymentStalled(DeploymentError):
    """A transaction was sent and not mined in time. Running again sends the same bytes and goes on."""
