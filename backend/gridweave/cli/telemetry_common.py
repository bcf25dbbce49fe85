"""What the telemetry commands share: options, whom they ask, with which keys they open, and how refusals are told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gridweave.chain import Reverted
from gridweave.cli.sending import speaking_of_nodes
from gridweave.cli.telemetry_chain import ChainSource
from gridweave.cli.terminal import REFUSED, WrongUse, ask_password, fail, keystore_at, speaking
from gridweave.client.firmware import BundleRefusal
from gridweave.client.service import GridweaveClient
from gridweave.client.telemetry import (
    AnchoredBatch,
    BatchSource,
    GrantEvent,
    Handover,
    KeyFile,
    Ledger,
    Openings,
    OwnerKeys,
    PartyKeys,
    ServiceSource,
    StreamReader,
)
from gridweave.domain.eip712 import Domain
from gridweave.domain.errors import DomainError
from gridweave.domain.telemetry.errors import TelemetryRefusal
from gridweave.domain.telemetry.windows import END_MS, WINDOW_MS

__all__ = [
    "AsParty",
    "Asked",
    "Bodies",
    "From",
    "GrantFile",
    "Record",
    "Rpc",
    "StreamKeysFile",
    "StreamOption",
    "Until",
    "asking",
    "key_file",
    "ms_of",
    "party_file",
    "party_keys",
    "reader_of",
    "stream_of",
    "telling",
    "time_of",
    "told_of",
]

KEYS_ENV = "GRIDWEAVE_STREAM_KEYS"
DEFAULT_RECORD = Path("deployment.json")
_MS_OF = dict.fromkeys(("ms", "atMs", "firstMs", "lastMs", "endMs", "previousMs", "nowMs"), 1)
_MS_OF |= dict.fromkeys(("timestamp", "earliest", "latest"), 1_000) | {"window": WINDOW_MS}
"""Values of refusals that are times, and how many milliseconds one of each is."""

StreamOption = Annotated[
    str | None,
    typer.Option("--stream", "-s", envvar="GRIDWEAVE_STREAM", help="The stream, 0x and 64 digits. [default: the only]"),
]
StreamKeysFile = Annotated[
    Path | None,
    typer.Option("--stream-keys", envvar=KEYS_ENV, help="Your key file. [default: telemetry.streams beside the keys]"),
]
Rpc = Annotated[
    str | None,
    typer.Option("--rpc", envvar="GRIDWEAVE_RPC", help="Ask this node alone, and believe no service."),
]
Record = Annotated[
    Path, typer.Option("--deployment", "-d", envvar="GRIDWEAVE_DEPLOYMENT", help="--rpc: the deployment record.")
]
Bodies = Annotated[
    Path | None, typer.Option("--bodies", help="--rpc, mode hash: folder of bodies, each named by its SHA-256.")
]
From = Annotated[str | None, typer.Option("--from", help="First moment: UTC, 2026-06-21T12:00, or milliseconds.")]
Until = Annotated[str | None, typer.Option("--until", help="First moment that is out again.")]
GrantFile = Annotated[Path | None, typer.Option("--grant", help="A grant that was handed over, with --as.")]
AsParty = Annotated[
    str | None, typer.Option("--as", help="Read as a party: name of its keys. Without --grant, by grants on chain.")
]

_STEPS = {"TipDiffers": "the stream has gone on since it was proved: --renew finds its place in the chain's logs"}
"""What to do about what the contract refuses."""


@contextmanager
def telling(as_json: bool = False) -> Iterator[None]:
    """As `speaking`, and refusals of data, proofs and grants by their names with exit code 1."""
    with speaking(as_json), speaking_of_nodes():
        try:
            yield
        except (TelemetryRefusal, BundleRefusal) as refusal:
            fail(refusal.name, told_of(refusal), REFUSED, as_json, refusal.values)
        except Reverted as refusal:
            arguments = {key: _plain(value) for key, value in refusal.arguments.items()}
            fail(refusal.name, _STEPS.get(refusal.name, str(refusal)), REFUSED, as_json, arguments)


@dataclass(frozen=True)
class Asked:
    """Whom a command asks. One of `chain` and `client` is there."""

    source: BatchSource
    domain: Domain
    chain: ChainSource | None
    client: GridweaveClient | None

    def grants(self, to: str, stream: bytes | None) -> list[GrantEvent]:
        """Grants on chain to a party."""
        if self.chain is not None:
            return self.chain.grants(to, stream)
        assert isinstance(self.source, ServiceSource)
        return self.source.grants(to, stream)

    def signature_of(self, batch: AnchoredBatch) -> bytes | None:
        """The device's signature of a batch, if whoever is asked knows it."""
        return self.chain.signature_of(batch) if self.chain is not None else None


