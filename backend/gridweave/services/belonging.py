"""Whether settings, deployment record, node and databases belong together, asked before anything is done with them."""

from __future__ import annotations

import asyncio
import time

import structlog

from gridweave.chain.errors import NodeUnavailable
from gridweave.chain.hexes import to_hex
from gridweave.chain.node import Node
from gridweave.deployment.record import Deployment
from gridweave.indexer.follower import Follower
from gridweave.services.settings import Settings, SettingsInvalid
from gridweave.store.index import IndexStore

__all__ = ["WrongChain", "check_chain", "follower_of", "identity_of", "load_deployment"]

log = structlog.get_logger(__name__)

_NODE_PATIENCE_S = 60.0


class WrongChain(Exception):
    """The node serves another chain than the deployment record names."""


def load_deployment(settings: Settings) -> Deployment:
    """The complete deployment record. Raises SettingsInvalid."""
    try:
        deployment = Deployment.load(settings.deployment)
    except FileNotFoundError as error:
        message = f"GRIDWEAVE_DEPLOYMENT: no record at {settings.deployment}; run `gridweave deploy` first"
        raise SettingsInvalid(message) from error
    if not deployment.complete:
        raise SettingsInvalid(
            f"GRIDWEAVE_DEPLOYMENT: {settings.deployment} is incomplete; run `gridweave deploy` again"
        )
    return deployment


async def check_chain(node: Node, deployment: Deployment) -> None:
    """Raises WrongChain, or NodeUnavailable if the node stays away."""
    found = await _identity_of(node)
    if found != (deployment.chain_id, deployment.genesis_hash):
        raise WrongChain(
            f"the node serves chain {found[0]} ({found[1][:10]}), the deployment is on {deployment.chain_id} "
            f"({deployment.genesis_hash[:10]}): name another node or another deployment record"
        )


async def _identity_of(node: Node) -> tuple[int, str]:
    """(chain id, genesis hash), waiting for a node that is still starting."""
    patience = time.monotonic() + _NODE_PATIENCE_S
    while True:
        try:
            return await node.chain_id(), to_hex(await node.genesis_hash())
        except NodeUnavailable as away:
            if time.monotonic() > patience:
                raise
            log.warning("waiting for the node", reason=str(away))
            await asyncio.sleep(1.0)


async def follower_of(deployment: Deployment, node: Node, index: IndexStore) -> Follower:
    """The follower of every version of every contract of a deployment. Raises StoreMismatch.

    A currency that was there before has a history of its own, of people who never heard of us: it is left out.
    """
    contracts = sorted(deployment.every_address)
    await index.belongs_to(identity_of(deployment) | {"contracts": ",".join(contracts)})
    others = () if deployment.own_currency else (deployment.addresses["LocalCurrency"],)
    followed = [address for address in contracts if address not in others]
    return Follower(node, index, contracts=followed, start=deployment.block)


def identity_of(deployment: Deployment) -> dict[str, str]:
    """What a database writes down of the chain that it belongs to."""
    return {"chain": str(deployment.chain_id), "genesis": deployment.genesis_hash}
