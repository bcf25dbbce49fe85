"""The folder of one local chain: what is in it, and who may use it.

chain.json        chain id, genesis, clock, port: written once, when the chain is created
keys/             development keys, mode 0600
snapshots/        the newest two whole states
final.json        the newest snapshot's block: what survives a kill, hence what is final here
deployment.json   the deployment record
anvil.log, lock
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Self

from gridweave.chain import NetworkProfile
from gridweave.deployment.record import write_atomically
from gridweave.localnet.errors import LocalnetBusy, LocalnetError
from gridweave.locking import Taken, hold

__all__ = ["ChainInfo", "Clock", "Home"]

_CHAIN_IDS = range(2_000_000_000, 4_000_000_000)
"""Chain ids of created chains are drawn from here: far from registered ones, and no two chains share signatures."""


class Clock(StrEnum):
    """Who moves chain time: the wall clock, a block a second, or whoever calls `mine`."""

    REAL = "real"
    MANUAL = "manual"


@dataclass(frozen=True)
class ChainInfo:
    """What a created chain keeps for life. `genesis_hash` is empty until the first start has seen it."""

    chain_id: int
    genesis_time: int
    clock: Clock
    port: int
    genesis_hash: str = ""

    @classmethod
    def draw(cls, clock: Clock, port: int, genesis_time: int) -> Self:
        """A new chain with an id of its own."""
        return cls(_CHAIN_IDS.start + secrets.randbelow(len(_CHAIN_IDS)), genesis_time, clock, port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Home:
    """Paths of one chain's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.chain_file = self.path / "chain.json"
        self.snapshots = self.path / "snapshots"
        self.keys = self.path / "keys"
        self.final_file = self.path / "final.json"
        self.deployment_file = self.path / "deployment.json"
        self.log = self.path / "anvil.log"
        self.cache = self.path / "cache"
        self.pid_file = self.path / "anvil.pid"

    def info(self) -> ChainInfo | None:
        """The chain that lives here, None if none was created. LocalnetError if chain.json is damaged."""
        try:
            content: dict[str, Any] = json.loads(self.chain_file.read_text())
            return ChainInfo(**{**content, "clock": Clock(content["clock"])})
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise LocalnetError(f"{self.chain_file} is damaged: remove {self.path} to begin anew") from error

    def save(self, info: ChainInfo) -> None:
        """Writes chain.json."""
        write_atomically(self.chain_file, json.dumps(asdict(info), indent=2) + "\n")

    def create(self, clock: Clock, port: int, genesis_time: int) -> ChainInfo:
        """Draws and writes a new chain's identity."""
        self.snapshots.mkdir(parents=True, exist_ok=True)
        info = ChainInfo.draw(clock, port, genesis_time)
        self.save(info)
        return info

    def move_port(self, info: ChainInfo, port: int) -> ChainInfo:
        """The chain on another port from now on."""
        moved = replace(info, port=port)
        self.save(moved)
        return moved

    def profile(self) -> NetworkProfile:
        """The chain's network profile, finality by snapshot. LocalnetError if no chain was created here."""
        info = self.info()
        if info is None:
            raise LocalnetError(f"{self.path} holds no chain: start one with `gridweave up`")
        return NetworkProfile(
            chain_id=info.chain_id,
            finality_depth=0,
            priority_fee=0,
            finality_file=self.final_file,
        )

    def lock(self) -> IO[str]:
        """Keeps other supervisors out for as long as the returned file is open. LocalnetBusy if one is here."""
        try:
            return hold(self.path / "lock")
        except Taken as error:
            message = f"{self.path} is in use by another process: stop it, or name another folder with --home"
            raise LocalnetBusy(message) from error
