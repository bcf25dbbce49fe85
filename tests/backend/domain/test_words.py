"""Packed words: what goes in comes out, at the bits that contracts/types reads."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from eth_utils.address import to_checksum_address

from gridweave.domain.errors import FieldOutOfRange, SideNotAllowed, WordMalformed
from gridweave.domain.meters import Meter, MeterBinding
from gridweave.domain.orders import Cancel, Order, Side, position_reference, unpack_reference
from gridweave.domain.readings import Reading
from gridweave.domain.slots import SlotClock

ROOT = Path(__file__).resolve().parents[3]
RNG = random.Random(256)
ORDERS = [
    Order(
        RNG.getrandbits(32),
        RNG.getrandbits(32),
        RNG.getrandbits(32),
        RNG.getrandbits(16),
        RNG.getrandbits(40),
        RNG.choice([Side.BID, Side.ASK]),
        RNG.getrandbits(32),
        RNG.getrandbits(64),
    )
    for _ in range(20)
]
READINGS = [
    Reading(RNG.getrandbits(32), RNG.getrandbits(32), RNG.randrange(4), RNG.getrandbits(32), RNG.getrandbits(32))
    for _ in range(20)
]


def solidity_shifts(file: str, word: str) -> dict[str, tuple[int, int]]:
    """field -> (shift, bits) as the accessors of a types file read it."""
    source = (ROOT / "contracts" / "types" / file).read_text()
    found = re.findall(
        rf"function (\w+)\({word} \w+\) pure returns \(\w+\) \{{\s*return (?:address\()?uint(\d+)\(.*?"
        rf"{word}\.unwrap\(\w+\)\)?(?: >> (\d+))?\)",
        source,
    )
    return {name: (int(shift or 0), int(bits)) for name, bits, shift in found}


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@pytest.mark.parametrize("order", ORDERS)
def test_pack__of_an_order__is_read_back_by_solidity_shifts(order: Order) -> None:
    word = int.from_bytes(order.pack(), "big")
    shifts = solidity_shifts("Order.sol", "Order")
    assert len(shifts) == 8
    for name, (shift, bits) in shifts.items():
        assert word >> shift & ((1 << bits) - 1) == getattr(order, snake(name))
    assert Order.unpack(order.pack()) == order


@pytest.mark.parametrize("order", ORDERS)
def test_pack__of_a_cancel__is_the_orders_upper_bits(order: Order) -> None:
    cancel = Cancel(order.market, order.slot, order.meter, order.version, order.deadline)
    assert cancel.pack() == order.pack()[:19] + bytes(13)
    assert Cancel.unpack(cancel.pack()) == cancel


@pytest.mark.parametrize("order", ORDERS)
def test_position__of_an_order__is_market_slot_meter_version(order: Order) -> None:
    assert order.position() == order.pack()[:14] + bytes(18)
    key = (order.market, order.slot, order.meter, order.version)
    assert position_reference(*key) == order.position()
    assert unpack_reference(order.position()) == key


@pytest.mark.parametrize("reading", READINGS)
def test_pack__of_a_reading__is_read_back_by_solidity_shifts(reading: Reading) -> None:
    word = int.from_bytes(reading.pack(), "big")
    shifts = solidity_shifts("Reading.sol", "Reading")
    assert len(shifts) == 5
    for name, (shift, bits) in shifts.items():
        assert word >> shift & ((1 << bits) - 1) == getattr(reading, snake(name))
    assert Reading.unpack(reading.pack()) == reading


@pytest.mark.parametrize("scale", [1, 10, 100])
@pytest.mark.parametrize("mandate", [False, True])
@pytest.mark.parametrize("bounded", [False, True])
def test_pack__of_a_meter__is_read_back_by_solidity_shifts(scale: int, mandate: bool, bounded: bool) -> None:
    account = to_checksum_address(RNG.randbytes(20))
    meter = Meter(account, RNG.getrandbits(32), RNG.getrandbits(24), RNG.getrandbits(24), scale, mandate, bounded)
    word = int.from_bytes(meter.pack(), "big")
    for name, (shift, bits) in solidity_shifts("Meter.sol", "Meter").items():
        value = word >> shift & ((1 << bits) - 1)
        expected = getattr(meter, snake(name))
        assert value == (int(expected, 16) if name == "account" else expected)
    assert (10 ** (word >> 14 & 3), word >> 13 & 1, word >> 12 & 1) == (scale, mandate, bounded)
    assert Meter.unpack(meter.pack()) == meter


def test_pack__of_a_binding__is_read_back_by_solidity_shifts() -> None:
    binding = MeterBinding(to_checksum_address(RNG.randbytes(20)), 7, 9, 1_800_000_001)
    word = int.from_bytes(binding.pack(), "big")
    fields = word >> 96, word >> 64 & 0xFFFFFFFF, word >> 32 & 0xFFFFFFFF, word & 0xFFFFFFFF
    assert fields == (int(binding.device, 16), 7, 9, 1_800_000_001)
    assert MeterBinding.unpack(binding.pack()) == binding
    assert [binding.within_bounds(slot) for slot in (6, 7, 8, 9)] == [False, True, True, False]


def test_within_bounds__without_an_end__stays() -> None:
    assert MeterBinding("0x" + "11" * 20, 7, 0, 0).within_bounds(10**6)


def test_was_there__given_the_second_of_registration__asks_when_the_slot_began() -> None:
    clock = SlotClock(900)
    binding = MeterBinding("0x" + "11" * 20, 0, 0, clock.start(7))
    assert [binding.was_there(slot, clock) for slot in (6, 7)] == [False, True]
    late = MeterBinding("0x" + "11" * 20, 0, 0, clock.start(7) + 1)
    assert [late.was_there(slot, clock) for slot in (7, 8)] == [False, True]


def test_unpack__with_bits_where_zero_belongs__is_refused() -> None:
    with pytest.raises(WordMalformed):
        Cancel.unpack(ORDERS[0].pack()[:19] + bytes(12) + b"\x01")
    with pytest.raises(WordMalformed):
        Reading.unpack(b"\xff" * 32)
    with pytest.raises(WordMalformed):
        Order.unpack(ORDERS[0].pack()[:31])
    with pytest.raises(WordMalformed):
        unpack_reference(ORDERS[0].pack())


def test_unpack__of_a_third_side__is_refused() -> None:
    word = bytearray(ORDERS[0].pack())
    word[19] = 3
    with pytest.raises(SideNotAllowed):
        Order.unpack(bytes(word))


def test_pack__given_too_large_a_field__names_it() -> None:
    with pytest.raises(FieldOutOfRange, match="importWh"):
        Reading(1, 1, 1, 1 << 32, 0).pack()
    with pytest.raises(FieldOutOfRange, match="scaleWh"):
        Meter("0x" + "11" * 20, 1, 1, 1, 5, False, False).pack()


def test_most_import_wh__of_a_quarter_hour__is_a_quarter_of_the_capacity() -> None:
    meter = Meter("0x" + "11" * 20, 1, 11_001, 4_003, 1, True, False)
    assert (meter.most_import_wh(900), meter.most_export_wh(900)) == (2_750, 1_000)
