"""What a node answers, as typed records. Hashes are 32 bytes, addresses EIP-55 text, times chain time in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from gridweave.chain.hexes import from_hex, int_of, quantity, to_hex
from gridweave.domain.addresses import checksum_address

__all__ = ["Block", "Call", "Log", "Receipt", "Transaction", "block_tag"]


@dataclass(frozen=True)
class Call:
    """A call that nobody has sent: `to` None creates a contract. `gas` None: not yet estimated. `value` in wei."""

    to: str | None
    data: bytes
    value: int = 0
    gas: int | None = None

    def with_gas(self, gas: int) -> Call:
        """The same call with an explicit gas limit."""
        return replace(self, gas=gas)

    def rpc(self, sender: str | None = None) -> dict[str, str]:
        """The call object of eth_call and eth_estimateGas."""
        fields = {"data": to_hex(self.data), "value": quantity(self.value)}
        if self.to is not None:
            fields["to"] = self.to
        if sender is not None:
            fields["from"] = sender
        if self.gas is not None:
            fields["gas"] = quantity(self.gas)
        return fields


@dataclass(frozen=True, slots=True)
class Block:
    """A block's header and the hashes of its transactions. `base_fee` is None where the network has none."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    state_root: bytes
    gas_limit: int
    gas_used: int
    base_fee: int | None
    transactions: tuple[bytes, ...]

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Block:
        """The block of an eth_getBlockBy* answer without full transactions."""
        return cls(
            number=int_of(raw["number"]),
            hash=from_hex(raw["hash"]),
            parent_hash=from_hex(raw["parentHash"]),
            timestamp=int_of(raw["timestamp"]),
            state_root=from_hex(raw["stateRoot"]),
            gas_limit=int_of(raw["gasLimit"]),
            gas_used=int_of(raw["gasUsed"]),
            base_fee=int_of(raw["baseFeePerGas"]) if raw.get("baseFeePerGas") is not None else None,
            transactions=tuple(from_hex(hash_) for hash_ in raw["transactions"]),
        )


class Log(NamedTuple):
    """One raw event of a mined transaction."""

    contract: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    transaction_index: int
    log_index: int

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Log:
        """The log of an eth_getLogs or receipt entry."""
        return cls(
            checksum_address(raw["address"]),
            tuple(map(_bytes, raw["topics"])),
            bytes.fromhex(raw["data"][2:]),
            int(raw["blockNumber"], 16),
            _bytes(raw["blockHash"]),
            _bytes(raw["transactionHash"]),
            int(raw["transactionIndex"], 16),
            int(raw["logIndex"], 16),
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a mined transaction. `fee` is in wei; `created` is the address of a created contract."""

    transaction_hash: bytes
    block_number: int
    block_hash: bytes
    transaction_index: int
    succeeded: bool
    sender: str
    to: str | None
    created: str | None
    gas_used: int
    gas_price: int
    logs: tuple[Log, ...]

    @property
    def fee(self) -> int:
        return self.gas_used * self.gas_price

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Receipt:
        """The receipt of an eth_getTransactionReceipt answer."""
        return cls(
            transaction_hash=from_hex(raw["transactionHash"]),
            block_number=int_of(raw["blockNumber"]),
            block_hash=from_hex(raw["blockHash"]),
            transaction_index=int_of(raw["transactionIndex"]),
            succeeded=int_of(raw["status"]) == 1,
            sender=checksum_address(raw["from"]),
            to=_address_or_none(raw.get("to")),
            created=_address_or_none(raw.get("contractAddress")),
            gas_used=int_of(raw["gasUsed"]),
            gas_price=int_of(raw.get("effectiveGasPrice") or 0),
            logs=tuple(Log.parse(entry) for entry in raw["logs"]),
        )


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction that the node knows; `block_number` and `block_hash` are None while it waits.

    Fees in wei per gas as it was signed, `priority_fee` None where it names one gas price.
    """

    hash: bytes
    sender: str
    to: str | None
    nonce: int
    gas: int
    value: int
    data: bytes
    most_fee: int
    priority_fee: int | None
    block_number: int | None
    block_hash: bytes | None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Transaction:
        """The transaction of an eth_getTransactionByHash answer."""
        mined = raw.get("blockNumber") is not None
        return cls(
            hash=from_hex(raw["hash"]),
            sender=checksum_address(raw["from"]),
            to=_address_or_none(raw.get("to")),
            nonce=int_of(raw["nonce"]),
            gas=int_of(raw["gas"]),
            value=int_of(raw["value"]),
            data=from_hex(raw["input"]),
            most_fee=int_of(raw.get("maxFeePerGas") or raw["gasPrice"]),
            priority_fee=int_of(raw["maxPriorityFeePerGas"]) if raw.get("maxPriorityFeePerGas") else None,
            block_number=int_of(raw["blockNumber"]) if mined else None,
            block_hash=from_hex(raw["blockHash"]) if mined else None,
        )


def block_tag(block: int | None) -> str:
    """A block number as a JSON-RPC tag; None is `latest`. There is no `pending` here."""
    return "latest" if block is None else quantity(block)


@lru_cache(maxsize=1_024)
def _bytes(text: str) -> bytes:
    """Of a hash: the logs of a block share most of theirs."""
    return bytes.fromhex(text[2:])


def _address_or_none(raw: str | None) -> str | None:
    return checksum_address(raw) if raw else None
