"""`gridweave firmware ...`: what a service knows of models, releases and devices; and what a device tells it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gridweave.cli.device_life import show_state
from gridweave.cli.firmware_told import (
    show_device,
    show_devices,
    show_eligibility,
    show_models,
    show_proposals,
    show_receipts,
    show_release,
    show_releases,
)
from gridweave.cli.terminal import (
    DEFAULT_URL,
    AsJson,
    Device,
    KeystoreFolder,
    NoWait,
    PasswordFile,
    ServiceUrl,
    finish,
    open_device,
    resolve_address,
    speaking,
)
from gridweave.client.firmware_life import FirmwareDesk, InstallReporter
from gridweave.client.service import GridweaveClient

__all__ = ["Counter", "Model", "register"]

_MOST_UINT32 = 2**32 - 1

Model = Annotated[int, typer.Argument(min=0, max=_MOST_UINT32, help="Number of the model.")]
Counter = Annotated[int, typer.Argument(min=1, max=_MOST_UINT32, help="The release's counter.")]
Failed = Annotated[bool | None, typer.Option("--failed/--well", help="Only those that failed, or went well.")]
DeviceId = Annotated[
    str | None, typer.Option("--device", help="The device's id, if this is not the key it was born with.")
]


def register(group: typer.Typer) -> None:
    """Adds the commands to `gridweave firmware`."""
    for command in (list_, show, proposals, device, devices, eligible, receipts, receipt):
        group.command(command.__name__.rstrip("_"))(command)


# what is known


def list_(
    model: Annotated[int | None, typer.Option(help="Show the releases of this model.")] = None,
    maker: Annotated[str | None, typer.Option(help="Only models of this maker: address or key name.")] = None,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """List models with what their devices run, or one model's releases and how far each has come.

    Example: gridweave firmware list --model 7
    """
    with speaking(as_json), GridweaveClient(url) as client:
        desk = FirmwareDesk(client)
        if model is not None:
            show_releases(model, desk.releases(model), as_json)
        else:
            show_models(desk.models(None if maker is None else resolve_address(maker, keystore)), as_json)


def show(
    model: Model,
    counter: Annotated[int | None, typer.Argument(help="A release's counter.")] = None,
    url: ServiceUrl = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show a model, its keys and what its devices run; or a release, its rollout and every step of it.

    Example: gridweave firmware show 7 5
    """
    with speaking(as_json), GridweaveClient(url) as client:
        desk = FirmwareDesk(client)
        if counter is not None:
            show_release(desk.release(model, counter), as_json)
            return
        found = desk.model(model)
        show_state(f"model {model}", found if as_json else _flat(found), as_json)


def proposals(
    model: Annotated[int | None, typer.Option(help="Only this model's.")] = None,
    url: ServiceUrl = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List what waits for more keys to sign: who has, and who has not."""
    with speaking(as_json), GridweaveClient(url) as client:
        show_proposals(FirmwareDesk(client).proposals(model), as_json)


def device(device: Device, url: ServiceUrl = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show what a device runs, what it should run, and which releases it may install."""
    with speaking(as_json), GridweaveClient(url) as client:
        show_device(FirmwareDesk(client).device(device), as_json)


def devices(
    model: Model,
    running: Annotated[int | None, typer.Option(help="Only those that run this counter.")] = None,
    url: ServiceUrl = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List a model's devices by what they told that they run."""
    with speaking(as_json), GridweaveClient(url) as client:
        show_devices(model, FirmwareDesk(client).devices(model, running), as_json)


def eligible(
    device: Device,
    counter: Counter,
    url: ServiceUrl = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Say whether a device is in a release's ramp, and may install it now. Exit code 1: it may not.

    Example: gridweave firmware eligible 0x8a… 5
    """
    with speaking(as_json), GridweaveClient(url) as client:
        model = int(client.device(device)["model"])
        found = FirmwareDesk(client).eligibility(model, counter, device)
        show_eligibility(found, as_json)
    if not found["isAllowed"]:
        raise typer.Exit(1)


def receipts(
    model: Model,
    counter: Counter,
    failed: Annotated[
        bool | None, typer.Option("--failed/--well", help="Only those that failed, or went well.")
    ] = None,
    url: ServiceUrl = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List what devices told of a release."""
    with speaking(as_json), GridweaveClient(url) as client:
        show_receipts(FirmwareDesk(client).receipts(model, counter, failed=failed), as_json)


# devices


def receipt(
    name: Annotated[str, typer.Argument(help="Name of the device's present key.")],
    counter: Counter,
    code: Annotated[
        int, typer.Option(min=0, max=65_535, help="0: it runs; else the device's own code of failure.")
    ] = 0,
    device: Annotated[
        str | None, typer.Option(help="The device's id, if this is not the key it was born with.")
    ] = None,
    now: Annotated[int | None, typer.Option(help="The device's clock in seconds. [default: the chain's]")] = None,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Tell, as the device, what came of a release. Failures beyond the release's limit pause it by themselves.

    Example: gridweave firmware receipt roof 5 --code 17
    """
    with speaking(as_json), GridweaveClient(url) as client:
        reporter = InstallReporter(client, open_device(name, keystore, password_file), device)
        model = int(client.device(reporter.device)["model"])
        item = reporter.tell(model, counter, code, client.chain_time() if now is None else now)
        what = f"{name} tells that {counter} {'runs' if code == 0 else f'failed with {code}'}"
        finish(client, item.id, what, wait=not no_wait, as_json=as_json)


def _flat(model: dict[str, Any]) -> dict[str, Any]:
    keys, running = model["keys"], model["running"]
    shown = model | {"keys": f"{keys['threshold']} of {len(keys['members'])}, version {keys['version']}"}
    shown |= {f"key {number}": member for number, member in enumerate(keys["members"], 1)}
    told = ", ".join(f"{each['devices']:,} run {each['counter']}" for each in running)
    return shown | {"running": told or "nobody told yet"}
