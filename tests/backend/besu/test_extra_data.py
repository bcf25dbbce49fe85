"""The extra data of a QBFT genesis, against the values that Besu's documentation prints."""

from __future__ import annotations

import random

import pytest
from rlp.exceptions import RLPException

from gridweave.besu import decode_extra_data, encode_extra_data
from gridweave.domain.addresses import checksum_address

DOCUMENTED = (
    "f87aa00000000000000000000000000000000000000000000000000000000000000000f854"
    "9464a702e6263b7297a96638cac6ae65e6541f4169"
    "943923390ad55e90c237593b3b0e401f3b08a03185"
    "94aefdb9a738c9f433e5b6b212a6d62f6370c2f692"
    "94c7eeb9a4e00ce683cf93039b212648e01c6c6b78"
    "c080c0"
)
"""Of the example genesis in 'Configure QBFT consensus'."""

DOCUMENTED_WITHOUT_VALIDATORS = "e5a00000000000000000000000000000000000000000000000000000000000000000c0c080c0"


def _addresses(rng: random.Random, count: int) -> list[str]:
    return [checksum_address(rng.randbytes(20)) for _ in range(count)]


def test_decode__the_documented_example__finds_its_four_validators() -> None:
    found = decode_extra_data(bytes.fromhex(DOCUMENTED))
    assert (found.vanity, found.round, len(found.validators)) == (bytes(32), 0, 4)
    assert found.validators[0].lower() == "0x64a702e6263b7297a96638cac6ae65e6541f4169"


def test_encode__the_documented_validators__gives_the_ascending_order_and_the_same_bytes() -> None:
    validators = decode_extra_data(bytes.fromhex(DOCUMENTED)).validators
    ascending = encode_extra_data(list(reversed(validators)))
    found = decode_extra_data(ascending)
    assert list(found.validators) == sorted(validators, key=str.lower)
    head, tail = ascending.hex()[:74], ascending.hex()[-6:]
    assert (head, tail, len(ascending)) == (DOCUMENTED[:74], DOCUMENTED[-6:], len(DOCUMENTED) // 2)
    assert encode_extra_data([]).hex() == DOCUMENTED_WITHOUT_VALIDATORS


@pytest.mark.parametrize("count", [1, 2, 4, 7, 100])
def test_decode__what_was_encoded__gives_the_validators_back(rng: random.Random, count: int) -> None:
    addresses = _addresses(rng, count)
    found = decode_extra_data(encode_extra_data(addresses))
    assert set(found.validators) == set(addresses)
    assert list(found.validators) == sorted(addresses, key=str.lower)


@pytest.mark.parametrize("damage", [b"", b"\xc0", bytes.fromhex(DOCUMENTED)[:-1], bytes.fromhex(DOCUMENTED) + b"\0"])
def test_decode__anything_else__is_refused(damage: bytes) -> None:
    with pytest.raises(RLPException):
        decode_extra_data(damage)
