"""What nobody honest would send, over real sockets, while somebody honest is served beside it.

Each is answered by name or cut off; afterwards the service has its memory, its places and its wits.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.support.process import ServiceProcess, until
from tests.support.sockets import Line, request
from tests.support.town import Town, founded

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

HEAD_MS, BODY_MS, STALL_MS = 1_500, 2_000, 2_000
CONNECTIONS = 120
MOST_GROWTH = 64 * 2**20
"""Bytes by which the service may grow under any of this; bombs and pages unfold to far more."""


@dataclass
class Scene:
    """A service with little patience, and somebody honest who reads and orders all the time."""

    town: Town
    service: ServiceProcess
    served: int = 0

    async def line(self) -> Line:
        return await Line.open(self.service.port)

    async def honest(self) -> None:
        """Reads and orders until cancelled; a request that is not served fails the test."""
        home, slot = self.town.homes[0], await self.town.open_slot()
        async with httpx.AsyncClient(base_url=self.service.url, trust_env=False, timeout=30) as http:
            while True:
                with contextlib.suppress(httpx.RemoteProtocolError, httpx.ReadError):  # its idle connection made room
                    assert (await http.get("/v1/markets")).status_code == 200
                    order = self.town.bid(home, slot)
                    assert (await http.post("/v1/orders", json=order)).status_code == 202
                    self.served += 1
                await asyncio.sleep(0.02)

    @contextlib.asynccontextmanager
    async def beside_somebody_honest(self) -> AsyncIterator[None]:
        before, memory = self.served, self.service.memory()
        task = asyncio.create_task(self.honest())
        try:
            yield
            await until(self._has_served(before + 3, task))
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        assert self.service.memory() < memory + MOST_GROWTH

    def _has_served(self, count: int, task: asyncio.Task[None]) -> Callable[[], Awaitable[bool]]:
        async def has() -> bool:
            return self.served >= count or task.done()

        return has


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("abuse")
    patience = {"head_timeout_ms": HEAD_MS, "body_timeout_ms": BODY_MS, "stall_timeout_ms": STALL_MS}
    async with founded(folder / "chain", homes=2) as town:
        with ServiceProcess(town, folder, most_connections=CONNECTIONS, **patience, rate_limit_per_s=0) as service:
            await service.start()
            yield Scene(town, service)


# slowly


async def test_head__trickled__is_cut_off(scene: Scene) -> None:
    async with scene.beside_somebody_honest(), await scene.line() as line:
        await line.say(b"GET /v1/markets HTTP/1.1\r\nHost: service\r\n")
        await line.repeat(b"X-A: b\r\n", every=0.05)
        assert await line.heard() == b""


async def test_head__trickled_on_a_kept_connection__is_cut_off(scene: Scene) -> None:
    async with scene.beside_somebody_honest(), await scene.line() as line:
        await line.say(request("/healthz", method="GET"))
        assert await line.status() == 200
        await line.repeat(b"\r\n", every=0.05)


async def test_head__without_end_behind_a_stream__is_cut_off(scene: Scene) -> None:
    """While a request is answered the next one's head has no time, but it has a length."""
    async with scene.beside_somebody_honest(), await scene.line() as line:
        await line.say(request("/v1/events", method="GET"))
        assert await line.status() == 200
        await line.say(b"GET /v1/markets HTTP/1.1\r\nX-A: ")
        for _ in range(4_096):
            if not await line.say(b"a" * 65_536):
                return
        raise AssertionError("256 MiB of one header were taken")


async def test_connection__with_nothing_said__is_cut_off(scene: Scene) -> None:
    async with scene.beside_somebody_honest(), await scene.line() as line:
        assert await line.heard() == b""


async def test_body__trickled__408(scene: Scene) -> None:
    async with scene.beside_somebody_honest(), await scene.line() as line:
        await line.say(request("/v1/orders", b"", "Content-Length: 100000"))
        trickle = asyncio.create_task(line.repeat(b" ", every=0.1))
        assert await line.status() == 408
        await line.heard()
        await trickle


async def test_body__in_chunks_without_end__is_refused_and_cut_off(scene: Scene) -> None:
    async with scene.beside_somebody_honest(), await scene.line() as line:
        await line.say(request("/v1/orders", b"", "Transfer-Encoding: chunked"))
        endless = asyncio.create_task(line.repeat(b"10000\r\n" + b" " * 65_536 + b"\r\n"))
        assert await line.status() == 413
        await line.heard()
        await endless


