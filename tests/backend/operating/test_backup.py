"""A backup that is put back: what it holds takes effect once, whatever the chain did since, and is told as it is."""

from __future__ import annotations

import shutil
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gridweave.chain import Signer
from gridweave.services.backup import BackupRefused, KeyChoice, back_up, restore
from gridweave.services.bodies import BODIES, BodyStore
from gridweave.services.settings import Settings
from gridweave.store.database import Database, Kind
from tests.backend.api.test_registry import withdrawal
from tests.support.service import Service, served, settings_of
from tests.support.town import Town, founded

KEY = 7


def settings(folder: Path, **changes: Any) -> Settings:
    """Of a folder in which nothing is."""
    return Settings.from_env({}, data_dir=folder, deployment=folder / "deployment.json", **changes)


def test_back_up__on_postgresql__names_pg_dump(tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="pg_dump"):
        back_up(settings(tmp_path, outbox_url="postgresql+asyncpg://somewhere/city"), tmp_path / "b")


def test_back_up__no_outbox__names_the_option(tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="--data-dir"):
        back_up(settings(tmp_path), tmp_path / "b")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"not a backup", b"\x1f\x8b\x08\x00broken"])
def test_restore__of_what_is_no_backup__says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(BackupRefused, match="backup"):
        restore(tmp_path / "file", tmp_path / "s")
    assert not (tmp_path / "s" / "outbox.db").exists()


async def outbox_of(file: Path) -> None:
    """An outbox in which nothing is."""
    database = Database(Kind.OUTBOX, f"sqlite:///{file}")
    await database.migrate()
    await database.close()


async def small_backup(folder: Path) -> Path:
    """Of an empty outbox, where keystore and record are links, as secrets that are mounted are."""
    (folder / "mounted").mkdir()
    for name in ("relayer.json", "deployment.json"):
        (folder / "mounted" / name).write_text(name)
        (folder / name).symlink_to(folder / "mounted" / name)
    await outbox_of(folder / "outbox.db")
    back_up(settings(folder, relayer_keystore=folder / "relayer.json"), folder / "b")
    return folder / "b"


async def test_back_up__a_keystore_behind_a_link__is_in_it(tmp_path: Path) -> None:
    restore(await small_backup(tmp_path), tmp_path / "new")
    assert (tmp_path / "new" / "relayer.json").read_text() == "relayer.json"
    assert not (tmp_path / "new" / "relayer.json").is_symlink()


async def test_restore__sealed_bodies__are_put_back_by_their_hashes(tmp_path: Path) -> None:
    kept = BodyStore(tmp_path / BODIES)
    await kept.keep(b"sealed")
    (kept.folder / "ab").mkdir(exist_ok=True)
    (kept.folder / "ab" / "half-written").write_bytes(b"no body yet")
    restore(await small_backup(tmp_path), tmp_path / "new")
    assert await BodyStore(tmp_path / "new" / BODIES).find(sha256(b"sealed").digest()) == b"sealed"
    assert len([file for file in (tmp_path / "new" / BODIES).rglob("*") if file.is_file()]) == 1


async def test_restore__over_another_keystore__is_refused_and_leaves_it(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "relayer.json").write_text("the only one")
    backup = await small_backup(tmp_path)
    with pytest.raises(BackupRefused, match=r"relayer\.json"):
        restore(backup, tmp_path / "new")
    assert {file.name for file in (tmp_path / "new").iterdir()} == {"relayer.json", "outbox.db.lock"}
    assert (tmp_path / "new" / "relayer.json").read_text() == "the only one"


async def test_restore__beside_the_journal_of_an_outbox_that_was_moved_away__is_refused(tmp_path: Path) -> None:
    """The next to open what is put back would play that journal into it."""
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "outbox.db-wal").write_bytes(b"what was acknowledged last")
    backup = await small_backup(tmp_path)
    with pytest.raises(BackupRefused, match=r"outbox\.db-wal"):
        restore(backup, tmp_path / "new")
    assert not (tmp_path / "new" / "outbox.db").exists()


async def begun(town: Town, folder: Path, backup: Path, *, key: KeyChoice = KeyChoice.PLAIN) -> None:
    """A service was here, and a backup of it was taken."""
    async with served(town, folder):
        back_up(settings_of(town, folder), backup, key)


@pytest.mark.chain
async def test_restore__damaged_or_over_an_outbox__is_refused(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=0) as town:
        await begun(town, tmp_path / "s", tmp_path / "b")
        with pytest.raises(BackupRefused, match="holds an outbox already"):
            restore(tmp_path / "b", tmp_path / "s")
        with tarfile.open(tmp_path / "b") as archive:
            archive.extractall(tmp_path / "open", filter="data")
        (tmp_path / "open" / "deployment.json").write_text("{}")
        with tarfile.open(tmp_path / "changed", "w:gz") as archive:
            for file in (tmp_path / "open").iterdir():
                archive.add(file, arcname=file.name)
        with pytest.raises(BackupRefused, match=r"damaged: deployment\.json"):
            restore(tmp_path / "changed", tmp_path / "new")
        (tmp_path / "cut").write_bytes((tmp_path / "b").read_bytes()[:-4_000])
        with pytest.raises(BackupRefused):
            restore(tmp_path / "cut", tmp_path / "new")
        assert not (tmp_path / "new" / "outbox.db").exists()
        async with served(town, tmp_path / "s"):
            with pytest.raises(BackupRefused, match="a service works in"):
                restore(tmp_path / "b", tmp_path / "s")


