"""A supervised local chain: made, deployed to, killed and restarted without losing what was final.

async with localnet(Path("var/up")) as chain:          # Clock.REAL: a block a second
    deployment = await chain.deploy()
    profile = chain.profile()                          # final once in a snapshot
    ...
async with localnet(path, clock=Clock.MANUAL, genesis_time=t0) as chain:
    await chain.mine(t0 + 900)                         # from elsewhere: ManualClock(chain.url).mine(...)
"""

from gridweave.localnet.anvil import find_anvil, free_port
from gridweave.localnet.clock import ManualClock
from gridweave.localnet.errors import AnvilMissing, LocalnetBusy, LocalnetError
from gridweave.localnet.home import ChainInfo, Clock, Home
from gridweave.localnet.keys import ROLES, DevKeys
from gridweave.localnet.supervisor import Localnet, localnet

__all__ = [
    "ROLES",
    "AnvilMissing",
    "ChainInfo",
    "Clock",
    "DevKeys",
    "Home",
    "Localnet",
    "LocalnetBusy",
    "LocalnetError",
    "ManualClock",
    "find_anvil",
    "free_port",
    "localnet",
]
