"""The keeper clears what is past its gate and settles what stays silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridweave.store.records import OPEN
from tests.support.service import Service, served
from tests.support.town import Town, founded

pytestmark = pytest.mark.chain

_REFUSES_ALL = "0x60006000fd"


async def break_auction(town: Town) -> str:
    """Has the auction refuse every call; the code that mends it."""
    address = town.contracts.auction.address
    code: str = await town.chain.node.request("eth_getCode", address, "latest")
    await town.chain.node.request("anvil_setCode", address, _REFUSES_ALL)
    return code


async def mend_auction(town: Town, code: str) -> None:
    await town.chain.node.request("anvil_setCode", town.contracts.auction.address, code)


async def looked(service: Service) -> bool:
    """Whether the keeper has looked at the chain's head."""
    head, kept = await service.town.chain.node.head(), service.runtime._kept_at
    return kept is not None and kept.hash == "0x" + head.hash.hex()


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


async def test_keeper__refused_and_still_due__asks_again_in_the_next_blocks(tmp_path: Path) -> None:
    async with (
        founded(tmp_path / "chain", homes=1) as town,
        served(town, tmp_path / "s", keeper=True, finality_depth=90) as service,
    ):

        async def refused() -> bool:
            """By the relayer's second transaction: the item itself is rejected only until it is asked for again."""
            return await town.chain.node.nonce(town.keys["relayer"].address) > 1

        slot = await town.open_slot()
        await service.done(*await service.accept("orders", town.bid(town.homes[0], slot)))
        code = await break_auction(town)
        await town.chain.mine(town.terms.gate(slot, town.clock))
        await service.until(refused, mine=True)
        await service.until(lambda: looked(service))
        assert not await service.runtime.has_nothing_due()
        await mend_auction(town, code)
        before = await town.chain.node.block_number()

        async def cleared() -> bool:
            return (await slot_status(service, slot))["status"] == "cleared"

        await service.until(cleared, mine=True)
        assert await town.chain.node.block_number() < before + 30


async def test_keeper__refused_again_and_again__gives_up_for_a_while(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=1) as town, served(town, tmp_path / "s", keeper=True) as service:
        await service.until(lambda: looked(service))
        slot = await town.open_slot()
        await service.done(*await service.accept("orders", town.bid(town.homes[0], slot)))
        before = await town.chain.node.nonce(service.runtime.world.relayer.address)
        await break_auction(town)
        await town.chain.mine(town.terms.gate(slot, town.clock))

        async def given_up() -> bool:
            if await service.runtime.world.outbox.batches(OPEN):  # a block a try: after many it would begin anew
                await town.chain.mine()
            return service.runtime.given_up > 0 and await service.runtime.has_nothing_due()

        await service.until(given_up)
        assert await town.chain.node.nonce(service.runtime.world.relayer.address) == before + 8


async def test_has_nothing_due__the_head_replaced_by_one_as_high__looks_again_first(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=1) as town, served(town, tmp_path / "s", keeper=True) as service:
        await service.until(lambda: looked(service))
        assert await service.runtime.has_nothing_due()
        following, *_ = service.runtime._tasks
        following.cancel()
        await town.chain.node.request("anvil_reorg", 1, [])
        assert not await service.runtime.has_nothing_due()
