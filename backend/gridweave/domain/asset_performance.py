"""What an asset gave, beside what its like gave: yield, capacity factor, performance ratio, and what stands out.

An asset is measured by its meter's readings, in the slots that it lived through whole and alone behind its meter. The
ratio holds it against the assets of its kind on its feeder that were online in the very same slots, which had the same
weather. Rules, all in integers rounded down:

- specific yield of a slot: exported Wh * 1,000,000 / nameplate W
- expected in a slot: the median of the specific yields of at least LEAST_PEERS others, of an even number the mean of
  the middle two
- performance ratio: 10,000 * own specific yields / expected, each summed over the slots in which anything was expected
- capacity factor: 10,000 * exported Wh * 3,600 / (nameplate W * seconds of the slots that were read)
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gridweave.domain.acts import AssetKind, AssetState
from gridweave.domain.asset_life import BASIS_POINTS, AssetLife, Availability
from gridweave.domain.slots import SlotClock

__all__ = [
    "GENERATORS",
    "LEAST_COMPARED",
    "LEAST_PEERS",
    "SILENT_S",
    "UNAVAILABLE_BP",
    "UNDER_RATIO_BP",
    "UNREAD_BP",
    "Figures",
    "Flag",
    "Group",
    "MeasuredAsset",
    "flags_of",
]

LEAST_PEERS = 3
"""A median of fewer says nothing of the weather."""

LEAST_COMPARED = 16
"""Slots in which something was expected, before a ratio is held against an asset: four hours of sun."""

UNDER_RATIO_BP = 8_000
"""An asset under-delivers below four fifths of what its like gives."""

UNAVAILABLE_BP = 9_000
"""An asset is unavailable below nine tenths of the time out of maintenance."""

UNREAD_BP = 9_000
"""An asset is unread below nine tenths of its slots."""

SILENT_S = 86_400
"""An asset is silent when nothing was heard of it for a day."""

GENERATORS = frozenset({AssetKind.PHOTOVOLTAIC, AssetKind.WIND})
"""What gives as the weather lets it. The others give as their owners like, which no peer can tell."""

_MICRO = 1_000_000
_SECONDS_PER_HOUR = 3_600

Readings = Mapping[int, Mapping[int, int]]
"""Exported Wh by meter and slot, the newest version of each."""


class Flag(StrEnum):
    """What stands out of an asset."""

    UNDER_DELIVERS = "underDelivers"
    UNAVAILABLE = "unavailable"
    FAULT = "fault"
    SILENT = "silent"
    UNREAD = "unread"


@dataclass(frozen=True)
class MeasuredAsset:
    """An asset with its life. `others` are the times [registered, ended or None) of what else stands or stood behind
    its meter: in those the readings are the meter's, not the asset's.
    """

    asset: int
    meter: int
    kind: AssetKind
    nameplate_w: int
    life: AssetLife
    others: tuple[tuple[int, int | None], ...] = ()


@dataclass(frozen=True)
class Figures:
    """An asset in a window of slots. `slots` are those that it lived through alone behind its meter, `read_slots`
    those of them with a reading, `shared_slots` those that it lived through with others there.
    """

    slots: int
    read_slots: int
    shared_slots: int
    export_wh: int
    yield_wh_per_kw: int | None
    capacity_factor_bp: int | None
    peers: int
    compared_slots: int
    ratio_bp: int | None


@dataclass
class _Line:
    """Specific yields of one asset by slot, micro Wh per W; `online` are the slots in which they count for others."""

    yields: dict[int, int] = field(default_factory=dict)
    online: set[int] = field(default_factory=set)


class Group:
    """The assets of one kind on one feeder in the slots first..last, none of which is still going on."""

    def __init__(
        self, assets: Sequence[MeasuredAsset], readings: Readings, first: int, last: int, clock: SlotClock
    ) -> None:
        self._readings = readings
        self._first, self._last, self._clock = first, last, clock
        self._lines = {asset.asset: self._line(asset) for asset in assets}
        by_slot: dict[int, list[int]] = defaultdict(list)
        self._giving: dict[int, list[int]] = defaultdict(list)
        for number, line in self._lines.items():
            for slot in line.online:
                by_slot[slot].append(line.yields[slot])
                self._giving[slot].append(number)
        self._sorted = {slot: sorted(found) for slot, found in by_slot.items()}

    def figures(self, asset: MeasuredAsset) -> Figures:
        """What an asset gave beside them, be it one of them or not."""
        slots, shared = self._slots(asset)
        exports = self._readings.get(asset.meter, {})
        read = [exports[slot] for slot in slots if slot in exports]
        total, seconds = sum(read), len(read) * self._clock.length
        own, expected, compared, peers = 0, 0, 0, set[int]()
        if asset.kind in GENERATORS:
            for slot, yielded, median in self._compared(asset):
                own, expected, compared = own + yielded, expected + median, compared + 1
                peers.update(self._giving[slot])
        has_size = bool(read and asset.nameplate_w)
        return Figures(
            slots=len(slots),
            read_slots=len(read),
            shared_slots=shared,
            export_wh=total,
            yield_wh_per_kw=total * 1_000 // asset.nameplate_w if has_size else None,
            capacity_factor_bp=(
                total * _SECONDS_PER_HOUR * BASIS_POINTS // (asset.nameplate_w * seconds) if has_size else None
            ),
            peers=len(peers - {asset.asset}),
            compared_slots=compared,
            ratio_bp=own * BASIS_POINTS // expected if expected else None,
        )

    def _compared(self, asset: MeasuredAsset) -> Iterator[tuple[int, int, int]]:
        """(slot, own specific yield, what was expected) of the slots in which anything was."""
        line = self._lines.get(asset.asset) or self._line(asset)
        for slot, yielded in line.yields.items():
            others = self._sorted.get(slot, [])
            is_among = asset.asset in self._lines and slot in line.online
            if len(others) - is_among < LEAST_PEERS:
                continue
            median = _median_without(others, yielded) if is_among else _median(others)
            if median:
                yield slot, yielded, median

    def _line(self, asset: MeasuredAsset) -> _Line:
        if not asset.nameplate_w:
            return _Line()
        exports = self._readings.get(asset.meter, {})
        slots, _ = self._slots(asset)
        yields = {slot: exports[slot] * _MICRO // asset.nameplate_w for slot in slots if slot in exports}
        online = asset.life.online_slots(self._first, self._last, self._clock)
        return _Line(yields, online & yields.keys())

    def _slots(self, asset: MeasuredAsset) -> tuple[list[int], int]:
        """The slots that it lived through alone, and how many it lived through with others."""
        lived = asset.life.slots(self._first, self._last, self._clock)
        alone = [slot for slot in lived if not self._is_shared(asset, slot)] if asset.others else list(lived)
        return alone, len(lived) - len(alone)

    def _is_shared(self, asset: MeasuredAsset, slot: int) -> bool:
        start, end = self._clock.start(slot), self._clock.end(slot)
        return any(since < end and (until is None or start < until) for since, until in asset.others)


def flags_of(
    asset: MeasuredAsset, availability: Availability, figures: Figures, last_seen: int | None, now: int
) -> tuple[Flag, ...]:
    """What stands out, worst first. An asset that was not commissioned, or whose life has ended, has no flags."""
    life = asset.life
    if life.commissioned_at is None or (life.ended_at is not None and life.ended_at <= now):
        return ()
    unplanned, ratio = availability.unplanned_bp, figures.ratio_bp
    stands_out = {
        Flag.UNDER_DELIVERS: ratio is not None and figures.compared_slots >= LEAST_COMPARED and ratio < UNDER_RATIO_BP,
        Flag.UNAVAILABLE: unplanned is not None and unplanned < UNAVAILABLE_BP,
        Flag.FAULT: life.state == AssetState.FAULT,
        Flag.SILENT: last_seen is None or now - last_seen > SILENT_S,
        Flag.UNREAD: figures.read_slots * BASIS_POINTS < figures.slots * UNREAD_BP,
    }
    return tuple(flag for flag, holds in stands_out.items() if holds)


def _median(ordered: Sequence[int]) -> int:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) // 2


def _median_without(ordered: Sequence[int], one: int) -> int:
    """The median once `one` of them is left out."""
    place, rest = bisect_left(ordered, one), len(ordered) - 1
    half = rest // 2

    def at(index: int) -> int:
        return ordered[index if index < place else index + 1]

    return at(half) if rest % 2 else (at(half - 1) + at(half)) // 2
