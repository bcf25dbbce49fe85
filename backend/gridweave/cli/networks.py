"""`gridweave networks`: the kinds of chains known by name."""

from __future__ import annotations

from typing import Any

import typer

from gridweave.chain import FeeRule, Network, NetworkUnusable, list_networks
from gridweave.cli.terminal import WRONG_USE, AsJson, NetworksFile, emit, fail, out, table

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
