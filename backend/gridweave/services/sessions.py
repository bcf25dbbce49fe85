"""Who a device is that knocks: challenge, answer with its key, and a short session that ends when the registry says so.

Nothing of it is durable: after a restart every device answers a new challenge.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol

from gridweave.domain.acts import DeviceStatus
from gridweave.domain.addresses import address_bytes
from gridweave.domain.device_acts import DeviceSession
from gridweave.domain.eip712 import Domain, digest
from gridweave.services.device_rows import key_of
from gridweave.services.errors import ChallengeInvalid, Refused, ServiceError, SessionInvalid
from gridweave.store.reading import Row

__all__ = ["ANSWER_WITHIN_S", "SESSION_S", "Challenge", "Door", "Opened", "Session", "Sessions"]

ANSWER_WITHIN_S = 60
SESSION_S = 600
_RANDOM = 16
_TOKEN = 32
_REFUSALS = {DeviceStatus.SUSPENDED: "DeviceSuspended", DeviceStatus.REVOKED: "DeviceRevoked"}

Devices = Callable[[Sequence[str]], Awaitable[Mapping[str, Row]]]


@dataclass(frozen=True)
class Challenge:
    """What a device is to sign: 32 bytes, good until `expires_at` (wall clock, seconds), once."""

    device: str
    challenge: bytes
    expires_at: int


@dataclass(frozen=True)
class Session:
    """A device of `owner` that proved its key, which is named `key`, until `expires_at` (wall clock, seconds)."""

    device: str
    key: str
    owner: str
    expires_at: int

    def is_of(self, row: Row | None) -> bool:
        """Whether the device still has this key and owner, and is in good standing."""
        if row is None or DeviceStatus(row["status"]) in _REFUSALS:
            return False
        return (key_of(row).name, row["owner"]) == (self.key, self.owner)


@dataclass(frozen=True)
class Opened:
    """A session, the token that stands for it, and `ways` in besides REST, by door."""

    session: Session
    token: str = field(repr=False)
    ways: Mapping[str, Mapping[str, Any]]


class Door(Protocol):
    """Another way in for devices with a session, such as a message broker."""

    name: str

    async def let_in(self, device: str, token: str) -> Mapping[str, Any] | None:
        """Opens for the device, in place of a former time; how it gets there, None if the door is out of order."""

    def shut(self, device: str) -> None:
        """Puts the device out; returns at once."""


class Sessions:
    """`domain` is the registry's, `service` the relayer's address, `devices` reads rows by device.

    Challenges are not remembered until they are answered: whoever asks for a million of them costs nothing to keep.
    """

    def __init__(self, domain: Domain, service: str, devices: Devices, now: Callable[[], float] = time.time) -> None:
        self.service = service
        self._domain, self._devices, self._now = domain, devices, now
        self._secret = secrets.token_bytes(32)
        self._answered: dict[bytes, int] = {}
        self._by_token: dict[bytes, Session] = {}
        self._tokens: dict[str, bytes] = {}
        self._doors: list[Door] = []

    def challenge(self, device: str) -> Challenge:
        """A challenge, whether there is such a device or not: asking tells nothing."""
        expires_at = int(self._now()) + ANSWER_WITHIN_S
        random = secrets.token_bytes(_RANDOM)
        return Challenge(device, random + self._seal(device, expires_at, random), expires_at)

    async def open(self, answer: Challenge, signature: bytes) -> Opened:
        """A session and its token, in place of the device's former one. Raises ServiceError."""
        if answer.expires_at <= self._now():
            raise ChallengeInvalid("it has expired")
        random, seal = answer.challenge[:_RANDOM], answer.challenge[_RANDOM:]
        if not hmac.compare_digest(seal, self._seal(answer.device, answer.expires_at, random)):
            raise ChallengeInvalid("it is not this service's for this device")
        row = await self._speaking(answer.device)
        said = DeviceSession(answer.device, self.service, answer.challenge, answer.expires_at)
        if not key_of(row).verifies(digest(self._domain, said), signature):
            raise Refused("DeviceSignatureInvalid", {"device": answer.device})
        self._take(answer)
        token, session = self._start(row)
        ways = {door.name: await door.let_in(session.device, token) for door in self._doors}
        await self._must_stand(session)
        return Opened(session, token, {name: way for name, way in ways.items() if way is not None})

    async def check(self, token: str) -> Session:
        """The session of a token. Raises SessionInvalid once it, the device or its key has ended."""
        session = self._by_token.get(_hash(token))
        if session is None or session.expires_at <= self._now():
            raise SessionInvalid
        if not session.is_of(await self._row(session.device)):
            self.end(session.device)
            raise SessionInvalid
        return session

    def end(self, device: str) -> None:
        """Ends the device's session, if it has one, and says so."""
        token = self._tokens.pop(device, None)
        if token is None:
            return
        del self._by_token[token]
        self._shut(device)

    def sweep(self) -> None:
        """Ends what has expired."""
        now = self._now()
        for device in [session.device for session in self._by_token.values() if session.expires_at <= now]:
            self.end(device)

    def learn(self, rows: Mapping[str, Sequence[Row]]) -> None:
        """New blocks: whoever has another status, key or owner answers a new challenge."""
        for table in ("device_statuses", "device_keys", "device_owners"):
            for row in rows.get(table, ()):
                self.end(row["device"])

    async def review(self) -> None:
        """The same where blocks were undone, or taken in by another process: no rows tell who it was."""
        rows = await self._devices(list(self._tokens))
        for session in list(self._by_token.values()):
            if not session.is_of(rows.get(session.device)):
                self.end(session.device)

    def add_door(self, door: Door) -> None:
        """Opens it for whoever answers from now on, and shuts it with their sessions."""
        self._doors.append(door)

    @property
    def devices(self) -> frozenset[str]:
        """Devices that have a session."""
        return frozenset(self._tokens)

    async def _must_stand(self, session: Session) -> None:
        """A block that came since the device was read found no session to end, or doors that were still to open.

        Raises Refused, ChallengeInvalid.
        """
        device = session.device
        try:
            if not session.is_of(await self._speaking(device)):
                self.end(device)
            if device not in self._tokens:
                raise ChallengeInvalid("the device has changed meanwhile")
        except ServiceError:
            self.end(device)
            self._shut(device)
            raise

    def _shut(self, device: str) -> None:
        for door in self._doors:
            door.shut(device)

    async def _row(self, device: str) -> Row | None:
        return (await self._devices([device])).get(device)

    async def _speaking(self, device: str) -> Row:
        """A device in good standing. Raises Refused."""
        row = await self._row(device)
        if row is None:
            raise Refused("UnknownDevice", {"device": device})
        if refusal := _REFUSALS.get(DeviceStatus(row["status"])):
            raise Refused(refusal, {"device": device})
        return row

    def _seal(self, device: str, expires_at: int, random: bytes) -> bytes:
        said = address_bytes(device) + expires_at.to_bytes(8, "big") + random
        return hmac.digest(self._secret, said, "sha256")[:_RANDOM]

    def _take(self, answer: Challenge) -> None:
        """Raises ChallengeInvalid for one that was answered before."""
        now = self._now()
        self._answered = {taken: until for taken, until in self._answered.items() if until > now}
        if answer.challenge in self._answered:
            raise ChallengeInvalid("it was answered before")
        self._answered[answer.challenge] = answer.expires_at

    def _start(self, row: Row) -> tuple[str, Session]:
        device = row["device"]
        if (former := self._tokens.pop(device, None)) is not None:
            del self._by_token[former]
        token = secrets.token_urlsafe(_TOKEN)
        session = Session(device, key_of(row).name, row["owner"], int(self._now()) + SESSION_S)
        self._tokens[device] = _hash(token)
        self._by_token[_hash(token)] = session
        return token, session


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
