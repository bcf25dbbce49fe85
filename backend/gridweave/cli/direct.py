"""An order sent to the contract without the service: the same signed bytes, in a transaction of the sender's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gridweave.chain import Network, Node, Signer, decode_logs, error_name, signed_words, to_hex
from gridweave.chain import events as chain_events
from gridweave.cli.sending import recorded, send, speaking_of_nodes
from gridweave.client import Offer, Wallet
from gridweave.client.errors import RequestRejected
from gridweave.deployment import Deployment
from gridweave.domain.eip712 import Domain, digest
from gridweave.domain.orders import Order
from gridweave.domain.slots import SlotClock

__all__ = ["DirectOrder", "MakeOffer", "place_directly"]

MakeOffer = Callable[[SlotClock, int], Offer]
"""The offer, given the deployment's slots and the chain's time."""


@dataclass(frozen=True)
class DirectOrder:
    """An order that stands on the chain. `id` is its digest, 0x hex."""

    id: str
    order: Order
    transaction: str
    block: int


async def place_directly(
    rpc: str,
    network: Network,
    record: Path,
    wallet: Wallet,
    payer: Signer,
    market: int,
    make: MakeOffer,
    valid_for: int,
) -> DirectOrder:
    """Signs the offer with `wallet` and places it in a transaction of `payer`.

    Raises RequestRejected with the contract's reason, WrongUse when node or record cannot be used.
    """
    with speaking_of_nodes():
        deployment = recorded(record)
        async with Node(rpc) as node:
            return await _place(node, network, deployment, wallet, payer, market, make, valid_for)


async def _place(
    node: Node,
    network: Network,
    deployment: Deployment,
    wallet: Wallet,
    payer: Signer,
    market: int,
    make: MakeOffer,
    valid_for: int,
) -> DirectOrder:
    auction, head = deployment.bundle(node).auction, await node.head()
    offer = make(SlotClock(deployment.slot_length), head.timestamp)
    standing = await auction.position_of(offer.meter, offer.slot)
    order = Order(
        market,
        offer.slot,
        offer.meter,
        (standing.version if standing else 0) + 1,
        head.timestamp + valid_for,
        offer.side,
        offer.energy_wh,
        offer.limit_price,
    )
    domain = Domain.of("EnergyAuction", deployment.chain_id, auction.address)
    call = auction.place(signed_words([(order, wallet.sign(domain, order))]))
    receipt = await send(node, network.profile(await node.chain_id()), payer, call)
    id_ = to_hex(digest(domain, order))
    for event in decode_logs(receipt.logs):
        if isinstance(event, chain_events.OrderRefused):
            raise RequestRejected(id_, error_name(event.reason))
    return DirectOrder(id_, order, to_hex(receipt.transaction_hash), receipt.block_number)
