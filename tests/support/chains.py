"""What a town stands on: any chain that makes a block when asked to, and whose five keys have money."""

from __future__ import annotations

from typing import Protocol

from gridweave.chain import Block, NetworkProfile, Node
from gridweave.deployment import Deployment, DeploymentSettings, deploy
from gridweave.localnet import DevKeys
from gridweave.localnet.home import Home


class TownChain(Protocol):
    """The supervised local chain is one, and so is everything in these tests that stands in for another network.

    `home` names the files: the deployment record and the keys. `url` is where the service is sent to.
    """

    home: Home
    keys: DevKeys
    node: Node

    @property
    def url(self) -> str: ...

    @property
    def chain_id(self) -> int: ...

    def profile(self) -> NetworkProfile: ...

    async def mine(self, timestamp: int | None = None) -> Block:
        """Makes one block, by default a second after the last."""

    async def deploy(self, *, slot_length: int = 900) -> Deployment: ...


async def deploy_on(chain: TownChain, slot_length: int) -> Deployment:
    """What `Localnet.deploy` does, on any chain."""
    admin = chain.keys["admin"]
    settings = DeploymentSettings(
        record=chain.home.deployment_file,
        admin=admin.address,
        operators=(chain.keys["operator"].address,),
        makers=(chain.keys["maker"].address,),
        minters=(admin.address,),
        slot_length=slot_length,
    )
    return await deploy(chain.node, admin, settings, profile=chain.profile(), mine=chain.mine)
