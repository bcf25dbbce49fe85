"""A block's header, and what the chain's state said in that block, by Merkle proofs (EIP-1186).

The tries are walked by py-trie. Beyond that a proof must hold exactly the nodes on its path, in order, so that no
byte of it is idle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import rlp
from rlp.exceptions import DecodingError
from trie import HexaryTrie
from trie.exceptions import BadTrieProof

from gridweave.client.firmware.refusals import HeaderMalformed, ProofInvalid
from gridweave.domain.addresses import address_bytes
from gridweave.domain.hashing import keccak

__all__ = ["Header", "proven_account", "proven_word"]

_STATE_ROOT, _NUMBER, _TIMESTAMP = 3, 8, 11
_LEAST_FIELDS = 15
_ROOT = 32


@dataclass(frozen=True)
class Header:
    """What is read of a block's header: its own hash, the state's root, its number and its time in seconds."""

    hash: bytes
    state_root: bytes
    number: int
    timestamp: int

    @classmethod
    def read(cls, raw: bytes) -> Header:
        """From its RLP, of London or later, whatever a later fork has added behind. Raises HeaderMalformed."""
        try:
            fields = rlp.decode(raw)
        except (DecodingError, TypeError, ValueError, RecursionError) as error:
            raise HeaderMalformed("RLP") from error
        if not isinstance(fields, list) or len(fields) < _LEAST_FIELDS:
            raise HeaderMalformed("fields")
        root = fields[_STATE_ROOT]
        if not isinstance(root, bytes) or len(root) != _ROOT:
            raise HeaderMalformed("state root")
        return cls(keccak(raw), root, _number(fields[_NUMBER], "number"), _number(fields[_TIMESTAMP], "timestamp"))


def proven_account(state_root: bytes, address: str, proof: Sequence[bytes]) -> bytes:
    """The storage root of a contract. Raises ProofInvalid, also if there is none at that address."""
    raw = _proven(state_root, address_bytes(address), proof, "account")
    fields = _decoded(raw, "account")
    if not isinstance(fields, list) or len(fields) != 4 or len(fields[2]) != _ROOT:
        raise ProofInvalid("account")
    return bytes(fields[2])


def proven_word(storage_root: bytes, slot: bytes, proof: Sequence[bytes], part: str) -> int:
    """The word in a slot, 0 if nothing is stored there, which is proved as well. Raises ProofInvalid."""
    raw = _proven(storage_root, slot, proof, part)
    if not raw:
        return 0
    value = _decoded(raw, part)
    if not isinstance(value, bytes) or not 0 < len(value) <= 32 or value[0] == 0:
        raise ProofInvalid(part)
    return int.from_bytes(value, "big")


def _proven(root: bytes, key: bytes, proof: Sequence[bytes], part: str) -> bytes:
    if not proof or keccak(proof[0]) != root:
        raise ProofInvalid(part)
    if any(keccak(below) not in above for above, below in pairwise(proof)):
        raise ProofInvalid(part)
    value = _walked(root, key, proof)
    # the last node is needed: with it each before it is, for they name one another
    if value is None or _walked(root, key, proof[:-1]) is not None:
        raise ProofInvalid(part)
    return value


def _walked(root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes | None:
    try:
        return bytes(HexaryTrie.get_from_proof(root, keccak(key), [rlp.decode(node) for node in proof]))
    except BadTrieProof:
        return None
    except Exception:  # noqa: BLE001 (a node that is no trie's makes py-trie fail as it happens to)
        return None


def _decoded(raw: bytes, part: str) -> Any:
    try:
        return rlp.decode(raw)
    except (DecodingError, TypeError, ValueError) as error:
        raise ProofInvalid(part) from error


def _number(field: Any, part: str) -> int:
    if not isinstance(field, bytes) or len(field) > 8 or field[:1] == b"\0":
        raise HeaderMalformed(part)
    return int.from_bytes(field, "big")
