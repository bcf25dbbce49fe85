"""`gridweave device ...` after the first day: batches, claims, keys, doubts, owners, documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

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
    at_time,
    emit,
    finish,
    open_device,
    open_wallet,
    out,
    resolve_address,
    speaking,
    table,
)
from gridweave.client.device_life import DeviceHolder, HandoverWord, MakersList, OwnDevice
from gridweave.client.service import GridweaveClient
from gridweave.domain.acts import KeyKind
from gridweave.domain.addresses import ZERO_ADDRESS, checksum_address

__all__ = ["CURVES", "register", "show_state"]

_HOUR, _DAY = 3_600, 86_400
CURVES = {kind.label: kind for kind in KeyKind}

_TIMES = ("statusSince", "readyAt", "until")

DeviceKeyName = Annotated[str, typer.Argument(help="Name of the device's present key.")]
DeviceId = Annotated[
    str | None, typer.Option("--device", help="The device's id, if this is not the key it was born with.")
]
Root = Annotated[str, typer.Argument(help="The batch's root, 0x and 64 digits.")]


def register(device: typer.Typer) -> None:
    """Adds the commands to `gridweave device`."""
    batch = typer.Typer(help="Enrol devices by the thousand: one root, and each claims itself.", no_args_is_help=True)
    batch.command("enrol")(enrol_batch)
    batch.command("show")(show_batch)
    batch.command("close")(close_batch)
    device.add_typer(batch, name="batch")
    device.command("claim")(claim)
    device.command("rotate")(rotate)
    device.command("propose-key")(propose_key)
    device.command("veto")(veto)
    device.command("adopt")(adopt)
    device.command("keep-key")(keep_key)
    device.command("compromise")(compromise)
    device.command("offer")(offer)
    device.command("hand-over")(hand_over)
    device.command("accept")(accept)
    device.command("did")(did)


# batches


def enrol_batch(
    devices: Annotated[Path, typer.Argument(help="{device, curve} of each, as `device new --json` prints it.")],
    key: KeyName,
    model: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Your number of the model.")],
    file: Annotated[Path, typer.Option("--out", help="Where to write the devices' proofs.")] = Path("batch.json"),
    valid_for: Annotated[int, typer.Option(help="Seconds of chain time to get there.")] = _HOUR,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Register a batch of devices as their maker, whatever its size; each claims itself with its proof from the file.

    Example: gridweave device batch enrol devices.ndjson --model 7 --key maker
    """
    with speaking(as_json), GridweaveClient(url) as client:
        made = MakersList.of(model, _read_devices(devices))
        holder = DeviceHolder(client, open_wallet(key, keystore, password_file))
        file.write_text(json.dumps(made.to_json()) + "\n")
        item = holder.register_batch(made, client.chain_time() + valid_for)
        what = f"batch of {len(made.proofs):,} devices, proofs in {file}"
        finish(client, item.id, what, wait=not no_wait, as_json=as_json)


