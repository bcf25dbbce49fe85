"""`gridweave networks`: the kinds of chains known by name, and a new chain of one kind, Besu under QBFT."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gridweave.besu import BesuPlan, FolderTaken, PlanUnusable, write_network
from gridweave.chain import FeeRule, Network, NetworkUnusable, list_networks
from gridweave.cli.terminal import REFUSED, WRONG_USE, AsJson, NetworksFile, emit, fail, out, table

__all__ = ["register"]

_COLUMNS = (
    ("network", "left"),
    ("chain id", "right"),
    ("EVM", "left"),
    ("final after", "right"),
    ("fees", "left"),
    ("what it is", "left"),
)


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    group = typer.Typer(help="Show the networks known by name.", invoke_without_command=True)
    group.callback()(networks_command)
    group.command("besu")(besu_command)
    app.add_typer(group, name="networks")


def networks_command(context: typer.Context, networks: NetworksFile = None, as_json: AsJson = False) -> None:
    """Show the networks that --network of deploy, serve, audit and order knows; GRIDWEAVE_NETWORKS adds your own.

    Example: gridweave networks --json
    """
    if context.invoked_subcommand:
        return
    try:
        known = list_networks(networks)
    except NetworkUnusable as fault:
        fail("NetworkUnusable", str(fault), WRONG_USE, as_json)
    if as_json:
        emit([_as_json(network) for network in known.values()])
        return
    out.print(table("Networks", _COLUMNS, [_row(network) for network in known.values()]))


def besu_command(
    chain_id: Annotated[int, typer.Option("--chain-id", help="The new chain's id: one that no other chain has.")],
    folder: Annotated[Path, typer.Option("--out", file_okay=False, help="A new folder for all of it.")],
    validators: Annotated[int, typer.Option(help="Nodes that make blocks: from 4 on one may lie.")] = 4,
    host: Annotated[
        list[str] | None, typer.Option(help="IP address of a validator, one for each in order. [default: 127.0.0.1]")
    ] = None,
    account: Annotated[
        list[str] | None, typer.Option(help="Address that has money at genesis: deployer, relayer. More than once.")
    ] = None,
    block_seconds: Annotated[int, typer.Option(help="Seconds between blocks.")] = 5,
    p2p_port: Annotated[int, typer.Option(help="First port of nodes among themselves.")] = 30_303,
    rpc_port: Annotated[int, typer.Option(help="First port of JSON-RPC, on 127.0.0.1 of each node.")] = 8_545,
    as_json: AsJson = False,
) -> None:
    """Write genesis, keys and configuration of a Besu network under QBFT. Nothing is started.

    QBFT needs at least 4 validators to bear one that lies (Byzantine fault tolerance); with fewer it runs, for trying
    out. The keys of all nodes are drawn here: hand each to its operator and delete it.

    Example: gridweave networks besu --validators 4 --chain-id 47110815 --out var/besu --account 0x...
    """
    try:
        plan = BesuPlan.draw(
            validators,
            chain_id,
            hosts=tuple(host or ()),
            accounts=tuple(account or ()),
            block_seconds=block_seconds,
            p2p_port=p2p_port,
            rpc_port=rpc_port,
        )
        write_network(plan, folder)
    except PlanUnusable as fault:
        fail("PlanUnusable", str(fault), WRONG_USE, as_json)
    except (FolderTaken, OSError) as fault:
        fail(type(fault).__name__, str(fault), REFUSED, as_json)
    if as_json:
        emit(_plan_json(plan, folder))
        return
    rows = [(node.folder, node.address, f"{node.host}:{node.p2p_port}", str(node.rpc_port)) for node in plan.validators]
    columns = (("folder", "left"), ("validator", "left"), ("p2p", "left"), ("RPC port", "right"))
    out.print(table(f"Besu QBFT network {chain_id} in {folder}", columns, rows))
    out.print(f"Generated, not run. {folder / 'README.txt'} says how to start it.", highlight=False)


def _plan_json(plan: BesuPlan, folder: Path) -> dict[str, Any]:
    return {
        "chainId": plan.chain_id,
        "folder": str(folder),
        "genesis": str(folder / "genesis.json"),
        "validators": [
            {"folder": node.folder, "address": node.address, "enode": node.enode, "rpcPort": node.rpc_port}
            for node in plan.validators
        ],
    }


def _as_json(network: Network) -> dict[str, Any]:
    return {
        "name": network.name,
        "about": network.about,
        "chainId": network.chain_id,
        "evm": network.evm,
        "finalityDepth": network.finality_depth,
        "feeRule": network.fee_rule,
        "priorityFeeWei": network.priority_fee_wei,
        "gasPriceWei": network.gas_price_wei,
        "maxGas": network.max_gas,
    }


def _row(network: Network) -> tuple[str, ...]:
    depth = network.finality_depth
    return (
        network.name,
        "its own" if network.chain_id is None else str(network.chain_id),
        network.evm,
        "at once" if depth == 0 else f"{depth} blocks",
        _fees(network),
        network.about,
    )


def _fees(network: Network) -> str:
    """Fees in gwei: on top of the base fee, and where headers have none."""
    tip, price = f"base + {_gwei(network.priority_fee_wei)}", f"price {_gwei(network.gas_price_wei)}"
    shown = {FeeRule.AUTO: f"{tip}, else {price}", FeeRule.EIP1559: tip, FeeRule.LEGACY: price}
    return f"{shown[network.fee_rule]} gwei"


def _gwei(wei: int) -> str:
    return f"{wei / 10**9:g}"
