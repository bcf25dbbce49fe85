"""`gridweave meter`: meters and what they measured."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from gridweave.cli.terminal import (
    DEFAULT_URL,
    AsJson,
    KeyName,
    KeystoreFolder,
    Market,
    NoWait,
    PasswordFile,
    ServiceUrl,
    WrongUse,
    ask_password,
    at_time,
    emit,
    finish,
    keystore_at,
    open_device,
    open_wallet,
    out,
    resolve_address,
    resolve_slot,
    speaking,
    table,
)
from gridweave.client.agent import DeviceAgent
from gridweave.client.errors import RequestRejected
from gridweave.client.prosumer import Prosumer
from gridweave.client.service import GridweaveClient
from gridweave.client.stewards import MeterPlan, Steward
from gridweave.client.wire import SignedAct
from gridweave.domain.slots import SlotClock
from gridweave.domain.units import format_energy_kwh, parse_energy_wh

__all__ = ["register"]

_HOUR = 3_600
ImportW = Annotated[int, typer.Option(help="Most that the home can draw, W.")]
ExportW = Annotated[int, typer.Option(help="Most that the home can give, W.")]
ScaleWh = Annotated[int, typer.Option(help="Unit of its readings: 1, 10 or 100 Wh.")]
WithMandate = Annotated[
    bool, typer.Option("--mandate/--no-mandate", help="Have the account sign that settlement may debit it.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    meter = typer.Typer(help="Register a meter, submit and show readings.", no_args_is_help=True)
    meter.command("register")(register_meter)
    meter.command("move")(move)
    meter.command("end")(end)
    meter.command("read")(read)
    meter.command("show")(show)
    app.add_typer(meter, name="meter")


def register_meter(
    device: Annotated[str, typer.Argument(help="Id of the enrolled device, or its key's name.")],
    account: Annotated[str, typer.Option("--account", help="Address or key name of the account that it settles.")],
    key: KeyName,
    market: Market = 1,
    import_w: ImportW = 17_000,
    export_w: ExportW = 17_000,
    scale_wh: ScaleWh = 1,
    mandate: WithMandate = True,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Register a device as a meter, signed by an operator's key; with a mandate by the account's key as well.

    Example: gridweave meter register roof --account home --key operator
    """
    with speaking(as_json), GridweaveClient(url) as client:
        name, device = device, _device_id(device, keystore, password_file)
        deadline = client.chain_time() + _HOUR
        consent = _mandate(client, account, market, device, deadline, keystore, password_file) if mandate else None
        plan = MeterPlan(device, market, resolve_address(account, keystore), import_w, export_w, scale_wh)
        operator = Steward(client, open_wallet(key, keystore, password_file))
        item = operator.register_meter(plan, consent, deadline)
        number = partial(_newest_meter, client, device)
        finish(client, item.id, f"meter of {name}", wait=not no_wait, as_json=as_json, learn=number)