def show_batch(root: Root, url: ServiceUrl = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show a batch: its maker, its model, and how many have claimed themselves."""
    with speaking(as_json), GridweaveClient(url) as client:
        show_state(root, client.device_batch(root), as_json)


def close_batch(
    root: Root,
    key: KeyName,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Close a batch, as its maker or an operator: what has not claimed itself can no longer."""
    with speaking(as_json), GridweaveClient(url) as client:
        holder = DeviceHolder(client, open_wallet(key, keystore, password_file))
        item = holder.close_batch(_bytes32(root), client.chain_time() + _HOUR)
        finish(client, item.id, f"batch {root} closed", wait=not no_wait, as_json=as_json)


def claim(
    name: DeviceKeyName,
    batch: Annotated[Path, typer.Option(help="The maker's file of proofs.")],
    owner: Annotated[str, typer.Option(help="Address or key name of its first owner.")],
    valid_for: Annotated[int, typer.Option(help="Seconds of chain time to get there.")] = _HOUR,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Enrol a device by its own word, from its maker's batch.

    Example: gridweave device claim roof --batch batch.json --owner home
    """
    with speaking(as_json), GridweaveClient(url) as client:
        made = _read_batch(batch)
        own = OwnDevice(client, open_device(name, keystore, password_file))
        if own.device not in made.proofs:
            raise WrongUse(f"{batch} does not name {own.device}; ask its maker for the batch of this device")
        item = own.claim(made, resolve_address(owner, keystore), client.chain_time() + valid_for)
        finish(client, item.id, f"device {own.device}", wait=not no_wait, as_json=as_json)


# keys


def rotate(
    name: DeviceKeyName,
    following: Annotated[str, typer.Option("--next", help="Name of its next key; `device new` makes one.")],
    device: DeviceId = None,
    valid_for: Annotated[int, typer.Option(help="Seconds of chain time to get there.")] = _HOUR,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Give a device another key, signed with its present one. What it said before stands.

    Example: gridweave device rotate roof --next roof-2
    """
    with speaking(as_json), GridweaveClient(url) as client:
        own = OwnDevice(client, open_device(name, keystore, password_file), device)
        taken = open_device(following, keystore, password_file)
        item = own.rotate(taken, client.chain_time() + valid_for)
        what = f"{own.device} speaks by {following}"
        finish(client, item.id, what, wait=not no_wait, as_json=as_json)


def propose_key(
    device: Device,
    following: Annotated[str, typer.Option("--next", help="Name of the key to propose.")],
    key: KeyName,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Propose a key for a device that lost its own, as its owner.

    It may `adopt` after seven days, unless the old key does `veto`.
    """
    with speaking(as_json), GridweaveClient(url) as client:
        taken = open_device(following, keystore, password_file)
        holder = DeviceHolder(client, open_wallet(key, keystore, password_file))
        item = holder.propose_key(device, taken, client.chain_time() + _HOUR)
        finish(client, item.id, f"{following} proposed for {device}", wait=not no_wait, as_json=as_json)


def veto(
    name: DeviceKeyName,
    device: DeviceId = None,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Refuse the key that its owner proposed, as the device."""
    with speaking(as_json), GridweaveClient(url) as client:
        own = OwnDevice(client, open_device(name, keystore, password_file), device)
        proposed = client.device(own.device)["proposal"]
        if proposed is None:
            raise WrongUse(f"no key stands proposed for {own.device}")
        item = own.veto(proposed["key"], client.chain_time() + _HOUR)
        finish(client, item.id, f"{own.device} refuses {proposed['key']}", wait=not no_wait, as_json=as_json)


def adopt(
    name: Annotated[str, typer.Argument(help="Name of the proposed key.")],
    device: Annotated[str, typer.Option("--device", help="The device's id.")],
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Let the proposed key take over, seven days after its owner proposed it."""
    with speaking(as_json), GridweaveClient(url) as client:
        own = OwnDevice(client, open_device(name, keystore, password_file), device)
        item = own.adopt(client.chain_time() + _HOUR)
        finish(client, item.id, f"{device} speaks by {name}", wait=not no_wait, as_json=as_json)


def keep_key(device: Device, url: ServiceUrl = DEFAULT_URL, no_wait: NoWait = False, as_json: AsJson = False) -> None:
    """Keep a device's P-256 key on chain, which a meter needs after a claim or a change of key. Anyone may."""
    with speaking(as_json), GridweaveClient(url) as client:
        item = client.keep_device_key(device)
        finish(client, item.id, f"key of {device} kept", wait=not no_wait, as_json=as_json)


def compromise(
    device: Device,
    since: Annotated[int, typer.Option(min=1, help="The first block in which somebody else may have signed.")],
    key: KeyName,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Say that a device's key is in doubt from a block on, as its owner or an operator. The device is suspended."""
    with speaking(as_json), GridweaveClient(url) as client:
        holder = DeviceHolder(client, open_wallet(key, keystore, password_file))
        item = holder.note_compromise(device, since, client.chain_time() + _HOUR)
        finish(client, item.id, f"{device} in doubt since block {since}", wait=not no_wait, as_json=as_json)


# owners


def offer(
    device: Device,
    to: Annotated[str, typer.Option(help="Address or key name of the next owner; `nobody` takes the offer back.")],
    key: KeyName,
    lasts: Annotated[int, typer.Option(help="Seconds of chain time.")] = 7 * _DAY,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Offer a device to its next owner, as its present one. It passes once that one and the device agree.

    Example: gridweave device offer 0x8a… --to neighbour --key home
    """
    with speaking(as_json), GridweaveClient(url) as client:
        now = client.chain_time()
        receiver = ZERO_ADDRESS if to == "nobody" else resolve_address(to, keystore)
        holder = DeviceHolder(client, open_wallet(key, keystore, password_file))
        item = holder.offer(device, receiver, now + lasts, now + _HOUR)
        finish(client, item.id, f"{device} offered to {to}", wait=not no_wait, as_json=as_json)


def hand_over(
    name: DeviceKeyName,
    to: Annotated[str, typer.Option(help="Address or key name of the next owner.")],
    device: DeviceId = None,
    file: Annotated[Path, typer.Option("--out", help="Where to write its word.")] = Path("handover.json"),
    valid_for: Annotated[int, typer.Option(help="Seconds of chain time.")] = _DAY,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
) -> None:
    """Sign, as the device, that it passes to another owner, who needs this file. Nothing in it is secret."""
    with speaking(), GridweaveClient(url) as client:
        own = OwnDevice(client, open_device(name, keystore, password_file), device)
        word = own.hand_over(resolve_address(to, keystore), client.chain_time() + valid_for)
        file.write_text(json.dumps(word.to_json(), indent=2) + "\n")
        out.print(f"{file}: for its next owner, who runs: gridweave device accept {file} --key KEY", highlight=False)


def accept(
    word: Annotated[Path, typer.Argument(help="The device's word, made by `gridweave device hand-over`.")],
    key: KeyName,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Take a device over that was offered to you, as its next owner.

    Example: gridweave device accept handover.json --key neighbour
    """
    with speaking(as_json), GridweaveClient(url) as client:
        said = _read_word(word)
        holder = DeviceHolder(client, open_wallet(key, keystore, password_file))
        if holder.wallet.address.lower() != said.to.lower():
            raise WrongUse(f"{word} names {said.to} as next owner, the key {key} is {holder.wallet.address}")
        finish(client, holder.accept(said).id, f"{said.device} is yours", wait=not no_wait, as_json=as_json)


def did(
    device: Device,
    at: Annotated[int | None, typer.Option(help="A block: the document as it stood then.")] = None,
    url: ServiceUrl = DEFAULT_URL,
) -> None:
    """Print a device's DID document (W3C), now or at a block."""
    with speaking(True), GridweaveClient(url) as client:
        emit(client.device_document(device, at))


def show_state(title: str, state: dict[str, Any], as_json: bool) -> None:
    """What the service says of a thing, as a table of two columns; what is not set is left out."""
    if as_json:
        emit(state)
        return
    rows = [(name, _text(name, value)) for name, value in state.items() if value is not None]
    out.print(table(title, [("", "left"), ("", "left")], rows))


def _text(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{inner} {_text(inner, said)}" for inner, said in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return at_time(int(value)) if name in _TIMES else str(value)


def _read_devices(path: Path) -> list[tuple[str, KeyKind]]:
    try:
        listed = list(_values(path.read_text()))
        found = {checksum_address(entry["device"]): CURVES[entry["curve"]] for entry in listed}
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise WrongUse(
            f'{path} is no list of devices, one after the other: {{"device": "0x…", "curve": "p256"}}'
        ) from fault
    if not found or len(found) != len(listed):
        raise WrongUse(f"{path} names {len(found)} devices in {len(listed)} entries; name each once, and one at least")
    return list(found.items())


def _values(text: str) -> Iterator[Any]:
    """JSON values that follow each other, a line each or not. Raises ValueError."""
    decoder, at = json.JSONDecoder(), 0
    while rest := text[at:].lstrip():
        value, length = decoder.raw_decode(rest)
        yield value
        at = len(text) - len(rest) + length


def _read_batch(path: Path) -> MakersList:
    try:
        return MakersList.from_json(json.loads(path.read_text()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise WrongUse(f"{path} is no batch; its maker makes one with: gridweave device batch enrol") from fault


def _read_word(path: Path) -> HandoverWord:
    try:
        return HandoverWord.from_json(json.loads(path.read_text()))
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise WrongUse(f"{path} is no device's word; make one with: gridweave device hand-over") from fault


def _bytes32(text: str) -> bytes:
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise WrongUse(f"{text!r} is no root: 0x and 64 hex digits")
    return raw
