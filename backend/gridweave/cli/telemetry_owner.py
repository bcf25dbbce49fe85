"""`gridweave telemetry`: what an owner does with streams and their keys."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from gridweave.cli.telemetry_common import (
    DEFAULT_RECORD,
    From,
    Record,
    Rpc,
    StreamKeysFile,
    StreamOption,
    Until,
    asking,
    key_file,
    ms_of,
    stream_of,
    telling,
    time_of,
)
from gridweave.cli.telemetry_send import GENERIC, GasKey, way_of
from gridweave.cli.terminal import (
    DEFAULT_URL,
    AsJson,
    KeyName,
    KeystoreFolder,
    NetworkName,
    NetworksFile,
    NoWait,
    PasswordFile,
    ServiceUrl,
    WrongUse,
    emit,
    open_wallet,
    out,
    resolve_address,
)
from gridweave.client.telemetry import (
    Ledger,
    OwnerKeys,
    ServiceSource,
    StreamKeys,
    epoch_act,
    opening_act,
)
from gridweave.client.telemetry.private_files import replace_private
from gridweave.domain.addresses import checksum_address
from gridweave.domain.anchors import StreamMode, stream_id
from gridweave.domain.telemetry.schema import Channel, Schema
from gridweave.domain.telemetry.windows import WINDOW_MS, window_at, windows_of

__all__ = ["begin_epoch", "erase", "gateway_keys", "open_stream", "read_schema"]

_HOUR = 3_600

SchemaFile = Annotated[Path, typer.Option("--schema", help="The channels, in JSON: see docs/sharing.md.")]
ValidFor = Annotated[int, typer.Option(help="Seconds of chain time to get there.")]


def open_stream(
    device: Annotated[str, typer.Argument(help="The device's id.")],
    schema: SchemaFile,
    key: KeyName,
    mode: Annotated[str, typer.Option(help="full: all that is sealed goes on chain. hash: its hash does.")] = "full",
    stream_keys: StreamKeysFile = None,
    valid_for: ValidFor = _HOUR,
    url: ServiceUrl = DEFAULT_URL,
    rpc: Rpc = None,
    deployment: Record = DEFAULT_RECORD,
    network: NetworkName = GENERIC,
    networks: NetworksFile = None,
    gas_key: GasKey = None,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Open a stream of a device of yours. Its keys are made first, and are on disk before anything is signed.

    Keep copies of the key file: who loses it has lost what was measured. An old copy undoes an erasure.

    Example: gridweave telemetry open-stream 0x8a… --schema home.json --key home
    """
    with telling(as_json), asking(url, rpc, deployment) as asked:
        channels = read_schema(schema)
        if mode.upper() not in StreamMode.__members__:
            raise WrongUse(f"{mode!r} is no mode: full or hash")
        name = checksum_address(resolve_address(device, keystore))
        into = StreamMode[mode.upper()]
        wallet = open_wallet(key, keystore, password_file)
        stream = stream_id(name, into, channels.hash)
        file = key_file(stream_keys, keystore, password_file, new=True)

        def opened(keys: OwnerKeys) -> OwnerKeys:
            before = keys.streams.get(stream, StreamKeys(stream, channels, ()))
            return keys.having(before.with_epoch(wallet.address, 1))

        file.change(opened)
        way = way_of(
            asked,
            wallet,
            payer=gas_key or key,
            keystore=keystore,
            password_file=password_file,
            network=network,
            networks=networks,
            wait=not no_wait,
            as_json=as_json,
        )
        said = opening_act(name, channels, into, way.deadline(valid_for))
        way.open(said, channels, f"stream of {name}", {"stream": "0x" + stream.hex(), "keys": str(file.path)})


