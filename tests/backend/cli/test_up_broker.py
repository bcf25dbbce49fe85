"""The broker that `up` runs beside chain and service."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from gridweave.cli import app as _app  # noqa: F401  # the command line as a whole, before one of its parts
from gridweave.cli.serve import NotStarted
from gridweave.cli.up import broker_beside, keep_running
from gridweave.localnet import free_port
from gridweave.localnet.mosquitto import Mosquitto
from tests.support.broker import needs_mosquitto
from tests.support.gateway.scene import until

STARTS = """
import asyncio, sys, time
from pathlib import Path
from gridweave.localnet import free_port
from gridweave.localnet.mosquitto import Mosquitto
broker = Mosquitto(Path(sys.argv[1]) / "broker", free_port())
asyncio.run(broker.start())
print(broker.port, flush=True)
time.sleep(60)
"""


async def test_broker_beside__not_wanted__is_none(tmp_path: Path) -> None:
    async with broker_beside(tmp_path, wanted=False) as settings:
        assert settings == {}


async def test_broker_beside__another_is_named__is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDWEAVE_MQTT_HOST", "broker.example")
    async with broker_beside(tmp_path) as settings:
        assert settings == {}


async def test_broker_beside__wanted__answers_until_it_is_left(tmp_path: Path) -> None:
    needs_mosquitto()
    async with broker_beside(tmp_path / "broker") as settings:
        for name in ("mqtt_password_file", "mqtt_gateway_password_file"):
            assert settings[name].read_text()
            assert settings[name].stat().st_mode & 0o077 == 0
        place = settings["mqtt_host"], settings["mqtt_port"]
        socket.create_connection(place, timeout=2).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place, timeout=2)


async def test_broker__whose_starter_is_killed__ends_with_it(tmp_path: Path) -> None:
    """Else the next `up` would run another on the same files."""
    needs_mosquitto()
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARTS, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert starter.stdout is not None
    port = int(await starter.stdout.readline())
    socket.create_connection(("127.0.0.1", port), timeout=2).close()
    starter.kill()
    await starter.wait()
    async with asyncio.timeout(5):
        while answers(port):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def test_broker_beside__once_more__has_the_port_that_it_had(tmp_path: Path) -> None:
    needs_mosquitto()
    ports = []
    for _ in range(2):
        async with broker_beside(tmp_path / "broker") as settings:
            ports.append(settings["mqtt_port"])
    assert ports[0] == ports[1]
    wanted = free_port()
    async with broker_beside(tmp_path / "broker", port=wanted) as settings:
        assert settings["mqtt_port"] == wanted


async def test_broker_beside__when_the_port_is_taken__says_which_option_to_set(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(NotStarted, match="--broker-port"):
            async with broker_beside(tmp_path / "broker", port=other.getsockname()[1]):
                pass


async def test_keep_running__when_the_broker_is_killed__starts_it_again_at_its_port(tmp_path: Path) -> None:
    needs_mosquitto()
    broker = Mosquitto(tmp_path / "broker", free_port())
    await broker.start()
    keeping = asyncio.create_task(keep_running(broker))
    before = broker.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    await until(lambda: broker.pid != before and broker.is_running and answers(broker.port))
    keeping.cancel()
    broker.stop()


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
        return True
    return False