@contextmanager
def asking(url: str, rpc: str | None, record: Path = DEFAULT_RECORD, bodies: Path | None = None) -> Iterator[Asked]:
    """The node, if one is named, else the service."""
    if rpc is not None:
        with ChainSource(rpc, record, bodies) as chain:
            yield Asked(chain, chain.domain, chain, None)
        return
    with GridweaveClient(url) as client:
        yield Asked(ServiceSource(client), client.deployment.domain("TelemetryAnchor"), None, client)


def key_file(file: Path | None, keystore: Path | None, password_file: Path | None, *, new: bool = False) -> KeyFile:
    """The owner's key file; `new` if it may be made. Raises KeystoreError."""
    path = file or keystore_at(keystore).folder / "telemetry.streams"
    return KeyFile(path, ask_password(password_file, new=new and not path.exists(), of="your stream keys"))


def party_file(name: str, keystore: Path | None) -> Path:
    """Where a party's secret keys lie. Raises WrongUse."""
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}", name):
        raise WrongUse(f"a party's name is letters, digits, dot, dash and underscore, not {name!r}")
    return keystore_at(keystore).folder / f"{name}.party"


def party_keys(name: str, keystore: Path | None, password_file: Path | None) -> PartyKeys:
    """A party's own keys. Raises KeystoreError."""
    return PartyKeys.load(party_file(name, keystore), ask_password(password_file, of=f"party {name}"))


def stream_of(text: str | None, known: Sequence[bytes]) -> bytes:
    """The stream that is meant: the one that is named, else the only one that is known. Raises WrongUse."""
    if text is None:
        if len(set(known)) == 1:
            return known[0]
        said = ", ".join("0x" + stream.hex() for stream in known) or "none is known here"
        raise WrongUse(f"name a stream with --stream: {said}")
    if not re.fullmatch("0x[0-9a-fA-F]{64}", text):
        raise WrongUse(f"a stream is 0x and 64 hex digits, which {text!r} is not")
    return bytes.fromhex(text[2:])


def reader_of(
    asked: Asked,
    stream: str | None,
    *,
    keys: OwnerKeys | None = None,
    party: PartyKeys | None = None,
    grant: Path | None = None,
) -> StreamReader:
    """Opens a stream for its owner or for a party. Raises StreamNotInKeys, HandoverMalformed, as Ledger.check."""
    if party is not None:
        handovers = _handovers(asked, party, stream, grant)
        wanted = stream_of(stream, [each.sealed.stream for each in handovers])
        given = [each for each in handovers if each.sealed.stream == wanted]
        if not given:
            raise WrongUse(f"nothing of 0x{wanted.hex()} is granted to {party.account}")
        openings = Openings.of_grants(wanted, given[0].schema, [each.open(party) for each in given])
        return StreamReader(Ledger.check(asked.source, wanted), asked.source, openings, asked.domain)
    assert keys is not None
    wanted = stream_of(stream, list(keys.streams))
    ledger = Ledger.check(asked.source, wanted)
    mine = keys.of(wanted).begun(ledger.facts.epochs)
    return StreamReader(ledger, asked.source, Openings.of_owner(mine), asked.domain)


def ms_of(text: str | None, default: int) -> int:
    """Milliseconds UTC of a time. Raises WrongUse."""
    if text is None:
        return default
    try:
        if text.isdigit():
            return min(int(text), END_MS)
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        raise WrongUse(f"{text!r} is no time: write it like 2026-06-21T12:15, or in milliseconds") from fault
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return max(0, (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000)


def time_of(ms: int) -> str:
    """UTC text with milliseconds where there are some."""
    seconds, rest = divmod(ms, 1_000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:03d}Z" if rest else f"{text}Z"


def _handovers(asked: Asked, party: PartyKeys, stream: str | None, grant: Path | None) -> list[Handover]:
    if grant is not None:
        try:
            return [Handover.of_file(grant.read_bytes())]
        except OSError as fault:
            raise WrongUse(f"{grant} cannot be read: {fault.strerror}") from fault
    wanted = None if stream is None else stream_of(stream, [])
    return [event.handover() for event in asked.grants(party.account, wanted)]


def told_of(refusal: DomainError) -> str:
    """A refusal as people read it: its values, times as UTC, and what it means."""
    values = ", ".join(_spoken(name, value) for name, value in refusal.values.items())
    meaning = " ".join((type(refusal).__doc__ or "").split())
    return f"{values}. {meaning}" if values else meaning


def _spoken(name: str, value: int | str) -> str:
    said = name.removesuffix("Ms")
    if isinstance(value, int) and name in _MS_OF and value * _MS_OF[name] <= END_MS:
        return f"{said} {time_of(value * _MS_OF[name])}"
    return f"{said} {value}"


def _plain(value: object) -> object:
    return "0x" + value.hex() if isinstance(value, bytes) else value
