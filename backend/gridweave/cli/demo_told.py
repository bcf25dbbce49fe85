"""What the terminal shows while a demo lives."""

from __future__ import annotations

import time

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from gridweave.cli.terminal import errors
from gridweave.demo import report

__all__ = ["Told"]


class Told:
    """What the terminal shows meanwhile: a line per stage, with a clock that runs until the stage is over."""

    def __init__(self) -> None:
        self.bar = Progress(
            TextColumn("{task.description:<30}"),
            BarColumn(bar_width=32),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=errors,
        )
        self.phases: dict[str, int] = {}
        """Milliseconds by stage, of those that are over."""
        self._task: TaskID | None = None
        self._stage, self._began = "", 0.0

    def begin(self, stage: str) -> None:
        """Ends the stage before and begins this one; it pulses until somebody tells how far it is."""
        self.end()
        self._stage, self._began = stage, time.monotonic()
        self._task = self.bar.add_task(stage, total=None, note="")

    def end(self) -> None:
        """Fills the bar of the stage and stops its clock."""
        if self._task is not None:
            self.bar.update(self._task, total=1, completed=1, note="")
            self.phases[self._stage] = round((time.monotonic() - self._began) * 1_000)
            self._task = None

    def slot(self, done: int, total: int, price_micro: int | None) -> None:
        """`done` of `total` slots are lived; the last price is micro per kWh."""
        self.so_far(done, total, f"{report.price(price_micro)} /kWh" if price_micro is not None else "")

    def devices(self, done: int, total: int) -> None:
        """`done` of `total` devices know what became of their readings."""
        self.so_far(done, total, f"device {done} of {total}")

    def blocks(self, done: int, total: int) -> None:
        """`done` of `total` blocks are replayed; with the last, balances and storage are left to compare."""
        self.so_far(done, total, f"block {done:,} of {total:,}")

    def so_far(self, done: int, total: int, note: str) -> None:
        """One more than `total` is to be done, so that only `end` stops the clock."""
        if self._task is not None:
            self.bar.update(self._task, completed=done, total=total + 1, note=note)
