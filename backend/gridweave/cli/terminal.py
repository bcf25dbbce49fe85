"""What the commands of people share: options, output for eyes or for programs, errors that name the next step.

Exit codes: 0 done, 1 refused (the service or a contract says why), 2 wrong use, 3 the service does not answer, 4 a key
cannot be used.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from gridweave.client.device_key import DeviceKey
from gridweave.client.errors import (
    AcknowledgementInvalid,
    ClientError,
    KeystoreError,
    RequestRejected,
    ServiceError,
    ServiceUnavailable,
    UrlUnusable,
    WrongPassword,
)
from gridweave.client.keystore import Keystore
from gridweave.client.passwords import find_password
from gridweave.client.service import GridweaveClient
from gridweave.client.wallet import Wallet
from gridweave.domain.errors import DomainError
from gridweave.domain.slots import SlotClock
from gridweave.services.advice import advice_on

__all__ = [
    "AsJson",
    "Device",
    "KeyName",
    "KeystoreFolder",
    "Market",
    "NetworkName",
    "NetworksFile",
    "NoWait",
    "PasswordFile",
    "ServiceUrl",
    "WrongUse",
    "ask_password",
    "at_time",
    "emit",
    "errors",
    "fail",
    "finish",
    "keystore_at",
    "open_wallet",
    "out",
    "resolve_address",
    "resolve_slot",
    "seconds_of",
    "slot_of",
    "speaking",
    "table",
]

_LEARNS_WITHIN = 20  # asked four times a second

_PIPE_WIDTH = 160

out = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)
errors = Console(stderr=True, width=None if sys.stderr.isatty() else _PIPE_WIDTH)

REFUSED, WRONG_USE, UNAVAILABLE, KEY_UNUSABLE = 1, 2, 3, 4


def _device_id(text: str) -> str:
    if not re.fullmatch("0x[0-9a-fA-F]{40}", text):
        raise typer.BadParameter(f"a device's id is 0x and 40 digits, as `device new` told it, which {text!r} is not")
    return text


ServiceUrl = Annotated[
    str, typer.Option("--url", envvar="GRIDWEAVE_URL", help="The service's address.", show_default=True)
]
Device = Annotated[str, typer.Argument(callback=_device_id, help="The device's id, 0x and 40 digits.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]
KeyName = Annotated[
    str, typer.Option("--key", "-k", envvar="GRIDWEAVE_KEY", help="Name of the key in the keystore that signs.")
]
KeystoreFolder = Annotated[
    Path | None,
    typer.Option("--keystore", envvar="GRIDWEAVE_KEYSTORE", help="Folder of keys. [default: ~/.gridweave/keys]"),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file", help="File with the key's password. Else GRIDWEAVE_PASSWORD, else it is asked for."
    ),
]
Market = Annotated[int, typer.Option("--market", "-m", envvar="GRIDWEAVE_MARKET", help="Number of the market.")]
NetworkName = Annotated[
    str, typer.Option("--network", envvar="GRIDWEAVE_NETWORK", help="The network's name: see `gridweave networks`.")
]
NetworksFile = Annotated[
    Path | None,
    typer.Option("--networks", envvar="GRIDWEAVE_NETWORKS", help="File that describes more networks."),
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Return with the acknowledgement; do not wait for the chain.")]

DEFAULT_URL = "http://127.0.0.1:8000"
_START = "start one with `gridweave up`, or name another with --url"
_LOOK_UP = {
    "UnknownMarket": ("name another with --market",),
    "UnknownMeter": ("a market's meters: gridweave market meters",),
}


NO_RECORD = (
    "there is no deployment record {}; name it with --deployment: that of `gridweave up` is var/up/deployment.json"
)


class WrongUse(Exception):
    """An argument that cannot be right; the message says what would be."""


@contextmanager
def speaking(as_json: bool = False) -> Iterator[None]:
    """Turns every expected fault into one clear message and its exit code."""
    try:
        yield
    except ServiceError as fault:
        steps = (fault.message or "the service refused", *_LOOK_UP.get(fault.name, ()))
        fail(fault.name, "; ".join(steps), REFUSED, as_json, fault.arguments)
    except RequestRejected as fault:
        fail(fault.reason, f"{fault}; {advice_on(fault.reason).message}", REFUSED, as_json)
    except ServiceUnavailable as fault:
        step = f"{fault.base_url}/readyz says why" if fault.answered else _START
        fail("ServiceUnavailable", f"{fault}; {step}", UNAVAILABLE, as_json)
    except UrlUnusable as fault:
        fail("UrlUnusable", f"{fault}, with --url or as GRIDWEAVE_URL", WRONG_USE, as_json)
    except AcknowledgementInvalid as fault:
        step = "treat it as not sent; ask whoever runs the service"
        fail("AcknowledgementInvalid", f"{fault}; {step}", REFUSED, as_json)
    except WrongPassword as fault:
        step = "set GRIDWEAVE_PASSWORD, or name its file with --password-file"
        fail("WrongPassword", f"{fault}; {step}", KEY_UNUSABLE, as_json)
    except KeystoreError as fault:
        fail(type(fault).__name__, str(fault), KEY_UNUSABLE, as_json)
    except TimeoutError as fault:
        fail("StillUnderWay", str(fault), UNAVAILABLE, as_json)
    except DomainError as fault:
        fail(fault.name, ", ".join(str(value) for value in fault.values.values()), WRONG_USE, as_json, fault.values)
    except (WrongUse, ClientError) as fault:
        fail(type(fault).__name__, str(fault), WRONG_USE, as_json)


def fail(name: str, message: str, code: int, as_json: bool = False, arguments: Any = None) -> NoReturn:
    """Prints the error to stderr and exits with `code`."""
    if as_json:
        body = {"error": {"name": name, "message": message, "args": arguments or {}}}
        print(json.dumps(body, default=str), file=sys.stderr)
    else:
        errors.print(f"[bold red]{name}[/] ", end="")
        errors.print(message, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def emit(body: Any) -> None:
    """Prints JSON to stdout, one document."""
    print(json.dumps(body, indent=2, ensure_ascii=False))


class _Titled(Table):
    """A table whose title stays on one line, however narrow the columns: an address is copied whole."""

    heading = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.heading:
            yield Text(self.heading, style="table.title", no_wrap=True, overflow="ignore")
        yield from super().__rich_console__(console, options)


def table(title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> Table:
    """A Rich table; each column is (heading, "left" or "right")."""
    made = _Titled(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    made.heading = title
    for heading, side in columns:
        made.add_column(heading, justify="right" if side == "right" else "left", no_wrap=True)
    for row in rows:
        made.add_row(*row)
    return made


def _learnt(learn: Callable[[], dict[str, int]]) -> dict[str, int]:
    """What the service knows of it, once its indexer has seen the block; nothing after a few seconds."""
    for _ in range(_LEARNS_WITHIN):
        if numbers := learn():
            return numbers
        time.sleep(0.25)
    return {}


def finish(
    client: GridweaveClient,
    item_id: str,
    what: str,
    *,
    wait: bool,
    as_json: bool,
    learn: Callable[[], dict[str, int]] | None = None,
) -> dict[str, Any]:
    """Waits for an acknowledged request, unless told not to, and prints where it stands. Returns its state.

    `learn` is asked once the request is on chain: numbers that the chain gave, by what they are called.
    """
    state = client.wait(item_id) if wait else client.request(item_id)
    learnt = _learnt(learn) if learn and state["status"] not in ("accepted", "rejected") else {}
    state |= learnt
    if as_json:
        emit(state)
    else:
        out.print(f"{what}: [bold]{state['status']}[/]{' (final)' if state.get('final') else ''}", highlight=False)
        for name, number in learnt.items():
            out.print(f"  [bold]{name} {number}[/]", highlight=False)
        out.print(f"  id {item_id}", highlight=False)
        if state.get("transaction"):
            out.print(f"  transaction {state['transaction']} in block {state.get('block')}", highlight=False)
    return state


def keystore_at(folder: Path | None) -> Keystore:
    """The keystore in `folder`, by default the user's own."""
    return Keystore(folder) if folder else Keystore.default()


