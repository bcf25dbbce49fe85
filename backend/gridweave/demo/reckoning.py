"""What the day came to, read back through the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gridweave.demo.clock import clock_label
from gridweave.demo.founding import House
from gridweave.demo.household import Household
from gridweave.demo.life import Life
from gridweave.demo.outcome import AuditSummary, GasUse, HomeOutcome, Outcome, SlotOutcome, WalkStep
from gridweave.demo.strategy import NAME
from gridweave.domain.acts import KeyKind

__all__ = ["Measured", "best_sale", "bills_of", "reckon"]

Line = dict[str, Any]
Bills = list[tuple[House, Line]]


@dataclass(frozen=True)
class Measured:
    """What only the one who staged the demo can know: gas, what the audit found and walked back, and times."""

    gas: dict[str, GasUse]
    audit: AuditSummary | None
    walk: tuple[WalkStep, ...]
    wall_seconds: int
    phases: dict[str, int]
    place: str = "street"
    strategies: tuple[str, ...] = ()


def bills_of(day: Life) -> Bills:
    """Every home's bill of the day. Raises ServiceError."""
    client = day.waiter.client
    return [(house, client.bill(house.person.address, from_=day.first, to=day.last)) for house in day.place.houses]


def reckon(day: Life, bills: Bills, measured: Measured) -> Outcome:
    """The outcome of a lived day. Raises ServiceError."""
    client, first, last = day.waiter.client, day.first, day.last
    cleared = {int(line["slot"]): line for line in client.prices(day.place.market, first, last)}
    lines = [line for _, bill in bills for line in bill["lines"]]
    profile = day.place.day
    terms = day.place.terms
    residents = [house.resident for house in day.place.houses]
    stores = [resident for resident in residents if isinstance(resident, Household) and resident.battery]
    return Outcome(
        day=f"{profile.day:%-d %B %Y}",
        source=profile.source,
        attribution=profile.attribution,
        licence=profile.licence,
        chain_id=client.deployment.chain_id,
        feed_in_micro=terms.feed_in_price,
        retail_micro=terms.retail_price,
        fee_micro=terms.grid_fee,
        slots=tuple(_slot(day, index, cleared.get(first + index), lines) for index in range(day.slots)),
        homes=tuple(_home(house, bill) for house, bill in bills),
        gas=measured.gas,
        lived=dict(day.lived),
        audit=measured.audit,
        walk=measured.walk,
        wall_seconds=measured.wall_seconds,
        strategy=NAME,
        seed=day.seed,
        phases=measured.phases,
        place=measured.place,
        grid=profile.grid,
        moments=tuple(sorted(day.diary.moments, key=lambda moment: moment.slot)),
        strategies=measured.strategies,
        stored_wh=tuple(map(sum, zip(*(store.levels_wh for store in stores), strict=True))),
        storage_wh=sum(store.battery.capacity_wh for store in stores if store.battery),
    )


def _slot(day: Life, index: int, cleared: Line | None, lines: list[Line]) -> SlotOutcome:
    slot = day.first + index
    here = [line for line in lines if line["slot"] == slot]
    traded = cleared is not None and cleared["priceMicroPerKwh"] is not None
    found = cleared if traded and cleared else {}
    return SlotOutcome(
        index=index,
        slot=slot,
        label=clock_label(index),
        price_micro=found.get("priceMicroPerKwh"),
        low_micro=found.get("lowMicroPerKwh"),
        high_micro=found.get("highMicroPerKwh"),
        volume_wh=int(found.get("volumeWh", 0)),
        import_wh=sum(line["importWh"] for line in here),
        export_wh=sum(line["exportWh"] for line in here),
        local_wh=sum(min(line["boughtWh"], line["importWh"]) for line in here),
    )


def _home(house: House, bill: dict[str, Any]) -> HomeOutcome:
    totals = bill["totals"]
    return HomeOutcome(
        name=house.name,
        meter=house.meter,
        account=house.person.address,
        key_kind=house.key.kind.curve,
        has_pv=house.plan.home.has_pv,
        import_wh=totals["importWh"],
        export_wh=totals["exportWh"],
        bought_wh=totals["boughtWh"],
        sold_wh=totals["soldWh"],
        bill_micro=totals["cashMicro"],
        baseline_micro=totals["withoutMarketMicro"],
        group=house.plan.group,
    )


def best_sale(day: Life, bills: Bills) -> tuple[House, int] | None:
    """The home and slot of the sale that gained most over feed-in, of those that a P-256 meter's own reading paid."""
    feed_in = day.place.terms.feed_in_price
    sales = [
        ((line["priceMicroPerKwh"] - feed_in) * line["soldWh"], -line["slot"], house.meter, house)
        for house, bill in bills
        if house.key.kind is KeyKind.P256
        for line in bill["lines"]
        if line["soldWh"] and line["readingVersion"]
    ]
    if not sales:
        return None
    _, slot, _, house = max(sales, key=lambda sale: sale[:3])
    return house, -slot
