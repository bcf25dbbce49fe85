"""Files of secrets: encrypted, replaced whole or not at all, written over, and decoders that refuse by name."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridweave.client.errors import ClientError, KeyNotFound, KeystoreError, WrongPassword
from gridweave.client.telemetry import (
    EpochKeys,
    Handover,
    KeyFile,
    OwnerKeys,
    Party,
    PartyKeys,
    StreamKeys,
    hand_over,
    private_files,
)
from gridweave.client.telemetry.refusals import (
    EpochClosed,
    HandoverMalformed,
    KeyFileMalformed,
    PartyFileMalformed,
    SchemaNotOfStream,
    StreamNotInKeys,
)
from gridweave.client.telemetry.sealed_file import public_part, seal, unseal
from gridweave.domain.anchors import StreamMode, stream_id
from gridweave.domain.errors import DomainError
from gridweave.domain.telemetry.errors import GrantDoesNotOpen, WindowClosed
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.parties import PartySuite
from gridweave.domain.telemetry.schema import Channel, Schema
from gridweave.locking import hold
from tests.backend.client.telemetry.edits import edited
from tests.backend.client.telemetry.memory import OWNER, SCHEMA, WINDOW

LIGHT = 1 << 10
"""scrypt's n in tests."""
DEVICE = "0x" + "11" * 20
OTHER = "0x" + "00" * 19 + "0b"
STREAM = stream_id(DEVICE, StreamMode.FULL, SCHEMA.hash)


def keys(*epochs: int, owner: str = OWNER) -> StreamKeys:
    return StreamKeys(STREAM, SCHEMA, tuple(EpochKeys(owner, WindowKeys.fresh(epoch)) for epoch in epochs))


def owner_keys() -> OwnerKeys:
    other = StreamKeys(stream_id(DEVICE, StreamMode.HASH, SCHEMA.hash), SCHEMA, ())
    return OwnerKeys().having(keys(1, 4).without(WINDOW, WINDOW + 3, 4)).having(other)


HANDED = hand_over(keys(1), 1, WINDOW, WINDOW + 4, PartyKeys.fresh().public, PartySuite.X25519)

# sealed files


@pytest.mark.parametrize("password", ["", "another", "Password"])
def test_unseal__by_another_password__is_refused(password: str) -> None:
    raw = seal(b"x", "password", "stream keys", work=LIGHT)
    with pytest.raises(WrongPassword):
        unseal(raw, password, "stream keys")


def test_seal__under_no_password__is_refused() -> None:
    with pytest.raises(KeystoreError):
        seal(b"x", "", "stream keys", work=LIGHT)


def test_unseal__with_anything_changed__is_refused() -> None:
    raw = seal(b"secret", "p", "stream keys", {"a": 1}, work=LIGHT)
    for at in range(0, len(raw) - 1, 3):
        changed = bytes([*raw[:at], raw[at] ^ 1, *raw[at + 1 :]])
        try:
            assert json.loads(changed) == json.loads(raw)
        except (ValueError, AssertionError):
            with pytest.raises(KeystoreError):
                unseal(changed, "p", "stream keys")


@pytest.mark.parametrize("work", [1, 3, 1 << 40, -2, "x", None, True, 1024.0])
def test_unseal__asking_for_more_than_a_machine_bears__is_refused_unread(work: object) -> None:
    body = json.loads(seal(b"x", "p", "stream keys", work=LIGHT))
    body["scrypt"]["n"] = work
    with pytest.raises(KeystoreError, match="scrypt"):
        unseal(json.dumps(body).encode(), "p", "stream keys")


NAMES = st.sampled_from(["gridweave", "version", "scrypt", "n", "nonce", "ciphertext"])
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | BODIES.map(lambda body: json.dumps(body).encode()))
def test_unseal__of_anything__is_refused_by_name(raw: bytes) -> None:
    for attempt in (lambda: unseal(raw, "p", "stream keys"), lambda: public_part(raw, "stream keys")):
        with pytest.raises(KeystoreError):
            attempt()


def test_unseal__of_what_was_sealed__is_the_same_and_other_bytes_each_time() -> None:
    one, two = (seal(b"secret", "p", "stream keys", {"a": 1}, work=LIGHT) for _ in range(2))
    assert unseal(one, "p", "stream keys") == unseal(two, "p", "stream keys") == b"secret"
    assert public_part(one, "stream keys") == {"a": 1}
    assert json.loads(one)["ciphertext"] != json.loads(two)["ciphertext"]
    with pytest.raises(KeystoreError, match="another file"):
        unseal(one, "p", "party keys")


# files that are replaced


def test_replace_private__killed_at_any_step__leaves_one_whole_file(tmp_path: Path) -> None:
    """Each call of the system that it makes is the last one once; the next to write goes on from there."""
    steps = _steps(tmp_path / "count")
    assert steps > 6
    for last in range(steps):
        file = tmp_path / f"{last}" / "keys"
        private_files.replace_private(file, b"old " * 50)
        with pytest.raises(InterruptedError), DyingAfter(last):
            private_files.replace_private(file, b"new " * 50)
        assert file.read_bytes() in (b"old " * 50, b"new " * 50)
        private_files.finish_erasing(file)
        assert not file.with_name(".keys.old").exists()
        assert file.read_bytes() in (b"old " * 50, b"new " * 50)
        private_files.replace_private(file, b"last")
        assert file.read_bytes() == b"last"
        assert {path.name for path in file.parent.iterdir()} == {"keys"}


