"""Windows: quarter hours of UTC, the unit in which keys are made, shared and erased.

Window w covers [w × WINDOW_MS, (w + 1) × WINDOW_MS) in milliseconds since 1970. Counting from 1970 leaves no origin to
agree upon. 2^32 windows last 122,000 years; a tree for the next century alone would be ten levels lower, which saves
ten of the 32 hashes of a window's key, once per 900 readings.
"""

from __future__ import annotations

from gridweave.domain.telemetry.errors import TimesOffWindows, WindowsMalformed

WINDOW_MS = 900_000
WINDOW_BITS = 32
WINDOWS = 1 << WINDOW_BITS
END_MS = WINDOWS * WINDOW_MS
"""No reading has this time or a later one; below 2^52."""


def window_at(ms: int) -> int:
    """The window that a time in milliseconds UTC lies in."""
    return ms // WINDOW_MS


def windows_of(first_ms: int, end_ms: int) -> tuple[int, int]:
    """First window and the one after the last, of a time range [first_ms, end_ms) made of whole windows.

    Raises TimesOffWindows, WindowsMalformed.
    """
    if first_ms % WINDOW_MS or end_ms % WINDOW_MS:
        raise TimesOffWindows(first_ms, end_ms, WINDOW_MS)
    first, end = first_ms // WINDOW_MS, end_ms // WINDOW_MS
    must_be_windows(first, end)
    return first, end


def must_be_windows(first: int, end: int) -> None:
    """Return if [first, end) is at least one window. Raises WindowsMalformed."""
    if not 0 <= first < end <= WINDOWS:
        raise WindowsMalformed(first, end)
