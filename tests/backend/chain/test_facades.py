"""Facades: typed answers, unsent calls, nothing of an interface left out."""

from __future__ import annotations

from dataclasses import astuple

import pytest
from eth_abi import decode, encode

from gridweave import artifacts
from gridweave.chain import (
    Act,
    Authority,
    Balance,
    Contract,
    DERRegistry,
    DeviceRegistry,
    EnergyAuction,
    LocalCurrency,
    MeterLedger,
    NotThatContract,
    SlotClearing,
    SlotState,
    Vault,
    signed_words,
)
from gridweave.chain.abi import abi_of, snake_case
from gridweave.chain.contracts.base import Contract as Base
from gridweave.domain.acts import (
    AssetKind,
    AssetRegistration,
    DeviceStatus,
    Endorsement,
    KeyKind,
    MeterRegistration,
)
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.meters import Meter, MeterBinding
from gridweave.domain.orders import Order, Side
from gridweave.domain.readings import Reading
from tests.backend.chain.simulated import SimulatedNode
from tests.support.market_terms import make_terms

HERE = "0x" + "11" * 20
HOME, UTILITY = "0x" + "22" * 20, "0x" + "33" * 20
ACT = Act(HOME, 4, 5, b"\6" * 65)
FACADES = {kind.NAME: kind for kind in Base.__subclasses__()}
MODULES_ONLY = {
    ("Vault", "lock"),
    ("Vault", "settle"),
    ("Vault", "collect"),
    ("MeterLedger", "record"),
    ("MeterLedger", "wordsOf"),
}


def _answering(facade, function, *values, blocks=None):
    """The facade over a node that answers `function` with `values`."""

    def answer(call, tag):
        if blocks is not None:
            blocks.append(tag)
        known = facade.abi().functions[function]
        assert call["data"].startswith("0x" + known.selector.hex())
        return "0x" + encode(known.outputs, values).hex()

    return facade(SimulatedNode({"eth_call": answer}).node(), HERE)


def _arguments(facade: type[Contract], call):
    known = next(f for f in facade.abi().functions.values() if f.selector == call.data[:4])
    return known.name, decode(known.inputs, call.data[4:])


def test_facades__given_the_deployables__are_one_each():
    assert set(FACADES) == set(artifacts.deployables())


@pytest.mark.parametrize(
    ("name", "interface"),
    [
        ("Vault", "IVault"),
        ("DeviceRegistry", "IDeviceRegistry"),
        ("DeviceRegistry", "IERC1056"),
        ("DERRegistry", "IDERRegistry"),
        ("MeterLedger", "IMeterLedger"),
        ("EnergyAuction", "IEnergyAuction"),
        ("TelemetryAnchor", "ITelemetryAnchor"),
        ("FirmwareRegistry", "IFirmwareRegistry"),
    ],
)
def test_facades__given_an_interface__leave_no_function_out(name, interface):
    functions = {e["name"] for e in artifacts.load(interface).abi if e["type"] == "function"}
    missing = {f for f in functions if not hasattr(FACADES[name], snake_case(f)) and (name, f) not in MODULES_ONLY}
    assert missing == set()


async def test_reads__given_a_block__are_pinned_to_it():
    blocks = []
    vault = _answering(Vault, "accountOf", 7, 2, 1, blocks=blocks)
    assert await vault.account_of(HOME, block=16) == Balance(available=7, held=2, arrear=1)
    assert blocks == ["0x10"]


async def test_reads__given_an_address_without_code__say_so():
    vault = Vault(SimulatedNode({"eth_call": lambda call, tag: "0x"}).node(), HERE)
    with pytest.raises(NotThatContract, match=r"Vault\.potOf"):
        await vault.pot_of(HOME)


@pytest.mark.parametrize(("balance", "expected"), [(Balance(7, 2, 1), 4), (Balance(2, 2, 1), 0)])
def test_withdrawable__given_a_balance__is_never_negative(balance, expected):
    assert balance.withdrawable == expected


async def test_terms_of__given_terms__are_the_domains():
    terms = make_terms(utility=UTILITY, operator=HOME)
    auction = _answering(EnergyAuction, "termsOf", astuple(terms))
    assert await auction.terms_of(1, 2) == terms


async def test_clearing_of__given_a_struct__keeps_its_fields():
    values = (True, False, True, 1, 2, 3, 4, 5, 6, 7)
    assert await _answering(EnergyAuction, "clearingOf", values).clearing_of(1, 2) == SlotClearing(*values)


async def test_slot_state_of__given_a_struct__keeps_its_fields():
    assert await _answering(EnergyAuction, "slotStateOf", (1, 2, 3, 4, 5)).slot_state_of(1, 2) == SlotState(
        1, 2, 3, 4, 5
    )


