"""Bills of a town with a random history, over the day on which Berlin's clocks go back: 100 quarter hours.

24 October 2026              25 October, 100 quarter hours              26 October
  12:00 UTC genesis   22:00 UTC midnight of the 25th    23:00 UTC midnight of the 26th      a meter moves
     |--------------------|------------------------------------|-------------------------------|----->

In every slot of SLOTS homes place what chance says, and read, correct or keep silent as it says. Not left to chance is
that something is traded, corrected, left out and owed: home 0 always reads and corrects, home 2 never reads, home 3 has
little money and draws much; it deposits later. Everybody's statement must add up and every line stand on the chain.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Connection, Table, insert, select

from gridweave.audit import AddressBook, check_bill
from gridweave.domain.acts import Mandate, MeterMove
from gridweave.domain.signatures import address_of
from gridweave.domain.slots import HORIZON
from gridweave.localnet import Clock, localnet
from gridweave.services.bills import MOST_BILL_LINES
from gridweave.services.statements import statement
from gridweave.store.event_tables import blocks
from gridweave.store.index_tables import meters, moves, settlements
from tests.support.seed import seeded
from tests.support.service import Service, served
from tests.support.town import FOREVER, TestHome, Town, draw_home, found

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

NOON = 1_792_843_200  # 2026-10-24T12:00Z
MIDNIGHT = 1_792_879_200  # 2026-10-25T00:00+02:00
BERLIN = "Europe/Berlin"
SLOTS = ((-1, 0), (8, 12), (99, 100))
"""Counted from the day's first: the last before it, its first, 02:00 and 02:00 again, its last, the first after it."""
PERIODS = ("2026-10-24", "2026-10-25", "2026-10-26", "2026-10-27", "2026-W43", "2026-10-25..2026-10-28", "2026")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("town")
    async with localnet(folder / "chain", clock=Clock.MANUAL, genesis_time=NOON) as chain:
        town = await found(chain, homes=3)
        await town.settle_in(1, money=400_000)
        async with served(town, folder / "service", time_zone=BERLIN) as running:
            await History(running, seeded("bill histories")).live()
            yield running


class History:
    """What chance lets a town do."""

    def __init__(self, service: Service, rng: random.Random) -> None:
        self.service, self.town, self.rng = service, service.town, rng

    async def live(self) -> None:
        first = self.town.clock.slot_at(MIDNIGHT)
        for slots in SLOTS:
            await self.trade([first + at for at in slots])
            await self.change_money()
        moved_from = await self.move(self.town.homes[1], self.town.homes[0])
        await self.trade([moved_from + 2])
        await self.town.send(self.town.deposit_calls(self.town.homes[3].secret, 5_000_000, nonce=1))
        await self.service.caught_up()

    async def trade(self, slots: list[int]) -> None:
        """Orders before the gates, readings and corrections after each slot, and what is charged for silence."""
        town, rng, silent = self.town, self.rng, {}
        await self.service.travel(town.terms.gate(slots[0], town.clock) - 300)
        orders = [self.order(home, slot) for slot in slots for home in town.homes if rng.random() < 0.8]
        sure = [town.bid(town.homes[0], slots[0], 300), town.ask(town.homes[1], slots[0], 300)]
        await self.sent("orders", orders + sure)
        for slot in slots:
            await self.service.travel(town.clock.end(slot))
            first, _, third, _ = town.homes
            heard = [home for home in town.homes if home is first or (home is not third and rng.random() < 0.75)]
            await self.sent("readings", [self.reading(home, slot, 1) for home in heard])
            corrected = [home for home in heard if home is first or rng.random() < 0.4]
            await self.sent("readings", [self.reading(home, slot, 2) for home in corrected])
            silent[slot] = [home.meter for home in town.homes if home not in heard]
        await self.service.travel(town.terms.reading_deadline(slots[-1], town.clock))
        default = town.contracts.auction.settle_by_default
        await town.send([default(town.market, slot, meters) for slot, meters in silent.items() if meters])

    def order(self, home: TestHome, slot: int) -> dict[str, Any]:
        energy = self.rng.randrange(10, 1_500)
        if self.rng.random() < 0.5:
            return self.town.bid(home, slot, energy, limit_price=self.rng.randrange(12, 33) * 10_000)
        return self.town.ask(home, slot, energy, limit_price=self.rng.randrange(8, 20) * 10_000)

    def reading(self, home: TestHome, slot: int, version: int) -> dict[str, Any]:
        drawn, given = self.rng.choice([(self.rng.randrange(3_000), 0), (0, self.rng.randrange(3_000))])
        if home is self.town.homes[3]:
            drawn, given = self.rng.randrange(2_000, 3_000), 0
        return self.town.reading(home, slot, drawn, given, version)

    async def sent(self, path: str, items: list[dict[str, Any]]) -> None:
        """Each item alone, and to the end if the service takes it."""
        answers = [await self.service.post(path, {path: [item]}) for item in items]
        taken = [answer.json()["items"][0]["id"] for answer in answers if answer.status_code == 202]
        if taken:
            await self.service.done(*taken)

    async def change_money(self) -> None:
        if self.rng.random() < 0.6:
            home = self.rng.choice(self.town.homes[:3])
            nonce = await self.town.contracts.currency.permit_nonce(home.account)
            await self.town.send(self.town.deposit_calls(home.secret, self.rng.randrange(1, 3_000_000), nonce))

    async def move(self, home: TestHome, to: TestHome) -> int:
        """The home's device becomes the next meter of another account; the slot from which on it is."""
        town, device = self.town, home.key.device
        now = town.clock.slot_at(await town.now())
        move = MeterMove(device, town.market, to.account, 2_000_000, 2_000_000, 1, True, now + HORIZON + 4, 77, FOREVER)
        mandate = town.act(to.secret, "DERRegistry", Mandate(device, town.market, to.account, 78, FOREVER))
        operator = town.act(town.keys["operator"], "DERRegistry", move)
        await town.send([town.contracts.meters.move_meter(move, operator, mandate)])
        number = await town.contracts.meters.meter_count()
        town.homes[1] = TestHome(to.secret, home.key, number)
        return move.from_slot


