"""An honest day has no differences; whatever a node changes in it is found and named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from gridweave.audit import CONTRACTS, AuditReport, Checked, Kind, audit
from gridweave.audit.matching import GOVERNANCE, RULES, UNCHECKED
from gridweave.chain import AnswerTooLarge, Node
from gridweave.chain.abi import EventAbi, abi_of
from gridweave.chain.events import EVENTS, Event, decode_log
from gridweave.chain.types import Log
from gridweave.domain.errors import OrderExpired

from .lying import Lie, RawLog, about_logs, flip, honest, is_at, lying_node
from .street import Street

pytestmark = [pytest.mark.chain, pytest.mark.asyncio(loop_scope="session")]

EVENT_ABIS: dict[str, EventAbi] = {name: abi for contract in CONTRACTS for name, abi in abi_of(contract).events.items()}
AUDITED = sorted(kind.__name__ for kind in RULES)


def words_of(abi: EventAbi) -> list[tuple[str, str, str, int]]:
    """Every word of an event as (parameter, its Solidity type, "topic" or "data", index).

    A struct that holds text lies behind the other words, of which one says where; its text is left out.
    """
    structs = dict(abi.structs)
    found, topic, word = [], 1, 0
    heads = sum(
        1 if "string" in structs.get(n, ()) else len(structs.get(n, (k,))) for n, i, k in abi.parameters if not i
    )
    for name, indexed, kind in abi.parameters:
        if indexed:
            found.append((name, kind, "topic", topic))
            topic += 1
            continue
        if "string" in structs.get(name, ()):
            parts = enumerate(structs[name], start=heads)
            found += [(name, part, "data", at) for at, part in parts if part != "string"]
            word += 1
            continue
        for part in structs.get(name, (kind,)):
            found.append((name, part, "data", word))
            word += 1
    return found


FIELDS = [
    pytest.param(name, *word, id=f"{name}-{word[0]}-{word[3]}")
    for name in AUDITED
    for word in words_of(EVENT_ABIS[name])
]


async def audit_with(street: Street, lie: Lie, **options: Any) -> AuditReport:
    async with lying_node(street.chain.url, lie, street.answers) as node:
        return await audit(node, street.book, **options)


async def one_of(street: Street, name: str) -> Log:
    """The last log of an event that a direct call of ours left, on the street's day."""
    async with lying_node(street.chain.url, honest, street.answers) as node:
        logs = await node.logs(0, await node.block_number(), list(street.book.addresses.values()))
        return await _last(street, node, logs, name)


async def _last(street: Street, node: Node, logs: list[Log], name: str) -> Log:
    for log in reversed(logs):
        event = decode_log(log)
        if type(event).__name__ != name:
            continue
        transaction = await node.transaction(log.transaction_hash)
        assert transaction is not None
        wrapped = transaction.to == street.book.addresses["Authority"] and EVENTS[name] not in GOVERNANCE
        vault = street.book.addresses["Vault"]
        foreign = name == "Transfer" and vault not in (event.sender, event.to)  # type: ignore[union-attr]
        if not wrapped and not foreign:
            return log
    raise AssertionError(f"the day has no {name}")


def on(log: Log, change: Callable[[RawLog], list[RawLog]]) -> Lie:
    """A lie about one log."""
    return about_logs(
        lambda logs: [
            said
            for entry in logs
            for said in (change(entry) if is_at(entry, log.block_number, log.log_index) else [entry])
        ]
    )


def altered(entry: RawLog, kind: str, part: str, index: int) -> RawLog:
    """The log with one word changed by the least that its type can show."""
    if kind == "bytes" or kind.endswith("[]"):
        data = bytes.fromhex(entry["data"][2:])
        behind = int.from_bytes(data[32 * index : 32 * index + 32], "big")
        if any(data[behind : behind + 32]):  # of what is empty, where it lies
            kind, index = kind.replace("bytes", "bytes32").removesuffix("[]"), behind // 32 + 1
    bit = 256 - 8 * int(kind.removeprefix("bytes")) if kind.startswith("bytes") else 0
    if part == "topic":
        entry["topics"][index] = "0x" + flip(bytes.fromhex(entry["topics"][index][2:]), bit).hex()
        return entry
    data = bytes.fromhex(entry["data"][2:])
    word = flip(data[32 * index : 32 * index + 32], bit)
    entry["data"] = "0x" + (data[: 32 * index] + word + data[32 * index + 32 :]).hex()
    return entry


def says(report: AuditReport, name: str) -> bool:
    """Whether a difference names the event."""
    return any(difference.subject.event == name for difference in report.differences)


async def test_audit__given_an_honest_day__finds_no_difference(day: Street) -> None:
    report = await audit(day.node, day.book)
    assert [difference.sentence for difference in report.differences] == []
    assert report.clean
    for checked in Checked:
        assert report.counts[checked] > 0, checked


async def test_audit__given_small_ranges_and_logs_only__finds_the_same(day: Street) -> None:
    whole = await audit(day.node, day.book)
    parts = await audit(day.node, day.book, every_block=False, span=3)
    assert parts.clean
    # that a key was kept is said by no event: without the call it shows in what the contract took from then on
    unseen = Counter({Checked.BY_CONTRACT_ONLY: 3})
    assert parts.counts == whole.counts + unseen


