"""Two slots: orders of four homes, one cancelled, readings, one home silent; and all that can befall a device."""

from __future__ import annotations

from gridweave.domain.maker_tree import leaf_of
from tests.support.acts import Acts, Party
from tests.support.service import Service
from tests.support.town import Town, draw_home


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
    await befall(town)
    await service.caught_up()
    return first


async def befall(town: Town) -> None:
    """A device is claimed, gets another key, passes to a neighbour, vetoes a key and falls into doubt."""
    acts, maker = Acts(town), Party("maker", town.keys["maker"].secret)
    (secret, key), (other_secret, following) = draw_home(70), draw_home(71)
    owner, buyer, device = Party("owner", secret), Party("buyer", other_secret), key.device
    root = leaf_of(device, key.kind)
    posted = [
        acts.batch(root, maker),
        acts.claim(key, owner.account, root),
        acts.closing(root, maker),
        acts.rotation(device, key, following, 0),
        acts.offer(device, buyer.account, owner),
        acts.transfer(device, owner.account, buyer, following, 1),
        acts.proposal(device, key, buyer),
        acts.veto(device, following, device, 2),
        acts.compromise(device, following, buyer),
    ]
    for each in posted:
        await town.send([call for call in (each.call,) if call is not None])
