"""The VTN's clients: a file that the command line writes and a running service reads again once it has changed."""

from __future__ import annotations

import hmac
import json
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from gridweave.disk import replace
from gridweave.locking import Taken, hold

__all__ = ["Client", "ClientRefused", "Clients", "ClientsUnreadable", "Role"]

_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_LOOK_S = 1.0
_SECRET = 32
_WITHIN_S = 5.0


class ClientRefused(Exception):
    """The client cannot be added or removed; the message says what to change."""


class ClientsUnreadable(Exception):
    """The file of clients is none of ours."""


class Role(StrEnum):
    """Business logic, or a virtual end node."""

    BL = "bl"
    VEN = "ven"


@dataclass(frozen=True)
class Client:
    """Whom a client id stands for. `ven_name`, if it is set, is the one name by which a VEN may enrol.

    `secret_sha256` is the hash of a secret of 256 random bits, which needs no slow one; `token_key` signs its tokens,
    so that another secret ends them.
    """

    id: str
    role: Role
    secret_sha256: str = field(repr=False)
    token_key: str = field(repr=False)
    ven_name: str | None = None

    @property
    def is_bl(self) -> bool:
        """Whether it is business logic, which sees everything."""
        return self.role is Role.BL


class Clients:
    """The clients in `file`. Reading raises ClientsUnreadable."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._known: dict[str, Client] = {}
        self._stamp: tuple[int, int, int] | None = None
        self._look_at = 0.0

    def find(self, id_: str) -> Client | None:
        """The client of that id, as of a second ago at most."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_S
            self._read()
        return self._known.get(id_)

    def all(self) -> list[Client]:
        """Every client, by id, as of now."""
        self._read()
        return sorted(self._known.values(), key=lambda client: client.id)

    def knows(self, id_: str, secret: str) -> Client | None:
        """The client with these credentials."""
        client = self.find(id_)
        expected = client.secret_sha256 if client else "0" * 64
        is_right = hmac.compare_digest(expected, _hash(secret))
        return client if is_right else None

    def add(self, id_: str, role: Role, ven_name: str | None = None) -> str:
        """A new client; its secret, which is kept nowhere. Raises ClientRefused, OSError."""
        if not _ID.fullmatch(id_):
            raise ClientRefused(f"{id_!r} is no client id: 1 to 128 letters, digits, dots, dashes and underscores")
        if ven_name is not None and role is Role.BL:
            raise ClientRefused("business logic has no VEN name")
        secret = secrets.token_urlsafe(_SECRET)
        with self._changing() as known:
            if id_ in known:
                raise ClientRefused(f"there is a client {id_} already: remove it first, or take another id")
            if ven_name is not None and any(client.ven_name == ven_name for client in known.values()):
                raise ClientRefused(f"{ven_name} is another client's VEN name")
            known[id_] = Client(id_, role, _hash(secret), secrets.token_hex(_SECRET), ven_name)
        return secret

    def remove(self, id_: str) -> None:
        """Its tokens are worth nothing from the next second on. Raises ClientRefused, OSError."""
        with self._changing() as known:
            if known.pop(id_, None) is None:
                raise ClientRefused(f"there is no client {id_}")

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Client]]:
        """What is known, written when the block ends well; one process at a time."""
        with _held(self.file.with_name(f"{self.file.name}.lock")):
            self._read()
            known = dict(self._known)
            yield known
            rows = [asdict(client) for client in sorted(known.values(), key=lambda client: client.id)]
            replace(self.file, json.dumps({"clients": rows}, indent=1).encode(), 0o600)

    def _read(self) -> None:
        try:
            found = self.file.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp != self._stamp:
                rows = json.loads(self.file.read_text())["clients"]
                self._known = {row["id"]: Client(**(row | {"role": Role(row["role"])})) for row in rows}
                self._stamp = stamp
        except FileNotFoundError:
            self._known, self._stamp = {}, None
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise ClientsUnreadable(f"{self.file} cannot be read as a file of OpenADR clients: {fault}") from fault


@contextmanager
def _held(path: Path) -> Iterator[None]:
    patience = time.monotonic() + _WITHIN_S
    while True:
        try:
            with hold(path):
                yield
            return
        except Taken:
            if time.monotonic() > patience:
                raise ClientRefused("another command changes the clients: try again") from None
            time.sleep(0.05)


def _hash(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