async def test_position_of__given_no_order__is_none():
    assert await _answering(EnergyAuction, "positionOf", (0, 0, 0, 0, 0, False, False)).position_of(1, 2) is None


async def test_position_of__given_an_order__says_its_side():
    auction = _answering(EnergyAuction, "positionOf", (2, 1, 9, 500, 200, False, True))
    position = await auction.position_of(1, 2)
    assert (position.side, position.energy_wh, position.filled_wh) == (Side.ASK, 500, 200)
    assert position.settled_by_default
    assert not position.released


async def test_device_of__given_an_unknown_device__is_none():
    nobody, nothing = "0x" + "00" * 20, (bytes(32), bytes(32))
    values = (nobody, nobody, 0, 0, 0, 0, 0, 0, 0, 0, nobody, nothing)
    assert await _answering(DeviceRegistry, "deviceOf", values).device_of(HOME) is None


async def test_device_of__given_a_device__has_its_domain_words():
    kept = (b"\1" * 32, b"\2" * 32)
    values = (HOME, UTILITY, 7, 2, 2, 3, 5, 90, 99, 0, HOME, kept)
    device = await _answering(DeviceRegistry, "deviceOf", values).device_of(HERE)
    assert (device.status, device.key_kind) == (DeviceStatus.SUSPENDED, KeyKind.P256)
    assert (device.device, device.owner, device.maker, device.key) == (HERE, HOME, UTILITY, HOME)
    assert (device.model, device.key_version, device.nonce) == (7, 3, 5)
    assert (device.enrolled_at, device.status_since, device.compromised_since) == (90, 99, 0)
    assert device.kept == DevicePublicKey(KeyKind.P256, *kept)


async def test_device_of__given_a_key_that_is_not_kept__has_none():
    values = (HOME, UTILITY, 7, 1, 2, 1, 0, 90, 90, 17, HOME, (bytes(32), bytes(32)))
    device = await _answering(DeviceRegistry, "deviceOf", values).device_of(HERE)
    assert (device.kept, device.compromised_since) == (None, 17)


@pytest.mark.parametrize(
    ("function", "ask", "nothing"),
    [
        ("batchOf", lambda registry: registry.batch_of(bytes(32)), ("0x" + "00" * 20, 0, False)),
        ("proposalOf", lambda registry: registry.proposal_of(HOME), ("0x" + "00" * 20, 0, 0)),
        ("offerOf", lambda registry: registry.offer_of(HOME), ("0x" + "00" * 20, 99)),
    ],
)
async def test_device_registry__asked_for_what_is_not_there__answers_none(function, ask, nothing):
    assert await ask(_answering(DeviceRegistry, function, *nothing)) is None


async def test_device_registry__asked_for_what_is_there__answers_with_domain_words():
    batch = await _answering(DeviceRegistry, "batchOf", UTILITY, 7, True).batch_of(bytes(32))
    assert (batch.maker, batch.model, batch.is_closed) == (UTILITY, 7, True)
    proposal = await _answering(DeviceRegistry, "proposalOf", HOME, 2, 99).proposal_of(HERE)
    assert (proposal.key, proposal.key_kind, proposal.ready_at) == (HOME, KeyKind.P256, 99)
    offer = await _answering(DeviceRegistry, "offerOf", HOME, 99).offer_of(HERE)
    assert (offer.to, offer.until) == (HOME, 99)


async def test_metering_of__given_one_meter_and_one_gap__unpacks_words():
    meter = Meter(HOME, 1, 11_000, 5_000, 10, mandate=True, bounded=False)
    binding = MeterBinding(UTILITY, 3, 0, 1_800_000_000)
    words = [int.from_bytes(meter.pack()), 0], [int.from_bytes(binding.pack()), 0]
    assert await _answering(DERRegistry, "meteringOf", *words).metering_of([1, 2]) == [(meter, binding), None]


async def test_reading_of__given_none__is_none():
    assert await _answering(MeterLedger, "readingOf", 0, 0, 0).reading_of(1, 2) is None


async def test_reading_of__given_one__is_the_domains():
    assert await _answering(MeterLedger, "readingOf", 2, 30, 0).reading_of(1, 5) == Reading(1, 5, 2, 30, 0)


def test_place__given_orders__carries_words_and_signature_halves():
    order = Order(1, 2, 3, 1, 900, Side.BID, 500, 210_000)
    call = EnergyAuction(None, HERE).place(signed_words([(order, b"\1" * 32 + b"\2" * 32)]))
    assert call.to == HERE
    assert _arguments(EnergyAuction, call) == ("place", (((order.pack(), b"\1" * 32, b"\2" * 32),),))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_settle__given_readings__is_what_the_general_encoder_makes(rng, count):
    words = [tuple(rng.randbytes(32) for _ in range(3)) for _ in range(count)]
    auction = EnergyAuction(None, HERE)
    assert auction.settle(5, 77, words) == auction.call("settle", 5, 77, words)
    assert auction.place(words) == auction.call("place", words)


