"""Backup and restore: the outbox, the relayer's keystore, the deployment record, the settings and the sealed bodies of
which the chain keeps the hash alone, in one file.

The index is left out, because the chain gives it again. So are passwords, addresses of nodes and databases, which may
hold secrets, and a key that is not encrypted, unless it is asked for.

manifest.json    format, versions, chain, relayer, when; SHA-256 of every other file
outbox.db        one consistent state
deployment.json  the record
relayer.json     the keystore; or relayer.key, a plain key
settings.env     what is set and holds no secret
bodies/          files by their hash
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from gridweave.disk import sync
from gridweave.locking import Taken, hold
from gridweave.services.bodies import BODIES
from gridweave.services.settings import PREFIX, Settings
from gridweave.store.backend import file_of
from gridweave.store.copies import copy_outbox, mark_restored

__all__ = ["BackupRefused", "KeyChoice", "Manifest", "back_up", "restore"]

_FORMAT = 1
_MANIFEST, _OUTBOX, _RECORD, _SETTINGS = "manifest.json", "outbox.db", "deployment.json", "settings.env"
_KEYSTORE, _PLAIN_KEY = "relayer.json", "relayer.key"
_OUTBOX_FILES = (_OUTBOX, f"{_OUTBOX}-wal", f"{_OUTBOX}-shm")
_KNOWN = frozenset({_MANIFEST, _OUTBOX, _RECORD, _SETTINGS, _KEYSTORE, _PLAIN_KEY})
_BODIES = re.compile(rf"{BODIES}/([0-9a-f]{{2}})/\1[0-9a-f]{{62}}", re.ASCII)
_UNTOLD = {"rpc_url", "outbox_url", "index_url", "deployment", "data_dir", "networks", "finality_file"}
_UNTOLD |= {"relayer_key_file", "relayer_keystore", "relayer_password_file", "relayer_key_variable"}


class BackupRefused(Exception):
    """It cannot be done like this; the message says what to change."""


class KeyChoice(StrEnum):
    """What becomes of the relayer's key: only an encrypted one, a plain one as well, or none."""

    ENCRYPTED = "encrypted"
    PLAIN = "plain"
    NONE = "none"


@dataclass(frozen=True)
class Manifest:
    """What a backup holds. `accepted`: items ever acknowledged, `pending`: of them not final; `files`: SHA-256."""

    format: int
    gridweave: str
    created_at: str
    chain: str
    genesis: str
    relayer: str
    revision: str
    accepted: int
    pending: int
    files: Mapping[str, str]

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises BackupRefused for what is none, or of a newer form."""
        try:
            found = cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise BackupRefused("this is no backup of gridweave: its manifest cannot be read") from error
        if found.format != _FORMAT:
            raise BackupRefused(f"the backup has form {found.format}, this version reads {_FORMAT}: use a newer one")
        return found


def back_up(settings: Settings, target: Path, key: KeyChoice = KeyChoice.ENCRYPTED) -> Manifest:
    """Writes the backup to `target`, readable by its owner alone. Raises BackupRefused, StoreUnavailable."""
    source = file_of(settings.outbox_url)
    if source is None:
        raise BackupRefused(
            "the outbox is on PostgreSQL: take it with `pg_dump --format=custom` of its schema, and keep the keystore "
            "and the deployment record beside it; see docs/operations.md"
        )
    if not source.is_file():
        raise BackupRefused(f"there is no outbox here ({source}): name its folder with --data-dir")
    files = _key_file(settings, key) | {_RECORD: _present(settings.deployment, "--deployment")}
    with tempfile.TemporaryDirectory(dir=_folder_of(target)) as name:
        folder = Path(name)
        copy = copy_outbox(source, folder / _OUTBOX)
        (folder / _SETTINGS).write_text(_settings_text(settings))
        files |= {_OUTBOX: folder / _OUTBOX, _SETTINGS: folder / _SETTINGS}
        files |= _bodies(settings.data_dir)  # after the outbox: what that names is there by then
        manifest = Manifest(
            format=_FORMAT,
            gridweave=version("gridweave"),
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            chain=copy.facts.get("chain", ""),
            genesis=copy.facts.get("genesis", ""),
            relayer=copy.facts.get("relayer", ""),
            revision=copy.revision,
            accepted=copy.accepted,
            pending=copy.pending,
            files={name: _hash(path) for name, path in files.items()},
        )
        (folder / _MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n")
        _pack(folder / "backup", {_MANIFEST: folder / _MANIFEST} | files)
        (folder / "backup").replace(target)
    return manifest


def restore(source: Path, folder: Path) -> Manifest:
    """Puts a backup into `folder`, which must hold no outbox, nor other files of the backup's names. The service that
    starts on it looks for what happened since. Raises BackupRefused, StoreUnavailable."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        held = hold(folder / f"{_OUTBOX}.lock")
    except Taken as taken:
        raise BackupRefused(f"a service works in {folder}: stop it, or name another --data-dir") from taken
    with held, tempfile.TemporaryDirectory(dir=folder) as name:
        unpacked = Path(name)
        _check_free(folder, _OUTBOX_FILES)
        manifest = _unpack(source, unpacked)
        _check_free(folder, (file for file in manifest.files if not _is_same(folder / file, unpacked / file)))
        mark_restored(unpacked / _OUTBOX)
        # the outbox last: it makes the rest count
        for file in sorted(manifest.files, key=lambda file: file == _OUTBOX):
            sync(unpacked / file)
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (unpacked / file).replace(folder / file)
        sync(folder)
    return manifest


