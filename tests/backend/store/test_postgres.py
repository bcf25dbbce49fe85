"""PostgreSQL as a neighbour: one sender at a time, away and back again, and the same rows as in a file."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from gridweave.localnet import free_port
from gridweave.services.settings import Settings, SettingsInvalid
from gridweave.services.stores import Stores
from gridweave.store.backend import url_of
from gridweave.store.database import Database, Kind
from gridweave.store.errors import StoreBusy, StoreUnavailable
from gridweave.store.index import IndexedBlock, IndexStore
from gridweave.store.outbox import OutboxStore
from tests.support.postgres import PostgresServer

ACCOUNTS = ("0xaB" + "00" * 19, "0xAb" + "11" * 19, "0xa0" + "22" * 19)
"""Which comes first depends on who sorts them, unless it is by their bytes."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        yield running


async def ready(url: str, kind: Kind = Kind.OUTBOX) -> Database:
    database = Database(kind, url)
    await database.claim()
    await database.migrate()
    return database


async def write(database: Database, name: str) -> None:
    await OutboxStore(database).belongs_to({name: "1"})


async def facts(database: Database) -> list[str]:
    async with database.read() as connection:
        found = await connection.execute(text("SELECT name FROM facts WHERE name <> 'holder' ORDER BY name"))
        return [row.name for row in found]


@pytest.mark.parametrize("kind", Kind)
async def test_claim__while_another_works_with_it__store_busy_without_a_password(
    server: PostgresServer, kind: Kind
) -> None:
    url = server.database()
    first = await ready(url, kind)
    second = Database(kind, url.replace("gridweave@", "gridweave:secret@"))
    with pytest.raises(StoreBusy, match=f"another service or keeper works with gridweave_{kind}") as busy:
        await second.claim()
    assert "secret" not in str(busy.value)
    await first.close()
    await second.claim()
    await second.close()


async def test_write__after_the_session_was_lost__takes_the_lock_again(server: PostgresServer) -> None:
    database = await ready(server.database())
    await write(database, "before")
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'gridweave%'")
    await write(database, "after")
    assert await facts(database) == ["after", "before"]
    await database.close()


async def test_index__whose_session_is_lost__waits_for_another_to_end_and_is_read_meanwhile(
    server: PostgresServer,
) -> None:
    url = server.database()
    first = await ready(url, Kind.INDEX)
    await IndexStore(first).belongs_to({"before": "1"})
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'gridweave%'")
    second = await ready(url, Kind.INDEX)
    with pytest.raises(StoreUnavailable, match="another service or keeper works with gridweave_index"):
        await IndexStore(first).belongs_to({"late": "1"})
    assert await facts(first) == ["before"]
    await second.close()
    await IndexStore(first).belongs_to({"before": "1", "after": "1"})
    assert await facts(first) == ["after", "before"]
    await first.close()


@pytest.mark.parametrize("kind", Kind)
async def test_stores__on_a_server_that_does_not_answer__name_the_variable_without_a_password(
    server: PostgresServer, tmp_path: Path, kind: Kind
) -> None:
    variable = f"GRIDWEAVE_{kind.upper()}_URL"
    away = {variable: f"postgresql://me:s3cret@127.0.0.1:{free_port()}/d"}
    said = rf"{variable}: gridweave_{kind} of .*127\.0\.0\.1.* cannot be used"
    with pytest.raises(StoreUnavailable, match=said) as told:
        await Stores.open(Settings.from_env(away, data_dir=tmp_path))
    assert "s3cret" not in "".join(traceback.format_exception(told.value))
    wrong = {variable: f"{server.database()}_not".replace("gridweave@", "gridweave:s3cret@")}
    with pytest.raises(StoreUnavailable, match=f"{variable}: .*does not exist") as told:
        await Stores.open(Settings.from_env(wrong, data_dir=tmp_path))
    assert "s3cret" not in "".join(traceback.format_exception(told.value))


async def test_write__after_another_took_the_lost_lock__store_busy(server: PostgresServer) -> None:
    """The first sender must stop: what it would send now, the other knows nothing of."""
    url = server.database()
    first = await ready(url)
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'gridweave%'")
    second = await ready(url)
    with pytest.raises(StoreBusy):
        await write(first, "late")
    assert await facts(second) == []
    await first.close()
    await second.close()


