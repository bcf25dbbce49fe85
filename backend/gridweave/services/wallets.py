"""Accounts that are contracts: what they say of a signature (ERC-1271), asked as the auction will ask them."""

from __future__ import annotations

from eth_abi.abi import encode

from gridweave.chain.errors import NodeError, Reverted
from gridweave.chain.types import Call
from gridweave.domain.hashing import keccak
from gridweave.services.world import World

__all__ = ["wallet_says"]

_IS_VALID_SIGNATURE = keccak(b"isValidSignature(bytes32,bytes)")[:4]
_WALLET_GAS = 100_000
_TRANSACTION_GAS, _BYTE_GAS, _ZERO_BYTE_GAS = 21_000, 16, 4


async def wallet_says(world: World, account: str, hash_: bytes, signature: bytes) -> bool:
    """Whether the account is a contract that says that the signature is its own."""
    if not await world.node.code(account):
        return False
    data = _IS_VALID_SIGNATURE + encode(["bytes32", "bytes"], [hash_, signature])
    try:
        answer = await world.node.call(Call(account, data, gas=_gas(data)))
    except (Reverted, NodeError):
        return False
    return answer[:4] == _IS_VALID_SIGNATURE


def _gas(data: bytes) -> int:
    """What the contract lets a wallet burn, and what a node takes off before it begins."""
    zeros = data.count(0)
    return _WALLET_GAS + _TRANSACTION_GAS + zeros * _ZERO_BYTE_GAS + (len(data) - zeros) * _BYTE_GAS
