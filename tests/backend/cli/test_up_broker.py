"""The broker that `up` runs beside chain and service."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from gridweave.cli import app as _app  # noqa: F401  # the command line as a whole, before one of its parts
from gridweave.cli.up import broker_beside
from tests.support.broker import needs_mosquitto

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
        while _listens(port):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except ConnectionRefusedError:
        return False
    return True
