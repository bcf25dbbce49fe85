"""`gridweave firmware`: manifests, bundles, and the check that a device makes before it installs one; and, over a
service, all that release keys and devices do (`firmware_acts`, `firmware_reads`).
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from hashlib import file_digest
from pathlib import Path
from typing import Annotated

import typer

from gridweave.chain import FirmwareRegistry, Node
from gridweave.cli.firmware_trust import keys_json, trust_in
from gridweave.cli.sending import recorded, speaking_of_nodes
from gridweave.cli.telemetry_common import told_of
from gridweave.cli.terminal import (
    REFUSED,
    AsJson,
    KeystoreFolder,
    PasswordFile,
    WrongUse,
    emit,
    fail,
    open_wallet,
    out,
    speaking,
)
from gridweave.client.firmware import Bundle, DeviceState, ImageFile, Manifest, Verdict, check_bundle
from gridweave.client.firmware.manifest import class_id, vendor_id
from gridweave.client.firmware_life import FirmwareDesk
from gridweave.client.service import GridweaveClient
from gridweave.domain.addresses import address_bytes, checksum_address
from gridweave.domain.errors import DomainError

__all__ = ["register"]

Image = Annotated[Path, typer.Option("--image", help="The image that shall be installed.")]
Rpc = Annotated[str, typer.Option("--rpc", envvar="GRIDWEAVE_RPC", help="The node's JSON-RPC address.")]
Record = Annotated[
    Path, typer.Option("--deployment", "-d", envvar="GRIDWEAVE_DEPLOYMENT", help="The deployment record.")
]
Model = Annotated[int, typer.Option("--model", help="Number of the model.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    from gridweave.cli import firmware_acts, firmware_reads, firmware_trust

    group = typer.Typer(
        help="""Release firmware by M of N keys, watch its rollout, make and check bundles.

        A release goes: manifest, propose, approve (by other keys), start, advance ... or pause, resume, revoke.
        Devices `verify` a bundle, install, and tell what came of it by `receipt`.
        """,
        no_args_is_help=True,
    )
    group.command("verify")(verify)
    group.command("manifest")(manifest)
    group.command("bundle")(bundle)
    group.command("trust")(firmware_trust.trust)
    firmware_acts.register(group)
    firmware_reads.register(group)
    app.add_typer(group, name="firmware")


def verify(
    file: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle.")],
    image: Image,
    model: Model,
    device: Annotated[str, typer.Option(help="The device's id, 0x and 40 digits.")],
    counter: Annotated[int, typer.Option(help="What the device runs now; 0 for nothing.")],
    trust: Annotated[Path, typer.Option(help="What the device trusts, as `gridweave firmware trust` writes it.")],
    seen_block: Annotated[int, typer.Option(help="The newest block that the device has ever seen.")] = 0,
    block: Annotated[str | None, typer.Option(help="Hash of a block that is trusted as it is.")] = None,
    now: Annotated[int | None, typer.Option(help="The device's clock in seconds. [default: this machine's]")] = None,
    as_json: AsJson = False,
) -> None:
    """Check offline whether a device may install an image, as the device itself does.

    Exit code 0: it may. 1: it must not, for the reason named. 2: the arguments cannot be used.

    Example: gridweave firmware verify r5.bundle --image r5.bin --model 7 --device 0x… --counter 4 --trust trust.json
    """
    with speaking(as_json):
        state = DeviceState(_address(device), model, counter, seen_block)
        trusted = trust_in(_bytes_of(trust), trust, frozenset() if block is None else frozenset({_hash(block)}))
        picture = _image(image)
        raw = _bytes_of(file)
        try:
            at = int(time.time()) if now is None else now
            verdict = check_bundle(Bundle.decode(raw), image=picture, device=state, trust=trusted, now=at)
        except DomainError as refusal:
            fail(refusal.name, told_of(refusal), REFUSED, as_json, refusal.values)
        _tell(verdict, as_json=as_json)


def manifest(
    image: Image,
    model: Model,
    counter: Annotated[int, typer.Option(help="The release's counter.")],
    maker: Annotated[str, typer.Option(help="Address of the model's maker.")],
    chain_id: Annotated[int, typer.Option(help="Number of the registry's chain.")],
    file: Annotated[Path, typer.Option("--out", help="Where to write the SUIT envelope.")],
    uri: Annotated[str, typer.Option(help="Where devices can fetch the image.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make the SUIT manifest of an image, and say what its release must name.

    Example: gridweave firmware manifest --image r5.bin --model 7 --counter 5 --maker 0x… --chain-id 31337 --out r5.suit
    """
    with speaking(as_json):
        picture, by = _image(image), _address(maker)
        said = Manifest(counter, vendor_id(chain_id, by), class_id(chain_id, by, model), picture.size, picture.sha256)
        envelope = said.envelope(uri)
        file.write_bytes(envelope)
        told = {
            "imageSize": picture.size,
            "imageHash": "0x" + picture.sha256.hex(),
            "manifestHash": "0x" + Manifest.read(envelope)[1].hex(),
        }
        if as_json:
            emit(told)
        else:
            for name, value in told.items():
                out.print(f"{name}  {value}", highlight=False, soft_wrap=True)


