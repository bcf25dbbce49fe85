"""The book of one market and slot: live orders by meter, energy by tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gridweave.domain.clearing import Clearing, clear
from gridweave.domain.errors import DuplicateInBatch, LadderFull, VersionNotNewer
from gridweave.domain.orders import Side

LEAF_LIMIT_WH = 1 << 30
"""The live energy of one group of ticks on one side stays below this, Wh."""

TICKS_PER_GROUP = 32


@dataclass(frozen=True)
class Line:
    """A meter's word in the book: its last version, what is live of it (`energy_wh` 0: cancelled), and since when."""

    side: Side | None
    version: int
    tick: int
    energy_wh: int
    taken_at: int = 0


class Book:
    """One slot's orders. A meter has at most one live order; each line needs a higher version than the one before.

    A batch stages its orders, asks for their collateral, then confirms or revokes each: until then a staged order takes
    room in the ladder, and so does the one it replaces.
    """

    def __init__(self) -> None:
        self._lines: dict[int, Line] = {}
        self._staged: dict[int, Line] = {}
        self._depth: dict[Side, dict[int, int]] = {Side.BID: {}, Side.ASK: {}}
        self._groups: dict[Side, dict[int, int]] = {Side.BID: {}, Side.ASK: {}}

    @property
    def lines(self) -> Mapping[int, Line]:
        """Every meter's line, cancelled ones too."""
        return self._lines

    def depth(self, side: Side) -> Mapping[int, int]:
        """Live energy by tick on one side, Wh; ticks without energy are left out."""
        return self._depth[side]

    def open_wh(self, side: Side) -> int:
        """Live energy of one side, Wh."""
        return sum(self._depth[side].values())

    def place(self, meter: int, version: int, side: Side, tick: int, energy_wh: int) -> None:
        """Places the meter's order, replacing its live one. Raises VersionNotNewer, LadderFull and changes nothing."""
        self.stage(meter, version, side, tick, energy_wh)
        self.confirm(meter)

    def stage(self, meter: int, version: int, side: Side, tick: int, energy_wh: int, now: int = 0) -> None:
        """Makes room for the meter's order beside the one it would replace.

        Raises DuplicateInBatch, VersionNotNewer, LadderFull and changes nothing.
        """
        self._require_newer(meter, version)
        group = self._groups[side].get(tick // TICKS_PER_GROUP, 0)
        if group + energy_wh >= LEAF_LIMIT_WH:
            raise LadderFull
        line = Line(side, version, tick, energy_wh, now)
        self._put_in(line)
        self._staged[meter] = line

    def stage_cancel(self, meter: int, version: int, now: int = 0) -> None:
        """The same for a cancellation, which needs no room. Raises DuplicateInBatch, VersionNotNewer."""
        self._require_newer(meter, version)
        self._staged[meter] = Line(None, version, 0, 0, now)

    def confirm(self, meter: int) -> None:
        """Puts what the meter has staged in the place of its live order. Raises KeyError without anything staged."""
        line = self._staged.pop(meter)
        self._take_out(self._lines.get(meter))
        self._lines[meter] = line

    def revoke(self, meter: int) -> None:
        """Takes the meter's staged order back. Raises KeyError without one staged."""
        self._take_out(self._staged.pop(meter))

    def cancel(self, meter: int, version: int) -> None:
        """Stores the version with energy 0, whether or not an order was live. Raises VersionNotNewer."""
        self.stage_cancel(meter, version)
        self.confirm(meter)

    def clear(self) -> Clearing:
        """Clears what is live."""
        return clear(self._depth[Side.BID], self._depth[Side.ASK])

    def _require_newer(self, meter: int, version: int) -> None:
        if meter in self._staged:
            raise DuplicateInBatch
        line = self._lines.get(meter)
        if version <= (line.version if line else 0):
            raise VersionNotNewer

    def _put_in(self, line: Line | None) -> None:
        if line and line.side:
            self._add(line.side, line.tick, line.energy_wh)

    def _take_out(self, line: Line | None) -> None:
        if line and line.side:
            self._add(line.side, line.tick, -line.energy_wh)

    def _add(self, side: Side, tick: int, energy_wh: int) -> None:
        for sums, key in ((self._depth[side], tick), (self._groups[side], tick // TICKS_PER_GROUP)):
            total = sums.get(key, 0) + energy_wh
            if total:
                sums[key] = total
            else:
                sums.pop(key, None)
