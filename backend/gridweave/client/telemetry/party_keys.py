"""Keys of a party that streams are shared with: one for what is handed over in private, one for what is on chain.

The public file goes to owners; the secret one stays. `account` is the address by which grants on chain name the party:
one of its own choice, or else the one that its public keys give.

    secret     0x01, X25519 (32), hybrid (96), account (20)
    public     {"gridweave": "party", "account": address, "x25519": hex, "hybrid": hex}
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gridweave.client.errors import KeyNotFound, KeystoreError
from gridweave.client.telemetry.bytes_reader import BytesReader
from gridweave.client.telemetry.refusals import PartyFileMalformed
from gridweave.client.telemetry.sealed_file import WORK, public_part, seal, unseal
from gridweave.client.wallet import write_private
from gridweave.domain.addresses import address_bytes, checksum_address
from gridweave.domain.hashing import keccak
from gridweave.domain.telemetry.errors import PartyKeyMalformed
from gridweave.domain.telemetry.parties import PartyKey, PartySecret, PartySuite

__all__ = ["Party", "PartyKeys"]

_PURPOSE = "party keys"
_TAG = b"gridweave/telemetry/party"
_VERSION = 1
_X25519, _HYBRID, _ADDRESS = 32, 96, 20


@dataclass(frozen=True)
class Party:
    """Whom something is shared with: an account's address and public keys."""

    account: str
    keys: dict[PartySuite, PartyKey]

    def to_json(self) -> dict[str, Any]:
        """{gridweave, account, x25519, hybrid}."""
        keys = {suite.name.lower(): "0x" + self.keys[suite].raw.hex() for suite in PartySuite}
        return {"gridweave": "party", "account": self.account, **keys}

    @classmethod
    def from_json(cls, body: Any) -> Party:
        """Raises PartyFileMalformed, PartyKeyMalformed."""
        try:
            if body["gridweave"] != "party":
                raise PartyFileMalformed("it is another file")
            keys = {suite: PartyKey(suite, _bytes(body[suite.name.lower()])) for suite in PartySuite}
            return cls(checksum_address(address_bytes(body["account"])), keys)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise PartyFileMalformed("account, x25519 and hybrid in hex") from error

    @classmethod
    def read(cls, path: Path) -> Party:
        """Of a party's public file. Raises PartyFileMalformed, PartyKeyMalformed, KeyNotFound."""
        return cls.from_json(_json(path))


@dataclass(frozen=True)
class PartyKeys:
    """A party's own: its secrets."""

    account: str
    secrets: dict[PartySuite, PartySecret] = field(repr=False)

    @classmethod
    def fresh(cls, account: str | None = None) -> PartyKeys:
        """New ones, from randomness of the system; without an account, under the address that the keys give."""
        made = {suite: PartySecret.fresh(suite) for suite in PartySuite}
        return cls(account or _address(made), made)

    @property
    def public(self) -> Party:
        """What owners are given."""
        return Party(self.account, {suite: secret.public for suite, secret in self.secrets.items()})

    def encode(self) -> bytes:
        """Canonical bytes, secret."""
        raws = b"".join(self.secrets[suite].raw for suite in PartySuite)
        return bytes([_VERSION]) + raws + address_bytes(self.account)

    @classmethod
    def decode(cls, raw: bytes) -> PartyKeys:
        """Raises PartyFileMalformed."""
        at = BytesReader(raw, PartyFileMalformed)
        at.version(_VERSION)
        lengths = {PartySuite.X25519: _X25519, PartySuite.HYBRID: _HYBRID}
        made = {suite: PartySecret(suite, at.take(length)) for suite, length in lengths.items()}
        account = checksum_address(at.take(_ADDRESS))
        at.end()
        return cls(account, made)

    def save(self, path: Path, password: str, *, work: int = WORK) -> None:
        """Encrypts them to a new file that its owner alone may read. Raises KeystoreError when `path` exists."""
        write_private(path, seal(self.encode(), password, _PURPOSE, self.public.to_json(), work=work))

    @classmethod
    def load(cls, path: Path, password: str) -> PartyKeys:
        """Raises KeyNotFound, WrongPassword, KeystoreError, PartyFileMalformed."""
        return cls.decode(unseal(_read(path), password, _PURPOSE))

    @classmethod
    def public_of(cls, path: Path) -> Party:
        """The public part of a secret file, without its password. Raises as Party.read, KeystoreError."""
        return Party.from_json(public_part(_read(path), _PURPOSE))


def _address(made: dict[PartySuite, PartySecret]) -> str:
    raws = b"".join(made[suite].public.raw for suite in PartySuite)
    return checksum_address(keccak(_TAG + raws)[-_ADDRESS:])


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise PartyKeyMalformed("any", "0x and hex digits")
    return bytes.fromhex(text[2:])


def _json(path: Path) -> Any:
    try:
        return json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise PartyFileMalformed("JSON") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as fault:
        raise KeyNotFound(f"there is no {path}; gridweave telemetry party-key makes a party's keys") from fault
    except OSError as fault:
        raise KeystoreError(f"cannot read {path}: {fault.strerror}") from fault
