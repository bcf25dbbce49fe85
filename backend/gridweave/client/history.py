"""What to ask the history for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from gridweave.domain.names import camel

__all__ = ["EVERYTHING", "HistoryFilters"]


@dataclass(frozen=True)
class HistoryFilters:
    """Rows name one of the values of each kind that is given. Times are seconds; ranges include both ends."""

    contract: Sequence[str] = ()
    event: Sequence[str] = ()
    account: Sequence[str] = ()
    device: Sequence[str] = ()
    meter: Sequence[int] = ()
    market: Sequence[int] = ()
    model: Sequence[int] = ()
    transaction: Sequence[str] = ()
    from_slot: int | None = None
    to_slot: int | None = None
    from_time: int | None = None
    to_time: int | None = None
    from_block: int | None = None
    to_block: int | None = None
    final: bool = False

    def params(self) -> dict[str, Any]:
        """As the query of a request; what is not asked for is left out."""
        asked = {field.name: getattr(self, field.name) for field in fields(self)}
        return {camel(name): _plain(value) for name, value in asked.items() if value not in (None, (), [], False)}


EVERYTHING = HistoryFilters()


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true"
    return value if isinstance(value, str | int) else list(value)
