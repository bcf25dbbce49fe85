"""Transactions that a command sends itself, without the service: a key that pays, a network, a node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gridweave.chain import (
    Call,
    ChainError,
    KeyUnusable,
    Network,
    NetworkProfile,
    NetworkUnusable,
    Node,
    NodeUnavailable,
    Receipt,
    Signer,
    find_network,
    load_signer,
    to_hex,
)
from gridweave.cli.terminal import NO_RECORD, WrongUse, ask_password, keystore_at
from gridweave.client.errors import KeystoreError
from gridweave.deployment import Deployment, DeploymentError

__all__ = ["network_of", "payer_of", "recorded", "send", "speaking_of_nodes"]


async def send(node: Node, profile: NetworkProfile, payer: Signer, call: Call) -> Receipt:
    """Sends a call in a transaction of `payer` and waits until it has succeeded.

    Raises Reverted with the contract's reason, WrongUse if `payer` has nothing, ChainError, TimeoutError.
    """
    fees = profile.fees((await node.head()).base_fee)
    if fees.most > 0 and await node.balance(payer.address) == 0:
        raise WrongUse(f"{payer.address} has nothing to pay gas with: send it some, or name another key by --gas-key")
    signed = payer.sign(
        call,
        nonce=await node.nonce(payer.address),
        fees=fees,
        chain_id=profile.chain_id,
        gas=await node.gas(call, sender=payer.address),
    )
    receipt = await node.wait_for_receipt(await node.send_raw(signed.raw))
    if not receipt.succeeded:
        await node.call(call, sender=payer.address)  # says why, if that still stands
        raise ChainError(f"transaction {to_hex(receipt.transaction_hash)} failed after {receipt.gas_used} gas")
    return receipt


@contextmanager
def speaking_of_nodes() -> Iterator[None]:
    """What node, record or network refuse, as WrongUse."""
    try:
        yield
    except NodeUnavailable as fault:
        step = "start one with `gridweave up`, or name another with --rpc"
        raise WrongUse(f"{type(fault).__name__}: {fault}; {step}") from fault
    except (ChainError, DeploymentError, NetworkUnusable, TimeoutError) as fault:
        raise WrongUse(f"{type(fault).__name__}: {fault}") from fault


def recorded(record: Path) -> Deployment:
    """The deployment of a record. Raises WrongUse if there is none, DeploymentError."""
    try:
        return Deployment.load(record)
    except FileNotFoundError as fault:
        raise WrongUse(NO_RECORD.format(record)) from fault


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
