"""A signature changed in the input of a transaction is found, and named with whose it should have been."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gridweave.audit import AuditReport, Kind, audit
from gridweave.audit.inputs import SIGNATURES, selector_of
from gridweave.chain import Node, from_hex, to_hex
from gridweave.chain.abi import abi_of
from gridweave.chain.types import Transaction

from .lying import about_input, honest, lying_node
from .street import Street

pytestmark = [pytest.mark.chain, pytest.mark.asyncio(loop_scope="session")]

WORD = 32
LENGTH = (65).to_bytes(WORD, "big")

BATCHES = [
    ("place", Kind.ORDER_SIGNATURE),
    ("cancel", Kind.CANCEL_SIGNATURE),
    ("settle", Kind.READING_SIGNATURE),
]
ACTS = [
    ("DeviceRegistry", "enrol", 0, Kind.MAKER_SIGNATURE),
    ("DeviceRegistry", "setStatus", 0, Kind.OPERATOR_SIGNATURE),
    ("DeviceRegistry", "registerBatch", 0, Kind.MAKER_SIGNATURE),
    ("DeviceRegistry", "closeBatch", 0, Kind.OPERATOR_SIGNATURE),
    ("DeviceRegistry", "proposeRotation", 0, Kind.OWNER_SIGNATURE),
    ("DeviceRegistry", "noteCompromise", 0, Kind.OWNER_SIGNATURE),
    ("DeviceRegistry", "offerTransfer", 0, Kind.OWNER_SIGNATURE),
    ("DeviceRegistry", "acceptTransfer", 0, Kind.OWNER_SIGNATURE),
    ("DERRegistry", "registerMeter", 0, Kind.OPERATOR_SIGNATURE),
    ("DERRegistry", "registerMeter", 1, Kind.ACCOUNT_SIGNATURE),
    ("DERRegistry", "registerAsset", 0, Kind.OPERATOR_SIGNATURE),
    ("EnergyAuction", "createMarket", 0, Kind.OPERATOR_SIGNATURE),
    ("EnergyAuction", "createMarket", 1, Kind.UTILITY_SIGNATURE),
    ("EnergyAuction", "changeMarket", 0, Kind.OPERATOR_SIGNATURE),
    ("EnergyAuction", "changeMarket", 1, Kind.UTILITY_SIGNATURE),
    ("EnergyAuction", "setDelegation", 0, Kind.ACCOUNT_SIGNATURE),
    ("DERRegistry", "moveMeter", 0, Kind.OPERATOR_SIGNATURE),
    ("DERRegistry", "moveMeter", 1, Kind.ACCOUNT_SIGNATURE),
    ("DERRegistry", "endMeter", 0, Kind.OPERATOR_SIGNATURE),
    ("Vault", "withdrawBySig", 0, Kind.ACCOUNT_SIGNATURE),
    ("RelayerBond", "post", 0, Kind.ACCOUNT_SIGNATURE),
    ("RelayerBond", "unbond", 0, Kind.ACCOUNT_SIGNATURE),
]

OF_MODULES = {
    "Vault": {"lock", "settle", "collect"},
    "MeterLedger": {"record"},
}
"""Calls that only our own modules make, within transactions that are followed."""


def changed(data: bytes, at: int) -> bytes:
    """The input with one bit of one byte changed."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


async def calls_of(street: Street, contract: str, function: str) -> list[Transaction]:
    """The day's direct calls of a function."""
    wanted = selector_of(contract, function)
    async with lying_node(street.chain.url, honest, street.answers) as node:
        return [t for t in await _transactions(street, node) if t.data[:4] == wanted]


async def _transactions(street: Street, node: Node) -> list[Transaction]:
    last = await node.block_number()
    raws = await node.batch([("eth_getBlockByNumber", [hex(number), True]) for number in range(last + 1)])
    return [Transaction.parse(entry) for raw in raws for entry in raw["transactions"]]


async def audit_with(street: Street, transaction: bytes, change: Callable[[bytes], bytes]) -> AuditReport:
    async with lying_node(street.chain.url, about_input(to_hex(transaction), change), street.answers) as node:
        return await audit(node, street.book)


