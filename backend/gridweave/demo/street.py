"""The street: twelve homes that sign order by order."""

from __future__ import annotations

from gridweave.demo.founding import Asset, Plan
from gridweave.demo.profiles import Home, StreetDay, forecast
from gridweave.demo.resident import PlainResident
from gridweave.demo.strategy import Trader
from gridweave.domain.acts import AssetKind

__all__ = ["CONNECTION_W", "street_plans"]

CONNECTION_W = 17_250
_DEPOSIT = 25_000_000
_EVERY_THIRD = 3


def street_plans(day: StreetDay, seed: int) -> list[Plan]:
    """Every home of the street; every third is flexible."""
    return [_plan(home, place, seed) for place, home in enumerate(day.homes)]


def _plan(home: Home, place: int, seed: int) -> Plan:
    trader = Trader(home.name, seed, flexible=place % _EVERY_THIRD == 0)
    roof = (Asset(AssetKind.PHOTOVOLTAIC, home.pv_peak_w),) if home.has_pv else ()
    return Plan(home, PlainResident(home, forecast(home, seed), trader), _DEPOSIT, CONNECTION_W, roof)
