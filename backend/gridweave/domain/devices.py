"""A device as the DeviceRegistry holds it, and the words in which it does."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from gridweave.domain.acts import DeviceStatus, KeyKind
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.words import WordLayout

__all__ = ["MOST_ACTS", "Device", "MakersBatch", "Moment", "Offer", "Origin", "Proposal", "Rotation", "pack_span"]

MOST_ACTS = (1 << 14) - 2
"""How many keys and acts of a device can be counted."""

_STANDING = WordLayout(
    "Standing",
    (
        ("key", 160),
        ("status", 2),
        ("hasChanged", 1),
        ("p256", 1),
        ("keyVersion", 14),
        ("nonce", 14),
        ("statusSince", 32),
        ("changed", 32),
    ),
)
_HOLDING = WordLayout("Holding", (("compromisedSince", 32), ("enrolledAt", 32), ("origin", 32), ("owner", 160)))
_ORIGIN = WordLayout("Origin", (("none", 64), ("model", 32), ("maker", 160)))
_BATCH = WordLayout("Batch", (("none", 216), ("isClosed", 8), ("origin", 32)))
_PROPOSAL = WordLayout("Proposal", (("none", 32), ("readyAt", 40), ("nonce", 16), ("keyKind", 8), ("key", 160)))
_OFFER = WordLayout("Offer", (("none", 56), ("until", 40), ("to", 160)))
_SPAN = WordLayout("Span", (("none", 192), ("until", 32), ("from", 32)))
_CHECKPOINT = WordLayout("Checkpoint160", (("value", 160), ("key", 96)))


@dataclass(frozen=True)
class Moment:
    """The block that takes an act: its chain time in seconds, its number."""

    time: int
    block: int


@dataclass(frozen=True)
class Rotation:
    """A call for another key: `present` names the key that was brought as the device's, `following` is to take over."""

    device: str
    present: str
    following: DevicePublicKey
    deadline: int


@dataclass(frozen=True)
class Origin:
    """Who made a device, and which model it is."""

    maker: str
    model: int

    def pack(self) -> bytes:
        """The registry's word, 32 bytes. Raises FieldOutOfRange."""
        return _ORIGIN.pack((0, self.model, int(self.maker, 16)))


@dataclass(frozen=True)
class MakersBatch:
    """A batch: the number of its devices' origin, and whether those who have not claimed themselves no longer can."""

    origin: int
    is_closed: bool = False

    def pack(self) -> bytes:
        """The registry's word, 32 bytes."""
        return _BATCH.pack((0, self.is_closed, self.origin))


@dataclass(frozen=True)
class Proposal:
    """The key, by its name, that takes over from `ready_at` on while the device's nonce is `nonce`."""

    key: str
    key_kind: KeyKind
    nonce: int
    ready_at: int

    def pack(self) -> bytes:
        """The registry's word, 32 bytes."""
        return _PROPOSAL.pack((0, self.ready_at, self.nonce, self.key_kind, int(self.key, 16)))


@dataclass(frozen=True)
class Offer:
    """Whom its owner offers the device to, up to and including `until`."""

    to: str
    until: int

    def pack(self) -> bytes:
        """The registry's word, 32 bytes."""
        return _OFFER.pack((0, self.until, int(self.to, 16)))


@dataclass(frozen=True)
class Device:
    """`standings` are (since, status), oldest first, the last in force; `doubts` spans of blocks, [from, until).

    `kept` is the key that was kept last, which need not be the current one. `changed` and `compromised_since` are
    blocks, the latter 0 while the key is trusted.
    """

    key: DevicePublicKey
    owner: str
    origin: int
    enrolled_at: int
    changed: int
    standings: tuple[tuple[int, DeviceStatus], ...]
    key_version: int = 1
    nonce: int = 0
    compromised_since: int = 0
    kept: DevicePublicKey | None = None
    proposal: Proposal | None = None
    offer: Offer | None = None
    doubts: tuple[tuple[int, int], ...] = ()

    @property
    def status(self) -> DeviceStatus:
        return self.standings[-1][1]

    @property
    def status_since(self) -> int:
        return self.standings[-1][0]

    @property
    def is_kept(self) -> bool:
        """Whether the chain has its current key whole."""
        return self.kept is not None and self.kept.name == self.key.name

    @property
    def judging_key(self) -> DevicePublicKey | None:
        """By which the chain judges a signature that comes without a key. A P-256 key must be kept for that."""
        return self.key if self.is_kept or self.key.kind is KeyKind.SECP256K1 else None

    @property
    def is_spent(self) -> bool:
        return self.nonce == MOST_ACTS

    def status_at(self, time: int) -> DeviceStatus:
        """The standing in which the device was at that time; changes at the same second count."""
        at = bisect_right(self.standings, time, key=lambda standing: standing[0])
        return self.standings[at - 1][1] if at else DeviceStatus.UNKNOWN

    def is_trusted_at(self, block: int) -> bool:
        """Whether no notice of compromise covers what was taken as its word in that block."""
        if self.compromised_since and block >= self.compromised_since:
            return False
        return not any(since <= block < until for since, until in self.doubts)

    # words

    @property
    def standing_word(self) -> bytes:
        """Standing of contracts/types, 32 bytes. Raises FieldOutOfRange."""
        has_changed, is_p256 = len(self.standings) > 1, self.key.kind is KeyKind.P256
        counts = self.key_version, self.nonce, self.status_since, self.changed
        return _STANDING.pack((int(self.key.name, 16), self.status, has_changed, is_p256, *counts))

    @property
    def holding_word(self) -> bytes:
        """Holding of contracts/types, 32 bytes. Raises FieldOutOfRange."""
        return _HOLDING.pack((self.compromised_since, self.enrolled_at, self.origin, int(self.owner, 16)))

    @property
    def checkpoints(self) -> tuple[bytes, ...]:
        """The statuses between the first and the present one, a word each; of those of one second the last."""
        earlier = dict(self.standings[1:-1])
        return tuple(_CHECKPOINT.pack((status, since)) for since, status in earlier.items())


def pack_span(span: tuple[int, int]) -> bytes:
    """The registry's word of a span of doubt, 32 bytes."""
    since, until = span
    return _SPAN.pack((0, until, since))
