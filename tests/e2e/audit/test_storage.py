"""Storage is compared with the replay: a getter that lies is found, and so is a word set on the chain itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gridweave import artifacts
from gridweave.audit import AuditReport, Difference, Kind, audit
from gridweave.chain import to_hex
from gridweave.chain.abi import abi_of
from gridweave.chain.events import Compensated, Placed, RefusalProved, decode_log
from gridweave.domain.hashing import keccak
from gridweave.domain.orders import Order
from gridweave.domain.slots import RING

from .lying import flip, honest, lying_node
from .promises import SPONSOR
from .street import Street
from .test_audit import one_of

pytestmark = [pytest.mark.chain, pytest.mark.asyncio(loop_scope="session")]

GETTERS = [
    ("Vault", "accountOf"),
    ("Vault", "potOf"),
    ("Vault", "owed"),
    ("Vault", "totalTracked"),
    ("Vault", "currency"),
    ("LocalCurrency", "balanceOf"),
    ("EnergyAuction", "marketCount"),
    ("EnergyAuction", "termsOf"),
    ("EnergyAuction", "clearingOf"),
    ("EnergyAuction", "slotStateOf"),
    ("EnergyAuction", "positionOf"),
    ("EnergyAuction", "lastVersionOf"),
    ("EnergyAuction", "delegationOf"),
    ("MeterLedger", "readingOf"),
    ("DeviceRegistry", "deviceOf"),
    ("DERRegistry", "meteringOf"),
    ("DERRegistry", "assetOf"),
    ("DERRegistry", "meterCount"),
    ("DERRegistry", "assetCount"),
    ("RelayerBond", "bondOf"),
    ("RelayerBond", "refusedAt"),
    ("RelayerBond", "isCompensated"),
    ("Authority", "getAccess"),
    ("Authority", "getTargetFunctionRole"),
    ("Authority", "isTargetClosed"),
    ("Authority", "getRoleAdmin"),
    ("Authority", "getRoleGuardian"),
    ("Authority", "getRoleGrantDelay"),
    ("Authority", "getTargetAdminDelay"),
]
IMMUTABLE = {("MeterLedger", "slotLength"), ("Vault", "holdLength"), ("RelayerBond", "compensation")}


def storage_slot(contract: str, label: str, *keys: int | str, member: str = "") -> int:
    """The storage slot of a mapping's entry, by the compiler's layout; `member`: of the struct under that label."""
    layout = artifacts.load(contract).storage_layout
    found = next(entry for entry in layout["storage"] if entry["label"] == label)
    slot = int(found["slot"])
    if member:
        members = layout["types"][found["type"]]["members"]
        slot += next(int(entry["slot"]) for entry in members if entry["label"] == member)
    for key in keys:
        number = int(key, 16) if isinstance(key, str) else key
        slot = int.from_bytes(keccak(number.to_bytes(32, "big") + slot.to_bytes(32, "big")), "big")
    return slot


@asynccontextmanager
async def planted(street: Street, contract: str, slot: int, bit: int) -> AsyncIterator[None]:
    """One bit of one storage word changed on the chain itself, and changed back."""
    address = street.book.addresses[contract]
    before = await street.node.storage(address, slot)
    assert int.from_bytes(before, "big") != 0, "nothing is stored there"
    await street.node.request("anvil_setStorageAt", address, hex(slot), to_hex(flip(before, bit)))
    try:
        yield
    finally:
        await street.node.request("anvil_setStorageAt", address, hex(slot), to_hex(before))


async def found_with(street: Street, contract: str, slot: int, bit: int) -> list[Difference]:
    async with planted(street, contract, slot, bit):
        report = await audit(street.node, street.book)
    assert {difference.kind for difference in report.differences} == {Kind.STORAGE}
    return report.differences


async def asked_of(street: Street) -> set[tuple[str, str]]:
    """Every getter that an audit asks."""
    by_selector = {
        (street.book.addresses[name], function.selector): (name, function.name)
        for name in street.book.addresses
        for function in abi_of(name).functions.values()
    }
    asked: set[tuple[str, str]] = set()

    def listen(method: str, params: list[Any], result: Any) -> Any:
        if method == "eth_call":
            asked.add(by_selector[params[0]["to"], bytes.fromhex(params[0]["data"][2:10])])
        return result

    async with lying_node(street.chain.url, listen, street.answers) as node:
        await audit(node, street.book)
    return asked


async def audit_with_getter(street: Street, contract: str, function: str, word: int) -> AuditReport:
    wanted = to_hex(abi_of(contract).selector(function))
    told: list[str] = []

    def lie(method: str, params: list[Any], result: Any) -> Any:
        if method != "eth_call" or params[0]["to"] != street.book.addresses[contract]:
            return result
        if not params[0]["data"].startswith(wanted) or (told and told[0] != params[0]["data"]):
            return result
        told.append(params[0]["data"])
        data = bytes.fromhex(result[2:])
        start = 32 * word
        return to_hex(data[:start] + flip(data[start : start + 32]) + data[start + 32 :])

    async with lying_node(street.chain.url, lie, street.answers) as node:
        return await audit(node, street.book)


async def test_audit__given_the_getters_of_this_file__asks_exactly_these(day: Street) -> None:
    assert await asked_of(day) - IMMUTABLE == set(GETTERS)


@pytest.mark.parametrize(("contract", "function"), GETTERS)
async def test_audit__when_a_getter_lies__names_it(day: Street, contract: str, function: str) -> None:
    word = {"meteringOf": 3}.get(function, 0)
    report = await audit_with_getter(day, contract, function, word)
    (found,) = report.differences
    assert found.kind is Kind.STORAGE
    assert (found.subject.field or "").startswith(f"{function}.")


async def test_audit__when_an_account_is_changed_on_the_chain__names_account_and_amounts(day: Street) -> None:
    account = day.homes[0].party.address
    before = (await day.contracts.vault.account_of(account)).available
    (found,) = await found_with(day, "Vault", storage_slot("Vault", "_accounts", account), 184)
    assert (found.subject.account, found.subject.field) == (account, "accountOf.available")
    assert (found.expected, found.found) == (str(before), str(before ^ 1))


async def test_audit__when_the_auction_s_pot_is_changed_on_the_chain__names_it(day: Street) -> None:
    auction = day.book.addresses["EnergyAuction"]
    slot = storage_slot("Vault", "_pots", auction)
    (found,) = await found_with(day, "Vault", slot, 0)
    assert (found.subject.account, found.subject.field) == (auction, "potOf.pot")


async def test_audit__when_the_total_is_changed_on_the_chain__names_it(day: Street) -> None:
    found = await found_with(day, "Vault", storage_slot("Vault", "_totalTracked"), 0)
    assert [difference.subject.field for difference in found] == ["totalTracked.total"]


async def test_audit__when_a_reading_word_is_changed_on_the_chain__names_meter_and_slot(day: Street) -> None:
    home, log = day.homes[0], await last_reading(day, day.homes[0].meter)
    key = home.meter << 32 | log >> 3
    bit = (log & 7) * 32
    (found,) = await found_with(day, "MeterLedger", storage_slot("MeterLedger", "_words", key), bit)
    assert (found.subject.meter, found.subject.slot) == (home.meter, log)
    assert found.subject.field == "readingOf.exportWh"


async def test_audit__when_the_time_of_a_version_is_changed_on_the_chain__names_meter_and_slot(day: Street) -> None:
    event = decode_log(await one_of(day, "Placed"))
    assert isinstance(event, Placed)
    place = storage_slot("EnergyAuction", "_markets", event.meter, member="positions") + event.slot % RING
    (found,) = await found_with(day, "EnergyAuction", place, 120)
    assert (found.subject.meter, found.subject.slot) == (event.meter, event.slot)
    assert found.subject.field == "lastVersionOf.takenAt"


async def test_audit__when_a_bond_is_changed_on_the_chain__names_sponsor_and_relayer(day: Street) -> None:
    slot = storage_slot("RelayerBond", "_bonds", SPONSOR.address, day.relayer.address)
    (found,) = await found_with(day, "RelayerBond", slot, 0)
    assert (found.subject.account, found.subject.relayer) == (SPONSOR.address, day.relayer.address)
    assert found.subject.field == "bondOf.amount"


async def test_audit__when_the_bond_s_pot_is_changed_on_the_chain__names_it(day: Street) -> None:
    bond = day.book.addresses["RelayerBond"]
    (found,) = await found_with(day, "Vault", storage_slot("Vault", "_pots", bond), 0)
    assert (found.subject.account, found.subject.field) == (bond, "potOf.pot")


async def test_audit__when_a_note_of_a_refusal_is_changed_on_the_chain__names_meter_and_slot(day: Street) -> None:
    log = await one_of(day, "RefusalProved")
    event = decode_log(log)
    assert isinstance(event, RefusalProved)
    executed = keccak(event.request + event.signature_hash)
    slot = storage_slot("RelayerBond", "_refusedAt", to_hex(event.digest), to_hex(executed))
    (found,) = await found_with(day, "RelayerBond", slot, 0)
    assert (found.subject.meter, found.subject.slot) == (event.meter, event.slot)
    assert found.subject.field == "refusedAt.time"


async def test_audit__when_a_compensation_is_forgotten_on_the_chain__names_meter_and_relayer(day: Street) -> None:
    event = decode_log(await one_of(day, "Compensated"))
    assert isinstance(event, Compensated)
    slot = storage_slot("RelayerBond", "_compensated", to_hex(event.digest), event.relayer)
    (found,) = await found_with(day, "RelayerBond", slot, 0)
    assert (found.subject.meter, found.subject.relayer) == (Order.unpack(event.order).meter, event.relayer)
    assert found.subject.field == "isCompensated.compensated"


async def last_reading(street: Street, meter: int) -> int:
    """The newest slot that the meter has a reading in."""
    from gridweave.audit.lookup import Lookup
    from gridweave.chain.events import ReadingRecorded

    lookup = Lookup(street.node, street.book, await street.node.block_number())
    return (await lookup.events("MeterLedger", ReadingRecorded, meter=meter))[-1].slot


async def test_lying_node__given_no_lie__gives_an_honest_audit(day: Street) -> None:
    async with lying_node(day.chain.url, honest, day.answers) as node:
        assert (await audit(node, day.book)).clean
