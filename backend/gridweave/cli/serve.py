"""`gridweave serve`: the REST API over a chain that carries the contracts."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import signal
import socket
from collections.abc import Iterator
from typing import Annotated, TextIO

import typer
import uvicorn
import uvloop

from gridweave.api import create_app
from gridweave.api.connections import Patience, make_room, patient
from gridweave.api.logs import configure_logs
from gridweave.bridge.mqtt_door import mqtt_door
from gridweave.bridge.openadr.app import VtnDoor
from gridweave.chain import KeyUnusable, NodeUnavailable
from gridweave.cli.options import DataDir, KeyFile, Keystore, Network, Networks, NodeUrl, PasswordFile, Record
from gridweave.cli.terminal import KEY_UNUSABLE, REFUSED, UNAVAILABLE, fail
from gridweave.deployment import DeploymentError
from gridweave.services.belonging import WrongChain
from gridweave.services.settings import Settings, SettingsInvalid
from gridweave.services.vtn.clients import ClientsUnreadable
from gridweave.store.errors import StoreBusy, StoreMismatch, StoreUnavailable

__all__ = ["NotStarted", "Service", "bind", "check_given", "register", "speaking_of_starting"]

_CLOSES_WITHIN_S = 5
_GARBAGE_AFTER = 50_000
"""New objects until the collector looks at them: about what a thousand requests leave."""


class NotStarted(Exception):
    """The service could not start: the log says why."""


class Service(uvicorn.Server):
    """A server that leaves signals to whoever runs it."""

    def __init__(self, settings: Settings, log: TextIO | None = None) -> None:
        configure_logs(settings.log_level, log)
        self.application = create_app(settings, bridge=mqtt_door, doors=[VtnDoor(settings)])
        self._drain_s = settings.drain_ms / 1_000
        patience = Patience(
            settings.head_timeout_ms / 1e3, settings.stall_timeout_ms / 1e3, make_room(settings.most_connections)
        )
        super().__init__(
            uvicorn.Config(
                self.application,
                http=patient(patience),
                ws="none",
                host=settings.host,
                port=settings.port,
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,  # the application knows whom it trusts
                timeout_graceful_shutdown=_CLOSES_WITHIN_S,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        _look_seldom_for_garbage()

    def stop(self) -> None:
        """Says no to readiness; after `drain_ms` closes the door, ends the requests under way, then the service."""
        runtime = getattr(self.application.state, "runtime", None)
        if runtime is None:
            self.should_exit = True
            return
        runtime.drain()
        asyncio.get_running_loop().call_later(self._drain_s, self._close_door)

    def _close_door(self) -> None:
        self.should_exit = True

    async def run_until_stopped(self, door: socket.socket) -> None:
        """Serves on a bound socket until `stop`. Raises what kept it from starting."""
        try:
            with contextlib.suppress(SystemExit):  # so uvicorn ends what could not start; `refusal` says why
                await self.serve([door])
        except OSError as fault:
            raise _port_taken(door.getsockname()[1], fault) from fault
        if not self.started:
            raise getattr(self.application.state, "refusal", None) or NotStarted("the log says why")


def _look_seldom_for_garbage() -> None:
    """What was loaded to start stays to the end; of what requests make, next to nothing refers to itself."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_AFTER)


def bind(host: str, port: int) -> socket.socket:
    """A socket on that address, taken before any work is done for it. Raises NotStarted."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as fault:
        raise NotStarted(f"{host} is no address to listen on: name another with --host") from fault
    door = socket.socket(family, kind, protocol)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind(address)
    except OSError as fault:
        door.close()
        raise _port_taken(port, fault) from fault
    return door


def _port_taken(port: int, fault: OSError) -> NotStarted:
    if fault.errno == errno.EADDRINUSE:
        return NotStarted(f"port {port} is in use: name another with --port")
    if fault.errno == errno.EACCES:
        return NotStarted(f"port {port} may not be used by this user: name one from 1024 up with --port")
    return NotStarted(f"cannot listen on port {port} ({fault.strerror}): see --host and --port")


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    app.command("serve")(serve_command)


def serve_command(
    rpc: NodeUrl = None,
    network: Network = None,
    networks: Networks = None,
    deployment: Record = None,
    data_dir: DataDir = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Port to listen on.")] = None,
    key_file: KeyFile = None,
    keystore: Keystore = None,
    password_file: PasswordFile = None,
    keeper: Annotated[bool | None, typer.Option("--keeper/--no-keeper", help="Clear and settle what is due.")] = None,
) -> None:
    """Serve the REST API until interrupted. Every option has a GRIDWEAVE_* variable; options win.

    Outbox and index are files in the folder; GRIDWEAVE_OUTBOX_URL and GRIDWEAVE_INDEX_URL name a PostgreSQL instead
    (postgresql://USER@HOST/NAME; both may be the same). Variables only: a command line shows passwords to everybody.

    Example: gridweave serve --rpc http://127.0.0.1:8545 --deployment deployment.json --keystore relayer.json
    """
    with speaking_of_starting():
        settings = Settings.from_env(
            rpc_url=rpc,
            network=network,
            networks=networks,
            deployment=deployment,
            data_dir=data_dir,
            host=host,
            port=port,
            relayer_key_file=key_file,
            relayer_keystore=keystore,
            relayer_password_file=password_file,
            keeper=keeper,
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings))


def check_given(settings: Settings) -> None:
    """Raises NotStarted unless a deployment record and the key that pays the gas are named."""
    if not settings.deployment.is_file():
        raise NotStarted(f"{settings.deployment} does not exist: name the deployment record with --deployment")
    if not any((settings.relayer_keystore, settings.relayer_key_file, settings.relayer_key_variable)):
        raise NotStarted("no key of a relayer: name one with --keystore, or on a local chain with --key-file")


async def _serve(settings: Settings) -> None:
    check_given(settings)
    door = bind(settings.host, settings.port)
    service = Service(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, service.stop)
    with door:
        await service.run_until_stopped(door)


@contextlib.contextmanager
def speaking_of_starting() -> Iterator[None]:
    """Turns what keeps a service from starting into one message and its exit code."""
    stores = (StoreBusy, StoreMismatch)
    refused: tuple[type[Exception], ...] = (
        SettingsInvalid,
        ClientsUnreadable,
        WrongChain,
        *stores,
        DeploymentError,
        NotStarted,
    )
    try:
        yield
    except refused as fault:
        fail(type(fault).__name__, str(fault), REFUSED)
    except KeyUnusable as fault:
        fail("KeyUnusable", str(fault), KEY_UNUSABLE)
    except (NodeUnavailable, StoreUnavailable) as fault:
        fail(type(fault).__name__, str(fault), UNAVAILABLE)
