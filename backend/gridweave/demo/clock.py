"""The local clock of the day."""

from __future__ import annotations

from datetime import datetime, timedelta

__all__ = ["clock_label"]


def clock_label(index: int) -> str:
    """Local time at which a slot of the day begins."""
    midnight = datetime(2000, 1, 1)  # noqa: DTZ001  only its clock is read
    return f"{midnight + timedelta(minutes=15 * index):%H:%M}"
