"""What a bundle takes from a node: a release, who approved it, and the proof of how it stands in one block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import rlp
from eth_abi.abi import decode

from gridweave.chain.abi import abi_of
from gridweave.chain.contracts.firmware_registry import FirmwareRegistry
from gridweave.chain.errors import ChainError
from gridweave.chain.hexes import from_hex, to_hex
from gridweave.chain.node import Node
from gridweave.domain.addresses import checksum_address
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import Release
from gridweave.domain.firmware.slots import slots_of
from gridweave.domain.hashing import keccak

__all__ = ["HEADER_FIELDS", "Evidence", "EvidenceMissing", "HandedOver", "evidence_of", "header_rlp", "proof_nodes"]

HEADER_FIELDS = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"),
    *("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce"),
    *("baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash"),
)
"""In the header's order; each fork added some at the end."""

_NUMBERS = {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas"}
Signatures = tuple[tuple[str, bytes], ...]
"""Signers, checksummed, each with what it signed."""


class EvidenceMissing(ChainError):
    """The chain does not hold what a bundle needs, or holds it in another form; the message says what."""


@dataclass(frozen=True)
class HandedOver:
    """The next key set of a model, until when it was to be signed, and who of both sets did."""

    keys: KeySet
    deadline: int
    signatures: Signatures


@dataclass(frozen=True)
class Evidence:
    """`keys` approved the release, `changes` followed; `header` is RLP, `account` and `slots` are Merkle proofs.

    The slots are the model's line, its key set, the release and its rollout.
    """

    release: Release
    signatures: Signatures
    keys: KeySet
    changes: tuple[HandedOver, ...]
    header: bytes
    account: tuple[bytes, ...]
    slots: tuple[tuple[bytes, ...], ...]


async def evidence_of(
    registry: FirmwareRegistry, release: Release, released_in: bytes, changed_in: Sequence[bytes], block: int
) -> Evidence:
    """As the release stands in that block. The two are transactions, those of the key changes oldest first.

    Raises EvidenceMissing, NodeUnavailable, NodeError.
    """
    _, quorum = await _arguments(registry, released_in, "release")
    changes = []
    for transaction in changed_in:
        _, keys, deadline, present = await _arguments(registry, transaction, "changeKeys")
        changes.append(HandedOver(_key_set(keys), deadline, _approvals(present[1])))
    account, slots = await proof_nodes(registry.node, registry.address, release.model, release.counter, block)
    header = header_rlp(await registry.node.request("eth_getBlockByNumber", hex(block), False))
    return Evidence(release, _approvals(quorum[1]), _key_set(quorum[0]), tuple(changes), header, account, slots)


async def proof_nodes(
    node: Node, address: str, model: int, counter: int, block: int
) -> tuple[tuple[bytes, ...], tuple[tuple[bytes, ...], ...]]:
    """The proofs of the registry's account and of a release's four slots (EIP-1186)."""
    slots = [to_hex(slot) for slot in slots_of(model, counter)]
    answer: dict[str, Any] = await node.request("eth_getProof", address, slots, hex(block))
    return _nodes(answer["accountProof"]), tuple(_nodes(slot["proof"]) for slot in answer["storageProof"])


def header_rlp(raw: dict[str, Any]) -> bytes:
    """A block's header as it is hashed, from an eth_getBlockBy* answer.

    Raises EvidenceMissing if it does not hash to the block's hash: networks under QBFT leave parts of extraData out.
    """
    fields = [_field(name, raw[name]) for name in HEADER_FIELDS if raw.get(name) is not None]
    header: bytes = rlp.encode(fields)
    if keccak(header) != from_hex(raw["hash"]):
        raise EvidenceMissing(f"the header of block {int(raw['number'], 16)} does not hash to {raw['hash']}")
    return header


def _field(name: str, value: str) -> bytes:
    if name not in _NUMBERS:
        return from_hex(value)
    number = int(value, 16)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


async def _arguments(registry: FirmwareRegistry, transaction: bytes, name: str) -> tuple[Any, ...]:
    """Of the transaction's call. EvidenceMissing if it called something else, which called the registry."""
    found = await registry.node.transaction(transaction)
    function = abi_of(registry.NAME).functions[name]
    if found is None or found.to != registry.address or found.data[:4] != function.selector:
        told = f"the approvals are not in the call of {to_hex(transaction)}; it went through another contract"
        raise EvidenceMissing(told)
    return tuple(decode(function.inputs, found.data[4:]))


def _nodes(proof: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(from_hex(node) for node in proof)


def _key_set(raw: tuple[int, int, Sequence[str]]) -> KeySet:
    return KeySet(raw[0], raw[1], tuple(checksum_address(member) for member in raw[2]))


def _approvals(raw: Sequence[tuple[str, bytes]]) -> Signatures:
    return tuple((checksum_address(signer), signature) for signer, signature in raw)