async def test_write__after_another_signed_beside_a_session_that_lives__store_busy(server: PostgresServer) -> None:
    """As behind a pooler that gives one session, and so one lock, to two services."""
    url = server.database()
    first = await ready(url)
    await write(first, "before")
    async with first.write() as connection:
        await connection.execute(text("UPDATE facts SET value = 'another' WHERE name = 'holder'"))
    with pytest.raises(StoreBusy, match="took over"):
        await write(first, "late")
    assert await facts(first) == ["before"]
    await first.close()


async def test_write__after_another_took_over_and_went__store_busy_and_leaves_the_lock_to_a_third(
    server: PostgresServer,
) -> None:
    """Nonces and keys that the first keeps in memory are old, though the lock is free again."""
    url = server.database()
    first = await ready(url)
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'gridweave%'")
    second = await ready(url)
    await second.close()
    with pytest.raises(StoreBusy, match="took over"):
        await write(first, "late")
    third = await ready(url)
    assert await facts(third) == []
    await first.close()
    await third.close()


async def test_claim__of_a_database_that_is_not_there__store_unavailable(server: PostgresServer) -> None:
    database = Database(Kind.OUTBOX, f"{server.database()}_not")
    with pytest.raises(StoreUnavailable, match="does not exist"):
        await database.claim()
    await database.close()


async def test_write__where_the_server_is_read_only__store_unavailable_until_it_may_write(
    server: PostgresServer,
) -> None:
    """As a standby is, or a server that an administrator has frozen."""
    url = server.database()
    name = url.rpartition("/")[2]
    database = await ready(url)
    await database.close()
    server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    database = Database(Kind.OUTBOX, url)
    with pytest.raises(StoreUnavailable, match="read-only"):
        await write(database, "lost")
    await database.close()
    server.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    await write(database, "kept")
    assert await facts(database) == ["kept"]
    await database.close()


async def test_write__while_the_server_is_away__store_unavailable_until_it_is_back(server: PostgresServer) -> None:
    database = await ready(server.database())
    await write(database, "kept")
    server.kill()
    try:
        with pytest.raises(StoreUnavailable):
            await write(database, "lost")
        with pytest.raises(StoreUnavailable):
            await facts(database)
    finally:
        server.start()
    assert await facts(database) == ["kept"]
    await write(database, "later")
    assert await facts(database) == ["kept", "later"]
    await database.close()


async def test_write__while_the_server_stands_still__store_unavailable_in_the_end(server: PostgresServer) -> None:
    database = await ready(server.database())
    server.pause()
    try:
        async with asyncio.timeout(60):
            with pytest.raises(StoreUnavailable):
                await write(database, "lost")
    finally:
        server.resume()
    await write(database, "kept")
    assert await facts(database) == ["kept"]
    await database.close()


async def test_digest__of_the_same_rows__is_that_of_a_file(server: PostgresServer, tmp_path: Path) -> None:
    digests = set()
    for url in (server.database(), f"sqlite:///{tmp_path}/index.db"):
        database = await ready(url, Kind.INDEX)
        index = IndexStore(database)
        await index.apply([IndexedBlock(1, "0x01", "0x00", 7)], {"moves": [move(account) for account in ACCOUNTS]})
        digests.add(await index.digest())
        await database.close()
    assert len(digests) == 1


def move(account: str) -> dict[str, Any]:
    nothing = dict.fromkeys(("ref", "from_pot", "from_utility", "hold"))
    place = {"block_number": 1, "log_index": 1, "tx_hash": "0x", "account": account, "kind": "debt"}
    return place | {"counterparty": account, "amount": -(2**70), "available": 2**70} | nothing


@pytest.mark.parametrize("url", ["mysql://localhost/x", "nonsense", "postgresql+psycopg2:/"])
def test_settings__a_url_that_cannot_be_used__names_the_variable(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="GRIDWEAVE_INDEX_URL"):
        Settings.from_env({"GRIDWEAVE_INDEX_URL": url})


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://me:s3cret@h/d", "mysql is not supported"),
        ("postgresql://me:s3cret@h:s3cret/d", "no URL of a database"),
        ("postgresql://me:s3cret@h/d?opt=1", "opt is no option"),
    ],
)
def test_settings__a_url_with_a_password__never_show_it(url: str, says: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"GRIDWEAVE_OUTBOX_URL: {says}") as refused:
        Settings.from_env({"GRIDWEAVE_OUTBOX_URL": url})
    assert "s3cret" not in "".join(traceback.format_exception(refused.value))
    right = Settings.from_env({"GRIDWEAVE_OUTBOX_URL": "postgres://me:s3cret@h/d?sslmode=require"})
    assert "s3cret" not in repr(right)
    assert url_of(right.outbox_url).query == {"ssl": "require"}
