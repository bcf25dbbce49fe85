"""The same with a service in between: what it tells is checked, what an owner signs is what it sends on."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gridweave.cli import app
from gridweave.client import GridweaveClient, ServiceError, Wallet
from gridweave.client.telemetry import (
    GrantEvent,
    Handover,
    KeyFile,
    Ledger,
    Openings,
    OwnerKeys,
    PartyKeys,
    ServiceSource,
    StreamReader,
    hand_over,
    prove_one,
)
from gridweave.client.telemetry.refusals import BodyUnavailable, GrantEventDisagrees, StreamNotOpened, TipDisagrees
from gridweave.domain.anchors import StreamMode, stream_id
from gridweave.domain.hashing import keccak
from gridweave.domain.stream_acts import GrantAccess, NewEpoch, OpenStream
from gridweave.domain.telemetry.parties import PartySuite
from gridweave.domain.telemetry.windows import WINDOW_MS
from tests.backend.client.telemetry.memory import DOMAIN, EACH, OWNER, SCHEMA, START_MS, WINDOW, MemoryStream
from tests.backend.client.telemetry.stream_service import StreamService, serving

PASSWORD = "secret of a test"
DEVICE = "0x" + "11" * 20


@pytest.fixture
def service() -> StreamService:
    return StreamService(of=MemoryStream.of(5, random.Random(4)))


@pytest.fixture
def source(service: StreamService) -> Iterator[ServiceSource]:
    with GridweaveClient("http://service", http=service.client(), sleep=lambda _: None) as client:
        yield ServiceSource(client)


def reader(service: StreamService, source: ServiceSource) -> StreamReader:
    ledger = Ledger.check(source, service.of.stream)
    return StreamReader(ledger, source, Openings.of_owner(service.of.keys), DOMAIN)


def test_facts__of_a_stream_that_nobody_opened__are_refused(source: ServiceSource) -> None:
    with pytest.raises(StreamNotOpened):
        source.facts(bytes(32))


def test_body__that_the_service_has_lost__is_named(service: StreamService, source: ServiceSource) -> None:
    service.of.bodies.clear()
    with pytest.raises(BodyUnavailable):
        list(reader(service, source).runs())


def test_source__while_the_service_is_at_fault__says_so(service: StreamService, source: ServiceSource) -> None:
    service._told = lambda *_: replace_status(500)  # type: ignore[method-assign]
    for ask in (
        lambda: source.facts(service.of.stream),
        lambda: source.body(service.of.anchored[0]),
        lambda: source.grants(OWNER),
    ):
        with pytest.raises(ServiceError):
            ask()


def replace_status(status: int):  # type: ignore[no-untyped-def]
    import httpx

    return httpx.Response(status, json={"error": {"name": "Bug", "message": "", "args": {}}, "requestId": "r"})


def test_check__of_a_service_that_leaves_something_out__is_refused(
    service: StreamService, source: ServiceSource
) -> None:
    whole = service.of.tip
    del service.of.anchored[-1]
    with pytest.raises(TipDisagrees):
        Ledger.check(source, service.of.stream)
    assert service.of.tip == whole


def test_reader__over_rest__gives_every_byte_and_proves_it(service: StreamService, source: ServiceSource) -> None:
    opened = reader(service, source)
    assert b"".join(run.raw for run in opened.runs()) == service.of.raw  # type: ignore[union-attr]
    assert opened.ledger.tip == service.of.tip
    assert prove_one(opened, 5).check().index == 5
    assert source.schema(service.of.stream) == SCHEMA


def test_ledger__of_an_empty_stream__has_the_first_tip() -> None:
    service = StreamService(of=MemoryStream())
    with GridweaveClient("http://service", http=service.client()) as client:
        ledger = Ledger.check(ServiceSource(client), service.of.stream)
    assert (ledger.end_index, ledger.tip) == (0, service.of.tip)


def test_grants__over_rest__are_all_pages_of_them(service: StreamService, source: ServiceSource) -> None:
    party = PartyKeys.fresh()
    for quarter in range(5):
        given = hand_over(service.of.keys, 1, WINDOW + quarter, WINDOW + quarter + 1, party.public, PartySuite.HYBRID)
        service.grants.append(_event(given, party.account))
    found = [event.handover().open(party) for event in source.grants(party.account)]
    openings = Openings.of_grants(service.of.stream, SCHEMA, found)
    opened = StreamReader(Ledger.check(source, service.of.stream), source, openings, DOMAIN)
    runs = opened.runs(end_ms=START_MS + 5 * WINDOW_MS)
    assert b"".join(run.raw for run in runs) == service.of.raw[: 5 * EACH * 28]  # type: ignore[union-attr]
    assert source.grants(OWNER) == []


@pytest.mark.parametrize(
    "change", [{"epoch": 2}, {"first_window": 1}, {"last_window": 1}, {"stream": bytes(32)}], ids=str
)
def test_grant__that_its_event_names_otherwise__is_refused(service: StreamService, change: dict[str, object]) -> None:
    party = PartyKeys.fresh()
    given = hand_over(service.of.keys, 1, WINDOW, WINDOW + 2, party.public, PartySuite.HYBRID)
    with pytest.raises(GrantEventDisagrees):
        replace(_event(given, party.account), **change).handover()  # type: ignore[arg-type]


def _event(given: Handover, to: str) -> GrantEvent:
    sealed = given.sealed
    return GrantEvent(sealed.stream, to, sealed.epoch, sealed.first, sealed.end - 1, given.encode())


# the command line


@pytest.fixture
def home(tmp_path: Path) -> Path:
    Wallet(b"\7" * 32).save(tmp_path / "keys" / "home.json", PASSWORD)
    (tmp_path / "schema.json").write_text(json.dumps([vars(channel) for channel in SCHEMA.channels]))
    return tmp_path


def run(service: StreamService, home: Path, *words: object) -> Result:
    with serving(service) as url:
        environment = {
            "GRIDWEAVE_PASSWORD": PASSWORD,
            "GRIDWEAVE_KEYSTORE": str(home / "keys"),
            "GRIDWEAVE_STREAM_KEYS": str(home / "owner.streams"),
            "GRIDWEAVE_URL": url,
            "GRIDWEAVE_RPC": None,
        }
        return CliRunner().invoke(app, ["telemetry", *map(str, words)], env=environment)


def test_open_stream__at_a_service__sends_what_its_owner_signed_with_keys_on_disk(home: Path) -> None:
    service = StreamService()
    done = run(service, home, "open-stream", DEVICE, "--schema", home / "schema.json", "--key", "home", "--json")
    assert done.exit_code == 0, done.stderr
    stream = stream_id(DEVICE, StreamMode.FULL, SCHEMA.hash)
    told = json.loads(done.stdout)
    assert (told["stream"], told["status"]) == ("0x" + stream.hex(), "committed")
    ((said, signer),) = service.acts
    assert isinstance(said, OpenStream)
    assert (said.device, said.schema_hash, said.mode) == (DEVICE, SCHEMA.hash, StreamMode.FULL)
    assert signer == Wallet(b"\7" * 32).address
    assert [each.keys.epoch for each in _keys(home).of(stream).epochs] == [1]


def test_epoch_and_grant__at_a_service__send_what_was_signed(home: Path, service: StreamService) -> None:
    stream = service.of.stream
    done = run(service, home, "epoch", "--stream", "0x" + stream.hex(), "--key", "home")
    assert done.exit_code == 0, done.stderr
    assert "epoch 2: committed" in done.stdout
    ((said, _),) = service.acts
    assert isinstance(said, NewEpoch)
    assert (said.stream, said.epoch) == (stream, 2)
    assert [(each.owner, each.keys.epoch) for each in _keys(home).of(stream).epochs] == [
        (Wallet(b"\7" * 32).address, 2)
    ]
    assert run(service, home, "party-key", "city", "--out", home / "city.json").exit_code == 0
    begin, until = START_MS + 9 * WINDOW_MS, START_MS + 11 * WINDOW_MS
    words = "grant", home / "city.json", "--from", begin, "--until", until, "--on-chain", "--key", "home", "--json"
    done = run(service, home, *words)
    assert done.exit_code == 0, done.stderr
    _, (granted, _) = service.acts
    assert isinstance(granted, GrantAccess)
    city = PartyKeys.load(home / "keys" / "city.party", PASSWORD)
    assert (granted.to, granted.epoch) == (city.account, 2)
    assert (granted.first_window, granted.last_window) == (WINDOW + 9, WINDOW + 10)
    assert granted.sealed_hash != keccak(b"")


def test_read__from_a_service__needs_no_node(home: Path, service: StreamService) -> None:
    KeyFile(home / "owner.streams", PASSWORD).change(lambda keys: keys.having(service.of.keys))
    done = run(service, home, "read", "--raw", "--out", home / "x")
    assert done.exit_code == 0, done.stderr
    assert (home / "x").read_bytes() == service.of.raw
    proved = run(service, home, "prove", 3, "--out", home / "p", "--json")
    assert proved.exit_code == 0, proved.stderr
    assert json.loads(proved.stdout)["pageIsOpen"] is True
    refused = run(service, home, "prove", 3, "--out", home / "p", "--offline")
    assert (refused.exit_code, refused.stderr.split()[0]) == (2, "WrongUse")


def _keys(home: Path) -> OwnerKeys:
    return KeyFile(home / "owner.streams", PASSWORD).read()
