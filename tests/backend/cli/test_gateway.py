"""`gridweave gateway`: settings that teach, refusals that name the next step, a status that can be read meanwhile."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gridweave.cli import app
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.segments import StreamTail
from gridweave.gateway.keyring import KeyRing
from gridweave.gateway.settings import EXAMPLE, GatewaySettings, GatewaySettingsInvalid, HttpSettings, MqttSettings
from gridweave.gateway.spool import Spool

RUN = CliRunner()
STREAM = bytes(range(32))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "gateway.toml"
    file.write_text(EXAMPLE)
    (tmp_path / "gateway.password").write_text("of the broker")
    return file


def test_example__is_the_settings_that_stand_if_left_out(config: Path) -> None:
    said = RUN.invoke(app, ["gateway", "example"])
    assert (said.exit_code, said.stdout) == (0, EXAMPLE)
    settings = GatewaySettings.read(config)
    short = config.with_name("short.toml")
    short.write_text('service = "http://127.0.0.1:8000"\nfolder = "spool"\nkeys = "keys"\n[http]\n')
    least = GatewaySettings.read(short)
    assert (settings.sealing, settings.limits, settings.paces) == (least.sealing, least.limits, least.paces)
    assert settings.http == least.http == HttpSettings()
    assert settings.mqtt == MqttSettings(host="127.0.0.1", password_file=config.parent / "gateway.password")
    assert settings.folder == config.parent / "spool"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("service = ", "no TOML"),
        ('folder = "a"\nkeys = "b"\n[http]\n', "service: Field required"),
        ('service = "s"\nfolder = "a"\nkeys = "b"\n', "a door"),
        ('service = "s"\nfolder = "a"\nkeys = "b"\n[http]\nport = 70000\n', "http.port"),
        ('service = "s"\nfolder = "a"\nkeys = "b"\n[http]\n[sealing]\nreading = 3\n', "sealing.reading"),
        ('service = "s"\nfolder = "a"\nkeys = "b"\n[http]\n[sealing]\nreadings = 20000\n', "sealing.readings"),
    ],
)
def test_run__with_settings_that_cannot_be__names_the_one(config: Path, text: str, says: str) -> None:
    config.write_text(text)
    with pytest.raises(GatewaySettingsInvalid, match=says):
        GatewaySettings.read(config)
    said = RUN.invoke(app, ["gateway", "run", "--config", str(config)])
    assert said.exit_code == 2
    assert "gridweave gateway example" in said.stderr


def test_run__without_the_brokers_password__says_where_it_is_sought(config: Path) -> None:
    (config.parent / "gateway.password").unlink()
    said = RUN.invoke(app, ["gateway", "run", "--config", str(config)])
    assert said.exit_code == 2
    assert f"mqtt.password_file: there is no {config.parent / 'gateway.password'}" in said.stderr.replace("\n", "")


def test_run__when_another_listens_there__names_the_address(config: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        config.write_text(f'service = "http://127.0.0.1:1"\nfolder = "s"\nkeys = "k"\n[http]\nport = {port}\n')
        said = RUN.invoke(app, ["gateway", "run", "--config", str(config)])
    assert said.exit_code == 2
    assert f"http: cannot listen at 127.0.0.1:{port}: Address already in use" in said.stderr


def test_run__beside_another_in_the_folder__refuses(config: Path) -> None:
    spool = Spool(config.parent / "spool")
    said = RUN.invoke(app, ["gateway", "run", "--config", str(config)])
    spool.close()
    assert said.exit_code == 1
    assert "GatewayRunning" in said.stderr


def test_status__before_any_run__says_so(config: Path) -> None:
    said = RUN.invoke(app, ["gateway", "status", "--config", str(config)])
    assert said.exit_code == 1
    assert "SpoolNotFound" in said.stderr


def test_status__of_a_gateway_that_runs__shows_its_streams(config: Path) -> None:
    spool = Spool(config.parent / "spool")
    spool.meet(StreamTail.start(STREAM), 0, bytes(32), b"{}")
    spool.note(STREAM, "EpochKeysMissing")
    said = RUN.invoke(app, ["gateway", "status", "--config", str(config), "--json"])
    spool.close()
    (row,) = json.loads(said.stdout)
    assert (row["stream"], row["trouble"], row["readingsKept"]) == ("0x" + STREAM.hex(), "EpochKeysMissing", 0)
    shown = RUN.invoke(app, ["gateway", "status", "--config", str(config)])
    assert "EpochKeysMissing" in shown.stdout


def test_keyring__finds_what_the_owners_command_writes(tmp_path: Path) -> None:
    keys = WindowKeys.fresh(3)
    (tmp_path / f"{STREAM.hex()}.3.keys").write_bytes(keys.encode())
    assert KeyRing(tmp_path).keys(STREAM, 3) == keys
