"""Exports hold the same rows as pages, in any format, and break off rather than show two chains as one."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import insert, select

from gridweave.api import create_app
from gridweave.api.connections import Patience, patient
from gridweave.localnet import free_port
from gridweave.services import export
from gridweave.services.history import Filters
from gridweave.services.runtime import Runtime
from gridweave.services.writing import COLUMNS, Format
from gridweave.store.history import Reorganised
from gridweave.store.index_tables import history
from tests.support.service import Service, served, settings_of
from tests.support.sockets import Line, request
from tests.support.town import Town, founded

from .test_filters import pages

pytestmark = [pytest.mark.chain, pytest.mark.asyncio(loop_scope="session")]


async def exported(service: Service, **params: Any) -> bytes:
    answer = await service.http.get("/v1/history/export", params=params)
    assert answer.status_code == 200, answer.text
    return answer.content


def from_csv(content: bytes) -> list[dict[str, Any]]:
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    numbers = {"block", "logIndex", "time"}
    kinds = {"final": lambda text: text == "true", "args": json.loads} | dict.fromkeys(numbers, int)
    return [{name: kinds.get(name, str)(value) for name, value in row.items()} for row in rows]


def from_parquet(content: bytes) -> list[dict[str, Any]]:
    rows = pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()
    return [row | {"time": int(row["time"].timestamp()), "args": json.loads(row["args"])} for row in rows]


READ = {
    "ndjson": lambda content: [json.loads(line) for line in content.decode().splitlines()],
    "csv": from_csv,
    "parquet": from_parquet,
}


@pytest.mark.parametrize("format_", list(READ))
@pytest.mark.parametrize("rows", [1, 7, 2_000])
async def test_export__in_any_format_and_stride__has_the_rows_of_the_pages(
    service: Service, monkeypatch: pytest.MonkeyPatch, format_: str, rows: int
) -> None:
    monkeypatch.setattr(export, "_ROWS", rows)
    filters: list[dict[str, Any]] = [{}, {"event": ["Paid", "Settled"]}, {"meter": 1, "final": True}, {"toTime": 1}]
    for asked in filters:
        found = READ[format_](await exported(service, format=format_, **asked))
        assert found == await pages(service, **asked)
        assert not found or tuple(found[0]) == COLUMNS


async def test_export__behind_a_row__goes_on_there(service: Service) -> None:
    lines = (await exported(service)).splitlines()
    row = json.loads(lines[20])
    cursor = f"{row['block']}.{row['logIndex']}.{row['blockHash'][2:]}"
    assert (await exported(service, cursor=cursor)).splitlines() == lines[21:]


async def test_export__answer__names_its_newest_block(service: Service) -> None:
    answer = await service.http.get("/v1/history/export", params={"format": "csv"})
    head = service.runtime.world.heads.block
    assert head is not None
    assert answer.headers["gridweave-block"] == f"{head.number}.{head.hash}"
    assert answer.headers["content-type"].startswith("text/csv")
    assert "history.csv" in answer.headers["content-disposition"]


async def test_export__cells__no_spreadsheet_takes_for_formulas(service: Service) -> None:
    rows = list(csv.reader(io.StringIO((await exported(service, format="csv")).decode(), newline="")))
    assert len(rows) > 100
    for row in rows:
        assert not [cell for cell in row if cell[:1] in "=+-@\t\r"]


async def test_export__without_pyarrow__says_what_to_install(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    answer = await service.http.get("/v1/history/export", params={"format": "parquet"})
    assert (answer.status_code, answer.json()["error"]["name"]) == (501, "ParquetMissing")
    assert "pip install pyarrow" in answer.json()["error"]["message"]


async def test_export__more_than_may_run__is_refused_until_one_ends(service: Service) -> None:
    places = service.runtime.exports
    most = service.runtime.world.settings.most_exports
    for _ in range(most):
        places.enter()
    answer = await service.http.get("/v1/history/export")
    assert (answer.status_code, answer.json()["error"]["name"]) == (503, "TooManyExports")
    for _ in range(most):
        places.leave()
    for _ in range(most + 1):
        assert await exported(service, toBlock=0) == b""


async def test_export__a_reorganisation_under_it__breaks_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_ROWS", 10)
    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s") as service:
        await town.chain.mine()
        await service.caught_up()
        started = await export.open_export(service.runtime.world, Filters(), Format.NDJSON, None)
        assert await anext(started.body)
        await town.chain.node.request("anvil_reorg", 1, [])
        await service.caught_up()
        with pytest.raises(Reorganised):
            async for _ in started.body:
                pass


async def test_export__new_blocks_meanwhile__are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_ROWS", 10)
    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s") as service:
        before = await exported(service)
        started = await export.open_export(service.runtime.world, Filters(), Format.NDJSON, None)
        first = await anext(started.body)
        await live_on(service)
        assert first + b"".join([part async for part in started.body]) == before
        assert len(await exported(service)) > len(before)


async def live_on(service: Service) -> None:
    slot = await service.town.open_slot()
    await service.done(*await service.accept("orders", service.town.bid(service.town.homes[0], slot)))
    await service.caught_up()


async def test_export__broken_off_over_http__shows_as_an_incomplete_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        founded(tmp_path / "chain", homes=2) as town,
        listening(town, tmp_path / "s", monkeypatch) as url,
        httpx.AsyncClient(trust_env=False, timeout=20) as http,
    ):
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(f"{url}/v1/history/export")
        assert (await http.get(f"{url}/v1/history")).status_code == 200


@pytest.mark.parametrize("bytes_a_second", [0, 40_000])
async def test_export__to_a_reader_that_takes_next_to_nothing__gives_its_place_to_another(
    tmp_path: Path, bytes_a_second: int
) -> None:
    async with (
        founded(tmp_path / "chain", homes=1) as town,
        on_a_port(create_app(settings_of(town, tmp_path / "s", most_exports=1))) as (url, runtime),
        httpx.AsyncClient(trust_env=False, timeout=20) as http,
    ):
        await lengthen(runtime)
        export_of_all = f"{url}/v1/history/export"
        async with await Line.open(httpx.URL(url).port or 0) as line:
            await line.say(request("/v1/history/export", method="GET"))
            assert await line.status() == 200
            assert (await http.get(export_of_all)).json()["error"]["name"] == "TooManyExports"
            async with asyncio.timeout(STALL_S + 5):
                while runtime.exports.taken:
                    await asyncio.sleep(0.05)
                    if bytes_a_second:
                        await line.reader.read(bytes_a_second // 20)
            assert len((await http.get(export_of_all)).content) > LONG


LONG, STALL_S = 20_000_000, 1.0
"""Bytes, more than what lies between two sockets; seconds."""


async def lengthen(runtime: Runtime) -> None:
    """The history's first event happened very often."""
    async with runtime.stores.index.write() as connection:
        first = (await connection.execute(select(history).limit(1))).mappings().one()
        count = LONG // 300
        await connection.execute(insert(history), [{**first, "log_index": 1_000 + more} for more in range(count)])


@asynccontextmanager
async def on_a_port(app: FastAPI) -> AsyncIterator[tuple[str, Runtime]]:
    """Its address and what runs there, as `serve` has it listen."""
    patience = Patience(head_s=10, stall_s=STALL_S, connections=100)
    server = uvicorn.Server(uvicorn.Config(app, port=free_port(), log_config=None, http=patient(patience)))
    serving = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(20):
            while not server.started or app.state.runtime.not_ready():  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{server.config.port}", app.state.runtime
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def listening(town: Town, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A service on a port whose exports find, after their first page, that the newest block is another."""
    async with on_a_port(create_app(settings_of(town, folder))) as (url, runtime):
        reads, asked = runtime.world.reads.history, 0
        stretch = type(reads).stretch

        async def once(self: Any, *arguments: Any) -> Any:
            nonlocal asked
            asked += 1
            if asked == 2:
                raise Reorganised
            return await stretch(self, *arguments)

        monkeypatch.setattr(export, "_ROWS", 10)
        monkeypatch.setattr(type(reads), "stretch", once)
        yield url
