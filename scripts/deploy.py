"""A thin Brownie door to `gridweave.deployment`: make brownie ARGS="run deploy", on any network that Brownie knows.

On a development network a worthless key deploys, funded by the first account. Elsewhere GRIDWEAVE_DEPLOYER names
one of Brownie's own accounts (`brownie accounts list`). GRIDWEAVE_OPERATORS, GRIDWEAVE_MAKERS and GRIDWEAVE_MINTERS are
addresses with commas between, GRIDWEAVE_ADMIN who governs in the end (the deployer unless said), GRIDWEAVE_RECORD the
record's file.
"""

import asyncio
import os
from pathlib import Path

from brownie import accounts, network, web3
from rich.console import Console

from gridweave.chain import Node, Signer
from gridweave.deployment import Deployment, DeploymentSettings, check, deploy, plan, plan_table
from gridweave.domain.hashing import keccak

DEVELOPMENT_FUNDS = 10**19  # wei
DEVELOPMENT_NEED = 10**18
DEVELOPMENT_KEY = keccak(b"Gridweave: the deployer on Brownie's development network")


def main() -> Deployment:
    """Deploys what is missing on the active network, checks it and returns the record."""
    signer = _signer()
    settings = DeploymentSettings(
        record=Path(os.environ.get("GRIDWEAVE_RECORD") or _default_record()),
        admin=os.environ.get("GRIDWEAVE_ADMIN") or signer.address,
        operators=_addresses("GRIDWEAVE_OPERATORS"),
        makers=_addresses("GRIDWEAVE_MAKERS"),
        minters=_addresses("GRIDWEAVE_MINTERS"),
    )
    return asyncio.run(_deploy(str(web3.provider.endpoint_uri), signer, settings))


async def _deploy(url: str, signer: Signer, settings: DeploymentSettings) -> Deployment:
    async with Node(url, timeout=60.0) as node:
        Console().print(plan_table(await plan(node, signer.address, settings)))
        deployment = await deploy(node, signer, settings, tell=print)
        findings = await check(node, deployment)
    for finding in findings:
        print(finding)
    if findings:
        raise SystemExit("the chain is not what the record says")
    print(f"chain {deployment.chain_id} holds exactly what {settings.record} and the artifacts say")
    return deployment


def _signer() -> Signer:
    if network.show_active() not in ("development", "anvil"):
        return Signer(bytes.fromhex(accounts.load(os.environ["GRIDWEAVE_DEPLOYER"]).private_key.removeprefix("0x")))
    signer = Signer(DEVELOPMENT_KEY)
    if web3.eth.get_balance(signer.address) < DEVELOPMENT_NEED:
        accounts[0].transfer(signer.address, DEVELOPMENT_FUNDS, silent=True)
    return signer


def _default_record() -> str:
    """One record per chain, also for development chains that come and go under one chain id."""
    return f"build/brownie/deployments/{web3.eth.chain_id}-{web3.eth.get_block(0)['hash'].hex()[:12]}.json"


def _addresses(variable: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in os.environ.get(variable, "").split(",") if part.strip())