def begin_epoch(
    key: KeyName,
    stream: StreamOption = None,
    schema: Annotated[
        Path | None, typer.Option("--schema", help="The stream's channels, if it was a former owner's.")
    ] = None,
    stream_keys: StreamKeysFile = None,
    valid_for: ValidFor = _HOUR,
    url: ServiceUrl = DEFAULT_URL,
    rpc: Rpc = None,
    deployment: Record = DEFAULT_RECORD,
    network: NetworkName = GENERIC,
    networks: NetworksFile = None,
    gas_key: GasKey = None,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Begin a stream's next epoch: new keys, from fresh randomness, that no former owner and no grant opens.

    A device's new owner must, before anything more is anchored. Do it as well to end what grants will open.

    Example: gridweave telemetry epoch --stream 0x… --key home
    """
    with telling(as_json), asking(url, rpc, deployment) as asked:
        wallet = open_wallet(key, keystore, password_file)
        file = key_file(stream_keys, keystore, password_file, new=True)
        known = file.read() if file.path.exists() else OwnerKeys()
        which = stream_of(stream, list(known.streams))
        ledger = Ledger.check(asked.source, which)
        channels = _schema_of(which, known, schema, asked.source)
        epoch = ledger.facts.epoch + 1

        def begun(keys: OwnerKeys) -> OwnerKeys:
            before = keys.streams.get(which, StreamKeys(which, channels, ()))
            return keys.having(before.with_epoch(wallet.address, epoch))

        file.change(begun)
        way = way_of(
            asked,
            wallet,
            payer=gas_key or key,
            keystore=keystore,
            password_file=password_file,
            network=network,
            networks=networks,
            wait=not no_wait,
            as_json=as_json,
        )
        said = epoch_act(which, epoch, way.deadline(valid_for))
        way.new_epoch(said, ledger, f"epoch {epoch}", {"stream": "0x" + which.hex(), "epoch": epoch})


def gateway_keys(
    folder: Annotated[Path, typer.Option("--out", "-o", help="The gateway's folder of keys.")],
    stream: StreamOption = None,
    begin: From = None,
    until: Until = None,
    windows: Annotated[int, typer.Option(min=1, help="Quarter hours from --from on, if there is no --until.")] = 96,
    epoch: Annotated[int | None, typer.Option(help="Number of the epoch. [default: your newest]")] = None,
    stream_keys: StreamKeysFile = None,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Give a gateway what it seals with: the keys of some quarter hours to come, and no others.

    It reads what it seals, so give it no more than it needs before you come again. What it had of the epoch before is
    replaced: begin with what it has not sealed yet.

    Example: gridweave telemetry gateway-keys --from 2026-06-21T00:00 --windows 672 --out gateway/keys
    """
    with telling(as_json):
        known = key_file(stream_keys, keystore, password_file).read()
        keys = known.of(stream_of(stream, list(known.streams)))
        first_ms = ms_of(begin, _this_window())
        end_ms = ms_of(until, first_ms + windows * WINDOW_MS)
        first, end = windows_of(first_ms, end_ms)
        given = keys.of(keys.newest if epoch is None else epoch).keys.covering(first, end)
        file = folder / f"{keys.stream.hex()}.{given.epoch}.keys"
        replace_private(file, given.encode())
        told = {"file": str(file), "epoch": given.epoch, "firstWindow": first, "endWindow": end}
        if as_json:
            emit(told)
        else:
            span = f"epoch {given.epoch}, {time_of(first_ms)} to {time_of(end_ms)}"
            out.print(f"{file}: {span}; as secret as the readings", highlight=False, soft_wrap=True)


def erase(
    begin: Annotated[str, typer.Option("--from", help="First quarter hour: UTC, 2026-06-21T12:00, or milliseconds.")],
    until: Annotated[str, typer.Option("--until", help="First quarter hour that is kept again.")],
    stream: StreamOption = None,
    epoch: Annotated[int | None, typer.Option(help="Of this epoch alone. [default: of all]")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    stream_keys: StreamKeysFile = None,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Forget the keys of a range of quarter hours for good. What was measured in them stays sealed for everybody.

    All other proofs stand. Out of reach are grants, a gateway's keys, copies of the key file, and blocks that a file
    system or a disk keeps aside: see docs/sharing.md.

    Example: gridweave telemetry erase --from 2026-06-21T12:00 --until 2026-06-21T13:00
    """
    with telling(as_json):
        first, end = windows_of(ms_of(begin, 0), ms_of(until, 0))
        file = key_file(stream_keys, keystore, password_file)
        which = stream_of(stream, list(file.read().streams))
        if not yes:
            typer.confirm(f"Nobody can undo this. Forget {end - first} quarter hours of 0x{which.hex()}?", abort=True)
        left = file.change(lambda keys: keys.having(keys.of(which).without(first, end, epoch))).of(which)
        told = {"stream": "0x" + which.hex(), "fromMs": first * WINDOW_MS, "endMs": end * WINDOW_MS}
        if as_json:
            emit(told | {"nodes": sum(len(each.keys.nodes) for each in left.epochs)})
        else:
            left_over = "copies, grants and gateways' keys made before are not"
            out.print(f"quarter hours forgotten: {end - first}; {left_over}", highlight=False)


def read_schema(file: Path) -> Schema:
    """The channels of a file: [{"name", "unit", "scale", "width"}, ...]. Raises WrongUse, as Schema."""
    try:
        body = json.loads(file.read_bytes())
        channels = tuple(
            Channel(str(each["name"]), str(each["unit"]), int(each["scale"]), int(each["width"])) for each in body
        )
    except OSError as fault:
        raise WrongUse(f"{file} cannot be read: {fault.strerror}") from fault
    except (ValueError, KeyError, TypeError, RecursionError) as fault:
        raise WrongUse(
            f"{file} is no list of channels with name, unit, scale and width; docs/sharing.md has one ({fault!r})"
        ) from fault
    return Schema(channels)


def _schema_of(stream: bytes, known: OwnerKeys, file: Path | None, source: object) -> Schema:
    """From the key file, the file that is named, or the service. Raises WrongUse."""
    if file is not None:
        return read_schema(file)
    if stream in known.streams:
        return known.of(stream).schema
    told = source.schema(stream) if isinstance(source, ServiceSource) else None
    if told is None:
        raise WrongUse("nobody knows the stream's channels here: name their file with --schema")
    return told


def _this_window() -> int:
    return window_at(int(time.time() * 1_000)) * WINDOW_MS
