"""`gridweave gateway`: take devices' telemetry in, seal it and have it anchored."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
from pathlib import Path
from typing import Annotated, Any

import typer

from gridweave.cli.terminal import REFUSED, WRONG_USE, AsJson, emit, fail, out, speaking, table
from gridweave.client.service import GridweaveClient
from gridweave.gateway.http_door import HttpDoor
from gridweave.gateway.logs import log_to_stderr
from gridweave.gateway.looking import SpoolNotFound, look_at
from gridweave.gateway.mqtt_door import MqttDoor
from gridweave.gateway.program import Door, Gateway
from gridweave.gateway.service import RestService
from gridweave.gateway.setpoint_folder import SetpointFolder
from gridweave.gateway.settings import EXAMPLE, GatewaySettings, GatewaySettingsInvalid
from gridweave.locking import Taken
from gridweave.timing import now_ms

__all__ = ["register"]

_ATTEMPTS = 2

Config = Annotated[Path, typer.Option("--config", help="The gateway's settings, a file in TOML.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    gateway = typer.Typer(
        help="Take devices' telemetry in, keep it on disk, seal it and have it anchored.", no_args_is_help=True
    )
    gateway.command("run")(run)
    gateway.command("status")(status)
    gateway.command("example")(example)
    app.add_typer(gateway, name="gateway")


def run(
    config: Config = Path("gateway.toml"),
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error")] = "info",
) -> None:
    """Run a gateway until interrupted. One that was killed goes on where it was.

    It needs window keys of each stream, from the stream's owner, in the folder that the settings name; no other key.
    Devices reach it at the service's message broker, or over HTTP where there is none. A device hears that a segment is
    acknowledged once it is on this disk; it is forgotten here once its batch is final on the chain.

    Example: gridweave gateway example > gateway.toml; gridweave gateway run --config gateway.toml
    """
    with _speaking(), speaking():
        settings = GatewaySettings.read(config)
        settings.must_have_password()
        asyncio.run(_run(settings, log_level))


def status(config: Config = Path("gateway.toml"), as_json: AsJson = False) -> None:
    """Show each stream of the gateway: what is kept, how far it is anchored, and what is in the way.

    Example: gridweave gateway status --config gateway.toml
    """
    with _speaking():
        rows = look_at(GatewaySettings.read(config).folder, now_ms())
        if as_json:
            emit(rows)
            return
        columns = [("device", "left"), ("stream ends", "left"), ("taken", "right"), ("late", "right")]
        columns += [("kept", "right"), ("kept kB", "right"), ("waits s", "right"), ("final", "right")]
        columns += [("batches", "left"), ("in the way", "left")]
        out.print(table(f"streams of {config}", columns, [_line(row) for row in rows]))


def example() -> None:
    """Print settings to begin with, every one of them with what it is for."""
    print(EXAMPLE, end="")


async def _run(settings: GatewaySettings, log_level: str) -> None:
    doors: list[Door] = []
    if settings.broker:
        doors.append(MqttDoor(settings.broker))
    if settings.http:
        doors.append(HttpDoor(settings.http.host, settings.http.port))
    with GridweaveClient(settings.service, attempts=_ATTEMPTS) as client:
        setpoints = SetpointFolder(settings.setpoints) if settings.setpoints else None
        service = RestService(client)
        gateway = Gateway(settings.folder, settings.keys, service, doors, settings.paces, setpoints=setpoints)
        _take_address(doors)
        log_to_stderr(log_level)
        running = asyncio.create_task(gateway.run())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, running.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await running


def _take_address(doors: list[Door]) -> None:
    """Raises GatewaySettingsInvalid where nobody can listen."""
    for door in doors:
        if isinstance(door, HttpDoor):
            try:
                door.bind()
            except OSError as fault:
                raise GatewaySettingsInvalid(f"http: cannot listen at {door.address}: {fault.strerror}") from fault


@contextlib.contextmanager
def _speaking() -> Any:
    """Turns what keeps a gateway from starting into one message and its exit code."""
    try:
        yield
    except GatewaySettingsInvalid as fault:
        step = "`gridweave gateway example` prints a whole file"
        fail("GatewaySettingsInvalid", f"{fault}; {step}", WRONG_USE)
    except SpoolNotFound as fault:
        fail("SpoolNotFound", str(fault), REFUSED)
    except Taken as fault:
        fail("GatewayRunning", f"{fault}: one gateway at a time works with a folder", REFUSED)
    except (OSError, sqlite3.Error) as fault:
        fail("SpoolUnusable", str(fault), REFUSED)


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["device"],
        row["stream"][-12:],
        str(row["readingsTaken"]),
        str(row["readingsLate"]),
        str(row["readingsKept"]),
        str(row["bytesKept"] // 1_000),
        str(row["waitingMs"] // 1_000),
        str(row["finalIndex"]),
        row["batches"],
        row["trouble"],
    )