async def test_answer__that_nobody_takes__is_cut_off(scene: Scene) -> None:
    """Questions without end, whose answers are left lying."""
    async with scene.beside_somebody_honest(), await scene.line() as line:
        await line.repeat(request("/openapi.json", method="GET") * 8)


async def test_requests__without_end_on_one_connection__are_cut_off(scene: Scene) -> None:
    """Each answer is taken, but none is waited for."""
    async with scene.beside_somebody_honest(), await scene.line() as line:
        heard = asyncio.create_task(line.heard())
        await line.repeat(request("/healthz", method="GET") * 1_000)
        await heard


async def test_connections__more_than_places__make_room_for_whoever_asks(scene: Scene) -> None:
    async with scene.beside_somebody_honest():
        lines = [await scene.line() for _ in range(3 * CONNECTIONS)]
        heard = await asyncio.gather(*(line.heard() for line in lines))
        assert set(heard) == {b""}
        for line in lines:
            line.close()


# too much

HUGE: dict[str, tuple[bytes, set[int]]] = {
    "headers": (request("/healthz", b"", *(f"X-{n}: {'a' * 1_000}" for n in range(200)), method="GET"), {400, 0}),
    "a header": (request("/healthz", b"", f"X: {'a' * 10**6}", method="GET"), {400, 0}),
    "a path": (request("/v1/" + "a" * 10**6, method="GET"), {400, 0}),
    "a query": (request("/v1/meters?cursor=" + "1" * 10**6, method="GET"), {400, 0}),
    "a page": (request("/v1/meters?limit=1000000000", method="GET"), {422}),
    "an announced body": (request("/v1/orders", b"", "Content-Length: 1000000000000000000000"), {413, 400}),
    "deep JSON": (request("/v1/orders", b"[" * 100_000 + b"]" * 100_000), {400, 422}),
    "deep objects": (request("/v1/orders", b'{"orders":' * 50_000), {413}),
    "a long number": (request("/v1/orders", b'{"orders": ' + b"9" * 1_000_000 + b"}"), {400, 422}),
    "many items": (request("/v1/orders", b'{"orders":[' + b"{}," * 200_000 + b"{}]}"), {422}),
    "many keys": (request("/v1/orders", json.dumps({str(n): n for n in range(60_000)}).encode()), {413}),
}


@pytest.mark.parametrize("name", HUGE)
async def test_request__with_huge__is_refused(scene: Scene, name: str) -> None:
    said, statuses = HUGE[name]
    async with scene.beside_somebody_honest(), await scene.line() as line:
        sending = asyncio.create_task(line.say(said))
        assert await line.status() in statuses
        line.close()
        with contextlib.suppress(ConnectionError):
            await sending


