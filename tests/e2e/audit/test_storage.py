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

from .firmware import MODEL
from .lives import BATCH_KEYS, batch_of
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
    ("DeviceRegistry", "identityOwner"),
    ("DeviceRegistry", "changed"),
    ("DeviceRegistry", "nonce"),
    ("DeviceRegistry", "proposalOf"),
    ("DeviceRegistry", "offerOf"),
    ("DeviceRegistry", "isTrustedAt"),
    ("DeviceRegistry", "areAuthentic"),
    ("DeviceRegistry", "batchOf"),
    ("DERRegistry", "meteringOf"),
    ("DERRegistry", "assetOf"),
    ("DERRegistry", "meterCount"),
    ("DERRegistry", "assetCount"),
    ("TelemetryAnchor", "streamOf"),
    ("TelemetryAnchor", "keeperOf"),
    ("TelemetryAnchor", "tipHashOf"),
    ("TelemetryAnchor", "pageOf"),
    ("FirmwareRegistry", "lineOf"),
    ("FirmwareRegistry", "floorAt"),
    ("FirmwareRegistry", "commitmentOf"),
    ("FirmwareRegistry", "rolloutOf"),
    ("FirmwareRegistry", "stateOf"),
    ("FirmwareRegistry", "isReliableAt"),
    ("FirmwareRegistry", "isDeviceReliableAt"),
    ("FirmwareRegistry", "installationOf"),
    ("FirmwareRegistry", "isAllowed"),
    ("FirmwareRegistry", "positionOf"),
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
    assert (found.subject.field or "").partition(".")[0] == function


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


# every word of the DeviceRegistry, by who has something there


def _holders(day: Street) -> dict[str, str]:
    """A device for each kind of word that must not be empty."""
    two, four = day.homes[1].device, day.homes[3].device
    fields = ("standing", "holding", "kept.x", "kept.y", "earlier.length", "earlier 0", "doubts.length", "doubts 0")
    return {**dict.fromkeys(fields, four), "proposal": two, "offer": two}


BITS = {
    "standing": (
        96,
        94,
        93,
        92,
        78,
        64,
        32,
        0,
    ),  # key, status, hasChanged, P-256, keyVersion, nonce, statusSince, changed
    "holding": (0, 160, 192, 224),  # owner, origin, enrolledAt, compromisedSince
    "kept.x": (0,),
    "kept.y": (0,),
    "earlier.length": (0,),
    "earlier 0": (0, 96),  # when, status
    "proposal": (0, 160, 168, 184),  # key, its kind, nonce, readyAt
    "offer": (0, 160),  # to, until
    "doubts.length": (0,),
    "doubts 0": (0, 32),  # from, until
}
PLANTED = [pytest.param(field, bit, id=f"{field}-{bit}") for field, bits in BITS.items() for bit in bits]


def record_slot(device: str, field: str) -> int:
    base = storage_slot("DeviceRegistry", "_records", device)
    places = {
        "standing": 0,
        "holding": 1,
        "kept.x": 2,
        "kept.y": 3,
        "earlier": 4,
        "proposal": 5,
        "offer": 6,
        "doubts": 7,
    }
    if field.endswith(" 0"):
        array = base + places[field.removesuffix(" 0")]
        return int.from_bytes(keccak(array.to_bytes(32, "big")), "big")
    return base + places[field.removesuffix(".length")]


@pytest.mark.parametrize(("field", "bit"), PLANTED)
async def test_audit__when_a_word_of_a_device_is_changed_on_the_chain__names_device_and_word(
    day: Street, field: str, bit: int
) -> None:
    device = _holders(day)[field]
    found = await found_with(day, "DeviceRegistry", record_slot(device, field), bit)
    assert {difference.subject.device for difference in found} == {device}
    assert f"word.{field}" in {difference.subject.field for difference in found}


async def test_audit__when_a_kept_key_is_deleted_on_the_chain__names_it(day: Street) -> None:
    """A key may have been kept by a call that nobody saw, but what was kept stays."""
    slot = record_slot(day.homes[2].device, "kept.x")
    before = await day.node.storage(day.book.addresses["DeviceRegistry"], slot)
    address = day.book.addresses["DeviceRegistry"]
    await day.node.request("anvil_setStorageAt", address, hex(slot), to_hex(bytes(32)))
    try:
        report = await audit(day.node, day.book)
    finally:
        await day.node.request("anvil_setStorageAt", address, hex(slot), to_hex(before))
    assert {"word.kept.x", "deviceOf.x"} <= {difference.subject.field for difference in report.differences}