def everybody(town: Town) -> list[str]:
    homes = {address_of(draw_home(number)[0]) for number in range(4)}
    return sorted(homes | {town.keys[name].address for name in ("utility", "operator")})


async def bill_of(service: Service, account: str, **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await service.get(f"accounts/{account}/bill", **params)
    return answer


async def all_lines(service: Service) -> list[dict[str, Any]]:
    bills = [await bill_of(service, account, period="2026") for account in everybody(service.town)]
    return [line for bill in bills for line in bill["lines"]]


async def test_history__of_this_seed__has_what_statements_are_tried_on(service: Service) -> None:
    lines = await all_lines(service)
    assert len({line["meter"] for line in lines}) == 5, "with the moved meter"
    assert any(line["settlements"] > 1 for line in lines)
    assert any(line["readingVersion"] == 0 for line in lines)
    assert any(line["boughtWh"] for line in lines)
    poor = service.town.homes[3].account
    days = [(await bill_of(service, poor, period=f"2026-10-{day}"))["statement"] for day in range(24, 30)]
    assert any(day["closing"]["owesMicro"] for day in days), "home 3 owes"


async def test_bill__of_the_day_when_clocks_go_back__has_100_slots(service: Service) -> None:
    first, found = service.town.clock.slot_at(MIDNIGHT), set()
    for home in service.town.homes:
        bill = await bill_of(service, home.account, period="2026-10-25")
        assert (bill["period"]["slots"], bill["days"][0]["slots"], bill["from"]) == (100, 100, first)
        found |= {(line["slot"] - first, line["localStart"]) for line in bill["lines"]}
    assert found == {
        (0, "2026-10-25T00:00+02:00"),
        (8, "2026-10-25T02:00+02:00"),
        (12, "2026-10-25T02:00+01:00"),
        (99, "2026-10-25T23:45+01:00"),
    }


async def test_page__of_the_day_when_clocks_go_back__shows_every_line_s_offset(service: Service) -> None:
    for home in service.town.homes[:3]:
        path = f"/v1/accounts/{home.account}/bill"
        page = (await service.http.get(path, params={"period": "2026-10-25", "format": "html"})).text
        assert "100 quarter hours" in page
        assert "(UTC+02:00, then +01:00)" in page
        for line in (await bill_of(service, home.account, period="2026-10-25"))["lines"]:
            assert f"<td>{line['localStart'][11:16]} {line['localStart'][-6:]}</td>" in page


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("zone", [BERLIN, "UTC", "Asia/Kathmandu"])
async def test_statement__of_a_random_history__adds_up_for_everybody(service: Service, period: str, zone: str) -> None:
    for account in everybody(service.town):
        book = (await bill_of(service, account, period=period, zone=zone))["statement"]
        assert book["opening"]["netMicro"] + sum(book["moves"].values()) == book["closing"]["netMicro"], book
        assert book["addsUp"]


async def test_statement__between_any_two_moments__is_what_the_whole_history_comes_to(service: Service) -> None:
    rng, world = seeded("moments of statements"), service.runtime.world
    times = sorted(
        await service.runtime.stores.index.reading(lambda c: set(c.execute(select(blocks.c.timestamp)).scalars()))
    )
    locked = set()
    for account in everybody(service.town):
        rows = await service.runtime.stores.index.reading(lambda c, account=account: rows_of(c, account))
        for _ in range(16):
            starts_at, ends_at = sorted(rng.choice(times) + rng.randrange(2) for _ in range(2))
            found = await statement(world, account, starts_at, ends_at)
            before, until = (whole_history(rows, moment) for moment in (starts_at, ends_at))
            for name, wanted in (("opening", before), ("closing", until)):
                assert {each: found[name][each] for each in wanted["standing"]} == wanted["standing"], (account, name)
            moved = {name: until["sums"][name] - before["sums"][name] for name in until["sums"]}
            assert {name: found["moves"][name] for name in moved} == moved
            assert found["addsUp"]
            locked.add(found["opening"]["lockedMicro"])
        assert (await service.get(f"accounts/{account}"))["lockedMicro"] == whole_history(rows, 2**40)["standing"][
            "lockedMicro"
        ]
    assert len(locked) > 5


Rows = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def rows_of(connection: Connection, account: str) -> Rows:
    """All moves of an account and all settlements of its meters, in chain order, with their blocks' times."""

    def timed(table: Table, *conditions: Any) -> list[dict[str, Any]]:
        query = select(table, blocks.c.timestamp).join_from(table, blocks, blocks.c.number == table.c.block_number)
        found = connection.execute(query.where(*conditions).order_by(table.c.block_number, table.c.log_index))
        return [dict(row) for row in found.mappings()]

    own = select(meters.c.meter).where(meters.c.account == account)
    return timed(moves, moves.c.account == account), timed(settlements, settlements.c.meter.in_(own))


def whole_history(rows: Rows, before: int) -> dict[str, dict[str, int]]:
    """Sums of an account's moves and where it stood before that second, by way of everything that ever was.

    No bond is posted here: what is locked is collateral.
    """
    sums = dict.fromkeys(("depositsMicro", "settledMicro", "collateralLockedMicro", "collateralReturnedMicro"), 0)
    kinds = {"deposit": "depositsMicro", "locked": "collateralLockedMicro"}
    kinds |= {"released": "collateralReturnedMicro", "settled": "collateralReturnedMicro"}
    available, cash = 0, dict[tuple[int, int], int]()
    for row in rows[0]:
        if row["timestamp"] < before:
            available = row["available"]
            if row["kind"] in kinds:
                sums[kinds[row["kind"]]] += row["amount"]
    for row in rows[1]:
        if row["timestamp"] < before:
            cash[row["meter"], row["slot"]] = row["cash"]
    sums["settledMicro"] = sum(cash.values())
    sums["collateralReturnedMicro"] -= sum(cash.values())
    locked = -sums["collateralLockedMicro"] - sums["collateralReturnedMicro"]
    return {"sums": sums, "standing": {"availableMicro": available, "lockedMicro": locked}}


async def test_statement__up_to_now__ends_with_what_the_vault_holds(service: Service) -> None:
    for account in everybody(service.town):
        closing = (await bill_of(service, account, period="2026"))["statement"]["closing"]
        held = await service.town.contracts.vault.account_of(account)
        assert (closing["availableMicro"], closing["owesMicro"]) == (held.available, held.arrear)


@pytest.mark.parametrize("period", ["2026-10-25", "2026"])
async def test_check_bill__of_a_random_history__finds_no_difference(service: Service, period: str) -> None:
    town = service.town
    record = town.deployment
    book, lines = AddressBook(record.chain_id, record.addresses, record.block, record.genesis_hash), 0
    for account in everybody(town):
        bill = await bill_of(service, account, period=period)
        checked = await check_bill(town.chain.node, book, bill)
        assert [found.sentence for found in checked.differences] == []
        assert checked.lines == len(bill["lines"])
        lines += checked.lines
    assert lines > 10


async def test_bill__with_more_lines_than_one_may_have__asks_for_a_shorter_period(service: Service) -> None:
    account, numbers = "0x" + "99" * 20, range(10**6, 10**6 + 5)
    january = service.town.clock.slot_at(1_767_225_600)
    place = {"block_number": service.runtime.world.heads.number, "tx_hash": "0x" + "00" * 32}
    meter = {"device": account, "account": account, "market": 1, "scale_wh": 1, "has_mandate": True}
    meter |= place | {"import_capacity_w": 1, "export_capacity_w": 1}
    settled = place | {"reading_version": 1, "bought_wh": 0, "sold_wh": 0, "cash": 0}
    lines = ((number, january + at) for at in range(MOST_BILL_LINES // 5 + 1) for number in numbers)
    many = [settled | {"log_index": 10**6 + at, "meter": line[0], "slot": line[1]} for at, line in enumerate(lines)]

    def fill(connection: Connection) -> None:
        connection.execute(insert(meters), [meter | {"meter": number, "log_index": number} for number in numbers])
        connection.execute(insert(settlements), many)

    await service.runtime.stores.index.writing(fill)
    for path, form in (("bill", "json"), ("bill", "csv"), ("bill", "html"), ("bill/lines", None)):
        asked = {"period": "2026"} | ({"format": form} if form else {})
        answer = await service.http.get(f"/v1/accounts/{account}/{path}", params=asked)
        error = answer.json()["error"]
        assert (answer.status_code, error["name"]) == (422, "BillTooLong")
        assert error["args"] == {"lines": len(many), "most": MOST_BILL_LINES}
