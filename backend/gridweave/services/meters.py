"""Meters' rows as the domain's meters."""

from __future__ import annotations

from gridweave.domain.meters import Meter
from gridweave.store.reading import Row

__all__ = ["registered"]


def registered(row: Row) -> Meter:
    """The registration in a row of `meters`."""
    return Meter(
        account=row["account"],
        market=row["market"],
        import_capacity_w=row["import_capacity_w"],
        export_capacity_w=row["export_capacity_w"],
        scale_wh=row["scale_wh"],
        mandate=row["has_mandate"],
        bounded=row["from_slot"] != 0 or row["until_slot"] is not None,
    )
