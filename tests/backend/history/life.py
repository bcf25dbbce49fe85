"""Two slots: orders of four homes, one cancelled, readings, one home silent, and a delegation."""

from __future__ import annotations

from tests.support.service import Service


async def live(service: Service) -> int:
    """The first of the slots."""
    town = service.town
    first = await town.open_slot()
    for slot in (first, first + 1):
        sides = (town.bid, town.ask)
        orders = [sides[at % 2](home, slot, 500 + 100 * at) for at, home in enumerate(town.homes)]
        await service.done(*await service.accept("orders", {"orders": orders}))
    cancel = town.cancel(town.homes[2], first + 1)
    await service.done(*await service.accept("cancels", {"cancels": [cancel]}))
    await service.travel(town.clock.end(first + 1) + 1)
    await town.send([town.contracts.auction.clear(town.market, slot) for slot in (first, first + 1)])
    read = [town.reading(home, slot, 300, 200) for home in town.homes[:3] for slot in (first, first + 1)]
    await service.done(*await service.accept("readings", {"readings": read}))
    await service.caught_up()
    return first
