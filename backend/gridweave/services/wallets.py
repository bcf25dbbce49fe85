"""Accounts that are contracts: what they say of a signature (ERC-1271), asked as the auction will ask them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from eth_abi.abi import encode

from gridweave.chain.errors import ChainError, NodeError, NodeUnavailable
from gridweave.chain.types import Call
from gridweave.domain.hashing import keccak
from gridweave.services.world import World

__all__ = ["Question", "approved"]

_IS_VALID_SIGNATURE = keccak(b"isValidSignature(bytes32,bytes)")[:4]
_WALLET_GAS = 100_000
_TRANSACTION_GAS, _BYTE_GAS, _ZERO_BYTE_GAS = 21_000, 16, 4


class Question(NamedTuple):
    """Whether `signature` of `digest` is the account's own."""

    account: str
    digest: bytes
    signature: bytes


async def approved(world: World, questions: Sequence[Question]) -> list[bool]:
    """Whether each account is a contract that says yes; two round trips, however many they are.

    Raises NodeUnavailable, and NodeError where the node will not hear of it now.
    """
    accounts = sorted({question.account for question in questions})
    codes = await world.node.codes(accounts) if accounts else []
    wallets = {account for account, code in zip(accounts, codes, strict=True) if code}
    calls = [_call(question) for question in questions if question.account in wallets]
    answers = iter(await world.node.calls(calls) if calls else [])
    return [question.account in wallets and _is_yes(next(answers)) for question in questions]


def _call(question: Question) -> Call:
    data = _IS_VALID_SIGNATURE + encode(["bytes32", "bytes"], [question.digest, question.signature])
    return Call(question.account, data, gas=_gas(data))


def _gas(data: bytes) -> int:
    """What the contract lets a wallet burn, and what a node takes off before it begins."""
    zeros = data.count(0)
    return _WALLET_GAS + _TRANSACTION_GAS + zeros * _ZERO_BYTE_GAS + (len(data) - zeros) * _BYTE_GAS


def _is_yes(answer: bytes | ChainError) -> bool:
    if isinstance(answer, NodeUnavailable) or (isinstance(answer, NodeError) and answer.is_of_the_moment):
        raise answer
    return not isinstance(answer, ChainError) and answer[:4] == _IS_VALID_SIGNATURE
