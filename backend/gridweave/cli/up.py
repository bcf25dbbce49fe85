"""`gridweave up`: a supervised local chain, the contracts on it, and the service, in one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import typer

from gridweave.cli.deploy import speaking_of_chains
from gridweave.cli.localnet import DEFAULT_HOME
from gridweave.cli.serve import NotStarted, Service, bind, speaking_of_starting
from gridweave.cli.terminal import REFUSED, fail, out
from gridweave.localnet import Clock, DevKeys, Home, Localnet, LocalnetError, free_port, localnet
from gridweave.localnet.anvil import is_free
from gridweave.localnet.mosquitto import Mosquitto, MosquittoMissing
from gridweave.services.settings import PREFIX, Settings

__all__ = ["broker_beside", "gateway_password", "keep_running", "register"]

_LOOK_S = 1.0


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    app.command("up")(up_command)


def up_command(
    home: Annotated[
        Path, typer.Option(file_okay=False, help="Folder of chain and service, made if it is not there.")
    ] = DEFAULT_HOME,
    host: Annotated[str, typer.Option(help="Address that the API listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the API.")] = 8000,
    rpc_port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port of the node; 0 takes a free one and keeps it.")
    ] = 0,
    clock: Annotated[Clock, typer.Option(help="real: a block a second; manual: blocks when asked for.")] = Clock.REAL,
    slot_length: Annotated[
        int | None, typer.Option(help="Seconds per slot, for good. [default: as the chain was begun, at first 900]")
    ] = None,
    snapshot_seconds: Annotated[float, typer.Option(help="Seconds between snapshots, at least.")] = 5.0,
    keeper: Annotated[bool, typer.Option("--keeper/--no-keeper", help="Clear and settle what is due.")] = True,
    broker: Annotated[
        bool, typer.Option("--broker/--no-broker", help="Run a Mosquitto for devices, where one is installed.")
    ] = True,
    broker_port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port of the broker; 0 takes a free one and keeps it.")
    ] = 0,
) -> None:
    """Run a chain, the contracts and the service until interrupted. Start it again and all goes on where it stopped.

    Where Mosquitto is installed a broker for devices runs beside them, unless GRIDWEAVE_MQTT_HOST names another.

    Example: gridweave up --home var/up --port 8000
    """

    async def run() -> None:
        Settings.from_env()  # a wrong variable is told before a chain is made
        with bind(host, port) as door:
            api_port = door.getsockname()[1]
            node_port = _node_port(home, rpc_port, api_port)
            async with localnet(home, clock=clock, port=node_port, snapshot_seconds=snapshot_seconds) as chain:
                await chain.deploy(slot_length=slot_length, tell=lambda line: out.print(line, highlight=False))
                async with broker_beside(home / "broker", wanted=broker, port=broker_port) as mqtt:
                    await _serve(chain, _settings(chain, host, api_port, keeper=keeper, **mqtt), door)

    with speaking_of_starting(), speaking_of_chains(as_json=False):
        try:
            asyncio.run(run())
        except LocalnetError as fault:
            fail(type(fault).__name__, str(fault), REFUSED)


def _node_port(home: Path, wanted: int, api_port: int) -> int:
    """Another than the API's, which is bound but does not listen yet, and so looks free. Raises NotStarted."""
    if wanted == api_port:
        raise NotStarted(f"the API and the node cannot both have port {api_port}: name two with --port and --rpc-port")
    begun = Home(home).info()
    return free_port() if not wanted and begun is not None and begun.port == api_port else wanted


@contextlib.asynccontextmanager
async def broker_beside(home: Path, *, wanted: bool = True, port: int = 0) -> AsyncIterator[dict[str, Any]]:
    """A broker of one's own, and the settings that name it: none where Mosquitto is missing or another is named.

    One that ends is started again. Raises NotStarted, LocalnetError.
    """
    if not wanted or os.environ.get(f"{PREFIX}MQTT_HOST"):
        yield {}
        return
    broker = Mosquitto(home, _broker_port(home, port))
    try:
        await broker.start()
    except MosquittoMissing:
        yield {}
        return
    keeping = asyncio.create_task(keep_running(broker))
    settings = {"mqtt_host": "127.0.0.1", "mqtt_port": broker.port, "mqtt_password_file": broker.password_file}
    try:
        yield settings | {"mqtt_gateway_password_file": gateway_password(home)}
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        broker.stop()


