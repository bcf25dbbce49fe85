"""`gridweave device`: keys of devices, and their standing on chain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from gridweave.cli import device_life
from gridweave.cli.device_life import CURVES
from gridweave.cli.terminal import (
    DEFAULT_URL,
    AsJson,
    Device,
    KeyName,
    KeystoreFolder,
    NoWait,
    PasswordFile,
    ServiceUrl,
    WrongUse,
    ask_password,
    emit,
    finish,
    keystore_at,
    open_device,
    open_wallet,
    out,
    resolve_address,
    speaking,
)
from gridweave.client.service import GridweaveClient
from gridweave.client.stewards import DeviceProof, Steward, prove_possession
from gridweave.domain.acts import DeviceStatus

__all__ = ["register"]

_DAY, _HOUR = 86_400, 3_600


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    device = typer.Typer(
        help="Devices for life: enrolled or claimed, their keys, their standing, their owners.", no_args_is_help=True
    )
    device.command("new")(new)
    device.command("prove")(prove)
    device.command("enrol")(enrol)
    device.command("show")(show)
    device.command("suspend")(_status_command(DeviceStatus.SUSPENDED, "Suspend a device, as its owner or an operator."))
    device.command("reinstate")(
        _status_command(DeviceStatus.ACTIVE, "Let a suspended device speak again, as an operator.")
    )
    device.command("revoke")(
        _status_command(DeviceStatus.REVOKED, "Revoke a device for good, as its owner or an operator.")
    )
    device_life.register(device)
    app.add_typer(device, name="device")


def new(
    name: Annotated[str, typer.Argument(help="What to call the device's key.")],
    curve: Annotated[str, typer.Option(help="secp256k1, or p256 as secure elements have it.")] = "p256",
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a device's key and keep it encrypted. Its id follows from its first public key.

    Example: gridweave device new roof --curve p256
    """
    with speaking(as_json):
        if curve.lower() not in CURVES:
            raise WrongUse(f"{curve!r} is no curve of devices: secp256k1 or p256")
        password = ask_password(password_file, new=True, of=name)
        key = keystore_at(keystore).new_device(name, CURVES[curve.lower()], password)
        if as_json:
            emit({"name": name, "device": key.device, "curve": curve.lower(), "x": key.x.hex(), "y": key.y.hex()})
        else:
            out.print(f"{name}  {key.device}", highlight=False)


def prove(
    name: Annotated[str, typer.Argument(help="Name of the device's key.")],
    maker: Annotated[str, typer.Option(help="Address or key name of the maker who shall endorse it.")],
    owner: Annotated[str, typer.Option(help="Address or key name of its first owner.")],
    file: Annotated[Path, typer.Option("--out", help="Where to write the proof.")] = Path("device-proof.json"),
    valid_for: Annotated[int, typer.Option(help="Seconds of chain time.")] = _DAY,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
) -> None:
    """Sign, as the device, that it holds its key; the maker needs this file to enrol it. Nothing in it is secret.

    Example: gridweave device prove roof --maker 0x8a… --owner home --out roof.json
    """
    with speaking(), GridweaveClient(url) as client:
        secret = open_device(name, keystore, password_file)
        endorser, holder = resolve_address(maker, keystore), resolve_address(owner, keystore)
        proof = prove_possession(client, secret, endorser, holder, client.chain_time() + valid_for)
        file.write_text(json.dumps(_proof_json(proof), indent=2) + "\n")
        out.print(f"{file}: for the maker, who runs: gridweave device enrol {file} --key MAKER", highlight=False)


def enrol(
    proof: Annotated[Path, typer.Argument(help="The device's proof, made by `gridweave device prove`.")],
    key: KeyName,
    model: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Your number of its model.")] = 0,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Endorse a device and enrol it, as its maker.

    Example: gridweave device enrol roof.json --key maker
    """
    with speaking(as_json), GridweaveClient(url) as client:
        statement = _read_proof(proof)
        maker = Steward(client, open_wallet(key, keystore, password_file))
        if maker.address != statement.maker:
            raise WrongUse(f"{proof} names {statement.maker} as maker, the key {key} is {maker.address}")
        finish(
            client, maker.enrol(statement, model).id, f"device {statement.device}", wait=not no_wait, as_json=as_json
        )


def show(device: Device, url: ServiceUrl = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show a device's owner, maker, key and standing."""
    with speaking(as_json), GridweaveClient(url) as client:
        device_life.show_state(device, client.device(device), as_json)


def _status_command(status: DeviceStatus, help_text: str) -> Any:
    def command(
        device: Device,
        key: KeyName,
        url: ServiceUrl = DEFAULT_URL,
        keystore: KeystoreFolder = None,
        password_file: PasswordFile = None,
        no_wait: NoWait = False,
        as_json: AsJson = False,
    ) -> None:
        with speaking(as_json), GridweaveClient(url) as client:
            steward = Steward(client, open_wallet(key, keystore, password_file))
            item = steward.set_status(device, status, client.chain_time() + _HOUR)
            finish(client, item.id, f"{device} {status.name.lower()}", wait=not no_wait, as_json=as_json)

    command.__doc__ = f"{help_text} Counts for slots whose gate is yet to close."
    return command


def _proof_json(proof: DeviceProof) -> dict[str, Any]:
    return {
        "device": proof.device,
        "curve": proof.kind.label,
        "x": proof.x.hex(),
        "y": proof.y.hex(),
        "maker": proof.maker,
        "owner": proof.owner,
        "deadline": proof.deadline,
        "possession": proof.possession.hex(),
    }


def _read_proof(path: Path) -> DeviceProof:
    try:
        raw = json.loads(path.read_text())
        return DeviceProof(
            device=raw["device"],
            kind=CURVES[raw["curve"]],
            x=bytes.fromhex(raw["x"]),
            y=bytes.fromhex(raw["y"]),
            maker=raw["maker"],
            owner=raw["owner"],
            deadline=int(raw["deadline"]),
            possession=bytes.fromhex(raw["possession"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise WrongUse(f"{path} is no device proof; make one with: gridweave device prove") from fault