async def test_audit__given_a_node_that_says_too_much_at_once__asks_for_less(day: Street) -> None:
    whole = await audit(day.node, day.book)
    asked: list[int] = []
    async with Node(day.chain.url, timeout=60.0, most=400_000) as node:
        with pytest.raises(AnswerTooLarge):
            await node.batch([("eth_getBlockByNumber", [hex(number), True]) for number in range(100)])
        parts = await audit(node, day.book, progress=lambda done, _: asked.append(done))
    assert len(asked) > 2
    assert parts.clean
    assert parts.counts == whole.counts


async def test_rules__given_every_event_of_the_contracts__name_what_becomes_of_it() -> None:
    followed = {kind.__name__ for kind in RULES} | {kind.__name__ for kind in UNCHECKED}
    assert followed == set(EVENTS)
    assert all(UNCHECKED.values())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "field", "kind", "part", "index"), FIELDS)
async def test_audit__when_one_field_of_an_event_is_altered__names_it(
    day: Street, name: str, field: str, kind: str, part: str, index: int
) -> None:
    log = await one_of(day, name)
    report = await audit_with(day, on(log, lambda entry: [altered(entry, kind, part, index)]))
    assert says(report, name), [difference.sentence for difference in report.differences]
    at = [d for d in report.differences if d.subject.event == name]
    assert any(d.place.block == log.block_number for d in at)
    assert len(report.differences) <= 4, [difference.sentence for difference in report.differences]


@pytest.mark.parametrize("name", AUDITED)
async def test_audit__when_an_event_is_dropped__names_it(day: Street, name: str) -> None:
    log = await one_of(day, name)
    report = await audit_with(day, on(log, lambda entry: []))
    assert any(d.subject.event == name and d.kind is Kind.MISSING_EVENT for d in report.differences), [
        difference.sentence for difference in report.differences
    ]


@pytest.mark.parametrize("name", AUDITED)
async def test_audit__when_an_event_comes_twice__names_it(day: Street, name: str) -> None:
    log = await one_of(day, name)
    report = await audit_with(day, on(log, lambda entry: [entry, dict(entry)]))
    assert [(d.kind, d.subject.event) for d in report.differences] == [(Kind.REPEATED_EVENT, name)]


