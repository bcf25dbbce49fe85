"""Tells subscribers: each callback in its order, again and later while it does not take it, then no more."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import aiohttp
import structlog

from gridweave.services.vtn.addresses import PublicResolver, check_callback
from gridweave.services.vtn.errors import Malformed
from gridweave.store.errors import StoreBusy, StoreUnavailable
from gridweave.store.vtn import Notice, VtnStore
from gridweave.timing import now_ms

__all__ = ["MOST_ATTEMPTS", "Callbacks", "Delivery"]

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 12
"""With pauses of 1, 2, 4 ... 1,024 seconds between them: about half an hour."""
_ANSWERS_WITHIN_S = 10.0
_AT_ONCE = 32
_LOOK_S = 0.5
_MOST_ECHO = 65_536
_UNREACHED = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


class Callbacks:
    """The way out to subscribers. `private`: also to private addresses and without TLS. `echo`: new ones must echo."""

    def __init__(self, *, private: bool, echo: bool) -> None:
        self._private, self._echo = private, echo
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(resolver=PublicResolver(private=self._private), use_dns_cache=False)
        timeout = aiohttp.ClientTimeout(total=_ANSWERS_WITHIN_S)
        self._http = aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    @property
    def _session(self) -> aiohttp.ClientSession:
        assert self._http is not None, "entered first"
        return self._http

    async def check(self, urls: Iterable[str]) -> None:
        """Whether each may be called and answers a challenge with it. Raises Malformed."""
        for url in dict.fromkeys(urls):
            check_callback(url, private=self._private)
            if self._echo and not await self._echoes(url):
                raise Malformed(f"{url} does not answer GET with its query's `echo` in the body")

    async def tell(self, notice: Notice) -> bool:
        """Whether the subscriber took it."""
        headers = {"Content-Type": "application/json"}
        if notice.bearer:
            headers["Authorization"] = f"Bearer {notice.bearer}"
        try:
            check_callback(notice.url, private=self._private)
            async with self._session.post(
                notice.url, data=notice.body.encode(), headers=headers, allow_redirects=False
            ) as answer:
                return 200 <= answer.status < 300
        except (*_UNREACHED, Malformed):
            return False

    async def _echoes(self, url: str) -> bool:
        challenge = secrets.token_urlsafe(24)
        try:
            async with self._session.get(url, params={"echo": challenge}, allow_redirects=False) as answer:
                return answer.status == 200 and challenge.encode() in await answer.content.read(_MOST_ECHO)
        except _UNREACHED:
            return False


class Delivery:
    """Takes notices from the store to `callbacks`. They outlive the process; one may be told twice, none is lost."""

    def __init__(self, store: VtnStore, callbacks: Callbacks) -> None:
        self._store, self._callbacks = store, callbacks
        self._bell = asyncio.Event()
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._ended: set[int] = set()

    def ring(self) -> None:
        """Something new is due."""
        self._bell.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        try:
            while True:
                self._bell.clear()
                try:
                    await self._start()
                except (StoreUnavailable, StoreBusy) as away:
                    log.warning("notices wait", reason=str(away))
                try:
                    async with asyncio.timeout(_LOOK_S):
                        await self._bell.wait()
                except TimeoutError:
                    continue
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _start(self) -> None:
        self._ended.clear()  # what ends while the store is asked may stand in its answer still
        for notice in await self._store.due(now_ms(), 4 * _AT_ONCE):
            if len(self._under_way) >= _AT_ONCE:
                return
            if notice.seq not in self._under_way and notice.seq not in self._ended:
                self._under_way[notice.seq] = asyncio.create_task(self._deliver(notice))

    async def _deliver(self, notice: Notice) -> None:
        try:
            if await self._callbacks.tell(notice):
                await self._store.told(notice.seq)
                self.ring()
                return
            attempts = notice.attempts + 1
            if attempts >= MOST_ATTEMPTS:
                log.warning("a subscriber was not reached", subscription=notice.subscription, url=notice.url)
                await self._store.told(notice.seq)
                return
            await self._store.later(notice.seq, attempts, now_ms() + 1_000 * 2 ** (attempts - 1))
        except (StoreUnavailable, StoreBusy) as away:
            log.warning("notices wait", reason=str(away))
        finally:
            del self._under_way[notice.seq]
            self._ended.add(notice.seq)
