"""SVG paths for charts that stretch to any width.

Geometry only: x is the slot (0 to 96), y falls from 100 (bottom) to 0 (top). Strokes keep their width because the page
sets `vector-effect: non-scaling-stroke`; labels are HTML beside the picture, so that they never shrink with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Axis", "area", "band", "nice_axis", "spark", "stacks", "steps"]

_SPARKS = "▁▂▃▄▅▆▇█"
_NICE = (1, 2, 5)


@dataclass(frozen=True)
class Axis:
    """From `low` to `high` with gridlines at `marks`, all in the unit of the data."""

    low: int
    high: int
    marks: tuple[int, ...]

    def y(self, value: int) -> str:
        """Height of `value` in the picture, two decimals, 0 at the top."""
        hundredths = (self.high - value) * 10_000 // (self.high - self.low)
        return f"{hundredths / 100:.2f}"


def nice_axis(low: int, high: int, lines: int = 5) -> Axis:
    """An axis over [low, high] whose marks are multiples of 1, 2 or 5 times a power of ten, about `lines` of them."""
    span = max(high - low, 1)
    step = next(step for step in _steps() if span <= step * lines)
    bottom = low // step * step
    top = -(-high // step) * step
    top = top if top > bottom else bottom + step
    return Axis(bottom, top, tuple(range(bottom, top + 1, step)))


def _steps() -> Iterable[int]:
    power = 1
    while True:
        yield from (nice * power for nice in _NICE)
        power *= 10


def steps(values: Sequence[int | None], axis: Axis) -> str:
    """A path that holds each value for its slot; it is broken where there is none."""
    path: list[str] = []
    pen_down = False
    for x, value in enumerate(values):
        if value is None:
            pen_down = False
            continue
        y = axis.y(value)
        path.append(f"{'L' if pen_down else 'M'}{x} {y}H{x + 1}")
        pen_down = True
    return "".join(path)


def area(values: Sequence[int], axis: Axis) -> str:
    """The closed shape between the steps of `values` and zero."""
    if not values:
        return ""
    ground = axis.y(0)
    tops = "".join(f"L{x} {axis.y(value)}H{x + 1}" for x, value in enumerate(values))
    return f"M0 {ground}{tops}V{ground}Z"


def band(lows: Sequence[int | None], highs: Sequence[int | None], axis: Axis) -> str:
    """One rectangle per slot between its low and its high, none where either is missing."""
    shapes = [
        f"M{x} {axis.y(high)}H{x + 1}V{axis.y(low)}H{x}Z"
        for x, (low, high) in enumerate(zip(lows, highs, strict=True))
        if low is not None and high is not None
    ]
    return "".join(shapes)


def stacks(values: Sequence[int], axis: Axis, columns: int) -> list[tuple[int, int]]:
    """Where a dot for each value stands: (column from 0, level from 0 upward), those of one column on each other."""
    heights: Counter[int] = Counter()
    places = []
    for value in values:
        column = min((value - axis.low) * columns // (axis.high - axis.low), columns - 1)
        places.append((column, heights[column]))
        heights[column] += 1
    return places


def spark(values: Sequence[int | None], width: int = 48) -> str:
    """A line of block characters, `width` at most; a dot where there is no value. Each shows the mean of its share."""
    if not values:
        return ""
    groups = [values[i * len(values) // width : (i + 1) * len(values) // width] for i in range(min(width, len(values)))]
    if len(values) <= width:
        groups = [[value] for value in values]
    means = [_mean(group) for group in groups]
    known = [mean for mean in means if mean is not None]
    if not known:
        return "·" * len(means)
    low, span = min(known), max(max(known) - min(known), 1)
    return "".join("·" if m is None else _SPARKS[(m - low) * (len(_SPARKS) - 1) // span] for m in means)


def _mean(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) // len(known) if known else None