class DyingAfter:
    """Lets `left` calls of the system through; the one after them is the process's end."""

    CALLS = ("fsync", "link", "replace", "unlink", "open")

    def __init__(self, left: int) -> None:
        self.left, self.made = left, 0

    def __enter__(self) -> DyingAfter:
        self._before = {name: getattr(os, name) for name in self.CALLS}
        for name, call in self._before.items():
            setattr(os, name, self._counted(call))
        return self

    def __exit__(self, *_: object) -> None:
        for name, call in self._before.items():
            setattr(os, name, call)

    def _counted(self, call):  # type: ignore[no-untyped-def]
        def counted(*arguments, **options):  # type: ignore[no-untyped-def]
            if self.made == self.left:
                raise InterruptedError("killed")
            self.made += 1
            return call(*arguments, **options)

        return counted


def _steps(file: Path) -> int:
    private_files.replace_private(file, b"old")
    with DyingAfter(1_000) as counting:
        private_files.replace_private(file, b"new")
    return counting.made


def test_replace_private__after_one_that_was_cut_off__writes_over_what_that_left(tmp_path: Path) -> None:
    file, aside = tmp_path / "keys", tmp_path / "aside"
    with pytest.raises(InterruptedError), DyingAfter(1):
        private_files.replace_private(file, b"erased since")
    os.link(file.with_name(".keys.new"), aside)
    assert aside.read_bytes() == b"erased since"
    private_files.replace_private(file, b"what is left")
    assert b"erased" not in aside.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"keys", "aside"}


def test_replace_private__is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    private_files.replace_private(tmp_path / "a" / "keys", b"x")
    assert (tmp_path / "a" / "keys").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


# the key file


def test_read__of_no_file__says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(KeyNotFound, match="open-stream"):
        KeyFile(tmp_path / "none", "p").read()
    (tmp_path / "folder").mkdir()
    with pytest.raises(KeystoreError, match="cannot read"):
        KeyFile(tmp_path / "folder", "p").read()


def test_change__while_another_process_does__is_refused(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys", "p", work=LIGHT)
    file.change(lambda _: owner_keys())
    with hold(tmp_path / ".keys.lock"), pytest.raises(KeystoreError, match="another process"):
        file.change(lambda keys: keys)


def test_change__that_fails__leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys", "p", work=LIGHT)
    file.change(lambda _: owner_keys())
    before = (tmp_path / "keys").read_bytes()
    with pytest.raises(StreamNotInKeys):
        file.change(lambda keys: keys.having(keys.of(bytes(32))))
    with pytest.raises(WrongPassword):
        KeyFile(tmp_path / "keys", "q", work=LIGHT).change(lambda keys: keys)
    assert (tmp_path / "keys").read_bytes() == before


def test_change__keeps_what_it_made_under_the_password(tmp_path: Path) -> None:
    file, made = KeyFile(tmp_path / "keys", "p", work=LIGHT), owner_keys()
    assert file.change(lambda _: made) == file.read() == made
    content = (tmp_path / "keys").read_text()
    secret = made.of(STREAM).of(1).keys.nodes[0].secret.hex()
    assert secret not in content and secret not in repr(made) and "p" not in repr(file).split("/")


# what is in it


def test_with_epoch__keeps_what_there_was__and_is_fresh() -> None:
    one = keys(1)
    both = one.with_epoch(OWNER, 2).with_epoch(OTHER, 2)
    assert [each.place[0] for each in both.epochs] == [1, 2, 2]
    assert both.of(1) == one.of(1)
    assert both.with_epoch(OWNER, 2) == both
    assert len({each.keys.nodes[0].secret for each in both.epochs}) == 3
    assert both.begun({2: OTHER}).of(2).owner == OTHER
    assert both.begun({2: OWNER}).of(2).owner == OWNER
    assert both.begun({1: OTHER, 2: "0x" + "77" * 20}).epochs == ()
    assert both.newest == 2
    with pytest.raises(EpochClosed):
        both.of(3)
    with pytest.raises(EpochClosed):
        both.without(0, 1, epoch=3)
    with pytest.raises(EpochClosed):
        keys().newest  # noqa: B018


def test_without__destroys_the_ancestors_and_keeps_the_neighbours() -> None:
    whole = keys(1)
    left = whole.without(WINDOW, WINDOW + 1)
    nodes = left.of(1).keys.nodes
    assert len(nodes) == 32
    assert whole.of(1).keys.nodes[0].secret not in {node.secret for node in nodes}
    assert left.of(1).keys.key(WINDOW + 1) == whole.of(1).keys.key(WINDOW + 1)
    with pytest.raises(WindowClosed):
        left.of(1).keys.key(WINDOW)


def test_keys__of_another_schema_or_out_of_order__are_refused() -> None:
    with pytest.raises(SchemaNotOfStream):
        StreamKeys(STREAM, Schema((Channel("volts", "V", 0, 2),)), ())
    with pytest.raises(KeyFileMalformed):
        keys(2, 1)
    with pytest.raises(KeyFileMalformed):
        keys(1, 1)


def test_decode__of_truncated_extended_or_moved_bytes__is_refused() -> None:
    raw = owner_keys().encode()
    assert OwnerKeys.decode(raw) == owner_keys_like(raw)
    for bad in (raw[:-1], raw + b"\0", b"\2" + raw[1:], b"", raw[:1] + b"\0\1" + raw[3:]):
        with pytest.raises(DomainError):
            OwnerKeys.decode(bad)
    one, two = (OwnerKeys().having(each).encode()[3:] for each in owner_keys().streams.values())
    swapped = max(one, two) + min(one, two)
    with pytest.raises(KeyFileMalformed):
        OwnerKeys.decode(b"\1\0\2" + swapped)


def owner_keys_like(raw: bytes) -> OwnerKeys:
    found = OwnerKeys.decode(raw)
    assert found.encode() == raw
    return found


def test_decode__with_any_byte_changed__is_refused_or_other_keys() -> None:
    raw, whole = owner_keys().encode(), 0
    for at in range(len(raw)):
        changed = bytes([*raw[:at], raw[at] ^ 4, *raw[at + 1 :]])
        try:
            assert OwnerKeys.decode(changed).encode() == changed
            whole += 1
        except DomainError:
            continue
    assert 0 < whole < len(raw)


DECODERS = {
    "owner": (OwnerKeys.decode, OwnerKeys.encode, owner_keys().encode()),
    "party": (PartyKeys.decode, PartyKeys.encode, PartyKeys.fresh().encode()),
    "handover": (Handover.decode, Handover.encode, HANDED.encode()),
    "grant file": (Handover.of_file, Handover.to_file, HANDED.to_file()),
}


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(DECODERS)), st.data())
def test_decode__of_any_bytes__refuses_by_name_or_gives_them_back(which: str, data: st.DataObject) -> None:
    decode, encode, good = DECODERS[which]
    raw = data.draw(st.binary(max_size=150) | edited(good))
    try:
        found = decode(raw)
    except DomainError:
        return
    assert encode(found) == raw  # type: ignore[operator]


