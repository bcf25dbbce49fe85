"""`gridweave deploy`: contracts onto any chain, and the proof that they stand there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gridweave.chain import (
    FeeRule,
    GasAboveCap,
    KeyUnusable,
    Network,
    NetworkProfile,
    NetworkUnusable,
    Node,
    NodeError,
    NodeUnavailable,
    Reverted,
    Signer,
    find_network,
    load_signer,
)
from gridweave.chain.networks import GENERIC
from gridweave.cli.terminal import (
    KEY_UNUSABLE,
    REFUSED,
    UNAVAILABLE,
    WRONG_USE,
    AsJson,
    NetworkName,
    NetworksFile,
    emit,
    fail,
    out,
)
from gridweave.deployment import (
    Deployment,
    DeploymentError,
    DeploymentSettings,
    Finding,
    Plan,
    check,
    deploy,
    plan,
    plan_table,
)
from gridweave.domain.errors import NumberMalformed
from gridweave.domain.units import parse_amount_micro

__all__ = ["register"]

Rpc = Annotated[str, typer.Option("--rpc", envvar="GRIDWEAVE_RPC", help="The node's JSON-RPC address.")]
KeystoreFile = Annotated[Path | None, typer.Option("--keystore", help="Encrypted keystore file (v3) of the deployer.")]
PasswordFile = Annotated[Path | None, typer.Option("--password-file", help="File with the keystore's password.")]
KeyVariable = Annotated[
    str | None, typer.Option("--key-env", help="Environment variable that holds the deployer's key in hex.")
]
KeyFile = Annotated[Path | None, typer.Option("--key-file", help="File with a key in hex: for local chains only.")]
Admin = Annotated[str | None, typer.Option(help="Who governs, on public networks a multisig. [default: the deployer]")]
Members = list[str]


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    app.command("deploy")(deploy_command)


def deploy_command(
    rpc: Rpc,
    keystore: KeystoreFile = None,
    password_file: PasswordFile = None,
    key_env: KeyVariable = None,
    key_file: KeyFile = None,
    record: Annotated[Path, typer.Option(help="The deployment record, read and written.")] = Path("deployment.json"),
    admin: Admin = None,
    operator: Annotated[Members | None, typer.Option(help="A grid operator. May be given more than once.")] = None,
    maker: Annotated[Members | None, typer.Option(help="A device maker. May be given more than once.")] = None,
    minter: Annotated[Members | None, typer.Option(help="Who issues the local currency.")] = None,
    currency: Annotated[str | None, typer.Option(help="An ERC-20 of six decimals to use instead of our own.")] = None,
    slot_length: Annotated[int, typer.Option(help="Seconds per slot, for good.")] = 900,
    hold_length: Annotated[int, typer.Option(help="Seconds per hold period; 0 takes the least that fits.")] = 0,
    compensation: Annotated[
        str,
        typer.Option(help="What a bond pays for an order that was acknowledged and left, in the currency, for good."),
    ] = "1",
    network: NetworkName = GENERIC,
    networks: NetworksFile = None,
    fee_rule: Annotated[FeeRule | None, typer.Option(help="How transactions pay. [default: the network's]")] = None,
    gas_price: Annotated[
        int | None, typer.Option(help="Wei per gas where fees are legacy. [default: the network's]")
    ] = None,
    priority_fee: Annotated[
        int | None, typer.Option(help="Wei per gas on top of the base fee. [default: the network's]")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and send nothing.")] = False,
    check_only: Annotated[
        bool, typer.Option("--check", help="Compare the chain with the record; send nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Deploy what is missing, then check all of it. Running it again changes nothing.

    Example: gridweave deploy --rpc http://127.0.0.1:8545 --network besu-qbft --keystore deployer.json --operator 0x...
    """
    with speaking_of_chains(as_json):
        named = find_network(network, networks)
        if check_only:
            _show(asyncio.run(_check(rpc, named, record)), as_json)
            return
        signer = load_signer(keystore=keystore, password_file=password_file, variable=key_env, key_file=key_file)
        settings = DeploymentSettings(
            record=record,
            admin=admin or signer.address,
            operators=tuple(operator or ()),
            makers=tuple(maker or ()),
            minters=tuple(minter or ()),
            currency=currency,
            slot_length=slot_length,
            hold_length=hold_length,
            compensation=parse_amount_micro(compensation),
        )
        fees = {"fee_rule": fee_rule, "gas_price": gas_price, "priority_fee": priority_fee}
        planned = asyncio.run(_plan(rpc, named, signer, settings))
        if not as_json:
            Console().print(plan_table(planned))
        if dry_run:
            if as_json:
                emit(_plan_json(planned))
            return
        changes = {name: value for name, value in fees.items() if value is not None}
        deployment, findings = asyncio.run(_deploy(rpc, named, signer, settings, changes, quiet=as_json))
        _show(findings, as_json, deployment)


@contextmanager
def speaking_of_chains(as_json: bool) -> Iterator[None]:
    """Turns every fault of node, contract, key and deployment into one message and its exit code."""
    try:
        yield
    except (DeploymentError, GasAboveCap, NetworkUnusable, NodeError) as fault:
        fail(type(fault).__name__, str(fault), REFUSED, as_json)
    except Reverted as fault:
        fail(fault.name or "Reverted", str(fault), REFUSED, as_json, dict(fault.arguments))
    except NodeUnavailable as fault:
        fail("NodeUnavailable", f"{fault}; is a node running there?", UNAVAILABLE, as_json)
    except KeyUnusable as fault:
        fail("KeyUnusable", str(fault), KEY_UNUSABLE, as_json)
    except NumberMalformed as fault:
        fail("NumberMalformed", str(fault), WRONG_USE, as_json)


async def _plan(rpc: str, network: Network, signer: Signer, settings: DeploymentSettings) -> Plan:
    async with Node(rpc) as node:
        return await plan(node, signer.address, settings, profile=network.profile(await node.chain_id()))


async def _deploy(
    rpc: str, network: Network, signer: Signer, settings: DeploymentSettings, fees: dict[str, Any], *, quiet: bool
) -> tuple[Deployment, list[Finding]]:
    async with Node(rpc, timeout=30.0) as node:
        profile: NetworkProfile = replace(network.profile(await node.chain_id()), **fees)
        tell = (lambda _: None) if quiet else (lambda line: out.print(line, highlight=False))
        deployment = await deploy(node, signer, settings, profile=profile, tell=tell)
        return deployment, await check(node, deployment)


async def _check(rpc: str, network: Network, record: Path) -> list[Finding]:
    try:
        deployment = Deployment.load(record)
    except FileNotFoundError as error:
        raise DeploymentError(f"{record} does not exist: name the record with --record") from error
    network.profile(deployment.chain_id)
    async with Node(rpc) as node:
        return await check(node, deployment)


def _show(findings: list[Finding], as_json: bool, deployment: Deployment | None = None) -> None:
    if as_json:
        addresses = deployment.addresses if deployment else {}
        emit({"ok": not findings, "contracts": addresses, "findings": [vars(finding) for finding in findings]})
    elif not findings:
        out.print("[green]The chain holds exactly what the record and the artifacts say.[/]")
    for finding in findings if not as_json else ():
        out.print(str(finding), style="red", highlight=False)
    if findings:
        raise typer.Exit(REFUSED)


def _plan_json(planned: Plan) -> dict[str, Any]:
    return {
        "chainId": planned.chain_id,
        "transactions": planned.transactions,
        "steps": [vars(row) for row in planned.rows],
    }
