"""Telemetry from end to end over a real Mosquitto: from signed messages to acknowledgements of what is on disk.

Devices, broker and gateway share the machine; devices' signatures are made before. Nothing is sealed meanwhile.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import aiomqtt

from benchmark.figures import Figure
from gridweave.domain.acts import KeyKind
from gridweave.domain.anchors import StreamMode, stream_id
from gridweave.domain.signatures import device_id
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.messages import encode_message
from gridweave.domain.telemetry.segments import StreamTail
from gridweave.domain.telemetry.words import SegmentAck
from gridweave.gateway.keeper import SealingPace
from gridweave.gateway.mqtt_door import BrokerWay, MqttDoor
from gridweave.gateway.program import Gateway, Paces
from gridweave.localnet.mosquitto import MosquittoMissing, find_mosquitto
from tests.support.gateway.process import PASSWORD, Broker
from tests.support.gateway.quay import Quay
from tests.support.gateway.scene import keep_keys
from tests.support.telemetry import SCHEMA, Device, home_seconds, signed_segments
from tests.support.telemetry import START_MS as FIRST_MS

__all__ = ["mqtt_figures"]

SEED = 20_160_621
EVERY = 100
WINDOW = 16
"""Messages of a device that are on their way at once."""

_NEVER = SealingPace(readings=16_384, seconds=1e9)


def mqtt_figures(*, quick: bool) -> dict[str, Figure]:
    """Figures by name; none where there is no broker."""
    try:
        find_mosquitto()
    except MosquittoMissing as missing:
        print(f"telemetry.mqtt: left out. {missing}")
        return {}
    devices, readings = (8, 900) if quick else (16, 9_000)
    with tempfile.TemporaryDirectory(prefix="gridweave-bench-") as name:
        seconds = asyncio.run(_measured(Path(name), devices, readings))
    note = (
        f"{devices} devices on one broker, {EVERY} readings a message, until each is acknowledged from the gateway's"
        " disk; devices, broker and gateway on this machine"
    )
    return {
        "telemetry.mqtt.readings_per_s": Figure(value=round(devices * readings / seconds), unit="readings/s", note=note)
    }


class _Sender:
    """A device with its messages made before."""

    def __init__(self, number: int, readings: int) -> None:
        secret = Device(KeyKind.SECP256K1, 1_000 + number)
        self.key = secret.key
        self.device = device_id(self.key.x, self.key.y)
        self.stream = stream_id(self.device, StreamMode.HASH, SCHEMA.hash)
        run = home_seconds(random.Random(SEED + number), readings, start_ms=FIRST_MS)
        sent = signed_segments(secret, run, EVERY, StreamTail.start(self.stream))
        self.messages = [encode_message(part) for part in sent]
        self.count = readings

    async def send(self, port: int) -> None:
        """Until all is acknowledged."""
        up, down = f"gridweave/{self.device}/up/segments", f"gridweave/{self.device}/down/acks"
        async with aiomqtt.Client(
            "127.0.0.1", port, username=self.device, password=self.device, identifier=self.device
        ) as client:
            await client.subscribe(down, qos=1)
            for message in self.messages[:WINDOW]:
                await client.publish(up, message)
            sent = min(WINDOW, len(self.messages))
            async for told in client.messages:
                ack = SegmentAck.decode(bytes(told.payload))
                if ack.refused is not None:
                    raise RuntimeError(f"{self.device}: {ack.refused}")
                if ack.next_index == self.count:
                    return
                if sent < len(self.messages):
                    await client.publish(up, self.messages[sent])
                    sent += 1


async def _measured(folder: Path, devices: int, readings: int) -> float:
    senders = [_Sender(number, readings) for number in range(devices)]
    broker = Broker(folder / "broker")
    await broker.start()
    try:
        await broker.admit(*(sender.device for sender in senders))
        gateway = _gateway(folder, broker, senders)
        running = asyncio.create_task(gateway.run())
        await asyncio.sleep(1)
        started = perf_counter()
        await asyncio.gather(*(sender.send(broker.port) for sender in senders))
        seconds = perf_counter() - started
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return seconds
    finally:
        broker.kill()


def _gateway(folder: Path, broker: Broker, senders: Sequence[_Sender]) -> Gateway:
    quay = Quay()
    for sender in senders:
        quay.tell(sender.stream, sender.device, StreamMode.HASH, sender.key)
        keep_keys(folder / "keys", sender.stream, WindowKeys.fresh(1))
    (folder / "password").write_text(PASSWORD)
    door = MqttDoor(BrokerWay("127.0.0.1", broker.port, password_file=folder / "password"))
    return Gateway(folder / "spool", folder / "keys", quay, [door], Paces(sealing=_NEVER))