def bundle(
    envelope: Annotated[Path, typer.Argument(metavar="MANIFEST", help="The SUIT envelope of the release.")],
    model: Model,
    counter: Annotated[int, typer.Option(help="The release's counter.")],
    file: Annotated[Path, typer.Option("--out", help="Where to write the bundle.")],
    witness: Annotated[list[str] | None, typer.Option(help="Key that vouches for the block; again for more.")] = None,
    url: Annotated[str | None, typer.Option("--url", help="Ask this service instead of a node.")] = None,
    rpc: Rpc = "http://127.0.0.1:8545",
    deployment: Record = Path("deployment.json"),
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
) -> None:
    """Put a release, its approvals and the proof of how it stands now into one file for devices.

    A service knows also of approvals that were given again after a change of keys.

    Example: gridweave firmware bundle r5.suit --model 7 --counter 5 --witness utility --out r5.bundle
    """
    from gridweave.cli.firmware_bundle import bundle_of

    async def made() -> Bundle:
        async with Node(rpc) as node:
            registry = FirmwareRegistry(node, recorded(deployment).addresses["FirmwareRegistry"])
            return await bundle_of(registry, model, counter, _bytes_of(envelope), witnesses=wallets)

    with speaking(), speaking_of_nodes():
        wallets = [open_wallet(name, keystore, password_file) for name in witness or ()]
        if url is None:
            raw = asyncio.run(made()).encode()
        else:
            with GridweaveClient(url) as client:
                raw = FirmwareDesk(client).bundle(model, counter, _bytes_of(envelope), wallets).encode()
        file.write_bytes(raw)
        out.print(f"{file}  {len(raw)} bytes", highlight=False)


def _tell(verdict: Verdict, *, as_json: bool) -> None:
    release, rollout = verdict.release, verdict.rollout
    if as_json:
        emit(
            {
                "counter": release.counter,
                "state": rollout.state.name.lower(),
                "shareBp": rollout.share_bp,
                "floor": verdict.line.floor,
                "source": release.source,
                "keep": {"seenBlock": verdict.seen_block, "keys": keys_json(verdict.keys)},
            }
        )
        return
    out.print(
        f"may be installed: release {release.counter} of model {release.model}, from {release.source}", markup=False
    )
    out.print(f"{rollout.state.name.lower()}, share {rollout.share_bp} of 10,000; keep block {verdict.seen_block}")


def _image(file: Path) -> ImageFile:
    try:
        with file.open("rb") as image:
            return ImageFile(os.fstat(image.fileno()).st_size, file_digest(image, "sha256").digest())
    except OSError as fault:
        raise WrongUse(f"{file} cannot be read: {fault.strerror}") from fault


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise WrongUse(f"{file} cannot be read: {fault.strerror}") from fault


def _address(text: str) -> str:
    try:
        return checksum_address(address_bytes(text))
    except ValueError as fault:
        raise WrongUse(f"{text!r} is no address: 0x and 40 digits") from fault


def _hash(text: str) -> bytes:
    if not re.fullmatch("0x[0-9a-fA-F]{64}", text):
        raise WrongUse(f"a block's hash is 0x and 64 digits, which {text!r} is not")
    return bytes.fromhex(text[2:])
