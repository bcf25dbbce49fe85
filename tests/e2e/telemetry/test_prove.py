"""Proofs of readings: made with keys, verified without, on the real contract and by a block's header alone."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gridweave.chain import SignedQuorum
from gridweave.chain.contracts.acts import Act
from gridweave.client import DeviceKey
from gridweave.client.telemetry import RangeEvidence, ReadingEvidence
from gridweave.domain.acts import KeyKind
from gridweave.domain.device_acts import CompromiseNotice
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.errors import DomainError
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import ModelOpening, Release, ReleaseRevocation, RolloutStart
from gridweave.domain.telemetry.verifying import DeviceKey as PublicKey
from gridweave.domain.telemetry.windows import WINDOW_MS
from tests.e2e.telemetry.conftest import Street
from tests.e2e.telemetry.world import EACH, FAR, MODEL, START_MS, Meter

pytestmark = [pytest.mark.chain, pytest.mark.timeout(600)]

CLOSED, OPEN = 17, 25 * EACH  # a reading of the closed page, and one of the open page: batch 33 is its first


def prove(
    street: Street, file: Path, index: int, *more: object, meter: Meter | None = None, keys: str = "owner"
) -> Any:
    meter = meter or street.full
    words = "prove", index, "--stream", meter.name, "--out", file, *street.world.bodies, *more
    return street.world.must(*words, *street.world.chain_options, keys=keys)


def verify(street: Street, file: Path, *more: object) -> Any:
    return street.world.must("verify", file, *more, *street.world.chain_options, keys="nobody")


def refused(street: Street, file: Path, *more: object) -> str:
    done = street.world.run("verify", file, *more, *street.world.chain_options, "--json", keys="nobody")
    assert done.exit_code == 1, done.output + done.stderr
    return str(json.loads(done.stderr)["error"]["name"])


@pytest.mark.parametrize("index", [0, CLOSED, EACH - 1, EACH, OPEN - 1])
def test_verify__of_a_reading__says_what_was_measured_when_and_by_which_key(
    street: Street, tmp_path: Path, index: int
) -> None:
    made = prove(street, tmp_path / "p", index)
    told = verify(street, tmp_path / "p")
    reading = street.full.readings()[index]
    assert (told["index"], told["atMs"], told["firmware"]) == (index, reading.at_ms, reading.firmware)
    assert told["values"]["power"] == {"value": f"{reading.values[0] / 10:.1f}", "unit": "W"}
    assert (told["device"], told["key"], told["curve"]) == (street.full.key.device, street.full.key.device, "p256")
    assert (told["isTrusted"], told["batchSignature"], told["block"]) == (True, True, made["block"])
    assert told["release"] == {"firmware": reading.firmware, "model": MODEL, "state": None, "isReliable": None}
    plain = street.world.run("verify", tmp_path / "p", *street.world.chain_options)
    assert f"by its key {street.full.key.device} (p256)" in plain.stdout


def test_verify__of_readings_in_either_mode_and_page__holds(street: Street, tmp_path: Path) -> None:
    pages = set()
    for meter, keys, index in (
        (street.full, "owner", CLOSED),
        (street.full, "buyer", 34 * EACH),
        (street.kept, "owner", 5),
        (street.kept, "owner", 159),
    ):
        pages.add(prove(street, tmp_path / "p", index, meter=meter, keys=keys)["pageIsOpen"])
        assert verify(street, tmp_path / "p")["index"] == index
    assert pages == {True, False}


def test_prove__by_a_party__needs_its_grant_alone(street: Street, tmp_path: Path) -> None:
    words = "--as", "maker", "--grant", street.world.home / "maker.grant"
    prove(street, tmp_path / "p", 13 * EACH, *words, keys="nobody")
    assert verify(street, tmp_path / "p")["index"] == 13 * EACH
    out = street.world.run(
        *("prove", 12 * EACH - 1, "--stream", street.full.name, "--out", tmp_path / "q", *words),
        *street.world.chain_options,
        keys="nobody",
    )
    assert (out.exit_code, out.stderr.split()[0]) == (1, "WindowClosed")


def test_proof__of_one_reading__shows_no_neighbour(street: Street, tmp_path: Path) -> None:
    prove(street, tmp_path / "p", CLOSED)
    content = (tmp_path / "p").read_text()
    records = [each.pack().hex() for each in street.full.readings()]
    assert [at for at, record in enumerate(records) if record in content] == [CLOSED]


def test_verify__by_a_blocks_header_alone__needs_no_node(street: Street, tmp_path: Path) -> None:
    for index, keys in ((CLOSED, "owner"), (34 * EACH, "buyer")):
        made = prove(street, tmp_path / "p", index, "--offline", keys=keys)
        done = street.world.run("verify", tmp_path / "p", "--block", made["provedIn"], "--json", rpc=False)
        assert done.exit_code == 0, done.stderr
        assert json.loads(done.stdout)["index"] == index
        assert refused(street, tmp_path / "p", "--block", "0x" + "11" * 32) == "ProofOfOtherChain"
        assert verify(street, tmp_path / "p")["index"] == index
    prove(street, tmp_path / "p", CLOSED)
    assert refused(street, tmp_path / "p", "--block", made["provedIn"]) == "ProofFileMalformed"


def test_verify__after_the_next_batch__asks_to_be_renewed_and_holds(passing: Street, tmp_path: Path) -> None:
    prove(passing, tmp_path / "p", 34 * EACH, "--offline", keys="buyer")
    made = prove(passing, tmp_path / "r", 34 * EACH, "--offline", keys="buyer")
    passing.world.give_keys(passing.full, (12, 13), owner="buyer")
    passing.world.measure(passing.full, (12,))
    assert refused(passing, tmp_path / "p") == "TipDiffers"
    assert verify(passing, tmp_path / "p", "--renew")["index"] == 34 * EACH
    assert refused(passing, tmp_path / "p", "--block", "0x" + "22" * 32) == "ProofOfOtherChain"
    still = passing.world.run("verify", tmp_path / "r", "--block", made["provedIn"])
    assert still.exit_code == 0


def test_verify__given_any_byte_changed__is_refused_by_name(street: Street, tmp_path: Path) -> None:
    rng = random.Random(7)
    for index, keys in ((CLOSED, "owner"), (34 * EACH, "buyer")):
        prove(street, tmp_path / "p", index, "--offline", keys=keys)
        raw, names = (tmp_path / "p").read_bytes(), set()
        for at in rng.sample(range(len(raw)), 60):
            changed = bytes([*raw[:at], raw[at] ^ 1 << rng.randrange(7), *raw[at + 1 :]])
            (tmp_path / "q").write_bytes(changed)
            names.add(refused(street, tmp_path / "q"))
        assert len(names) > 3, names


def forged(street: Street, file: Path, **changes: Any) -> str:
    """The refusal of a proof that somebody changed: whoever forges writes the file as it should be."""
    proof = ReadingEvidence.decode(file.read_bytes())
    bad = file.with_name("forged")
    bad.write_bytes(replace(proof, **changes).encode())
    return refused(street, bad)


def test_verify__given_a_forged_proof__names_what_is_wrong(street: Street, tmp_path: Path) -> None:
    prove(street, tmp_path / "p", CLOSED)
    prove(street, tmp_path / "n", CLOSED + 1)
    proof = ReadingEvidence.decode((tmp_path / "p").read_bytes())
    other = ReadingEvidence.decode((tmp_path / "n").read_bytes())
    inner = proof.proof
    span = proof.placed.span
    cases = {
        "swapped leaf": ({"proof": replace(inner, leaf=other.proof.leaf, index=other.proof.index)}, "RootMismatch"),
        "path too short": ({"proof": replace(inner, path=inner.path[:-1])}, "ProofLengthWrong"),
        "path too long": ({"proof": replace(inner, path=(*inner.path, bytes(32)))}, "ProofLengthWrong"),
        "swapped hashes": ({"proof": replace(inner, path=inner.path[::-1])}, "RootMismatch"),
        "another size": (
            {"placed": replace(proof.placed, span=replace(span, count=span.count + 1))},
            "BatchSignatureWrong",
        ),
        "a size that says less": ({"placed": replace(proof.placed, span=replace(span, count=3))}, "OutsideTree"),
        "another first index": ({"placed": replace(proof.placed, span=replace(span, first_index=1))}, "RootMismatch"),
        "another epoch": ({"placed": replace(proof.placed, span=replace(span, epoch=2))}, "BatchSignatureWrong"),
        "another root": ({"placed": replace(proof.placed, root=bytes(32))}, "RootMismatch"),
        "another block": ({"placed": replace(proof.placed, block=1)}, "BatchNotAnchored"),
        "another time": ({"placed": replace(proof.placed, anchored_at=1)}, "BatchNotAnchored"),
        "another number": ({"placed": replace(proof.placed, span=replace(span, number=2))}, "BatchNotAnchored"),
        "number zero": ({"placed": replace(proof.placed, span=replace(span, number=0))}, "PathWrong"),
        "a page's path cut": ({"placed": replace(proof.placed, path=proof.placed.path[1:])}, "PathWrong"),
        "another stream": ({"stream": street.kept.stream}, "SegmentSignatureInvalid"),
        "another chain": ({"domain": replace(proof.domain, chain_id=1)}, "SegmentSignatureInvalid"),
        "another segment": ({"signature": other.signature}, "ProofOfOtherReading"),
        "no batch": ({"consent": replace(proof.consent, body_hash=bytes(32))}, "BatchSignatureWrong"),
    }
    assert {name: forged(street, tmp_path / "p", **changes) for name, (changes, _) in cases.items()} == {
        name: refusal for name, (_, refusal) in cases.items()
    }


def test_verify__by_a_key_that_is_not_the_devices__is_refused(street: Street, tmp_path: Path) -> None:
    prove(street, tmp_path / "p", CLOSED)
    proof = ReadingEvidence.decode((tmp_path / "p").read_bytes())
    key = DeviceKey.create(KeyKind.P256)
    signed = replace(proof.signature, signature=key.sign(proof.domain, proof.signature.segment))
    forgery = {"signature": signed, "key": PublicKey(key.kind, key.x, key.y), "consent": None}
    assert forged(street, tmp_path / "p", **forgery) == "KeyNotTheDevices"


def test_verify__on_another_chain__is_refused(street: Street, tmp_path: Path) -> None:
    prove(street, tmp_path / "p", CLOSED)
    record = json.loads((street.world.home / "deployment.json").read_text())
    record["chainId"] += 1
    (tmp_path / "other.json").write_text(json.dumps(record))
    done = street.world.run("verify", tmp_path / "p", "--deployment", tmp_path / "other.json")
    assert (done.exit_code, done.stderr.split()[0]) == (1, "ProofOfOtherChain")


@pytest.mark.parametrize("raw", [b"", b"{}", b"[" * 100_000, b'{\n "gridweave": "range proof"\n}\n', b"\xff"])
def test_verify__of_no_proof__is_refused(street: Street, tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "p").write_bytes(raw)
    assert refused(street, tmp_path / "p") == "ProofFileMalformed"


def at(quarter: int, ms: int = 0) -> int:
    return START_MS + quarter * WINDOW_MS + ms


def prove_range(street: Street, file: Path, *more: object, keys: str = "owner") -> Any:
    words = "prove-range", "--stream", street.full.name, "--out", file, *more
    return street.world.must(*words, *street.world.chain_options, keys=keys)


@pytest.mark.parametrize(
    ("begin", "until"), [(at(0), at(0, 60_000)), (at(2, 5), at(3)), (at(0), at(9)), (at(9), at(9, 1))]
)
def test_verify__of_a_span_of_time__holds_all_of_it(street: Street, tmp_path: Path, begin: int, until: int) -> None:
    prove_range(street, tmp_path / "p", "--from", begin, "--until", until)
    told = verify(street, tmp_path / "p")
    before = [each.index for each in street.full.readings() if each.at_ms < begin]
    behind = [each.index for each in street.full.readings() if each.at_ms >= until]
    first, end = before[-1] if before else 0, behind[0] + 1
    assert (told["firstIndex"], told["endIndex"]) == (first, end)
    assert (told["completeFromMs"], told["completeEndMs"], told["isTrusted"]) == (begin, until, True)
    assert "all that there is from" in street.world.run("verify", tmp_path / "p", *street.world.chain_options).stdout
    evidence = RangeEvidence.decode((tmp_path / "p").read_bytes())
    shown = b"".join(run.raw for run in evidence.check())
    assert shown == b"".join(each.pack() for each in street.full.readings()[first:end])


def test_verify__of_a_range_of_indexes_longer_than_a_call__holds(passing: Street, tmp_path: Path) -> None:
    passing.world.give_keys(passing.full, (12, 16), owner="buyer")
    passing.world.anchor(passing.full, [passing.world.segment(passing.full, at(12), 5, 88)])
    passing.world.anchor(passing.full, [_long_segment(passing, at(13))])
    told = prove_range(passing, tmp_path / "p", "--first", 31 * EACH, "--last", 36 * EACH + 1_500, keys="buyer")
    assert told["pageIsOpen"]
    calls = RangeEvidence.decode((tmp_path / "p").read_bytes()).calls
    assert [sum(len(piece.proof.leaves) for piece in call) for call in calls] == [1_024, 5 * EACH + 1_501 - 1_024]
    assert verify(passing, tmp_path / "p")["endIndex"] == 36 * EACH + 1_501
    passing.world.anchor(passing.full, [passing.world.segment(passing.full, at(15), 5, 5)])
    assert refused(passing, tmp_path / "p") == "TipDiffers"
    assert verify(passing, tmp_path / "p", "--renew")["endIndex"] == 36 * EACH + 1_501


def _long_segment(street: Street, start_ms: int) -> Any:
    return street.world.segment(street.full, start_ms, 5, 2_500, step_ms=300)


def test_verify__of_a_forged_range__names_what_is_wrong(street: Street, tmp_path: Path) -> None:
    prove_range(street, tmp_path / "p", "--first", 20, "--last", 75)
    proof = RangeEvidence.decode((tmp_path / "p").read_bytes())
    one, two, three = proof.calls[0]
    inner = two.proof
    swapped = (inner.leaves[1], inner.leaves[0], *inner.leaves[2:])

    def with_two(**changes: Any) -> RangeEvidence:
        return replace(proof, calls=((one, replace(two, proof=replace(inner, **changes)), three),))

    cases = {
        "a reading left out": (with_two(leaves=inner.leaves[:-1]), "ProofLengthWrong"),
        "swapped leaves": (with_two(leaves=swapped, first_index=inner.first_index + 1), "OutsideTree"),
        "swapped later": (with_two(leaves=(*inner.leaves[:-2], inner.leaves[-1], inner.leaves[-2])), "RootMismatch"),
        "a hash too many": (with_two(hashes=(*inner.hashes, bytes(32))), "ProofLengthWrong"),
        "a batch left out": (replace(proof, calls=((one, three),)), "RangeBrokenInside"),
        "a batch twice": (replace(proof, calls=((one, two, two, three),)), "RangeBrokenInside"),
        "another schema": (replace(proof, stream=street.kept.stream), "BatchNotAnchored"),
    }
    found = {}
    for name, (bad, _) in cases.items():
        (tmp_path / "q").write_bytes(bad.encode())
        found[name] = refused(street, tmp_path / "q")
    assert found == {name: refusal for name, (_, refusal) in cases.items()}


def test_verify__of_times_that_are_not_shown_whole__is_refused(street: Street, tmp_path: Path) -> None:
    prove_range(street, tmp_path / "p", "--from", at(1), "--until", at(2))
    proof = RangeEvidence.decode((tmp_path / "p").read_bytes())
    assert proof.times is not None
    for times in (replace(proof.times, from_ms=at(0)), replace(proof.times, end_ms=at(2, 600_000))):
        (tmp_path / "q").write_bytes(replace(proof, times=times).encode())
        assert refused(street, tmp_path / "q") == "TimesNotShown"


def test_verify__given_any_byte_of_a_range_changed__is_refused_by_name(street: Street, tmp_path: Path) -> None:
    rng = random.Random(8)
    prove_range(street, tmp_path / "p", "--from", at(1), "--until", at(1, 70_000))
    raw = (tmp_path / "p").read_bytes()
    for place in rng.sample(range(len(raw)), 60):
        changed = bytes([*raw[:place], raw[place] ^ 1 << rng.randrange(7), *raw[place + 1 :]])
        (tmp_path / "q").write_bytes(changed)
        assert _refusal_or_narrower(street, tmp_path / "q", proof=RangeEvidence.decode(raw))


def _refusal_or_narrower(street: Street, file: Path, proof: RangeEvidence) -> bool:
    """A span of time may be told to be shorter than it was shown: that is true as well."""
    done = street.world.run("verify", file, *street.world.chain_options, "--json")
    if done.exit_code == 1:
        return bool(json.loads(done.stderr)["error"]["name"])
    changed = RangeEvidence.decode(file.read_bytes())
    assert proof.times is not None and changed.times is not None
    assert replace(changed, times=proof.times) == proof
    return changed.check() == proof.check()


def test_verify__after_the_key_came_into_doubt__says_so(passing: Street, tmp_path: Path) -> None:
    made = prove(passing, tmp_path / "p", CLOSED)
    key, world = passing.full.key, passing.world
    said = CompromiseNotice(key.device, made["block"], next(world.nonces), FAR)
    act = world.act("buyer", said, "DeviceRegistry")
    public = DevicePublicKey(key.kind, key.x, key.y)
    world.chain.must([world.devices.note_compromise(key.device, made["block"], public, act)])
    assert verify(passing, tmp_path / "p")["isTrusted"] is False
    plain = world.run("verify", tmp_path / "p", *world.chain_options)
    assert "the device's key is doubted" in plain.stdout
    prove_range(passing, tmp_path / "r", "--from", at(0), "--until", at(1))
    assert verify(passing, tmp_path / "r")["isTrusted"] is False


def test_verify__of_a_release_that_the_registry_knows__says_how_it_stands(passing: Street, tmp_path: Path) -> None:
    world, maker = passing.world, passing.world.wallets["maker"]
    keys, space = KeySet(1, 1, (maker.address,)), world.domain("FirmwareRegistry")

    def quorum(message: Any) -> SignedQuorum:
        return SignedQuorum(keys, ((maker.address, maker.sign_act(space, message)),))

    opening = ModelOpening(MODEL, maker.address, 1, keys.members, next(world.nonces), FAR)
    act = Act.of(opening, maker.address, maker.sign_act(space, opening))
    release = Release(MODEL, 6, 0, 10, b"\1" * 32, b"\2" * 32, b"\3" * 32, "https://example.org", 1, 1_000, FAR)
    start, registry = RolloutStart(MODEL, 6, 500, FAR), world.firmware
    world.chain.must([registry.open_model(MODEL, quorum(opening), act), registry.release(release, quorum(release))])
    world.chain.must([registry.begin(release, start, quorum(start))])
    world.give_keys(passing.full, (12, 13), owner="buyer")
    world.measure(passing.full, (12,), per_quarter=2, firmware=6)
    made = prove(passing, tmp_path / "p", 37 * EACH, keys="buyer")
    known = {"firmware": 6, "model": MODEL, "state": "canary", "isReliable": True}
    assert verify(passing, tmp_path / "p")["release"] == known
    prove_range(passing, tmp_path / "r", "--first", 35 * EACH, "--last", 38 * EACH - 1, keys="buyer")
    fifth = {"firmware": 5, "model": MODEL, "state": None, "isReliable": None}
    assert verify(passing, tmp_path / "r")["releases"] == [fifth, known]
    revocation = ReleaseRevocation(MODEL, 6, made["block"], FAR)
    world.chain.must([registry.revoke(revocation, quorum(revocation))])
    told = verify(passing, tmp_path / "p")
    assert told["release"] == known | {"state": "revoked", "isReliable": False}
    assert verify(passing, tmp_path / "r")["releases"] == [fifth, told["release"]]
    assert "must not be relied upon" in world.run("verify", tmp_path / "p", *world.chain_options).stdout
    assert told["isTrusted"] is True


def test_decode__of_what_was_encoded__is_the_same(street: Street, tmp_path: Path) -> None:
    prove(street, tmp_path / "p", CLOSED, "--offline")
    raw = (tmp_path / "p").read_bytes()
    assert ReadingEvidence.decode(raw).encode() == raw
    with pytest.raises(DomainError):
        ReadingEvidence.decode(raw + b" ")