def _check_free(folder: Path, names: Iterable[str]) -> None:
    """Nothing is written over: a keystore may be the only one, and a journal would be played into what is put back."""
    taken = [name for name in names if (folder / name).exists()]
    if taken:
        what = "an outbox" if taken[0] in _OUTBOX_FILES else "other files of these names"
        message = f"{folder} holds {what} already ({', '.join(taken)}): move them away, or name another --data-dir"
        raise BackupRefused(message)


def _is_same(there: Path, ours: Path) -> bool:
    return there.is_file() and _hash(there) == _hash(ours)


def _bodies(data_dir: Path) -> dict[str, Path]:
    found = ((path.relative_to(data_dir).as_posix(), path) for path in sorted(data_dir.glob(f"{BODIES}/*/*")))
    return {name: path for name, path in found if _is_known(name)}


def _is_known(name: str) -> bool:
    return name in _KNOWN or _BODIES.fullmatch(name) is not None


def _key_file(settings: Settings, key: KeyChoice) -> dict[str, Path]:
    if key is KeyChoice.NONE:
        return {}
    if settings.relayer_keystore is not None:
        return {_KEYSTORE: _present(settings.relayer_keystore, "--keystore")}
    if settings.relayer_key_file is not None and key is KeyChoice.PLAIN:
        return {_PLAIN_KEY: _present(settings.relayer_key_file, "--key-file")}
    if settings.relayer_key_file is not None:
        message = "is not encrypted: back up without it (--key none), or with it if the file is kept safe (--key plain)"
        raise BackupRefused(f"the relayer's key {settings.relayer_key_file} {message}")
    raise BackupRefused("no keystore of the relayer is named: name it with --keystore, or leave it out with --key none")


def _present(path: Path, option: str) -> Path:
    if not path.is_file():
        raise BackupRefused(f"{path} does not exist: name it with {option}")
    return path


def _folder_of(target: Path) -> Path:
    if not target.absolute().parent.is_dir():
        raise BackupRefused(f"{target.absolute().parent} is no folder: make it, or name another file")
    return target.absolute().parent


def _settings_text(settings: Settings) -> str:
    usual = Settings.from_env({}).model_dump(mode="json", exclude=_UNTOLD)
    ours = settings.model_dump(mode="json", exclude=_UNTOLD)
    return "".join(f"{PREFIX}{name.upper()}={_plain(value)}\n" for name, value in ours.items() if value != usual[name])


def _plain(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(target: Path, files: Mapping[str, Path]) -> None:
    with target.open("xb") as out:
        target.chmod(0o600)
        with tarfile.open(fileobj=out, mode="w:gz", compresslevel=3, dereference=True) as archive:
            for name, path in files.items():
                archive.add(path, arcname=name, filter=_mine_alone)
        out.flush()
        os.fsync(out.fileno())


def _mine_alone(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mode, entry.uid, entry.gid, entry.uname, entry.gname = 0o600, 0, 0, "", ""
    return entry


def _unpack(source: Path, folder: Path) -> Manifest:
    """Raises BackupRefused unless every file is there and is what the manifest says."""
    try:
        with tarfile.open(source, "r:gz") as archive:
            members = {entry.name: entry for entry in archive.getmembers() if entry.isfile() and _is_known(entry.name)}
            for entry in members.values():
                archive.extract(entry, folder, filter="data")
    except (OSError, tarfile.TarError, EOFError) as error:
        raise BackupRefused(f"{source} cannot be read as a backup: {error}") from error
    if _MANIFEST not in members:
        raise BackupRefused(f"{source} is no backup of gridweave: it has no manifest")
    manifest = Manifest.read((folder / _MANIFEST).read_text())
    wrong = [name for name, hash_ in manifest.files.items() if name not in members or _hash(folder / name) != hash_]
    if wrong or _OUTBOX not in manifest.files or not all(map(_is_known, manifest.files)):
        raise BackupRefused(f"{source} is damaged: {', '.join(wrong) or 'files'} is not what its manifest says")
    return manifest