@pytest.mark.parametrize(("bit", "what"), [(0, "origin"), (32, "isClosed")])
async def test_audit__when_a_batch_is_changed_on_the_chain__names_it(day: Street, bit: int, what: str) -> None:
    root = batch_of(BATCH_KEYS).root
    found = await found_with(day, "DeviceRegistry", storage_slot("DeviceRegistry", "_batches", to_hex(root)), bit)
    assert {difference.subject.batch for difference in found} == {to_hex(root)}
    assert "word.batch" in {difference.subject.field for difference in found}


@pytest.mark.parametrize("bit", [0, 160], ids=["maker", "model"])
async def test_audit__when_an_origin_is_changed_on_the_chain__names_it_and_its_devices(day: Street, bit: int) -> None:
    found = await found_with(day, "DeviceRegistry", storage_slot("DeviceRegistry", "_origins", 1), bit)
    assert {day.homes[0].device, None} <= {difference.subject.device for difference in found}
    assert "word.origin 1" in {difference.subject.field for difference in found}


async def test_audit__when_the_count_of_origins_is_changed_on_the_chain__names_it(day: Street) -> None:
    (found,) = await found_with(day, "DeviceRegistry", storage_slot("DeviceRegistry", "_originCount"), 0)
    assert found.subject.field == "word.originCount"


async def test_audit__when_a_maker_s_origin_is_changed_on_the_chain__names_it(day: Street) -> None:
    slot = storage_slot("DeviceRegistry", "_originsOfMakers", day.maker.address, 7)
    (found,) = await found_with(day, "DeviceRegistry", slot, 0)
    assert found.subject.field == f"word.origin of {day.maker.address} and model 7"


# every word of streams and firmware

STREAM_WORDS = [("tipHash", 0, 0), ("keeper", 1, 0), ("keeper", 1, 160), ("page 0", 2, 0)]


@pytest.mark.parametrize(("field", "offset", "bit"), STREAM_WORDS, ids=["tip", "keeper", "epoch", "page"])
async def test_audit__when_a_word_of_a_stream_is_changed_on_the_chain__names_stream_and_word(
    day: Street, field: str, offset: int, bit: int
) -> None:
    """Of the resold one, which has a full page."""
    stream = day.streams[1]
    slot = storage_slot("TelemetryAnchor", "_records", to_hex(stream.id)) + offset
    slot = inner(slot, 0) if field == "page 0" else slot
    found = await found_with(day, "TelemetryAnchor", slot, bit)
    assert {difference.subject.stream for difference in found} == {to_hex(stream.id)}
    assert f"word.{field}" in {difference.subject.field for difference in found}


def inner(slot: int, key: int) -> int:
    """Of an entry in a mapping that lies at `slot`."""
    return int.from_bytes(keccak(key.to_bytes(32, "big") + slot.to_bytes(32, "big")), "big")


def element(slot: int, index: int) -> int:
    """Of an array's word."""
    return int.from_bytes(keccak(slot.to_bytes(32, "big")), "big") + index


MODEL_WORDS = [
    *(("line", bit) for bit in (0, 160, 192, 224)),  # maker, latest, full, floor
    ("keys", 0),
    ("floors.length", 0),
    *(("floors 0", bit) for bit in (0, 32)),  # block, floor
    ("release 2", 0),
    *(("rollout 2", bit) for bit in (0, 32, 64, 96, 112, 144, 176, 208, 224)),
]


@pytest.mark.parametrize(("field", "bit"), MODEL_WORDS)
async def test_audit__when_a_word_of_a_model_is_changed_on_the_chain__names_model_and_word(
    day: Street, field: str, bit: int
) -> None:
    base = storage_slot("FirmwareRegistry", "_models", MODEL)
    slot = {
        "line": base,
        "keys": base + 1,
        "floors.length": base + 2,
        "floors 0": element(base + 2, 0),
        "release 2": inner(base + 3, 2),
        "rollout 2": inner(base + 4, 2),
    }[field]
    found = await found_with(day, "FirmwareRegistry", slot, bit)
    assert MODEL in {difference.subject.model for difference in found}
    assert f"word.{field}" in {difference.subject.field for difference in found}


@pytest.mark.parametrize("bit", [0, 32, 64, 80, 112])
async def test_audit__when_an_installation_is_changed_on_the_chain__names_the_device(day: Street, bit: int) -> None:
    """Since when and what it runs, with what code it failed, what it told of, which model it is."""
    device = day.measured[1].device
    found = await found_with(day, "FirmwareRegistry", storage_slot("FirmwareRegistry", "_installations", device), bit)
    assert {difference.subject.device for difference in found} == {device}
    fields = {difference.subject.field or "" for difference in found}
    assert "word.installation" in fields
    assert any(field.startswith("installationOf.") for field in fields)