def test_place__given_a_short_word__refuses():
    with pytest.raises(ValueError, match="three words"):
        EnergyAuction(None, HERE).place([(bytes(32), bytes(32), bytes(31))])


def test_signed_words__given_a_long_signature__refuses():
    with pytest.raises(ValueError, match="64 bytes"):
        signed_words([(Reading(1, 2, 1, 0, 0), bytes(65))])


def test_deposit_with_permit__given_v_of_zero__sends_27():
    call = Vault(None, HERE).deposit_with_permit(HOME, 10, 99, b"\1" * 32 + b"\2" * 32 + b"\0")
    assert _arguments(Vault, call) == ("depositWithPermit", (HOME, 10, 99, 27, b"\1" * 32, b"\2" * 32))


def test_enrol__given_an_endorsement__carries_its_fields():
    endorsement = Endorsement(HERE, UTILITY, HOME, 7, KeyKind.P256, b"\1" * 32, b"\2" * 32, 8, 9)
    call = DeviceRegistry(None, HERE).enrol(endorsement, b"\5" * 65, b"\3" * 32 + b"\4" * 32)
    name, (enrolment, maker, possession) = _arguments(DeviceRegistry, call)
    assert name == "enrol"
    assert enrolment == (HERE, HOME, 7, 2, b"\1" * 32, b"\2" * 32)
    assert maker == (UTILITY, 8, 9, b"\5" * 65)
    assert possession == (b"\3" * 32, b"\4" * 32)


def test_register_meter__without_a_mandate__sends_an_empty_act():
    registration = MeterRegistration(HERE, 1, HOME, 11_000, 5_000, 1, False, 4, 5)
    call = DERRegistry(None, HERE).register_meter(registration, ACT)
    name, (fields, operator, mandate) = _arguments(DERRegistry, call)
    assert name == "registerMeter"
    assert fields == (HERE, 1, HOME, 11_000, 5_000, 1, False)
    assert operator == ACT.abi()
    assert mandate == ("0x" + "00" * 20, 0, 0, b"")


def test_register_asset__given_a_registration__carries_its_fields():
    registration = AssetRegistration(7, AssetKind.BATTERY, 5_000, 10_000, 12, 4, 5)
    _, (fields, _) = _arguments(DERRegistry, DERRegistry(None, HERE).register_asset(registration, ACT))
    assert fields == (7, 3, 5_000, 10_000, 12)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (EnergyAuction(None, HERE).clear(1, 2), "clear"),
        (EnergyAuction(None, HERE).settle_by_default(1, 2, [3]), "settleByDefault"),
        (EnergyAuction(None, HERE).release(1, 2, [3]), "release"),
        (EnergyAuction(None, HERE).collect(1, HOME), "collect"),
        (Vault(None, HERE).deposit(HOME, 1), "deposit"),
        (Vault(None, HERE).withdraw(HOME, 1), "withdraw"),
        (Vault(None, HERE).withdraw_by_sig(HOME, 1, ACT), "withdrawBySig"),
        (Vault(None, HERE).skim(HOME), "skim"),
        (LocalCurrency(None, HERE).mint(HOME, 1), "mint"),
        (LocalCurrency(None, HERE).approve(HOME, 1), "approve"),
        (LocalCurrency(None, HERE).transfer(HOME, 1), "transfer"),
        (LocalCurrency(None, HERE).permit(HOME, UTILITY, 1, 2, bytes(65)), "permit"),
        (DeviceRegistry(None, HERE).set_status(HOME, DeviceStatus.REVOKED, ACT), "setStatus"),
        (Authority(None, HERE).set_closed(HOME, closed=True), "setTargetClosed"),
        (Authority(None, HERE).revoke_role(2, HOME), "revokeRole"),
    ],
)
def test_writes__given_arguments__are_unsent_calls_of_the_function(call, name):
    facade = next(kind for kind in FACADES.values() if name in kind.abi().functions and call.to == HERE)
    assert call.data[:4] == facade.selector(name)
    assert (call.value, call.gas) == (0, None)


def test_prove_schedule_refusal__takes_what_the_auction_takes() -> None:
    """The service makes the one call out of the other's input."""
    proving, placing = abi_of("RelayerBond").functions, abi_of("EnergyAuction").functions
    assert proving["proveScheduleRefusal"].inputs == placing["placeSchedule"].inputs
