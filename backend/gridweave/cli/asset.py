"""`gridweave asset`: what stands behind meters, how it stands, and which of it under-delivers."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, TypeVar

import typer

from gridweave.cli.terminal import (
    DEFAULT_URL,
    AsJson,
    KeyName,
    KeystoreFolder,
    NoWait,
    PasswordFile,
    ServiceUrl,
    WrongUse,
    at_time,
    emit,
    finish,
    open_device,
    open_wallet,
    out,
    resolve_slot,
    seconds_of,
    speaking,
    table,
)
from gridweave.client.asset_device import AssetDevice
from gridweave.client.service import GridweaveClient
from gridweave.client.stewards import Steward
from gridweave.client.wire import Json
from gridweave.domain.acts import AssetKind, AssetState
from gridweave.domain.units import format_energy_kwh

__all__ = ["register"]

T = TypeVar("T")

_HOUR = 3_600
_KINDS = {kind.name.lower(): kind for kind in AssetKind}
_STATES = {state.name.lower(): state for state in AssetState if state != AssetState.UNREPORTED}
_TIMES = ("registeredAt", "stateSince", "lastSeen")
_BASIS_POINTS = ("onlineBp", "maintenanceBp", "unplannedBp", "capacityFactorBp", "ratioBp")

Asset = Annotated[int, typer.Argument(help="Number of the asset.")]
Feeder = Annotated[int | None, typer.Option(help="The operator's number of a feeder.")]
Kind = Annotated[str | None, typer.Option(help=", ".join(_KINDS))]


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    asset = typer.Typer(
        help="Register assets, report their states, find the one that under-delivers.", no_args_is_help=True
    )
    asset.command("register")(register_asset)
    asset.command("report")(report)
    asset.command("list")(list_assets)
    asset.command("show")(show)
    app.add_typer(asset, name="asset")


def register_asset(
    meter: Annotated[int, typer.Argument(help="Number of the meter that it stands behind.")],
    kind: Annotated[str, typer.Option(help=", ".join(_KINDS))],
    nameplate_w: Annotated[int, typer.Option(min=0, help="What it can give or draw, W.")],
    key: KeyName,
    storage_wh: Annotated[int, typer.Option(min=0, help="What it can store, Wh.")] = 0,
    feeder: Annotated[int, typer.Option(min=0, help="The feeder that it hangs on; 0 names none.")] = 0,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Register what stands behind a meter, as an operator.

    Example: gridweave asset register 3 --kind photovoltaic --nameplate-w 5000 --feeder 12 --key operator
    """
    with speaking(as_json), GridweaveClient(url) as client:
        of = _named(kind, _KINDS, "kind of asset")
        operator = Steward(client, open_wallet(key, keystore, password_file))
        item = operator.register_asset(meter, of, nameplate_w, storage_wh, client.chain_time() + _HOUR, feeder)
        number = partial(_newest_asset, client, meter)
        finish(client, item.id, f"{kind} behind meter {meter}", wait=not no_wait, as_json=as_json, learn=number)


def _newest_asset(client: GridweaveClient, meter: int) -> dict[str, int]:
    made = [int(found["asset"]) for found in client.get(f"/v1/meters/{meter}")["assets"]]
    return {"asset": max(made)} if made else {}


def report(
    asset: Asset,
    state: Annotated[str, typer.Argument(help=", ".join(_STATES))],
    device: Annotated[str, typer.Option("--device", "-d", help="Name of the device's key in the keystore.")],
    since: Annotated[
        str | None, typer.Option(help="UTC time or seconds, since when. [default: the newest block's]")
    ] = None,
    valid_for: Annotated[int, typer.Option(help="Seconds of chain time to get there.")] = _HOUR,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Report in which state an asset is, as the device of its meter.

    Example: gridweave asset report 7 maintenance --device roof
    """
    with speaking(as_json), GridweaveClient(url) as client:
        into = _named(state, _STATES, "state of an asset")
        key = open_device(device, keystore, password_file)
        now = client.chain_time()
        began = now if since is None else seconds_of(since)
        item = AssetDevice(client, key).report(asset, into, began, now + valid_for)
        finish(client, item.id, f"asset {asset} {state}", wait=not no_wait, as_json=as_json)


def list_assets(
    feeder: Feeder = None, kind: Kind = None, url: ServiceUrl = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """List assets with what they gave in the newest day; what stands out comes first.

    Example: gridweave asset list --feeder 12 --kind photovoltaic
    """
    with speaking(as_json), GridweaveClient(url) as client:
        if kind is not None:
            _named(kind, _KINDS, "kind of asset")
        found = client.assets(feeder=feeder, kind=kind)
        if as_json:
            emit(found)
            return
        columns = [("asset", "right"), ("stands out", "left"), ("kind", "left"), ("feeder", "right")]
        columns += [("state", "left"), ("online", "right"), ("given kWh", "right"), ("against its like", "right")]
        ordered = sorted(found, key=lambda item: (not item["flags"], item["asset"]))
        out.print(table("assets", columns, [_line(item) for item in ordered]))


def show(
    asset: Asset,
    from_slot: Annotated[str | None, typer.Option("--from", help="First slot. [default: a week before --to]")] = None,
    to_slot: Annotated[str | None, typer.Option("--to", help="Last slot. [default: the newest that is over]")] = None,
    url: ServiceUrl = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show an asset: its state, its availability, what it gave, and what stands out of it.

    Example: gridweave asset show 7 --from 2016-06-10T00:00 --to 2016-06-10T23:45
    """
    with speaking(as_json), GridweaveClient(url) as client:
        if (from_slot is None) != (to_slot is None):
            raise WrongUse("name both --from and --to, or neither")
        span = [resolve_slot(text, client) for text in (from_slot, to_slot) if text is not None]
        found = client.asset(asset, *span)
        if as_json:
            emit(found)
            return
        out.print(table(f"asset {asset}", [("", "left"), ("", "left")], _facts(found)))
        states = [(state["state"], at_time(state["since"]), str(state["block"])) for state in found["states"]]
        if states:
            out.print(table("states", [("state", "left"), ("since, UTC", "left"), ("block", "right")], states))


def _line(item: Json) -> tuple[str, ...]:
    performance = item["performance"]
    return (
        str(item["asset"]),
        ", ".join(item["flags"]),
        item["kind"],
        str(item["feeder"]),
        item["state"],
        _percent(item["availability"]["onlineBp"]),
        "-" if performance["exportWh"] is None else format_energy_kwh(performance["exportWh"]),
        _percent(performance["ratioBp"]),
    )


def _facts(found: Json) -> list[tuple[str, str]]:
    """What the service says, group by group; what is not known is left out."""
    flat = {name: value for name, value in found.items() if not isinstance(value, dict | list)}
    for group in ("window", "availability", "performance"):
        flat |= {f"{group} {name}": value for name, value in found[group].items()}
    flat["flags"] = ", ".join(found["flags"]) or "none"
    return [(name, _shown(name, value)) for name, value in flat.items() if value is not None]


def _shown(name: str, value: Any) -> str:
    last = name.rpartition(" ")[2]
    if last in _BASIS_POINTS:
        return _percent(value)
    return f"{at_time(value)} UTC" if last in _TIMES or last in ("startsAt", "endsAt") else str(value)


def _percent(basis_points: int | None) -> str:
    return "-" if basis_points is None else f"{basis_points // 100}.{basis_points % 100:02d} %"


def _named(text: str, names: dict[str, T], what: str) -> T:
    if text not in names:
        raise WrongUse(f"{text!r} is no {what}: {', '.join(names)}")
    return names[text]