@pytest.mark.parametrize("function", ["reportState", "reportStates"])
async def test_audit__when_the_signature_of_an_asset_s_state_is_altered__names_the_device(
    day: Street, function: str
) -> None:
    """Of a batch, that of its last report: r is behind the length of 64 or, with its key, of 128 bytes."""
    call = (await calls_of(day, "DERRegistry", function))[0]
    length = 64 if function == "reportState" else 128
    at = call.data.rindex(length.to_bytes(WORD, "big")) + WORD + 3
    report = await audit_with(day, call.hash, lambda data: changed(data, at))
    (found,) = report.differences
    assert (found.kind, found.subject.asset) == (Kind.STATE_SIGNATURE, 1 if function == "reportState" else 2)
    assert found.subject.device is not None


@pytest.mark.parametrize(("function", "kind"), BATCHES)
async def test_audit__when_the_first_signature_of_a_batch_is_altered__names_it(
    day: Street, function: str, kind: Kind
) -> None:
    call = (await calls_of(day, "EnergyAuction", function))[0]
    head = 4 + (4 if function == "settle" else 2) * WORD
    report = await audit_with(day, call.data and call.hash, lambda data: changed(data, head + WORD + 3))
    (found,) = report.differences
    assert found.kind is kind
    assert found.subject.meter is not None
    assert found.place.transaction == to_hex(call.hash)


@pytest.mark.parametrize(
    ("function", "number", "kind", "lines"),
    [
        ("placeSchedule", 0, Kind.ORDER_SIGNATURE, 3),  # the account's own
        ("placeSchedule", 1, Kind.ORDER_SIGNATURE, 1),  # a delegate's, of which one line was beyond the scope
        ("cancelSchedule", 0, Kind.CANCEL_SIGNATURE, 1),  # of which one line was another's
    ],
)
async def test_audit__when_the_signature_of_a_schedule_is_altered__names_every_line_that_was_taken(
    day: Street, function: str, number: int, kind: Kind, lines: int
) -> None:
    call = (await calls_of(day, "EnergyAuction", function))[number]
    signature = 4 + int.from_bytes(call.data[4 + 2 * WORD : 4 + 3 * WORD], "big") + WORD
    report = await audit_with(day, call.hash, lambda data: changed(data, signature + 3))
    assert [found.kind for found in report.differences] == [kind] * lines
    assert all(found.place.transaction == to_hex(call.hash) for found in report.differences)


async def test_audit__when_a_line_of_a_schedule_is_altered__finds_it(day: Street) -> None:
    call = (await calls_of(day, "EnergyAuction", "placeSchedule"))[0]
    energy = 4 + int.from_bytes(call.data[4 + WORD : 4 + 2 * WORD], "big") + WORD + 23
    report = await audit_with(day, call.hash, lambda data: changed(data, energy))
    kinds = {found.kind for found in report.differences}
    assert Kind.ORDER_SIGNATURE in kinds
    assert kinds & {Kind.ORDER, Kind.MISSING_EVENT}


async def test_audit__when_a_delegation_is_narrowed__finds_what_the_delegate_said(day: Street) -> None:
    call = (await calls_of(day, "EnergyAuction", "setDelegation"))[1]
    delegation = 4 + int.from_bytes(call.data[4 : 4 + WORD], "big")
    most = delegation + 5 * WORD - 1  # the last byte of maxEnergyWh, 500: 501 would still hold, 496 does not
    report = await audit_with(day, call.hash, lambda data: data[:most] + b"\xf0" + data[most + 1 :])
    kinds = {found.kind for found in report.differences}
    assert {Kind.ACCOUNT_SIGNATURE, Kind.ORDER_SIGNATURE} <= kinds


async def test_audit__when_a_p256_reading_signature_is_altered__names_the_device(day: Street) -> None:
    home = day.homes[1]
    for call in await calls_of(day, "EnergyAuction", "settle"):
        items = [call.data[at : at + 3 * WORD] for at in range(4 + 4 * WORD, len(call.data), 3 * WORD)]
        at = next((i for i, item in enumerate(items) if int.from_bytes(item[:4], "big") == home.meter), None)
        if at is None:
            continue
        place = 4 + 4 * WORD + at * 3 * WORD + WORD + 3
        report = await audit_with(day, call.hash, lambda data, place=place: changed(data, place))
        (found,) = report.differences
        assert (found.kind, found.subject.device) == (Kind.READING_SIGNATURE, home.device)
        return
    raise AssertionError("home 2 has no reading")


@pytest.mark.parametrize(("contract", "function", "number", "kind"), ACTS)
async def test_audit__when_the_signature_of_an_act_is_altered__names_its_kind(
    day: Street, contract: str, function: str, number: int, kind: Kind
) -> None:
    call = (await calls_of(day, contract, function))[-1 if function == "setStatus" else 0]
    places = [at for at in range(4, len(call.data), WORD) if call.data[at : at + WORD] == LENGTH]
    report = await audit_with(day, call.hash, lambda data: changed(data, places[number] + WORD + 3))
    assert [found.kind for found in report.differences] == [kind]
    assert report.differences[0].place.transaction == to_hex(call.hash)


