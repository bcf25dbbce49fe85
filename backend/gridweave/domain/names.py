"""Names as JSON spells them."""

from __future__ import annotations

__all__ = ["camel"]


def camel(name: str) -> str:
    """energy_wh -> energyWh."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
