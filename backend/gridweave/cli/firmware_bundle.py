"""Bundles made from a node: what was released, who approved it, and the proof of how it stands in one block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rlp
from eth_abi.abi import decode

from gridweave.chain import FirmwareRegistry, Node, decode_logs, from_hex, topics_of
from gridweave.chain.abi import abi_of
from gridweave.chain.events import FirmwareReleased, ReleaseKeysChanged
from gridweave.cli.terminal import WrongUse
from gridweave.client import Wallet
from gridweave.client.firmware import BlockWitness, Bundle, KeyChange
from gridweave.client.firmware.bundle import Signatures
from gridweave.client.firmware.slots import slots_of
from gridweave.domain.addresses import checksum_address
from gridweave.domain.eip712 import Domain
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import Release
from gridweave.domain.hashing import keccak

__all__ = ["HEADER_FIELDS", "bundle_of", "header_rlp"]

HEADER_FIELDS = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"),
    *("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce"),
    *("baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash"),
)
"""In the header's order; each fork added some at the end."""

_NUMBERS = {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas"}
Call = tuple[str, tuple[Any, ...]]


async def bundle_of(
    registry: FirmwareRegistry,
    model: int,
    counter: int,
    envelope: bytes,
    *,
    witnesses: Sequence[Wallet] = (),
    more: Signatures = (),
) -> Bundle:
    """The bundle of a release as it stands in the newest block; `more` are approvals given since the keys changed.

    Raises WrongUse if the chain does not hold what a bundle needs, NodeUnavailable, NodeError.
    """
    node, head = registry.node, await registry.node.block_number()
    logs = await node.logs(0, head, [registry.address], topics_of(FirmwareReleased, ReleaseKeysChanged))
    release, signatures, keys = await _released(registry, logs, model, counter)
    changes = await _changes(registry, logs, model)
    keys = changes[-1].keys if changes else keys
    raw = await node.request("eth_getBlockByNumber", hex(head), False)
    header, proof = header_rlp(raw), await _proof(node, registry.address, model, counter, head)
    domain = Domain.of("FirmwareRegistry", await node.chain_id(), registry.address)
    vouched = [(wallet.address, wallet.sign_act(domain, BlockWitness(keccak(header)))) for wallet in witnesses]
    return Bundle(
        envelope=envelope,
        release=release,
        signatures=_ascending([pair for pair in {**dict(signatures), **dict(more)}.items() if pair[0] in keys.members]),
        keys=keys,
        changes=changes,
        header=header,
        witnesses=_ascending(vouched),
        account=_nodes(proof["accountProof"]),
        slots=tuple(_nodes(slot["proof"]) for slot in proof["storageProof"]),
    )


def header_rlp(raw: dict[str, Any]) -> bytes:
    """A block's header as it is hashed, from an eth_getBlockBy* answer.

    Raises WrongUse if it does not hash to the block's hash: networks under QBFT leave parts of extraData out.
    """
    fields = [_field(name, raw[name]) for name in HEADER_FIELDS if raw.get(name) is not None]
    header: bytes = rlp.encode(fields)
    if keccak(header) != from_hex(raw["hash"]):
        raise WrongUse(f"the header of block {int(raw['number'], 16)} does not hash to {raw['hash']}")
    return header


def _field(name: str, value: str) -> bytes:
    if name not in _NUMBERS:
        return from_hex(value)
    number = int(value, 16)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


async def _released(
    registry: FirmwareRegistry, logs: Sequence[Any], model: int, counter: int
) -> tuple[Release, Signatures, KeySet]:
    for event in decode_logs(logs):
        if isinstance(event, FirmwareReleased) and (event.model, event.counter) == (model, counter):
            _, (_, quorum) = await _call_of(registry, event.transaction_hash, "release")
            return event.release, _approvals(quorum[1]), _key_set(quorum[0])
    raise WrongUse(f"model {model} has no release {counter} at {registry.address}")


async def _changes(registry: FirmwareRegistry, logs: Sequence[Any], model: int) -> tuple[KeyChange, ...]:
    changes = []
    for event in decode_logs(logs):
        if isinstance(event, ReleaseKeysChanged) and event.model == model:
            _, (_, keys, deadline, quorum) = await _call_of(registry, event.transaction_hash, "changeKeys")
            changes.append(KeyChange(_key_set(keys), deadline, _approvals(quorum[1])))
    return tuple(changes)


async def _call_of(registry: FirmwareRegistry, transaction: bytes, name: str) -> Call:
    """The arguments of the transaction's call. WrongUse if it called something else, which called the registry."""
    found = await registry.node.transaction(transaction)
    function = abi_of(registry.NAME).functions[name]
    if found is None or found.to != registry.address or found.data[:4] != function.selector:
        raise WrongUse(f"the approvals are not in the call of 0x{transaction.hex()}; it went through another contract")
    return name, decode(function.inputs, found.data[4:])


async def _proof(node: Node, address: str, model: int, counter: int, block: int) -> dict[str, Any]:
    slots = ["0x" + slot.hex() for slot in slots_of(model, counter)]
    answer: dict[str, Any] = await node.request("eth_getProof", address, slots, hex(block))
    return answer


def _nodes(proof: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(from_hex(node) for node in proof)


def _key_set(raw: tuple[int, int, Sequence[str]]) -> KeySet:
    return KeySet(raw[0], raw[1], tuple(checksum_address(member) for member in raw[2]))


def _approvals(raw: Sequence[tuple[str, bytes]]) -> Signatures:
    return tuple((checksum_address(signer), signature) for signer, signature in raw)


def _ascending(pairs: Sequence[tuple[str, bytes]]) -> Signatures:
    return tuple(sorted(pairs, key=lambda pair: int(pair[0], 16)))
