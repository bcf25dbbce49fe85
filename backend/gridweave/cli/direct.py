"""An order sent to the contract without the service: the same signed bytes, in a transaction of the sender's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gridweave.chain import (
    Call,
    ChainError,
    KeyUnusable,
    Network,
    NetworkUnusable,
    Node,
    Receipt,
    Signer,
    decode_logs,
    error_name,
    find_network,
    load_signer,
    signed_words,
    to_hex,
)
from gridweave.chain import events as chain_events
from gridweave.cli.terminal import WrongUse, ask_password, keystore_at
from gridweave.client import Offer, Wallet
from gridweave.client.errors import KeystoreError, RequestRejected
from gridweave.deployment import Deployment, DeploymentError
from gridweave.domain.eip712 import Domain, digest
from gridweave.domain.orders import Order
from gridweave.domain.slots import SlotClock

__all__ = ["DirectOrder", "MakeOffer", "network_of", "payer_of", "place_directly", "send_call", "speaking_of_nodes"]

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
        try:
            deployment = Deployment.load(record)
        except FileNotFoundError as fault:
            raise WrongUse(f"there is no deployment record {record}; name it with --deployment") from fault
        async with Node(rpc) as node:
            return await _place(node, network, deployment, wallet, payer, market, make, valid_for)


@contextmanager
def speaking_of_nodes() -> Iterator[None]:
    """What node, record or network refuse, as WrongUse."""
    try:
        yield
    except (ChainError, DeploymentError, NetworkUnusable, TimeoutError) as fault:
        raise WrongUse(f"{type(fault).__name__}: {fault}") from fault


async def send_call(node: Node, network: Network, payer: Signer, call: Call) -> Receipt:
    """Sends a call in a transaction of `payer` and waits for it. Raises WrongUse, ChainError, TimeoutError."""
    head, chain_id = await node.head(), await node.chain_id()
    fees = network.profile(chain_id).fees(head.base_fee)
    if fees.most > 0 and await node.balance(payer.address) == 0:
        raise WrongUse(f"{payer.address} has nothing to pay gas with: send it some, or name another key by --gas-key")
    signed = payer.sign(
        call,
        nonce=await node.nonce(payer.address),
        fees=fees,
        chain_id=chain_id,
        gas=await node.gas(call, sender=payer.address),
    )
    return await node.wait_for_receipt(await node.send_raw(signed.raw))


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
    receipt = await send_call(node, network, payer, call)
    id_ = to_hex(digest(domain, order))
    for event in decode_logs(receipt.logs):
        if isinstance(event, chain_events.OrderRefused):
            raise RequestRejected(id_, error_name(event.reason))
    return DirectOrder(id_, order, to_hex(receipt.transaction_hash), receipt.block_number)


def payer_of(name: str, folder: Path | None, password_file: Path | None) -> Signer:
    """The key that pays for a transaction. Raises KeystoreError."""
    keys = keystore_at(folder)
    keys.address_of(name)
    password = ask_password(password_file, of=f"{name}, which pays the gas")
    try:
        return load_signer(keystore=keys.folder / f"{name}.json", password=password)
    except KeyUnusable as fault:
        raise KeystoreError(str(fault)) from fault


def network_of(name: str, file: Path | None) -> Network:
    """Raises WrongUse."""
    try:
        return find_network(name, file)
    except NetworkUnusable as fault:
        raise WrongUse(str(fault)) from fault
