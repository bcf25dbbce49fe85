"""Where a broker is needed and none can be had."""

from __future__ import annotations

import os

import pytest

from gridweave.localnet.mosquitto import MosquittoMissing, find_mosquitto

__all__ = ["needs_mosquitto"]


def needs_mosquitto() -> None:
    """Skips where there is no Mosquitto. In CI that is a failure, unless it said that none can be had."""
    try:
        find_mosquitto()
    except MosquittoMissing as missing:
        if os.environ.get("CI") and not os.environ.get("GRIDWEAVE_WITHOUT_BROKER"):
            raise
        pytest.skip(str(missing))
