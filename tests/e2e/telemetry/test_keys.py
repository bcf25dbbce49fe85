"""The owner's keys over a stream's life: opened, exported, erased, begun anew, passed on with the device."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gridweave.client.telemetry import KeyFile
from gridweave.domain.acts import KeyKind
from gridweave.domain.anchors import StreamMode, stream_id
from gridweave.domain.telemetry.errors import WindowClosed
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.windows import WINDOW_MS
from tests.e2e.telemetry.conftest import Street, grant
from tests.e2e.telemetry.world import EACH, PASSWORD, SCHEMA, START_MS, WINDOW, World

pytestmark = [pytest.mark.chain, pytest.mark.timeout(600)]


def at(quarter: int) -> int:
    return START_MS + quarter * WINDOW_MS


def read(street: Street, file: Path, *more: object, keys: str = "owner") -> bytes:
    words = "read", "--stream", street.full.name, "--raw", "--out", file, *more
    done = street.world.run(*words, *street.world.chain_options, keys=keys)
    assert done.exit_code == 0, done.stderr
    return file.read_bytes()


def erase(world: World, name: str, begin: int, end: int, *more: object) -> None:
    world.must("erase", "--stream", name, "--from", at(begin), "--until", at(end), "--yes", *more)


def test_erase__of_quarters__closes_them_and_leaves_all_else_readable_and_proved(
    passing: Street, tmp_path: Path
) -> None:
    world, name = passing.world, passing.full.name
    for index in (EACH * 3 * 2, EACH * 3 * 5):
        world.must("prove", index, "--stream", name, "--out", tmp_path / f"{index}", *world.chain_options)
    erase(world, name, 2, 4)
    kept = [quarter for quarter in range(10) if quarter not in (2, 3)]
    assert read(passing, tmp_path / "x") == b"".join(passing.full.records(kept))
    for index in (EACH * 3 * 2, EACH * 3 * 5):  # a proof that was shown before stands, and so do all others
        assert world.must("verify", tmp_path / f"{index}", *world.chain_options)["index"] == index
    words = "--stream", name, *world.chain_options
    assert world.must("prove", EACH * 3 * 4, "--out", tmp_path / "p", *words)["index"] == EACH * 3 * 4
    assert world.must("verify", tmp_path / "p", *world.chain_options)["isTrusted"]
    told = world.must("rebuild", "--stream", name, "--out", tmp_path, *world.chain_options)
    assert [(each["firstIndex"], each["endIndex"]) for each in told[0]["closed"]] == [(180, 360), (900, 1_080)]
    for words in (("prove", EACH * 3 * 2), ("prove-range", "--first", 0, "--last", 200)):
        refused = world.run(*words, "--out", tmp_path / "q", "--stream", name, *world.chain_options)
        assert (refused.exit_code, refused.stderr.split()[0]) == (1, "WindowClosed")
    refused = world.run(
        *("grant", world.home / "city.json", "--stream", name, "--epoch", 1, "--from", at(1), "--until", at(3)),
        *("--out", tmp_path / "g"),
    )
    assert (refused.exit_code, refused.stderr.split()[0]) == (1, "WindowClosed")
    assert "window 2027-01-15T08:30:00Z" in refused.stderr, "the third of the quarters"


def test_erase__when_a_party_holds_a_grant__leaves_that_out_of_reach(passing: Street, tmp_path: Path) -> None:
    erase(passing.world, passing.full.name, 0, 12)
    assert read(passing, tmp_path / "x") == b""
    assert read(passing, tmp_path / "x", "--as", "utility", keys="nobody") == b"".join(passing.full.records(range(4)))


def test_erase__of_one_epoch__leaves_the_others(passing: Street, tmp_path: Path) -> None:
    erase(passing.world, passing.full.name, 0, 12, "--epoch", 1)
    assert read(passing, tmp_path / "x") == b"".join(passing.full.records((8, 9)))


def test_erase__without_a_yes__asks_first(passing: Street) -> None:
    words = "erase", "--stream", passing.full.name, "--from", at(0), "--until", at(1)
    before = (passing.world.home / "owner.streams").read_bytes()
    assert passing.world.run(*words).exit_code == 1
    assert (passing.world.home / "owner.streams").read_bytes() == before


def test_erase__writes_over_the_file_that_was(passing: Street) -> None:
    """Another name of the old file shows what became of its bytes."""
    file = passing.world.home / "owner.streams"
    watched = file.with_name("watched")
    watched.hardlink_to(file)
    before = watched.read_bytes()
    erase(passing.world, passing.full.name, 0, 1)
    after = watched.read_bytes()
    assert len(after) == len(before)
    assert not any(before[at : at + 16] in after for at in range(0, len(before) - 16, 16))
    assert {path.name for path in file.parent.iterdir() if path.name.startswith(".owner")} <= {".owner.streams.lock"}


def test_sale__parts_what_was_from_what_comes__neither_owner_reads_the_others(street: Street, tmp_path: Path) -> None:
    assert read(street, tmp_path / "x") == b"".join(street.full.records(range(10)))
    assert read(street, tmp_path / "x", keys="buyer") == b"".join(street.full.records((10, 11)))
    stream = street.full.stream
    epochs = {
        owner: [
            each.keys for each in KeyFile(street.world.home / f"{owner}.streams", PASSWORD).read().of(stream).epochs
        ]
        for owner in ("owner", "buyer")
    }
    assert [keys.epoch for keys in epochs["owner"]] == [1, 2]
    assert [keys.epoch for keys in epochs["buyer"]] == [3]
    secrets = [keys.nodes[0].secret for found in epochs.values() for keys in found]
    assert len(set(secrets)) == 3
    for keys, index, name in (("owner", 34 * EACH, "EpochClosed"), ("buyer", 0, "EpochClosed")):
        refused = street.world.run(
            *("prove", index, "--stream", street.full.name, "--out", tmp_path / "p"),
            *street.world.chain_options,
            keys=keys,
        )
        assert (refused.exit_code, refused.stderr.split()[0]) == (1, name)


def test_epoch__begun_on_revoke__is_not_what_older_grants_open(passing: Street, tmp_path: Path) -> None:
    """The city was given quarters 2 to 7 of epoch 1. What is measured in them under epoch 4 stays closed to it."""
    world = passing.world
    passing.world.begin_epoch(passing.full, 4, owner="buyer")
    world.give_keys(passing.full, (12, 14), owner="buyer")
    world.measure(passing.full, (12,))
    assert read(passing, tmp_path / "x", "--as", "city", keys="nobody") == b"".join(passing.full.records(range(2, 8)))
    assert read(passing, tmp_path / "x", keys="buyer") == b"".join(passing.full.records((10, 11, 12)))


def test_epoch__by_who_is_not_the_owner__is_refused_and_gives_no_keys_away(passing: Street) -> None:
    world = passing.world
    world.chain.rpc("evm_setAutomine", True)
    try:
        refused = world.run(
            *("epoch", "--stream", passing.full.name, "--key", "owner", *world.chain_options), keys="owner"
        )
    finally:
        world.chain.rpc("evm_setAutomine", False)
    assert (refused.exit_code, refused.stderr.split()[0]) == (1, "SignerNotAllowed")
    kept = KeyFile(world.home / "owner.streams", PASSWORD).read().of(passing.full.stream)
    assert [each.keys.epoch for each in kept.epochs] == [1, 2, 4]


def test_read__with_keys_of_an_epoch_that_another_began__is_closed_not_altered(passing: Street, tmp_path: Path) -> None:
    """The seller made keys for epoch 4 that the chain refused; the buyer began epoch 4."""
    test_epoch__by_who_is_not_the_owner__is_refused_and_gives_no_keys_away(passing)
    passing.world.begin_epoch(passing.full, 4, owner="buyer")
    passing.world.give_keys(passing.full, (12, 13), owner="buyer")
    passing.world.measure(passing.full, (12,))
    assert read(passing, tmp_path / "x") == b"".join(passing.full.records(range(10)))


def test_open_stream__twice__is_refused_and_keeps_the_keys(passing: Street) -> None:
    world, file = passing.world, passing.world.home / "owner.streams"
    before = KeyFile(file, PASSWORD).read()
    world.chain.rpc("evm_setAutomine", True)
    try:
        refused = world.run(
            *("open-stream", passing.full.key.device, "--schema", world.home / "schema.json", "--key", "buyer"),
            *world.chain_options,
        )
        again = world.run(
            *("open-stream", passing.kept.key.device, "--schema", world.home / "schema.json", "--key", "owner"),
            *("--mode", "hash", *world.chain_options),
        )
    finally:
        world.chain.rpc("evm_setAutomine", False)
    assert [each.stderr.split()[0] for each in (refused, again)] == ["StreamAlreadyOpen"] * 2
    after = KeyFile(file, PASSWORD).read()
    assert after.of(passing.kept.stream) == before.of(passing.kept.stream)
    assert set(before.of(passing.full.stream).epochs) <= set(after.of(passing.full.stream).epochs)


def test_open_stream__given_no_schema_or_mode__is_wrong_use(street: Street, tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text("[1]")
    device = street.full.key.device
    good = "--schema", street.world.home / "schema.json"
    for words in (
        ("--schema", tmp_path / "no.json"),
        ("--schema", tmp_path / "nowhere"),
        (*good, "--mode", "some"),
    ):
        refused = street.world.run("open-stream", device, "--key", "owner", *words, *street.world.chain_options)
        assert (refused.exit_code, refused.stderr.split()[0]) == (2, "WrongUse"), refused.stderr


def test_gateway_keys__open_their_quarters_and_no_others(street: Street) -> None:
    words = "gateway-keys", "--stream", street.full.name, "--epoch", 2, "--from", at(20), "--windows", 3
    told = street.world.must(*words, "--out", street.world.home / "other gateway")
    file = Path(told["file"])
    assert (file.name, told["firstWindow"]) == (f"{street.full.stream.hex()}.2.keys", WINDOW + 20)
    assert file.stat().st_mode & 0o777 == 0o600
    given = WindowKeys.decode(file.read_bytes())
    own = KeyFile(street.world.home / "owner.streams", PASSWORD).read().of(street.full.stream).of(2).keys
    assert [given.key(WINDOW + at) for at in (20, 21, 22)] == [own.key(WINDOW + at) for at in (20, 21, 22)]
    for window in (WINDOW + 19, WINDOW + 23):
        with pytest.raises(WindowClosed):
            given.key(window)


def test_key_file__by_another_password__does_not_open(street: Street) -> None:
    (street.world.home / "wrong").write_text("no")
    refused = street.world.run(
        *("read", "--stream", street.full.name, "--password-file", street.world.home / "wrong"),
        *street.world.chain_options,
    )
    assert (refused.exit_code, refused.stderr.split()[0]) == (4, "WrongPassword")


def test_party_key__shown_again__is_the_same_and_needs_no_password(street: Street, tmp_path: Path) -> None:
    (street.world.home / "wrong").write_text("no")
    words = "party-key", "city", "--password-file", street.world.home / "wrong"
    assert street.world.must(*words, "--out", tmp_path / "city.json")["account"] in street.world.run(*words).stdout
    assert (tmp_path / "city.json").read_bytes() == (street.world.home / "city.json").read_bytes()
    refused = street.world.run(*words, "--account", "owner")
    assert (refused.exit_code, refused.stderr.split()[0]) == (2, "WrongUse")


def test_party_key__with_an_account__is_named_by_it_on_chain(passing: Street, tmp_path: Path) -> None:
    world = passing.world
    world.must("party-key", "partner", "--account", "stranger", "--out", world.home / "partner.json")
    grant(world, passing.kept, "partner", (4, 6), "--on-chain")
    assert json.loads((world.home / "partner.json").read_text())["account"] == world.wallets["stranger"].address
    done = world.run(
        *("read", "--as", "partner", "--raw", "--out", tmp_path / "x"), *world.bodies, *world.chain_options
    )
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "x").read_bytes() == b"".join(passing.kept.records((4, 5)))


def test_grant__of_both_ways_or_none__is_wrong_use(street: Street) -> None:
    words = "grant", street.world.home / "city.json", "--stream", street.full.name, "--from", at(0), "--until", at(1)
    for more in ((), ("--on-chain", "--out", "x"), ("--on-chain",)):
        refused = street.world.run(*words, "--epoch", 1, *more)
        assert (refused.exit_code, refused.stderr.split()[0]) == (2, "WrongUse"), refused.stderr


def test_stream__of_a_device__has_the_id_that_its_owner_is_told(street: Street) -> None:
    assert street.full.stream == stream_id(street.full.key.device, StreamMode.FULL, SCHEMA.hash)
    assert street.full.key.kind is KeyKind.P256
