"""The extra data of a QBFT genesis: RLP([32 bytes of vanity, validators, no vote, round 0, no seals])."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import rlp
from rlp.sedes import BigEndianInt, Binary, CountableList, List

from gridweave.domain.addresses import address_bytes, checksum_address

__all__ = ["ExtraData", "decode_extra_data", "encode_extra_data"]

VANITY = bytes(32)

_ADDRESS = Binary.fixed_length(20)
_NOTHING: List = List([])
_SHAPE = List([Binary.fixed_length(32), CountableList(_ADDRESS), _NOTHING, BigEndianInt(), _NOTHING])


@dataclass(frozen=True)
class ExtraData:
    """What a genesis header says about consensus: who validates. Addresses are checksummed, in the order written."""

    vanity: bytes
    validators: tuple[str, ...]
    round: int


def encode_extra_data(validators: Sequence[str]) -> bytes:
    """The genesis' extra data; validators are written in ascending order, as Besu wants them."""
    ordered = sorted(address_bytes(validator) for validator in validators)
    return bytes(rlp.encode([VANITY, ordered, [], 0, []], _SHAPE))


def decode_extra_data(raw: bytes) -> ExtraData:
    """What `encode_extra_data` wrote. Raises rlp.exceptions.RLPException for any other bytes."""
    vanity, validators, _, number, _ = rlp.decode(raw, _SHAPE)
    return ExtraData(vanity, tuple(checksum_address(validator) for validator in validators), number)