def move(
    device: Annotated[str, typer.Argument(help="Id of the device, or its key's name.")],
    account: Annotated[str, typer.Option("--account", help="Address or key name of whose meter it becomes.")],
    key: KeyName,
    from_slot: Annotated[
        str, typer.Option("--from", help="First slot of the new meter: beyond the order horizon of 192 slots.")
    ] = "+200",
    market: Market = 1,
    import_w: ImportW = 17_000,
    export_w: ExportW = 17_000,
    scale_wh: ScaleWh = 1,
    mandate: WithMandate = True,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Give a device its next meter when a home changes owner, feeder or capacity; its present one ends there.

    Example: gridweave meter move roof --account heir --key operator --from +200
    """
    with speaking(as_json), GridweaveClient(url) as client:
        name, device = device, _device_id(device, keystore, password_file)
        deadline = client.chain_time() + _HOUR
        consent = _mandate(client, account, market, device, deadline, keystore, password_file) if mandate else None
        plan = MeterPlan(device, market, resolve_address(account, keystore), import_w, export_w, scale_wh)
        operator = Steward(client, open_wallet(key, keystore, password_file))
        item = operator.move_meter(plan, resolve_slot(from_slot, client), consent, deadline)
        number = partial(_newest_meter, client, device)
        finish(client, item.id, f"next meter of {name}", wait=not no_wait, as_json=as_json, learn=number)


def end(
    meter: Annotated[int, typer.Argument(help="Number of the meter.")],
    key: KeyName,
    until_slot: Annotated[
        str, typer.Option("--until", help="The first slot in which it is gone: beyond the order horizon of 192 slots.")
    ] = "+200",
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """End a meter without a next one, signed by an operator's key.

    Example: gridweave meter end 3 --key operator --until +200
    """
    with speaking(as_json), GridweaveClient(url) as client:
        operator = Steward(client, open_wallet(key, keystore, password_file))
        item = operator.end_meter(meter, resolve_slot(until_slot, client), client.chain_time() + _HOUR)
        finish(client, item.id, f"end of meter {meter}", wait=not no_wait, as_json=as_json)


def _newest_meter(client: GridweaveClient, device: str) -> dict[str, int]:
    made = [int(found["meter"]) for found in client.meters(device=device)]
    return {"meter": max(made)} if made else {}


def _mandate(
    client: GridweaveClient,
    account: str,
    market: int,
    device: str,
    deadline: int,
    keystore: Path | None,
    password_file: Path | None,
) -> SignedAct:
    """The account's consent that settlement may debit it. Raises WrongUse where its key is not at hand."""
    if account.startswith("0x"):
        raise WrongUse("the mandate is signed by the account's key: name that key, or pass --no-mandate")
    return Prosumer(client, open_wallet(account, keystore, password_file), market).mandate(device, deadline)


def _device_id(text: str, keystore: Path | None, password_file: Path | None) -> str:
    """A device's id as it is, or that of a device's key in the keystore."""
    if text.startswith("0x"):
        return text
    return open_device(text, keystore, password_file).device


def read(
    slot: Annotated[str, typer.Option("--slot", "-s", help="Slot number, or a UTC time in it.")],
    import_kwh: Annotated[str, typer.Option("--import", help="Drawn in the slot, kWh.")],
    export_kwh: Annotated[str, typer.Option("--export", help="Given in the slot, kWh.")],
    meter: Annotated[int, typer.Option("--meter", help="Number of the meter.")],
    device: Annotated[str, typer.Option("--device", "-d", help="Name of the device's key in the keystore.")],
    correction: Annotated[bool, typer.Option("--correction", help="Sign the next version of this slot.")] = False,
    queue: Annotated[
        Path | None, typer.Option(help="Folder of the device's memory. [default: readings, beside the keystore]")
    ] = None,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Sign a reading with the device's key, keep it on disk, and send it until it is taken.

    Example: gridweave meter read --slot 1628392 --import 0.25 --export 0 --meter 3 --device roof
    """
    with speaking(as_json), GridweaveClient(url) as client:
        keys = keystore_at(keystore)
        secret = keys.device(device, ask_password(password_file, of=device))
        folder = queue or keys.folder.parent / "readings"
        agent = DeviceAgent(client, secret, meter, folder)
        number = resolve_slot(slot, client)
        sign = agent.correct if correction else agent.record
        reading = sign(number, parse_energy_wh(import_kwh), parse_energy_wh(export_kwh))
        agent.send()
        refused = next((bad for bad in agent.rejected() if bad.digest == reading.digest), None)
        if refused:
            raise RequestRejected(reading.digest, str(refused.reason))
        if any(waiting.digest == reading.digest for waiting in agent.unsent()):
            _tell_kept(client, reading.digest, number, folder, as_json=as_json)
            return
        what = f"reading of meter {meter}, slot {number}, version {reading.version}"
        finish(client, reading.digest, what, wait=not no_wait, as_json=as_json)


def _tell_kept(client: GridweaveClient, digest: str, slot: int, folder: Path, *, as_json: bool) -> None:
    """Says that a reading waits on disk until its slot has ended."""
    due = SlotClock(client.deployment.slot_length).end(slot)
    if as_json:
        emit({"id": digest, "status": "kept", "folder": str(folder), "dueFrom": due})
        return
    out.print(f"reading of slot {slot}: [bold]kept[/] in {folder}", highlight=False, soft_wrap=True)
    out.print(f"  due from {at_time(due)} UTC, when the slot has ended; run the same again then", highlight=False)


def show(
    meter: Annotated[int, typer.Argument(help="Number of the meter.")],
    from_slot: Annotated[str | None, typer.Option("--from", help="First slot of readings to list.")] = None,
    to_slot: Annotated[str | None, typer.Option("--to", help="Last slot.")] = None,
    url: ServiceUrl = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show a meter's registration, and its readings between two slots.

    Example: gridweave meter show 3 --from 2016-06-10T10:00 --to 2016-06-10T14:00
    """
    with speaking(as_json), GridweaveClient(url) as client:
        registration = client.get(f"/v1/meters/{meter}")
        readings = []
        if from_slot and to_slot:
            readings = client.readings(meter, resolve_slot(from_slot, client), resolve_slot(to_slot, client))
        if as_json:
            emit({**registration, "readings": readings} if from_slot else registration)
            return
        facts = [(str(name), str(value)) for name, value in registration.items()]
        out.print(table(f"meter {meter}", [("", "left"), ("", "left")], facts))
        if from_slot and to_slot and not readings:
            out.print("no reading of these slots yet", highlight=False)
        if readings:
            columns = [("slot", "right"), ("version", "right"), ("drawn kWh", "right"), ("given kWh", "right")]
            rows = [
                (
                    str(reading["slot"]),
                    str(reading["version"]),
                    format_energy_kwh(int(reading["importWh"])),
                    format_energy_kwh(int(reading["exportWh"])),
                )
                for reading in readings
            ]
            out.print(table("readings", columns, rows))
