"""A household's meter as telemetry sees it: a stream, its device and seconds that look like a home's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec

from gridweave.domain.acts import KeyKind
from gridweave.domain.eip712 import Domain, digest
from gridweave.domain.signatures import p256_point, secp256k1_point, sign_compact, sign_p256
from gridweave.domain.telemetry.readings import Reading, ReadingRun
from gridweave.domain.telemetry.salts import SaltedRun
from gridweave.domain.telemetry.schema import Channel, Schema
from gridweave.domain.telemetry.segments import Segment, SignedRun, StreamTail
from gridweave.domain.telemetry.verifying import DeviceKey

SCHEMA = Schema(
    (Channel("power", "W", -1, 4), Channel("voltage", "V", -1, 2), Channel("temperature", "Cel", -2, 2)),
)
STREAM = sha256(b"a home's stream").digest()
DOMAIN = Domain.of("TelemetryAnchor", 31337, "0x" + "7e" * 20)
START_MS = 1_782_000_000_000
"""The first millisecond of a window, in June 2026."""


@dataclass(frozen=True)
class Device:
    """A device and its secret: `kind` says on which curve."""

    kind: KeyKind
    secret: int = 7

    @property
    def key(self) -> DeviceKey:
        """Its public key."""
        if self.kind is KeyKind.P256:
            return DeviceKey(self.kind, *p256_point(ec.derive_private_key(self.secret, ec.SECP256R1())))
        return DeviceKey(self.kind, *secp256k1_point(self.secret.to_bytes(32, "big")))

    def send(self, tail: StreamTail, run: ReadingRun) -> SignedRun:
        """What it sends of a run that follows the tail. Its seed is no chance, so that a test can run again."""
        seed = sha256(b"seed" + self.secret.to_bytes(32, "big") + run.first_index.to_bytes(8, "big")).digest()
        salted = SaltedRun(run, seed)
        segment = tail.segment(salted)
        return SignedRun(salted, segment, self.sign(segment))

    def sign(self, segment: Segment, domain: Domain = DOMAIN) -> bytes:
        """Its signature of a segment."""
        digest_ = digest(domain, segment)
        if self.kind is KeyKind.P256:
            return sign_p256(ec.derive_private_key(self.secret, ec.SECP256R1()), digest_)
        return sign_compact(self.secret.to_bytes(32, "big"), digest_)


def home_seconds(
    rng: random.Random, count: int, first_index: int = 0, start_ms: int = START_MS, step_ms: int = 1_000
) -> ReadingRun:
    """`count` readings, one a second: a fridge that cycles, a kettle now and then, what else runs, and noise on it.

    The grid's voltage wanders about 230 V and drops under load, the room is warmed slowly; the device's clock jitters
    by a millisecond or two.
    """
    return ReadingRun.of(_seconds(rng, count, first_index, start_ms, step_ms))


def _seconds(rng: random.Random, count: int, first_index: int, start_ms: int, step_ms: int) -> Iterator[Reading]:
    volts, celsius, other = 231.4, 20.8, 160.0
    fridge_until, kettle_until = rng.randrange(600), -1
    for second in range(count):
        if second > fridge_until:
            fridge_until = second + rng.randrange(500, 1_100)
        if rng.random() < 0.0007:
            kettle_until = second + rng.randrange(90, 180)
        if rng.random() < 0.01:
            other = max(60.0, other + rng.gauss(0, 60))
        load = other + (88.0 if fridge_until % 2 else 0.0) + (2_050.0 if second < kettle_until else 0.0)
        power = load * rng.gauss(1, 0.006) + rng.gauss(0, 1.5)
        volts += 0.02 * (231.0 - volts) + rng.gauss(0, 0.15)
        celsius += rng.gauss(0, 0.004)
        at_ms = start_ms + second * step_ms + min(step_ms - 1, abs(round(rng.gauss(0, 1.2))))
        values = (round(power * 10), round((volts - load / 2_000) * 10), round((celsius + rng.gauss(0, 0.02)) * 100))
        yield Reading(first_index + second, at_ms, 3, values)


def signed_segments(device: Device, run: ReadingRun, every: int, tail: StreamTail | None = None) -> list[SignedRun]:
    """What the device sends: `every` readings to a segment, fewer where a window ends."""
    at = tail or StreamTail.start(STREAM)
    sent = []
    for _, within in run.by_window():
        for first in range(within.first_index, within.end_index, every):
            sent.append(device.send(at, within.cut(first, min(first + every, within.end_index))))
            at = at.after(sent[-1].segment)
    return sent
