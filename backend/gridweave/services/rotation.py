"""A new key for the relayer: what the old one sent becomes final, the outbox changes hands, the gas money follows.

Each step may be killed and done again. The change of hands is one transaction of the outbox, so a service finds either
the old relayer or the new one. What is queued and not sent is sent by the new key; what the old one acknowledged stays
acknowledged, under its signature and for as long as its bond answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from gridweave.chain.errors import NodeError
from gridweave.chain.keys import Signer
from gridweave.chain.node import Node
from gridweave.chain.profile import NetworkProfile
from gridweave.chain.types import Call
from gridweave.outbox.queue import Lanes
from gridweave.outbox.sender import Pace, Sender
from gridweave.services.assembly import profile_of, recovery_of, relayer_of
from gridweave.services.belonging import check_chain, load_deployment
from gridweave.services.settings import Settings
from gridweave.services.stores import Stores
from gridweave.store.outbox import OutboxStore
from gridweave.store.records import MINED, OPEN
from gridweave.store.relayers import RelayerFacts

__all__ = ["Rotated", "RotationRefused", "rotate"]

_TRANSFER_GAS = 21_000
_SWEEP_WITHIN_S = 300.0

Tell = Callable[[str], None]


class RotationRefused(Exception):
    """These keys and this outbox do not belong together; the message says what to change."""


@dataclass(frozen=True)
class Rotated:
    """How it ended: `moved` wei went from the old relayer's account to the new one's in this run."""

    old: str
    new: str
    moved: int


async def rotate(settings: Settings, new: Signer, tell: Tell = lambda _: None) -> Rotated:
    """The settings name the old key. The service must be stopped meanwhile, since it holds the outbox.

    Raises RotationRefused, StoreBusy, StoreUnavailable, NodeUnavailable, NodeError, KeyUnusable, SettingsInvalid,
    WrongChain, TimeoutError. Whatever it raised, running it again goes on where it stopped.
    """
    old = relayer_of(settings)
    if old.address == new.address:
        raise RotationRefused("the new key is the old one: name another")
    stores = await Stores.open(settings)
    try:
        async with Node(settings.rpc_url) as node:
            await stores.outbox.migrate()
            return await _rotate(settings, node, stores, old, new, tell)
    finally:
        await stores.close()


async def _rotate(settings: Settings, node: Node, stores: Stores, old: Signer, new: Signer, tell: Tell) -> Rotated:
    deployment = load_deployment(settings)
    await check_chain(node, deployment)
    facts, profile = RelayerFacts(stores.outbox), profile_of(settings, deployment)
    holder = await facts.now()
    if holder not in (old.address, new.address):
        whose = f"belongs to {holder}" if holder else "is nobody's yet: start the service with the key of your choice"
        raise RotationRefused(f"the outbox {whose}; the old key is {old.address}")
    if holder == old.address:
        contracts = deployment.bundle(node)
        await recovery_of(deployment, node, old, stores.outbox).run()
        outbox = OutboxStore(stores.outbox)
        pace = Pace(resend_ms=settings.resend_ms, most_open=0, most_fee_factor=settings.most_fee_factor)
        await _drain(Sender(node, outbox, contracts, old, profile, Lanes(), pace=pace), outbox, settings, tell)
        await facts.succeed(old.address, new.address)
        tell(f"the outbox belongs to {new.address} now")
    return Rotated(old.address, new.address, await _sweep(node, profile, old, new.address, tell))


async def _drain(sender: Sender, outbox: OutboxStore, settings: Settings, tell: Tell) -> None:
    """Until all that was sent is final. With no room for open batches, nothing new is sent."""
    await sender.remember()
    told = ""
    while True:
        await sender.step()
        under_way = await outbox.batches(OPEN, MINED)
        if not under_way:
            return
        waiting = sum(batch.state == OPEN for batch in under_way)
        said = f"{waiting} transactions of the old key wait for a block, {len(under_way) - waiting} for finality"
        if said != told:
            tell(told := said)
        await asyncio.sleep(settings.poll_ms / 1_000)


async def _sweep(node: Node, profile: NetworkProfile, old: Signer, to: str, tell: Tell) -> int:
    """Moves what the old key has, less the fee; how many wei."""
    head = await node.head()
    fees = profile.fees(head.base_fee)
    amount = await node.balance(old.address, head.number) - _TRANSFER_GAS * fees.most
    if amount <= 0:
        return 0
    nonce = await node.nonce(old.address, head.number)
    call = Call(to, b"", value=amount)
    signed = old.sign(call, nonce=nonce, fees=fees, chain_id=profile.chain_id, gas=_TRANSFER_GAS)
    try:
        await node.send_raw(signed.raw)
    except NodeError as error:
        if not (error.already_known or error.nonce_too_low):
            raise
    tell(f"{amount / 10**18:.6f} of gas money follows")
    await node.wait_for_receipt(signed.hash, within=_SWEEP_WITHIN_S)
    return amount
