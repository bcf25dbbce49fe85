"""Windows: quarter hours of UTC, the unit in which keys are made, shared and erased.

Window w covers [w × WINDOW_MS, (w + 1) × WINDOW_MS) in milliseconds since 1970. Counting from 1970 leaves no origin to
agree upon. 2^32 windows last 122,000 years; a tree for the next century alone would be ten levels lower, which saves
ten of the 32 hashes of a window's key, once per 900 readings.
"""

from __future__ import annotations

WINDOW_MS = 900_000
WINDOW_BITS = 32
WINDOWS = 1 << WINDOW_BITS
END_MS = WINDOWS * WINDOW_MS
"""No reading has this time or a later one; below 2^52."""


def window_at(ms: int) -> int:
    """The window that a time in milliseconds UTC lies in."""
    return ms // WINDOW_MS