@pytest.mark.chain
async def test_back_up__a_plain_key__is_taken_only_when_asked_for(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=0) as town:
        with pytest.raises(BackupRefused, match="not encrypted"):
            await begun(town, tmp_path / "s", tmp_path / "b", key=KeyChoice.ENCRYPTED)
        assert not (tmp_path / "b").exists()
        given = settings_of(town, tmp_path / "s", rpc_url="http://me:hunter2@node", cors_origins=["https://a"])
        manifest = back_up(given, tmp_path / "b", KeyChoice.NONE)
        assert set(manifest.files) == {"outbox.db", "deployment.json", "settings.env"}
        assert (tmp_path / "b").stat().st_mode & 0o077 == 0
        restore(tmp_path / "b", tmp_path / "new")
        told = (tmp_path / "new" / "settings.env").read_text()
        assert "GRIDWEAVE_CORS_ORIGINS=https://a\n" in told
        assert "GRIDWEAVE_KEEPER=False\n" in told
        assert "hunter2" not in told
        plain = back_up(given, tmp_path / "b", KeyChoice.PLAIN)
        assert "relayer.key" in plain.files


async def requests(service: Service) -> list[str]:
    """An order, a reading that nobody may give yet, and money taken out: of each way to a transaction one."""
    town = service.town
    slot = await town.open_slot()
    ids = await service.accept("orders", {"orders": [town.bid(home, slot) for home in town.homes]})
    for nonce, home in enumerate(town.homes):
        ids += await service.accept("withdrawals", withdrawal(town, home.secret, 1_000, nonce + 1))
    return ids


async def undone(town: Town, folder: Path, backup: Path) -> None:
    """The service is lost, and its backup put where it was."""
    shutil.rmtree(folder)
    restore(backup, folder)


@pytest.mark.chain
async def test_restore__of_a_backup_before_anything_was_sent__learns_what_arrived(tmp_path: Path) -> None:
    folder, backup = tmp_path / "s", tmp_path / "b"
    async with founded(tmp_path / "chain", homes=3) as town:
        async with served(town, folder, batch_window_ms=3_000) as service:
            ids = await requests(service)
            assert back_up(service.runtime.world.settings, backup, KeyChoice.PLAIN).pending == len(ids)
            before = await service.done(*ids)
            assert {state["status"] for state in before} == {"committed"}
            later = await service.accept("withdrawals", withdrawal(town, town.homes[0].secret, 5, 99))
            await service.done(*later)
        await undone(town, folder, backup)
        async with served(town, folder) as service:
            after = await service.done(*ids)
            assert [(s["id"], s["status"], s["transaction"]) for s in after] == [
                (s["id"], s["status"], s["transaction"]) for s in before
            ]
            more = await requests_beyond(service)
            assert {state["status"] for state in await service.done(*more)} == {"committed"}
            assert not service.runtime.tally.refused


async def requests_beyond(service: Service) -> list[str]:
    """Requests that nobody has made before."""
    town = service.town
    slot = await town.open_slot(3)
    return await service.accept("orders", {"orders": [town.ask(home, slot) for home in town.homes]})


@pytest.mark.chain
async def test_restore__of_a_backup_before_a_fee_was_raised__knows_the_dearer_transaction(tmp_path: Path) -> None:
    folder, backup = tmp_path / "s", tmp_path / "b"
    async with founded(tmp_path / "chain", homes=2) as town:
        async with served(town, folder) as service:
            ids = await requests(service)

            async def signed() -> bool:
                return len(await service.runtime.world.outbox.queued(99)) < len(ids)

            await service.until(signed)
            back_up(service.runtime.world.settings, backup, KeyChoice.PLAIN)
            fees = (await town.chain.node.head()).base_fee or 1
            await town.chain.node.request("anvil_setNextBlockBaseFeePerGas", hex(3 * fees))

            async def raised() -> bool:
                await town.chain.node.request("anvil_setNextBlockBaseFeePerGas", hex(3 * fees))
                await town.chain.mine()
                return service.runtime.tally.fee_raises > 0

            await service.until(raised)
            before = await service.done(*ids)
        await undone(town, folder, backup)
        async with served(town, folder) as service:
            after = await service.done(*ids)
            assert [(s["status"], s["transaction"]) for s in after] == [(s["status"], s["transaction"]) for s in before]
            assert not service.runtime.tally.nonces_lost


@pytest.mark.chain
async def test_restore__with_another_key__is_refused_by_the_outbox(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    async with founded(tmp_path / "chain", homes=0) as town:
        await begun(town, folder, tmp_path / "b")
        await undone(town, folder, tmp_path / "b")
        other = Signer(KEY.to_bytes(32, "big"))
        (tmp_path / "other").write_text(other.secret.hex())
        with pytest.raises(Exception, match="belongs to relayer"):
            async with served(town, folder, relayer_key_file=tmp_path / "other"):
                pass
