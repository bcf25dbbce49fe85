"""Who is kept out, and by which name: keys that no maker listed, copies, changed messages, old answers, the revoked."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from gridweave.client import DeviceKey, GridweaveClient, MakersList, OwnDevice, Steward, Wallet
from gridweave.client.errors import ServiceError
from gridweave.client.measuring.device import StreamDevice
from gridweave.client.wire import bytes_of, hex_of
from gridweave.demo.fleet.air import Air
from gridweave.demo.fleet.fleet import Live
from gridweave.demo.fleet.measures import SCHEMA
from gridweave.demo.waiter import Waiter
from gridweave.domain.acts import DeviceStatus, KeyKind
from gridweave.domain.anchors import StreamMode
from gridweave.domain.device_acts import DeviceSession
from gridweave.domain.telemetry.messages import encode_message
from gridweave.domain.telemetry.readings import Reading, ReadingRun
from gridweave.domain.telemetry.salts import SEED_LENGTH, SaltedRun
from gridweave.domain.telemetry.segments import SignedRun
from gridweave.domain.telemetry.words import SegmentAck

__all__ = ["KeptOut", "Watch"]

_PATIENCE, _LOOKS = 30, 50


@dataclass(frozen=True)
class KeptOut:
    """What was tried in a quarter hour of the day, and the refusal's name; `blocks` until it held, if it was in."""

    slot: int
    who: str
    tried: str
    refusal: str
    blocks: int | None = None


class Watch:
    """Tries to get in, and writes down what it hears."""

    def __init__(self, client: GridweaveClient, url: str, waiter: Waiter, air: Air, folder: Path) -> None:
        self._client, self._url, self._waiter, self._air, self._folder = client, url, waiter, air, folder
        self.kept_out: list[KeptOut] = []

    def forged(self, slot: int, listed: MakersList, owner: str, deadline: int) -> None:
        """A key that no maker listed knocks, and claims itself by another device's place in the list."""
        stranger = DeviceKey.create(KeyKind.SECP256K1)
        own = OwnDevice(self._client, stranger)
        self._refused(slot, "a key that no maker listed", "knocks at the service", own.knock)
        borrowed = replace(listed, proofs={own.device: next(iter(listed.proofs.values()))})
        self._refused(
            slot,
            "a key that no maker listed",
            "claims itself by another device's proof",
            lambda: own.claim(borrowed, owner, deadline),
        )

    def cloned(self, slot: int, live: Live, at_ms: int) -> None:
        """A copy of a device, with its key and without its memory, measures from the beginning."""
        device = live.meter.device
        copy = StreamDevice(device.key, device.domain, SCHEMA, _mode_of(live), self._folder / "clone")
        copy.record(at_ms, 1, (9_999, 2_300, 200))
        copy.sign()
        (message,) = (message for _, _, message in copy.unacknowledged())
        copy.close()
        self._answered(slot, "a copy of a device, key and all", "sends readings of its own", live.device, message)

    def changed(self, slot: int, live: Live, at_ms: int) -> None:
        """A message of the device's own, of which one bit is changed on its way."""
        device, tail = live.meter.device, live.meter.device.memory.tail
        run = ReadingRun.of([Reading(tail.next_index, at_ms, live.meter.firmware, (1_000, 2_300, 200))])
        salted = SaltedRun(run, secrets.token_bytes(SEED_LENGTH))
        segment = tail.segment(salted)
        message = encode_message(SignedRun(salted, segment, device.key.sign(device.domain, segment)))
        changed = message[:-1] + bytes([message[-1] ^ 1])
        self._answered(slot, "whoever stands between", "changes a bit of a signed reading", live.device, changed)

    def replayed(self, slot: int, live: Live) -> None:
        """An answer to a challenge comes once more."""
        own, client = live.meter.own, self._client
        given = client.post_plain("/v1/device-challenges", {"device": own.device})
        said = DeviceSession(own.device, given["service"], bytes_of(given["challenge"]), int(given["expiresAt"]))
        signature = own.key.sign(client.deployment.domain("DeviceRegistry"), said)
        answer = {
            "device": own.device,
            "challenge": given["challenge"],
            "expiresAt": said.expires_at,
            "signature": hex_of(signature),
        }
        client.post_plain("/v1/device-sessions", answer)
        self._refused(
            slot,
            "whoever listened",
            "sends a device's answer to a challenge again",
            lambda: client.post_plain("/v1/device-sessions", answer),
        )

    def revoked(self, slot: int, live: Live, operator: Wallet, deadline: int) -> None:
        """An operator revokes a device: in how many blocks its session and its connection are gone."""
        shown = live.meter.token
        assert shown is not None
        item = Steward(self._client, operator).set_status(live.device, DeviceStatus.REVOKED, deadline)
        self._waiter.require([item])
        begun = int(self._client.request(item.id)["block"])
        blocks = self._until(lambda: not self._is_in(shown), begun)
        gone = self._until(lambda: not live.meter.is_connected, begun) if self._air.ways.broker_port else None
        self._refused(slot, "a revoked device", "knocks at the service", live.meter.own.knock, blocks)
        if gone is None:
            live.meter.ended = PermissionError("its session is over")  # its gateway knows no sessions, and refuses it
        else:
            self._until(lambda: live.meter.ended is not None, begun)
            refusal = getattr(live.meter.ended, "name", type(live.meter.ended).__name__)
            self.kept_out.append(KeptOut(slot, "a revoked device", "stays connected to the broker", refusal, gone))

    def _is_in(self, token: str) -> bool:
        shown = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{self._url}/v1/device-sessions/current", headers=shown, trust_env=False).is_success

    def _until(self, holds: Callable[[], bool], begun: int) -> int:
        """Blocks until it holds, one a second."""
        for _ in range(_PATIENCE):
            for _look in range(_LOOKS):
                if holds():
                    return self._block() - begun
                self._waiter.breathe(1 / _LOOKS)
            self._waiter.pass_time()
        raise TimeoutError("a revoked device is still in")

    def _block(self) -> int:
        return int(self._client.get("/v1/deployment")["blockNumber"])

    def _refused(
        self, slot: int, who: str, tried: str, attempt: Callable[[], object], blocks: int | None = None
    ) -> None:
        try:
            attempt()
        except ServiceError as refused:
            self.kept_out.append(KeptOut(slot, who, tried, refused.name, blocks))
        else:
            raise AssertionError(f"{who} {tried} and is let in")

    def _answered(self, slot: int, who: str, tried: str, device: str, message: bytes) -> None:
        ack: SegmentAck = self._air.send(device, message)
        if ack.refused is None:
            raise AssertionError(f"{who} {tried} and is believed")
        self.kept_out.append(KeptOut(slot, who, tried, ack.refused.name))


def _mode_of(live: Live) -> StreamMode:
    return StreamMode(live.stream[20])