BOMB = b" " * 2**28


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(BOMB)),
        ("deflate", zlib.compress(BOMB)),
        ("br", b"\xcb\xff\x1f" * 100),
        ("zstd", b"\x28\xb5\x2f\xfd" * 100),
        ("identity, gzip", gzip.compress(BOMB)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_body__compressed__415(scene: Scene, encoding: str, body: bytes) -> None:
    said = request("/v1/orders", body, f"Content-Encoding: {encoding}")
    async with scene.beside_somebody_honest(), await scene.line() as line:
        await line.say(said)
        assert await line.status() == 415


# not quite right


async def test_body__not_quite_json__is_refused_by_name(scene: Scene) -> None:
    order = scene.town.bid(scene.town.homes[1], await scene.town.open_slot(3))
    good = json.dumps(order).encode()
    faulty: dict[str, tuple[bytes, int]] = {
        "NaN": (good.replace(str(order["energyWh"]).encode(), b"NaN"), 422),
        "Infinity": (good.replace(str(order["energyWh"]).encode(), b"-Infinity"), 422),
        "a float": (good.replace(str(order["energyWh"]).encode(), b"1e3"), 422),
        "a byte order mark": (b"\xef\xbb\xbf" + good, 400),
        "UTF-16": (json.dumps(order).encode("utf-16"), 400),
        "UTF-16 without a mark": (json.dumps(order).encode("utf-16-le"), 400),
        "no UTF-8": (good.replace(b'"bid"', b'"\xff\xfe"'), 400),
        "half a surrogate pair": (good.replace(b'"bid"', b'"\\ud800"'), 422),
        "half a surrogate pair for a name": (good.replace(b'"side"', b'"\\ud800"'), 422),
        "a zero byte": (good.replace(b'"bid"', b'"bid\\u0000"'), 422),
        "nothing": (b"", 422),
        "null": (b"null", 422),
        "a number": (b"7", 422),
        "two documents": (good + good, 422),
        "another last value": (good[:-1] + b', "energyWh": 1001}', 403),  # the last counts, and that nobody signed
    }
    async with httpx.AsyncClient(base_url=scene.service.url, trust_env=False) as http:
        for name, (body, status) in faulty.items():
            answer = await http.post("/v1/orders", content=body, headers={"Content-Type": "application/json"})
            told: dict[str, Any] = answer.json()
            assert (answer.status_code, bool(told.get("error"))) == (status, True), (name, answer.text)
        assert (await http.post("/v1/orders", content=good, headers={"Content-Type": "application/json"})).is_success


async def test_body__of_another_kind__415(scene: Scene) -> None:
    async with httpx.AsyncClient(base_url=scene.service.url, trust_env=False) as http:
        for posted in ({"data": {"a": "1"}}, {"files": {"orders": b"[]"}}):
            answer = await http.post("/v1/orders", **posted)  # type: ignore[arg-type]
            assert (answer.status_code, answer.json()["error"]["name"]) == (415, "BodyNotTaken")
        for path in ("/v1/orders", "/v1/deposits"):
            plain = await http.post(path, content=b"{}", headers={"Content-Type": "text/plain"})
            unsaid = await http.post(path, content=b"{}")
            assert (plain.status_code, unsaid.status_code) == (415, 415)


SMUGGLED = request("/v1/smuggled", method="GET")

AMBIGUOUS = {
    "two lengths": request("/v1/orders", b"", "Content-Length: 0", f"Content-Length: {len(SMUGGLED)}") + SMUGGLED,
    "a length with a sign": request("/v1/orders", b"", "Content-Length: +0") + SMUGGLED,
    "a length of two": request("/v1/orders", b"", f"Content-Length: 0, {len(SMUGGLED)}") + SMUGGLED,
    "no number": request("/v1/orders", b"", "Content-Length: x") + SMUGGLED,
    "length below zero": request("/v1/orders", b"", "Content-Length: -1") + SMUGGLED,
    "length and chunks": request("/v1/orders", b"0\r\n\r\n", "Content-Length: 5", "Transfer-Encoding: chunked")
    + SMUGGLED,
    "unknown coding": request("/v1/orders", b"0\r\n\r\n", "Transfer-Encoding: xchunked") + SMUGGLED,
    "two codings": request("/v1/orders", b"0\r\n\r\n", "Transfer-Encoding: gzip, chunked") + SMUGGLED,
    "a space before the colon": request("/v1/orders", b"", "Content-Length : 0") + SMUGGLED,
    "a folded header": request("/v1/orders", b"", "X: a\r\n Content-Length: 9") + SMUGGLED,
    "a bare line feed": b"POST /v1/orders HTTP/1.1\nHost: service\nContent-Length: 0\n\n" + SMUGGLED,
    "a chunk size with a sign": request("/v1/orders", b"+0\r\n\r\n", "Transfer-Encoding: chunked") + SMUGGLED,
    "no host": b"GET /v1/markets HTTP/1.1\r\n\r\n" + SMUGGLED,
    "two hosts": request("/v1/markets", b"", "Host: other", method="GET") + SMUGGLED,
}


@pytest.mark.parametrize("name", AMBIGUOUS)
async def test_request__of_two_readings__has_one(scene: Scene, name: str) -> None:
    """Refused, and the connection closed."""
    async with await scene.line() as line:
        await line.say(AMBIGUOUS[name])
        answers = (await line.heard()).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"400"]


async def test_requests__in_one_go__are_answered_in_order(scene: Scene) -> None:
    async with await scene.line() as line:
        await line.say(request("/healthz", method="GET") + request("/v1/nowhere", method="GET") + request("/v1/orders"))
        answers = (await line.heard()).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200", b"404", b"422"]


async def test_request__by_an_old_client__is_answered_and_closed(scene: Scene) -> None:
    async with await scene.line() as line:
        await line.say(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert b'{"status":"ok"}' in await line.heard()


async def test_method__made_up__is_no_label(scene: Scene) -> None:
    async with httpx.AsyncClient(base_url=scene.service.url, trust_env=False) as http:
        for number in range(20):
            assert (await http.request(f"BREW{number}", "/v1/markets")).status_code == 400
        assert "BREW" not in (await http.get("/metrics")).text
