"""`gridweave history` over a service that is a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from gridweave.cli import app
from gridweave.client import GridweaveClient, HistoryFilters
from tests.support.process import ServiceProcess
from tests.support.told import read_chain
from tests.support.town import Town, founded

pytestmark = [pytest.mark.chain, pytest.mark.asyncio(loop_scope="module")]


@dataclass(frozen=True)
class Place:
    town: Town
    url: str
    events: int


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("command")
    async with founded(folder / "chain", homes=2) as town:
        with ServiceProcess(town, folder / "service") as service:
            await service.start()
            await asyncio.to_thread(lambda: _level(service.url, town))
            yield Place(town, service.url, len(await read_chain(town)))


def _level(url: str, town: Town) -> None:
    with GridweaveClient(url) as client:
        assert client.chain_time()


async def run(place: Place, *arguments: str) -> tuple[int, str]:
    done = await asyncio.to_thread(CliRunner().invoke, app, ["history", "--url", place.url, *arguments])
    return done.exit_code, done.output


async def rows(place: Place, **asked: Any) -> list[dict[str, Any]]:
    def ask() -> list[dict[str, Any]]:
        with GridweaveClient(place.url) as client:
            return list(client.history(HistoryFilters(**asked)))

    return await asyncio.to_thread(ask)


async def test_history__as_table_and_json__are_the_client_s_rows(place: Place) -> None:
    account = place.town.homes[0].account
    code, said = await run(place, "--account", account, "--event", "Deposited", "--event", "Transfer", "--json")
    items = json.loads(said)["items"]
    assert (code, items) == (0, await rows(place, account=[account], event=["Deposited", "Transfer"]))
    assert {row["event"] for row in items} == {"Deposited", "Transfer"}
    code, said = await run(place, "--event", "MeterRegistered")
    assert (code, said.count("DERRegistry.MeterRegistered")) == (0, 2)
    code, said = await run(place, "--meter", "77")
    assert (code, said.strip()) == (0, "nothing like that has happened")


async def test_history__in_a_terminal_of_80_columns__cuts_nothing(place: Place) -> None:
    said = await asyncio.to_thread(in_terminal, 80, "history", "--url", place.url, "--limit", "1000")
    lines = [line.rstrip() for line in said.splitlines()]
    assert max(map(len, lines)) <= 80
    items = await rows(place)
    assert len(items) == place.events
    begun = [line.split() for line in lines if re.match(r"\d{4}-\d\d-\d\d ", line)]
    assert [(cells[2], cells[3]) for cells in begun] == [(str(row["block"]), row["event"]) for row in items]
    unfolded = "".join(said.split())
    assert all(
        f"{name}=" in unfolded for row in items for name, value in row["args"].items() if type(value) is not dict
    )


def in_terminal(columns: int, *arguments: str) -> str:
    """What the command shows in a terminal so wide."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    program = "import sys; from gridweave.cli import main; main(sys.argv[1:])"
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=its, env=environment | {"TERM": "dumb"}):
        os.close(its)
        said = b""
        with contextlib.suppress(OSError):  # so Linux says that nobody holds the other end any more
            while part := os.read(ours, 65_536):
                said += part
    os.close(ours)
    return said.decode()


async def test_history__to_a_file__writes_every_row(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "all.ndjson"
    code, said = await run(place, "--out", str(file))
    assert code == 0, said
    assert f"{place.events} rows" in said
    assert [json.loads(line)["logIndex"] for line in file.read_text().splitlines()] == [
        row["logIndex"] for row in await rows(place)
    ]
    assert not file.with_name("all.ndjson.part").exists()


async def test_history__resumed__goes_on_behind_the_last_whole_row(place: Place, tmp_path: Path) -> None:
    whole, file = tmp_path / "whole.ndjson", tmp_path / "all.ndjson"
    await run(place, "--out", str(whole))
    content = whole.read_bytes()
    for cut in (0, 10, len(content) // 2, len(content) - 1, len(content)):
        (tmp_path / "all.ndjson.part").write_bytes(content[:cut])
        code, said = await run(place, "--out", str(file), "--resume")
        assert code == 0, said
        assert file.read_bytes() == content


async def test_history__what_cannot_be__says_what_could(place: Place, tmp_path: Path) -> None:
    for arguments, word in (
        (["--event", "Happened"], "NoSuchEvent"),
        (["--account", "0x12"], "40 hex digits"),
        (["--from-time", "yesterday"], "2016-06-10T12:15"),
        (["--resume"], "--out"),
        (["--out", str(tmp_path / "x"), "--format", "xlsx"], "ndjson, csv, parquet"),
        (["--out", str(tmp_path / "x"), "--format", "csv", "--resume"], "ndjson"),
        (["--out", str(tmp_path / "none" / "x")], "cannot write"),
    ):
        code, said = await run(place, *arguments)
        assert code in (1, 2), said
        assert word in " ".join(said.split()), said