def ask_password(file: Path | None, *, new: bool = False, of: str = "the key") -> str:
    """A password from file, environment or terminal; a new one is asked for twice. Raises KeystoreError."""

    def ask() -> str:
        return str(typer.prompt(f"Password of {of}", hide_input=True, confirmation_prompt=new, err=True))

    return find_password(file, ask if sys.stdin.isatty() else None)


def open_wallet(name: str, folder: Path | None, password_file: Path | None) -> Wallet:
    """The wallet that signs. Raises KeystoreError."""
    keys = keystore_at(folder)
    address = keys.address_of(name)
    return keys.wallet(name, ask_password(password_file, of=f"{name} ({address})"))


def open_device(name: str, folder: Path | None, password_file: Path | None) -> DeviceKey:
    """The device's key that signs. Raises KeystoreError."""
    return keystore_at(folder).device(name, ask_password(password_file, of=name))


def resolve_address(text: str, folder: Path | None) -> str:
    """An address as it is, or that of a key by name. Raises KeystoreError, WrongUse."""
    if not text.lower().startswith("0x"):
        return keystore_at(folder).address_of(text)
    if not re.fullmatch("0x[0-9a-fA-F]{40}", text):
        raise WrongUse(f"an address is 0x and 40 hex digits, which {text!r} is not")
    return text


def resolve_slot(text: str, client: GridweaveClient) -> int:
    """A slot by its number, "+2" (two after the current one) or a UTC time, 2016-06-10T12:15. Raises WrongUse."""
    return slot_of(text, SlotClock(client.deployment.slot_length), client.chain_time)


def slot_of(text: str, clock: SlotClock, chain_time: Callable[[], int]) -> int:
    """The same where there is no service to ask. Raises WrongUse."""
    if text.startswith("+") and text[1:].isdigit():
        return clock.slot_at(chain_time()) + int(text[1:])
    if text.isdigit():
        return int(text)
    try:
        return clock.slot_at(_moment(text))
    except ValueError as fault:
        raise WrongUse(f"{text!r} is no slot: give its number, +N from now, or a time like 2016-06-10T12:15") from fault


def seconds_of(text: str) -> int:
    """A UTC time, or its seconds as they are. Raises WrongUse."""
    try:
        return int(text) if text.isdigit() else _moment(text)
    except ValueError as fault:
        raise WrongUse(f"{text!r} is no time: write it like 2016-06-10T12:15, or in seconds") from fault


def _moment(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def at_time(seconds: int) -> str:
    """Chain time as UTC text, with its seconds where it has some."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S" if seconds % 60 else "%Y-%m-%d %H:%M")