async def test_audit__when_an_owner_s_signature_is_altered__names_the_owner(day: Street) -> None:
    call = (await calls_of(day, "DeviceRegistry", "setStatus"))[0]
    place = call.data.index(LENGTH, 4) + WORD + 3
    report = await audit_with(day, call.hash, lambda data: changed(data, place))
    (found,) = report.differences
    assert (found.kind, found.expected) == (Kind.OWNER_SIGNATURE, day.homes[3].party.address)


@pytest.mark.parametrize(("function", "promise"), [("claim", 1), ("claimLine", 3)])
@pytest.mark.parametrize("word", [2, 3, 4], ids=["signatureHash", "commitBefore", "r"])
async def test_audit__when_an_acknowledgement_is_altered__names_the_relayer(
    day: Street, function: str, promise: int, word: int
) -> None:
    call = (await calls_of(day, "RelayerBond", function))[0]
    last_byte = 4 + (promise + word + 1) * WORD - 1
    report = await audit_with(day, call.hash, lambda data: changed(data, last_byte))
    named = [found for found in report.differences if found.kind is Kind.RELAYER_SIGNATURE]
    assert [found.expected for found in named] == [day.relayer.address]
    assert named[0].place.transaction == to_hex(call.hash)


async def test_audit__when_the_sponsor_of_an_acknowledgement_is_altered__finds_who_never_had_a_bond(
    day: Street,
) -> None:
    call = (await calls_of(day, "RelayerBond", "claim"))[0]
    report = await audit_with(day, call.hash, lambda data: changed(data, 4 + 3 * WORD - 1))
    kinds = {found.kind for found in report.differences}
    assert {Kind.RELAYER_SIGNATURE, Kind.RULE} <= kinds


async def test_audit__when_another_line_of_a_schedule_is_claimed__finds_it(day: Street) -> None:
    call = (await calls_of(day, "RelayerBond", "claimLine"))[0]
    report = await audit_with(day, call.hash, lambda data: changed(data, 4 + 3 * WORD - 1))
    named = [found for found in report.differences if found.subject.event == "Compensated"]
    assert named
    assert all(found.place.transaction == to_hex(call.hash) for found in named)


@pytest.mark.parametrize(("number", "kinds"), [(0, {Kind.REFUSAL, Kind.MISSING_EVENT}), (2, {Kind.ORDER_SIGNATURE})])
async def test_audit__when_the_signature_of_a_proof_of_refusal_is_altered__finds_it(
    day: Street, number: int, kinds: set[Kind]
) -> None:
    """The first was noted under the signature's hash, and so was no news the second time; the third was placed."""
    call = (await calls_of(day, "RelayerBond", "proveRefusal"))[number]
    report = await audit_with(day, call.hash, lambda data: changed(data, 4 + WORD + 3))
    assert {found.kind for found in report.differences if found.kind is not Kind.STORAGE} == kinds


async def test_audit__when_an_order_of_a_batch_is_swapped__names_both(day: Street) -> None:
    call = (await calls_of(day, "EnergyAuction", "place"))[0]
    energy = 4 + 2 * WORD + 23
    report = await audit_with(day, call.hash, lambda data: changed(data, energy))
    kinds = {(found.kind, found.subject.event) for found in report.differences}
    assert (Kind.ORDER, "Placed") in kinds or (Kind.MISSING_EVENT, "Placed") in kinds
    assert all(found.place.block is not None for found in report.differences)


async def test_calls__given_every_function_that_changes_something__are_followed() -> None:
    for contract, followed in SIGNATURES.items():
        names = {signature.partition("(")[0] for signature in followed}
        writes = set()
        for entry in abi_of_entries(contract):
            if entry["type"] == "function" and entry["stateMutability"] == "nonpayable":
                writes.add(entry["name"])
        assert writes - OF_MODULES.get(contract, set()) - {"setAuthority"} == names, contract
        for signature in followed:
            name = signature.partition("(")[0]
            assert abi_of(contract).selector(name) == selector_of(contract, name), signature
    assert from_hex("0x") == b""


def abi_of_entries(contract: str) -> tuple[dict[str, object], ...]:
    from gridweave import artifacts

    return artifacts.load(contract).abi
