"""`gridweave order claim`: what a relayer acknowledged and left is compensated out of its bond."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from gridweave.chain import (
    Call,
    EnergyAuction,
    Network,
    NetworkProfile,
    Node,
    Promise,
    RelayerBond,
    Reverted,
    Signer,
    to_hex,
)
from gridweave.chain.networks import GENERIC
from gridweave.cli.sending import network_of, payer_of, send, speaking_of_nodes
from gridweave.cli.terminal import (
    REFUSED,
    AsJson,
    KeystoreFolder,
    NetworkName,
    NetworksFile,
    PasswordFile,
    WrongUse,
    emit,
    errors,
    fail,
    keystore_at,
    out,
    speaking,
    table,
)
from gridweave.client.promises import KeptPromise, PromiseFolder, PromiseMalformed
from gridweave.client.service import GridweaveClient
from gridweave.domain.orders import Order

__all__ = ["claim", "keep_promise"]

CLAIMABLE = "claimable"
_SAID = {
    "CommitmentNotDue": "not on the chain yet; the relayer still has time",
    "OrderArrived": "kept: on the chain",
    "Superseded": "a newer version of yours is on the chain",
    "OrderWasRefused": "kept: the order was refused on chain",
    "AlreadyCompensated": "compensated already",
    "ClaimTooLate": "too late to claim",
    "BondTooSmall": "the bond is used up",
}


@dataclass(frozen=True)
class Line:
    """One order of an acknowledgement, and what the bond says to a claim; `transaction` if it was paid."""

    order: Order
    state: str
    transaction: str | None = None


def promises_in(keystore: Path | None) -> PromiseFolder:
    """Where acknowledgements are kept: beside the keys."""
    return PromiseFolder(keystore_at(keystore).folder / "promises")


def keep_promise(client: GridweaveClient, promise: KeptPromise, keystore: Path | None) -> None:
    """Keeps it for a claim to come, and forgets what is too late for one. What was acknowledged stands all the same."""
    folder = promises_in(keystore)
    try:
        folder.keep(promise)
        folder.forget(client.chain_time(), client.deployment.slot_length)
    except (OSError, PromiseMalformed) as fault:
        errors.print(f"acknowledged, but that could not be kept in {folder.folder}, so it cannot be claimed: {fault}")


def claim(
    request: Annotated[
        str | None,
        typer.Argument(
            help="Id of an order or schedule, or a file that holds its acknowledgement. [default: list all]"
        ),
    ] = None,
    rpc: Annotated[str, typer.Option(envvar="GRIDWEAVE_RPC", help="The node.")] = "http://127.0.0.1:8545",
    network: NetworkName = GENERIC,
    networks: NetworksFile = None,
    gas_key: Annotated[
        str | None, typer.Option("--gas-key", help="Key that pays the gas and sends the claims. [default: only look]")
    ] = None,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of acknowledged orders, and claim the compensation for those that the relayer left.

    It asks the chain, not the service. Anyone may claim; the meter's account is paid.

    Examples: gridweave order claim   gridweave order claim 0x1f… --gas-key home
    """
    with speaking(as_json), speaking_of_nodes():
        kept = list(_wanted(request, promises_in(keystore)))
        payer = payer_of(gas_key, keystore, password_file) if gas_key else None
        lines = asyncio.run(_claim_all(rpc, network_of(network, networks), kept, payer))
        if as_json:
            emit([_json(promise, line) for promise, line in lines])
        else:
            _show(lines, payer is not None)
        if request is not None and payer is not None and not any(line.transaction for _, line in lines):
            fail("NothingToClaim", "nothing is due for it now; its state is above", REFUSED, as_json)


def _wanted(request: str | None, folder: PromiseFolder) -> Iterator[KeptPromise]:
    """Raises WrongUse."""
    try:
        if request is None:
            yield from folder.all()
        elif Path(request).is_file():
            yield folder.read(Path(request))
        else:
            yield folder.find(request)
    except FileNotFoundError as fault:
        raise WrongUse(f"no acknowledgement of {request} is kept in {folder.folder}; name its file") from fault
    except PromiseMalformed as fault:
        raise WrongUse(str(fault)) from fault


async def _claim_all(
    rpc: str, network: Network, kept: list[KeptPromise], payer: Signer | None
) -> list[tuple[KeptPromise, Line]]:
    async with Node(rpc) as node:
        chain_id = await node.chain_id()
        profile = network.profile(chain_id)
        found: list[tuple[KeptPromise, Line]] = []
        for promise in kept:
            if promise.chain_id != chain_id:
                raise WrongUse(f"{promise.id} is of chain {promise.chain_id}, the node serves {chain_id}; see --rpc")
            found += [(promise, line) for line in await _claim(node, profile, promise, payer)]
        return found


async def _claim(node: Node, profile: NetworkProfile, promise: KeptPromise, payer: Signer | None) -> list[Line]:
    bond = RelayerBond(node, promise.bond)
    given = Promise(promise.said, promise.relayer, promise.signature)
    lines: list[Line] = []
    for index, order in enumerate(promise.orders):
        if promise.account is None:
            call = bond.claim(order, given)
        else:
            call = bond.claim_line(promise.account, promise.orders, index, given)
        state, transaction = await _outcome(node, profile, call, payer)
        if state in ("CommitmentNotDue", "OrderArrived"):
            state = await _arrival(EnergyAuction(node, promise.auction), order) or state
        lines.append(Line(order, state, transaction))
    return lines


async def _arrival(auction: EnergyAuction, order: Order) -> str | None:
    """How the order stands on the chain, None if it does not."""
    version, _ = await auction.last_version_of(order.meter, order.slot)
    if version < order.version:
        return None
    return "OrderArrived" if version == order.version else "Superseded"


async def _outcome(node: Node, profile: NetworkProfile, call: Call, payer: Signer | None) -> tuple[str, str | None]:
    """What becomes of a claim, which is sent if anybody pays for it, and its transaction."""
    try:
        await node.call(call)
        if payer is None:
            return CLAIMABLE, None
        receipt = await send(node, profile, payer, call)
    except Reverted as reverted:
        return reverted.name, None
    return "compensated", to_hex(receipt.transaction_hash)


def _json(promise: KeptPromise, line: Line) -> dict[str, object]:
    place = {"meter": line.order.meter, "slot": line.order.slot, "version": line.order.version}
    terms = {"sponsor": promise.said.sponsor, "commitBefore": promise.said.commit_before}
    return {"request": promise.id, **place, **terms, "state": line.state, "transaction": line.transaction}


def _show(lines: list[tuple[KeptPromise, Line]], claimed: bool) -> None:
    if not lines:
        out.print("No acknowledgement is kept here yet: gridweave order place keeps each.")
        return
    columns = [("request", "left"), ("meter", "right"), ("slot", "right"), ("version", "right"), ("state", "left")]
    rows = [
        (
            f"{promise.id[:12]}…",
            *map(str, (line.order.meter, line.order.slot, line.order.version)),
            _said(promise, line),
        )
        for promise, line in lines
    ]
    out.print(table("", columns, rows))
    if not claimed and any(line.state == CLAIMABLE for _, line in lines):
        out.print("Claim them with: gridweave order claim ID --gas-key KEY")


def _said(promise: KeptPromise, line: Line) -> str:
    if line.state == "BondTooSmall" and not promise.has_sponsor:
        return "left, but no bond answers for it"
    return _SAID.get(line.state, line.state)
