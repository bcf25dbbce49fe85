"""A running service: opens what it needs, follows the chain, sends, keeps, and closes in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from gridweave.chain.errors import NodeError, NodeUnavailable
from gridweave.chain.hexes import to_hex
from gridweave.chain.node import Node
from gridweave.chain.types import Block
from gridweave.indexer.follower import Follower, Step, patiently
from gridweave.outbox.sender import Sender
from gridweave.outbox.tally import Tally
from gridweave.services.assembly import assemble, relayer_of
from gridweave.services.belonging import check_chain, follower_of, load_deployment
from gridweave.services.errors import TooManyExports, TooManyStreams
from gridweave.services.keeper import Keeper
from gridweave.services.places import Places
from gridweave.services.refusals import Refusals
from gridweave.services.reorgs import Reorgs
from gridweave.services.settings import Settings
from gridweave.services.stores import Stores
from gridweave.services.stream import Bell
from gridweave.services.world import World
from gridweave.store.errors import StoreUnavailable
from gridweave.store.index import IndexedBlock, IndexStore
from gridweave.store.refused import RefusedItems
from gridweave.timing import now_ms

__all__ = ["Runtime"]

log = structlog.get_logger(__name__)

_KEEP_MS = 7 * 86_400 * 1_000
_PRUNE_S = 3_600.0
_FRESH_S = 30.0
_LOOK_S = 2.0


class Runtime:
    """`open`, then `start`; `world` is what requests are answered from. `close` stops in the opposite order."""

    def __init__(self, world: World, stores: Stores, sender: Sender, follower: Follower, *, owns: bool) -> None:
        self.world = world
        self.bell = Bell()
        self.readers = Places(world.settings.most_streams, TooManyStreams)
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
        chain = node or Node(settings.rpc_url)
        try:
            deployment, relayer = load_deployment(settings), relayer_of(settings)
            await check_chain(chain, deployment)
            opened = stores or await Stores.open(settings)
            try:
                await opened.migrate()
                world, sender = await assemble(settings, deployment, chain, relayer, opened)
                follower = await follower_of(deployment, chain, IndexStore(opened.index))
                return cls(world, opened, sender, follower, owns=node is None)
            except BaseException:
                await opened.close()
                raise
        except BaseException:
            if node is None:
                await chain.aclose()
            raise

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
        world.sessions.learn(step.rows)
        if not step.blocks:
            await self._until_done(world.sessions.review)
        if step.rows.get("markets"):
            world.terms.forget()
        if step.rows.get("bonds") or not step.blocks:
            await self._until_done(world.sponsors.refresh)
        self.bell.ring()

    async def _until_done(self, work: Callable[[], Awaitable[object]]) -> None:
        """The step that calls for it does not come again."""
        while True:
            try:
                await work()
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
            self.world.sessions.sweep()
            await asyncio.sleep(_LOOK_S)

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(_PRUNE_S)
            try:
                await self.world.outbox.forget(now_ms() - _KEEP_MS)
            except StoreUnavailable as away:
                log.warning("pruning waits", reason=str(away))
