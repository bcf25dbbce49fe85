"""A running service: opens what it needs, follows the chain, sends, keeps, and closes in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from gridweave.chain.errors import NodeError, NodeUnavailable
from gridweave.chain.hexes import to_hex
from gridweave.chain.keys import Signer
from gridweave.chain.node import Node
from gridweave.chain.types import Block
from gridweave.deployment.record import Deployment
from gridweave.indexer.follower import Follower, Step, patiently
from gridweave.outbox.gas_model import GasModel
from gridweave.outbox.queue import Lanes
from gridweave.outbox.sender import Sender
from gridweave.outbox.tally import Tally
from gridweave.services.assembly import pace_of, profile_of, recovery_of, relayer_of, world_of
from gridweave.services.errors import TooManyExports
from gridweave.services.keeper import Keeper
from gridweave.services.precompile import has_p256
from gridweave.services.purse import Purse
from gridweave.services.refusals import Refusals
from gridweave.services.reorgs import Reorgs
from gridweave.services.settings import PREFIX, Settings, SettingsInvalid
from gridweave.services.stream import Bell, Places
from gridweave.services.world import World
from gridweave.store.database import Database, Kind
from gridweave.store.errors import StoreUnavailable
from gridweave.store.index import IndexedBlock, IndexStore
from gridweave.store.outbox import OutboxStore
from gridweave.store.outbox_rows import now_ms
from gridweave.store.refused import RefusedItems
from gridweave.store.relayers import RelayerFacts
from gridweave.store.watch import OutboxWatch

__all__ = ["Runtime", "Stores", "WrongChain", "check_chain", "follower_of", "load_deployment"]

log = structlog.get_logger(__name__)

_NODE_PATIENCE_S = 60.0
_KEEP_MS = 7 * 86_400 * 1_000
_PRUNE_S = 3_600.0
_FRESH_S = 30.0
_LOOK_S = 2.0


class WrongChain(Exception):
    """The node serves another chain than the deployment record names."""


@dataclass(frozen=True)
class Stores:
    """The two databases: what is acknowledged, and what can be rebuilt."""

    outbox: Database
    index: Database

    @classmethod
    async def open(cls, settings: Settings) -> Stores:
        """From the settings' URLs, for this process alone to write.

        Raises StoreBusy, StoreUnavailable, SettingsInvalid.
        """
        try:
            stores = cls(Database(Kind.OUTBOX, settings.outbox_url), Database(Kind.INDEX, settings.index_url))
            await stores._claim()
        except OSError as fault:
            message = f"{settings.data_dir} cannot be written ({fault.strerror}): name another folder with --data-dir"
            raise SettingsInvalid(f"GRIDWEAVE_DATA_DIR: {message}") from fault
        return stores

    async def _claim(self) -> None:
        try:
            for kind, store in ((Kind.OUTBOX, self.outbox), (Kind.INDEX, self.index)):
                try:
                    await store.claim()
                except StoreUnavailable as away:
                    raise StoreUnavailable(f"{PREFIX}{kind.upper()}_URL: {away}") from away
        except BaseException:
            await self.close()
            raise

    async def migrate(self) -> None:
        """Brings both to their newest schema."""
        await self.outbox.migrate()
        await self.index.migrate()

    async def close(self) -> None:
        """Closes both."""
        await self.outbox.close()
        await self.index.close()


class Runtime:
    """`open`, then `start`; `world` is what requests are answered from. `close` stops in the opposite order."""

    def __init__(self, world: World, stores: Stores, sender: Sender, follower: Follower, *, owns: bool) -> None:
        self.world = world
        self.bell = Bell()
        self.readers = Places(world.settings.most_streams)
        self.exports = Places(world.settings.most_exports, TooManyExports)
        self.stores = stores
        self.reorgs = Reorgs()
        self._sender = sender
        self._follower = follower
        self._index = IndexStore(stores.index)
        self._keeper = Keeper(world)
        self._refusals = Refusals(world, RefusedItems(stores.outbox))
        self._owns = owns
        self._tasks: list[asyncio.Task[None]] = []
        self.moved_at = 0.0
        """When the chain was reached last, by the monotonic clock."""
        self._kept_at: IndexedBlock | None = None
        self._due = 0

    @classmethod
    async def open(cls, settings: Settings, node: Node | None = None, stores: Stores | None = None) -> Runtime:
        """Checks that settings, node, databases and deployment belong together.

        Raises SettingsInvalid, WrongChain, StoreBusy, StoreMismatch, KeyUnusable, NodeUnavailable.
        """
        deployment = load_deployment(settings)
        relayer = relayer_of(settings)
        chain = node or Node(settings.rpc_url)
        await check_chain(chain, deployment)
        opened = stores or await Stores.open(settings)
        try:
            return await cls._over(settings, deployment, relayer, chain, opened, owns=node is None)
        except BaseException:
            await opened.close()
            raise

    @classmethod
    async def _over(
        cls, settings: Settings, deployment: Deployment, relayer: Signer, chain: Node, opened: Stores, *, owns: bool
    ) -> Runtime:
        await opened.migrate()
        outbox = OutboxStore(opened.outbox)
        await outbox.belongs_to(_identity(deployment) | {"relayer": relayer.address})
        profile = profile_of(settings, deployment)
        contracts = deployment.bundle(chain)
        await recovery_of(deployment, chain, contracts, relayer, opened.outbox).run()
        lanes = Lanes()
        gas = GasModel(p256_in_code=not await has_p256(chain), cap=profile.max_gas)
        sender = Sender(chain, outbox, contracts, relayer, profile, lanes, gas=gas, pace=pace_of(settings))
        low = settings.relayer_low_orders
        purse = Purse(chain, OutboxWatch(opened.outbox), relayer.address, profile, gas, low)
        parts = outbox, lanes, sender, purse, await RelayerFacts(opened.outbox).before()
        world = world_of(settings, deployment, chain, contracts, relayer, profile, opened.index, *parts)
        follower = await follower_of(deployment, chain, IndexStore(opened.index))
        return cls(world, opened, sender, follower, owns=owns)

    async def start(self) -> None:
        """Starts following, sending and keeping."""
        self.world.heads.block = await self._index.head()
        await self.world.sponsors.refresh()
        await self._sender.remember()
        for work in (self._follow(), self._sender.run(), self._watch(), self._prune()):
            self._tasks.append(asyncio.create_task(self._guarded(work)))

    def drain(self) -> None:
        """Nothing new should come here: readiness says no from now on, and streams end. Requests are still answered."""
        self.bell.end()

    async def close(self) -> None:
        """Stops the tasks, lets the commit under way end, closes databases and connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.world.queue.close()
        await self.stores.close()
        if self._owns:
            await self.world.node.aclose()

    @property
    def has_stopped(self) -> bool:
        """Whether a background task has ended: what is accepted now might never be sent or seen."""
        return any(task.done() for task in self._tasks)

    def not_ready(self) -> str | None:
        """Why requests cannot be served now, or None."""
        if self.bell.ended:
            return "a service that is stopping"
        if self.has_stopped:
            return "a background task that has stopped"
        if self.world.heads.block is None:
            return "the index is empty"
        if time.monotonic() - self.moved_at > _FRESH_S:
            return "the chain was not reached lately"
        return None

    async def has_nothing_due(self) -> bool:
        """Whether nothing is under way, and at the newest block nothing is due but what the keeper has given up."""
        head = to_hex((await self.world.node.head()).hash)
        kept = self._kept_at
        return kept is not None and kept.hash == head and not self._due and not await self.world.outbox.pending()

    @property
    def due(self) -> int:
        """How many things the keeper has found due, save those that rest."""
        return self._due

    @property
    def tally(self) -> Tally:
        """What the sender did since the start."""
        return self._sender.tally

    @property
    def node_head(self) -> Block | None:
        """The node's newest block at the indexer's last look, None before the first."""
        return self._follower.seen

    @property
    def given_up(self) -> int:
        """How many things are due that the contract refuses again and again."""
        return self._keeper.given_up

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("a background task stopped")
            raise

    async def _follow(self) -> None:
        pause = self.world.settings.poll_ms / 1_000
        while True:
            step = await patiently(self._follower, pause, self._reached)
            if step.moved:
                await self._moved(step)
                continue
            await self._keep()
            await asyncio.sleep(pause)

    def _reached(self) -> None:
        self.moved_at = time.monotonic()

    async def _moved(self, step: Step) -> None:
        world = self.world
        if step.undone_to is not None:
            self.reorgs.note(world.heads.block, step.undone_to)
        if not step.blocks:
            world.terms.forget()
            world.books.forget()
            self._keeper.forget()
        world.heads.block = step.stands
        world.books.learn(step.rows)
        if step.rows.get("markets"):
            world.terms.forget()
        if step.rows.get("bonds") or not step.blocks:
            await self._refresh()
        self.bell.ring()

    async def _refresh(self) -> None:
        """Until it is done: the step that calls for it does not come again."""
        while True:
            try:
                await self.world.sponsors.refresh()
                return
            except StoreUnavailable as away:
                log.warning("indexer waits", reason=str(away))
                await asyncio.sleep(self.world.settings.poll_ms / 1_000)

    async def _keep(self) -> None:
        block = self.world.heads.block
        if block is None:
            return
        try:
            await self._refusals.look()  # the sender may read of a refusal after the index moved
            if block == self._kept_at and not self._due:
                return
            if self.world.settings.keeper:
                self._due = await self._keeper.look()
            self._kept_at = block
        except StoreUnavailable as away:
            log.warning("keeper waits", reason=str(away))

    async def _watch(self) -> None:
        while True:
            try:
                await self.world.purse.look()
            except (NodeUnavailable, NodeError, StoreUnavailable) as away:
                log.debug("the relayer's balance is not known anew", reason=str(away))
            await asyncio.sleep(_LOOK_S)

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(_PRUNE_S)
            try:
                await self.world.outbox.forget(now_ms() - _KEEP_MS)
            except StoreUnavailable as away:
                log.warning("pruning waits", reason=str(away))


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
    await index.belongs_to(_identity(deployment) | {"contracts": ",".join(contracts)})
    others = () if deployment.own_currency else (deployment.addresses["LocalCurrency"],)
    followed = [address for address in contracts if address not in others]
    return Follower(node, index, contracts=followed, start=deployment.block)


def _identity(deployment: Deployment) -> dict[str, str]:
    return {"chain": str(deployment.chain_id), "genesis": deployment.genesis_hash}
