"""The keeper clears what is past its gate and settles what stays silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.service import Service, served
from tests.support.town import founded

pytestmark = pytest.mark.chain


async def slot_status(service: Service, slot: int) -> dict[str, object]:
    answer: dict[str, object] = await service.get(f"markets/1/slots/{slot}")
    return answer


async def test_keeper__a_traded_slot_and_silent_meters__clears_settles_and_closes(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=3) as town, served(town, tmp_path / "s", keeper=True) as service:
        buyer, seller, silent = town.homes
        slot = await town.open_slot()
        await service.done(*await service.accept("orders", {"orders": [town.bid(buyer, slot), town.ask(seller, slot)]}))
        assert (await slot_status(service, slot))["status"] == "open"
        await service.travel(town.terms.gate(slot, town.clock))

        async def cleared() -> bool:
            return (await slot_status(service, slot))["status"] == "cleared"

        await service.until(cleared, mine=True)
        await service.travel(town.terms.reading_deadline(slot, town.clock))

        async def closed() -> bool:
            return (await slot_status(service, slot))["status"] == "closed"

        await service.until(closed, mine=True)

        async def silence_paid() -> list[object]:
            bill = await service.get(f"accounts/{silent.account}/bill", **{"from": slot, "to": slot})
            return list(bill["lines"])

        (line,) = await service.until(silence_paid, mine=True)
        assert (line["readingVersion"], line["importWh"]) == (0, town.terms.default_wh)
        for home, energy in ((buyer, (1_000, 0)), (seller, (town.terms.default_wh, 0))):
            bill = await service.get(f"accounts/{home.account}/bill", **{"from": slot, "to": slot})
            assert (bill["lines"][0]["importWh"], bill["lines"][0]["exportWh"]) == energy


async def test_keeper__off__does_nothing(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s") as service:
        slot = await town.open_slot()
        await service.done(*await service.accept("orders", town.bid(town.homes[0], slot)))
        await service.travel(town.terms.reading_deadline(slot, town.clock))
        for _ in range(5):
            await town.chain.mine()
        await service.caught_up()
        assert (await slot_status(service, slot))["status"] == "gated"