async def keep_running(broker: Mosquitto) -> None:
    """Starts it again whenever it has ended, and says so, until it is cancelled."""
    while True:
        await asyncio.sleep(_LOOK_S)
        if broker.is_running:
            continue
        out.print("the broker has ended; it is started again", highlight=False)
        try:
            await broker.start()
        except (LocalnetError, TimeoutError) as fault:
            out.print(str(fault) or "the broker does not answer", highlight=False)


def _broker_port(home: Path, wanted: int) -> int:
    """The port that is wanted; else the one that this broker had, by which gateways know it, while that is free.

    Raises NotStarted.
    """
    file = home / "port"
    if wanted and not is_free(wanted):
        raise NotStarted(f"the broker cannot have port {wanted}: name another with --broker-port")
    had = int(file.read_text()) if file.exists() else 0
    port = wanted or (had if had and is_free(had) else free_port())
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.write_text(str(port))
    return port


def gateway_password(home: Path) -> Path:
    """The file with the password of the gateway's own user at a broker in `home`, made if it is not there."""
    file = home / "gateway.password"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(24))
    return file


def _settings(chain: Localnet, host: str, port: int, *, keeper: bool, **mqtt: Any) -> Settings:
    return Settings.from_env(
        rpc_url=chain.url,
        deployment=chain.home.deployment_file,
        data_dir=chain.home.path / "service",
        relayer_key_file=DevKeys.path(chain.home.keys, "relayer"),
        network="anvil",
        finality_file=chain.home.final_file,
        host=host,
        port=port,
        keeper=keeper,
        **mqtt,
    )


async def _serve(chain: Localnet, settings: Settings, door: socket.socket) -> None:
    """Serves until a signal comes, or until chain or service end by themselves."""
    with (chain.home.path / "service.log").open("a", buffering=1) as log:
        service = Service(settings, log)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, service.stop)
        serving = asyncio.create_task(service.run_until_stopped(door))
        ending = asyncio.create_task(chain.ended())
        telling = asyncio.create_task(_tell(chain, settings, service))
        await asyncio.wait((serving, ending), return_when=asyncio.FIRST_COMPLETED)
        service.stop()
        telling.cancel()
        await serving
        if ending.done():
            ending.result()
        ending.cancel()


async def _tell(chain: Localnet, settings: Settings, service: Service) -> None:
    while not service.started:  # noqa: ASYNC110 - the server offers no event
        await asyncio.sleep(0.05)
    rows = [
        ("API", f"http://{settings.host}:{settings.port}", "docs at /docs"),
        ("chain", chain.url, f"id {chain.chain_id}"),
        *_broker(settings),
        ("keys", str(chain.home.keys), "development keys, worth nothing"),
        ("log", str(chain.home.path / "service.log"), "one JSON object a line"),
    ]
    out.print("Gridweave is up", style="bold")
    across = max(len(where) for _, where, _ in rows)
    for what, where, why in rows:  # no table, which would cut paths to a terminal's width
        out.print(f"{what:<9}{where:<{across}}  {why}", highlight=False, markup=False, soft_wrap=True)


def _broker(settings: Settings) -> list[tuple[str, str, str]]:
    if not settings.mqtt_host:
        return [("broker", "none", "devices speak over REST; with Mosquitto installed, over MQTT too")]
    rows = [("broker", f"mqtt://{settings.mqtt_host}:{settings.mqtt_port}", "devices get in by a session")]
    if settings.mqtt_gateway_password_file is not None:
        rows.append(("gateway", str(settings.mqtt_gateway_password_file), "its password at the broker"))
    return rows
