"""An agent's memory: what it was told and what it said it would keep. One small file, replaced whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from gridweave.disk import replace
from gridweave.domain.setpoints import Setpoint

__all__ = ["Order", "Orders"]

_MOST = 256
"""Events that are remembered; the first to end is forgotten first."""


@dataclass(frozen=True)
class Order:
    """The newest setpoint of an event, and what the asset keeps of it, W with sign; `reason` says why not all."""

    setpoint: Setpoint
    committed_w: int
    reason: str | None = None


class Orders:
    """Every order by its event, in `file` before anybody hears of it."""

    def __init__(self, file: Path) -> None:
        """Raises OSError, ValueError for a file that is none of ours."""
        self._file = file
        self._orders: dict[str, Order] = {}
        for line in file.read_text().splitlines() if file.exists() else []:
            values = json.loads(line)
            setpoint = Setpoint.decode(json.dumps(values["setpoint"]).encode())
            self._orders[setpoint.event] = Order(setpoint, values["committedW"], values["reason"])

    def of(self, event: str) -> Order | None:
        """The event's, if it was heard of."""
        return self._orders.get(event)

    def all(self) -> list[Order]:
        return list(self._orders.values())

    def keep(self, order: Order) -> None:
        """From now on. Raises OSError."""
        kept = self._orders | {order.setpoint.event: order}
        while len(kept) > _MOST:
            del kept[min(kept, key=lambda event: kept[event].setpoint.first_slot + kept[event].setpoint.slots)]
        self._write(kept)
        self._orders = kept

    def _write(self, orders: dict[str, Order]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        replace(self._file, b"".join(_line(order) for order in orders.values()))


def _line(order: Order) -> bytes:
    setpoint = json.loads(order.setpoint.encode())
    values = {"setpoint": setpoint, "committedW": order.committed_w, "reason": order.reason}
    return json.dumps(values).encode() + b"\n"
