"""What a waiting batch offers: more when it waits, never without bound, and less when the relayer is poor."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gridweave.chain import Node, Signer
from gridweave.chain.profile import NetworkProfile
from gridweave.chain.types import Block, Call
from gridweave.outbox.queue import Lanes
from gridweave.outbox.sender import Pace, Sender
from gridweave.store.records import Batch, SignedBytes
from tests.backend.chain.simulated import Refusal, SimulatedNode

pytestmark = pytest.mark.asyncio

GWEI = 10**9
PROFILE = NetworkProfile(chain_id=7, priority_fee=GWEI)
BATCH = Batch(1, 0, "order", "0x" + "11" * 20, b"\x01", 100_000, "open", None, None, None, 0)


class Memory:
    """As much of the outbox as sending again needs."""

    def __init__(self) -> None:
        self.signed: list[SignedBytes] = []

    async def signed_of(self, ids: list[int]) -> dict[int, list[SignedBytes]]:
        return {id_: list(self.signed) for id_ in ids}

    async def add_signed(self, batch: int, signing: SignedBytes) -> None:
        self.signed.append(signing)


def head(number: int, base_fee: int) -> Block:
    hash_ = number.to_bytes(32, "big")
    return Block(number, hash_, b"", number, b"", 30_000_000, 0, base_fee, ())


async def rounds(count: int, base_fees: list[int], answer: Any) -> tuple[list[SignedBytes], list[str]]:
    """Every round six blocks later; the bytes that were stored, and those that were sent in each round."""
    sent: list[str] = []

    def send(raw: str) -> str:
        sent.append(raw)
        return str(answer(raw))

    node: Node = SimulatedNode({"eth_sendRawTransaction": send}).node()
    memory: Any = Memory()
    nothing: Any = None
    sender = Sender(node, memory, nothing, Signer(b"\x05" * 32), PROFILE, Lanes(), pace=Pace(resend_ms=0))
    first = sender._sign(Call(BATCH.to, BATCH.data), 0, BATCH.gas, PROFILE.fees(base_fees[0]), 1)
    memory.signed.append(replace(first, batch=1))
    for at in range(count):
        await sender._send_again([BATCH], head(6 * at, base_fees[min(at, len(base_fees) - 1)]))
        await asyncio.sleep(0.001)
    await node.aclose()
    return memory.signed, sent


def _taken(raw: str) -> str:
    return "0x" + "00" * 32


def _poor(raw: str) -> str:
    raise Refusal({"code": -32003, "message": "Insufficient funds for gas * price + value"})


async def test_send_again__never_mined__raises_the_fee_up_to_the_bound() -> None:
    signed, _ = await rounds(60, [GWEI], _taken)
    usual = PROFILE.fees(GWEI).most
    fees = [entry.most_fee for entry in signed]
    assert fees == sorted(set(fees))
    assert 5 * usual < fees[-1] <= 10 * usual


async def test_send_again__base_fee_above_the_offer__offers_the_usual_fee_at_once() -> None:
    signed, sent = await rounds(2, [GWEI, 30 * GWEI], _taken)
    assert signed[-1].most_fee == PROFILE.fees(30 * GWEI).most
    assert sent[-1] == "0x" + signed[-1].raw.hex()


async def test_send_again__the_relayer_cannot_pay__keeps_the_fee_and_sends_the_cheapest_that_can_be_mined() -> None:
    answers = iter([_taken] * 4 + [_poor] * 40)
    signed, sent = await rounds(40, [GWEI], lambda raw: next(answers)(raw))
    dearest = len(signed)
    assert 3 <= dearest <= 5
    assert {sent[-1], sent[-2]} == {"0x" + signed[0].raw.hex()}