@pytest.mark.slow
@pytest.mark.parametrize("name", AUDITED)
async def test_audit__when_an_event_is_invented__names_it(day: Street, name: str) -> None:
    log = await one_of(day, name)
    report = await audit_with(day, on(log, lambda entry: [entry, {**entry, "logIndex": hex(log.log_index + 5_000)}]))
    assert any(d.subject.event == name and d.kind is Kind.UNEXPECTED_EVENT for d in report.differences), [
        difference.sentence for difference in report.differences
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", AUDITED)
async def test_audit__when_another_contract_is_said_to_have_said_it__names_it(day: Street, name: str) -> None:
    log = await one_of(day, name)
    others = [address for address in day.book.addresses.values() if address != log.contract]
    report = await audit_with(day, on(log, lambda entry: [{**entry, "address": others[0]}]))
    assert says(report, name), [difference.sentence for difference in report.differences]


async def test_audit__when_everything_a_transaction_said_is_hidden__names_what_is_missing(day: Street) -> None:
    log = await one_of(day, "Cleared")
    hidden = "0x" + log.transaction_hash.hex()
    lie = about_logs(lambda logs: [entry for entry in logs if entry["transactionHash"] != hidden])
    report = await audit_with(day, lie)
    missing = [d for d in report.differences if d.kind is Kind.MISSING_EVENT and d.subject.event == "Cleared"]
    assert [d.place.transaction for d in missing] == [hidden]


async def test_audit__when_a_placed_order_is_said_to_be_refused__names_the_refusal(day: Street) -> None:
    log = await one_of(day, "Placed")
    refused = {
        "topics": ["0x" + EVENT_ABIS["OrderRefused"].topic.hex(), *("0x" + topic.hex() for topic in log.topics[1:])],
        "data": "0x" + OrderExpired.selector().hex().ljust(64, "0"),
    }
    report = await audit_with(day, on(log, lambda entry: [{**entry, **refused}]))
    (found,) = report.differences
    assert found.kind is Kind.REFUSAL
    assert (found.expected, found.found) == ("Placed", "OrderRefused(OrderExpired)")


async def test_audit__when_a_refused_order_is_said_to_be_placed__names_the_refusal(day: Street) -> None:
    log, placed = await one_of(day, "OrderRefused"), await one_of(day, "Placed")
    invented = {
        "topics": ["0x" + placed.topics[0].hex(), *("0x" + topic.hex() for topic in log.topics[1:])],
        "data": "0x" + placed.data.hex(),
    }
    report = await audit_with(day, on(log, lambda entry: [{**entry, **invented}]))
    (found,) = report.differences
    assert found.kind is Kind.REFUSAL
    assert (found.expected, found.found) == ("OrderRefused(EnergyTooSmall)", "Placed")


KINDS = {
    ("Cleared", "price"): Kind.PRICE,
    ("Cleared", "volume_wh"): Kind.PRICE,
    ("Settled", "bought_wh"): Kind.FILL,
    ("Settled", "sold_wh"): Kind.FILL,
    ("Settled", "cash"): Kind.CASH,
    ("ReadingRecorded", "reading"): Kind.READING,
    ("Placed", "order"): Kind.ORDER,
    ("Locked", "amount"): Kind.COLLATERAL,
    ("Paid", "from_pot"): Kind.PAYMENT,
    ("Paid", "from_utility"): Kind.PAYMENT,
    ("Paid", "available"): Kind.BALANCE,
    ("Balanced", "to_operator"): Kind.SETTLEMENT,
    ("DebtChanged", "owed"): Kind.DEBT,
    ("DebtPaid", "amount"): Kind.DEBT,
    ("SlotClosed", "residue"): Kind.CLOSE,
    ("Released", "amount"): Kind.RELEASE,
    ("OrderRefused", "reason"): Kind.REFUSAL,
    ("Deposited", "amount"): Kind.DEPOSIT,
    ("Withdrawn", "amount"): Kind.WITHDRAWAL,
    ("DIDAttributeChanged", "valid_to"): Kind.DEVICE,
    ("DIDAttributeChanged", "value"): Kind.DEVICE,
    ("DIDAttributeChanged", "previous_change"): Kind.DEVICE,
    ("DIDOwnerChanged", "owner"): Kind.DEVICE,
    ("DeviceEnrolled", "model"): Kind.DEVICE,
    ("DeviceEnrolled", "batch"): Kind.DEVICE,
    ("DeviceCompromised", "since_block"): Kind.DEVICE,
    ("RotationProposed", "ready_at"): Kind.DEVICE,
    ("RotationVetoed", "key"): Kind.DEVICE,
    ("TransferOffered", "until"): Kind.DEVICE,
    ("BatchRegistered", "size"): Kind.DEVICE,
    ("MeterRegistered", "terms"): Kind.METER,
    ("BondPosted", "amount"): Kind.BOND,
    ("BondLeaving", "redeemable_at"): Kind.BOND,
    ("BondRedeemed", "amount"): Kind.BOND,
    ("RefusalProved", "signature_hash"): Kind.REFUSAL,
    ("Compensated", "amount"): Kind.COMPENSATION,
    ("Compensated", "bond"): Kind.BOND,
    ("AssetStateChanged", "state"): Kind.ASSET,
    ("StreamOpened", "schema_hash"): Kind.STREAM,
    ("EpochBegun", "owner"): Kind.EPOCH,
    ("EpochBegun", "tip"): Kind.EPOCH,
    ("BatchAnchored", "head"): Kind.TELEMETRY,
    ("BatchAnchored", "root"): Kind.TELEMETRY,
    ("BatchAnchored", "body_hash"): Kind.TELEMETRY,
    ("BatchAnchored", "span"): Kind.TELEMETRY,
    ("BodyAnchored", "body"): Kind.BODY,
    ("BatchRefused", "reason"): Kind.REFUSAL,
    ("AccessGranted", "to"): Kind.GRANT,
    ("AccessGranted", "sealed_"): Kind.GRANT,
    ("ModelOpened", "threshold"): Kind.FIRMWARE,
    ("ModelOpened", "keys"): Kind.FIRMWARE,
    ("ReleaseKeysChanged", "keys"): Kind.FIRMWARE,
    ("FirmwareReleased", "commitment"): Kind.FIRMWARE,
    ("ReleaseRevoked", "since_block"): Kind.FIRMWARE,
    ("FloorRaised", "floor"): Kind.FIRMWARE,
    ("RolloutStepped", "share_bp"): Kind.ROLLOUT,
    ("RolloutPaused", "failures"): Kind.ROLLOUT,
    ("InstallTold", "failure_code"): Kind.RECEIPT,
    ("ReceiptRefused", "reason"): Kind.REFUSAL,
}


@pytest.mark.parametrize(("name", "field"), KINDS)
async def test_audit__when_a_fact_is_altered__names_its_kind_and_its_subject(
    day: Street, name: str, field: str
) -> None:
    log = await one_of(day, name)
    event: Any = decode_log(log)
    kind, part, index = next(word[1:] for word in words_of(EVENT_ABIS[name]) if word[0] == field)
    report = await audit_with(day, on(log, lambda entry: [altered(entry, kind, part, index)]))
    (found,) = report.differences
    assert found.kind is KINDS[name, field]
    assert (found.place.block, found.place.log_index) == (log.block_number, log.log_index)
    assert found.subject.field == field
    for member in ("meter", "slot", "market", "account", "device"):
        if hasattr(event, member):
            assert getattr(found.subject, member) == getattr(event, member)
    assert str(found.subject) in found.sentence
    assert found.expected != found.found


async def test_kinds__given_the_event_table__stand_for_fields_that_exist() -> None:
    for name, field in KINDS:
        kind: type[Event] = EVENTS[name]
        assert field in kind.__dataclass_fields__
