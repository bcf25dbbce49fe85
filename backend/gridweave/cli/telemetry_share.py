"""`gridweave telemetry`: what is shared with others, and the keys of those who are shared with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gridweave.cli.telemetry_common import (
    DEFAULT_RECORD,
    Record,
    Rpc,
    StreamKeysFile,
    StreamOption,
    asking,
    key_file,
    ms_of,
    party_file,
    stream_of,
    telling,
    time_of,
)
from gridweave.cli.telemetry_send import GENERIC, GasKey, way_of
from gridweave.cli.terminal import (
    DEFAULT_URL,
    AsJson,
    KeystoreFolder,
    NetworkName,
    NetworksFile,
    NoWait,
    PasswordFile,
    ServiceUrl,
    WrongUse,
    ask_password,
    emit,
    open_wallet,
    out,
    resolve_address,
)
from gridweave.client.telemetry import Handover, Party, PartyKeys, grant_act, hand_over
from gridweave.domain.telemetry.parties import PartySuite
from gridweave.domain.telemetry.windows import WINDOW_MS, windows_of

__all__ = ["grant", "party_key"]

_HOUR = 3_600


def party_key(
    name: Annotated[str, typer.Argument(help="What to call the party.")],
    account: Annotated[
        str | None, typer.Option(help="Address by which grants on chain name it. [default: one out of its keys]")
    ] = None,
    file: Annotated[Path | None, typer.Option("--out", "-o", help="Write the public keys to this file.")] = None,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a party's keys, or show the public ones if it has some. Give the public file to owners who shall share.

    Example: gridweave telemetry party-key city --out city.json
    """
    with telling(as_json):
        secret = party_file(name, keystore)
        if not secret.exists():
            address = None if account is None else resolve_address(account, keystore)
            PartyKeys.fresh(address).save(secret, ask_password(password_file, new=True, of=f"party {name}"))
        elif account is not None:
            raise WrongUse(f"party {name} has keys already, and with them its account: choose another name")
        public = PartyKeys.public_of(secret)
        if file is not None:
            file.write_text(json.dumps(public.to_json(), indent=1) + "\n")
        if as_json:
            emit({"name": name, "file": str(secret), **public.to_json()})
            return
        out.print(f"{name}  {public.account}", highlight=False)
        if file is not None:
            out.print(f"{file}: for owners, who run: gridweave telemetry grant {file} ...", highlight=False)


def grant(
    party: Annotated[Path, typer.Argument(metavar="PARTY", help="The party's public file.")],
    begin: Annotated[str, typer.Option("--from", help="First quarter hour: UTC, 2026-06-21T12:00, or milliseconds.")],
    until: Annotated[str, typer.Option("--until", help="First quarter hour that stays closed again.")],
    stream: StreamOption = None,
    epoch: Annotated[int | None, typer.Option(help="Number of the epoch. [default: your newest]")] = None,
    file: Annotated[Path | None, typer.Option("--out", "-o", help="Hand it over in private, as this file.")] = None,
    on_chain: Annotated[bool, typer.Option("--on-chain", help="Put it on chain, signed with --key.")] = False,
    key: Annotated[
        str | None, typer.Option("--key", "-k", envvar="GRIDWEAVE_KEY", help="--on-chain: name of the owner's key.")
    ] = None,
    stream_keys: StreamKeysFile = None,
    valid_for: Annotated[int, typer.Option(help="Seconds of chain time to get there.")] = _HOUR,
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
    """Open whole quarter hours of a stream to one party, for good. It reads them with its own key alone.

    Handed over in private a grant is sealed by X25519; on chain, where it stays for whoever hopes for a quantum
    computer, by ML-KEM-768 with X25519. A new epoch ends what it will open, nothing ends what it has opened.

    Examples: gridweave telemetry grant city.json --from 2026-06-21T12:00 --until 2026-06-21T13:00 --out grant.json

    gridweave telemetry grant city.json --from 2026-06-21T12:00 --until 2026-06-21T13:00 --on-chain --key home
    """
    with telling(as_json):
        if (file is None) != on_chain:
            raise WrongUse("say how it goes: --out FILE in private, or --on-chain")
        first, end = windows_of(ms_of(begin, 0), ms_of(until, 0))
        known = key_file(stream_keys, keystore, password_file).read()
        keys, to = known.of(stream_of(stream, list(known.streams))), Party.read(party)
        suite = PartySuite.HYBRID if on_chain else PartySuite.X25519
        given = hand_over(keys, keys.newest if epoch is None else epoch, first, end, to, suite)
        if file is not None:
            file.write_bytes(given.to_file())
            _tell(given, to, file, as_json)
            return
        if key is None:
            raise WrongUse("name the owner's key, which signs it, with --key")
        with asking(url, rpc, deployment) as asked:
            way = way_of(
                asked,
                open_wallet(key, keystore, password_file),
                payer=gas_key or key,
                keystore=keystore,
                password_file=password_file,
                network=network,
                networks=networks,
                wait=not no_wait,
                as_json=as_json,
            )
            said = grant_act(given, to.account, way.deadline(valid_for))
            way.grant(said, given, f"grant to {to.account}", _facts(given, to))


def _facts(given: Handover, to: Party) -> dict[str, object]:
    sealed = given.sealed
    return {
        "stream": "0x" + sealed.stream.hex(),
        "to": to.account,
        "epoch": sealed.epoch,
        "firstWindow": sealed.first,
        "lastWindow": sealed.end - 1,
    }


def _tell(given: Handover, to: Party, file: Path, as_json: bool) -> None:
    if as_json:
        emit({"file": str(file), **_facts(given, to)})
        return
    span = f"{time_of(given.sealed.first * WINDOW_MS)} to {time_of(given.sealed.end * WINDOW_MS)}"
    out.print(f"{file}: {span} of epoch {given.sealed.epoch}, for {to.account} alone", highlight=False)