# parties


def test_party__of_anything_else__is_refused(tmp_path: Path) -> None:
    good = PartyKeys.fresh().public.to_json()
    for change in ({"x25519": "0x12"}, {"hybrid": 7}, {"account": "0x12"}, {"gridweave": "x"}, {"x25519": "12" * 32}):
        with pytest.raises(DomainError):
            Party.from_json(good | change)
    for body in (None, [], 7, "x", {}):
        with pytest.raises(PartyFileMalformed):
            Party.from_json(body)
    (tmp_path / "p").write_text("{")
    with pytest.raises(PartyFileMalformed):
        Party.read(tmp_path / "p")


def test_party_keys__saved_and_loaded__are_the_same(tmp_path: Path) -> None:
    made = PartyKeys.fresh()
    made.save(tmp_path / "p", "password", work=LIGHT)
    assert PartyKeys.load(tmp_path / "p", "password") == made
    assert PartyKeys.public_of(tmp_path / "p") == made.public == Party.from_json(made.public.to_json())
    with pytest.raises(WrongPassword):
        PartyKeys.load(tmp_path / "p", "other")
    with pytest.raises(KeystoreError):
        made.save(tmp_path / "p", "password", work=LIGHT)
    assert PartyKeys.fresh().account != made.account
    assert PartyKeys.fresh(OTHER).public.account == OTHER
    assert all(secret.raw.hex() not in repr(made) for secret in made.secrets.values())
    with pytest.raises(PartyFileMalformed):
        PartyKeys.decode(made.encode() + b"\0")


# what is handed over


@pytest.mark.parametrize("suite", list(PartySuite))
def test_handover__with_any_byte_changed__is_refused(suite: PartySuite) -> None:
    party = PartyKeys.fresh()
    given_ = hand_over(keys(1), 1, WINDOW, WINDOW + 4, party.public, suite)
    raw = given_.encode()
    assert Handover.decode(raw) == given_
    assert Handover.of_file(given_.to_file()) == given_
    for at in range(0, len(raw), 5):
        changed = bytes([*raw[:at], raw[at] ^ 1, *raw[at + 1 :]])
        with pytest.raises(DomainError):
            Handover.decode(changed).open(party)
    with pytest.raises(GrantDoesNotOpen):
        given_.open(PartyKeys.fresh())
    for bad in (given_.to_file() + b" ", given_.to_file()[:-2], b'{"gridweave": "x"}'):
        with pytest.raises(HandoverMalformed):
            Handover.of_file(bad)


def test_errors__are_the_clients__or_the_domains() -> None:
    assert issubclass(KeystoreError, ClientError)
    assert issubclass(KeyFileMalformed, DomainError)
