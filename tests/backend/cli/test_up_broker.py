"""The broker that `up` runs beside chain and service."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from gridweave.cli import app as _app  # noqa: F401  # the command line as a whole, before one of its parts
from gridweave.cli.up import broker_beside
from tests.support.broker import needs_mosquitto


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
