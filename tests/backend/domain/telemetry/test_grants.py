"""Grants: one party reads one range of one stream, offline, and not a window more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridweave.domain.acts import KeyKind
from gridweave.domain.telemetry.errors import (
    BatchOfOtherEpoch,
    GrantDoesNotOpen,
    GrantKeysWrong,
    GrantMalformed,
    GrantOfOtherStream,
    GrantOfOtherSuite,
    GrantRefusal,
    KeysMalformed,
    PartyKeyMalformed,
    TimesOffWindows,
    WindowClosed,
    WindowsMalformed,
)
from gridweave.domain.telemetry.grants import _INFO, SealedGrant, grant
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.opening import open_section
from gridweave.domain.telemetry.parties import PartyKey, PartySecret, PartySuite
from gridweave.domain.telemetry.readings import ReadingRun
from gridweave.domain.telemetry.sealing import seal
from gridweave.domain.telemetry.segments import StreamTail
from gridweave.domain.telemetry.windows import WINDOW_MS, WINDOWS, window_at, windows_of
from tests.support.seed import seeded
from tests.support.telemetry import DOMAIN, SCHEMA, START_MS, STREAM, Device, home_seconds, signed_segments

SUITES = list(PartySuite)
OWNER = WindowKeys.fresh(4)
PARTIES = {suite: PartySecret.fresh(suite) for suite in SUITES}
OTHERS = {suite: PartySecret.fresh(suite) for suite in SUITES}
FIRST = window_at(START_MS)
# six hours at a reading a minute, in batches of an hour and a half
RUN = home_seconds(seeded("grants"), 360, start_ms=START_MS, step_ms=60_000)
DEVICE = Device(KeyKind.P256)
SENT = signed_segments(DEVICE, RUN, 15)
BATCHES = [seal(OWNER, SCHEMA, SENT[at : at + 6]) for at in range(0, 24, 6)]
GRANTED = (FIRST + 4, FIRST + 13)
SEALED = {suite: grant(OWNER, STREAM, *GRANTED, PARTIES[suite].public) for suite in SUITES}


def sealed_by_hand(keys: bytes, party: PartyKey, **changed: object) -> SealedGrant:
    """A grant with any content, sealed as it should be."""
    named = replace(SEALED[party.suite], **changed)
    return replace(named, sealed=party.encrypt(keys, _INFO + named.header))


@pytest.mark.parametrize("suite", SUITES)
def test_open__by_another_party__is_refused(suite: PartySuite) -> None:
    with pytest.raises(GrantDoesNotOpen):
        SEALED[suite].open(OTHERS[suite])


@pytest.mark.parametrize("suite", SUITES)
def test_open__by_a_key_of_another_suite__is_refused(suite: PartySuite) -> None:
    other = next(other for other in SUITES if other is not suite)
    with pytest.raises(GrantOfOtherSuite):
        SEALED[suite].open(PARTIES[other])


@pytest.mark.parametrize("suite", SUITES)
def test_open__with_any_byte_changed__is_refused(suite: PartySuite) -> None:
    raw = SEALED[suite].encode()
    for place in range(len(raw)):
        for flip in (1, 0x80) if suite is PartySuite.X25519 or place < 50 else (1,):
            changed = raw[:place] + bytes([raw[place] ^ flip]) + raw[place + 1 :]
            with pytest.raises(GrantRefusal):
                SealedGrant.decode(changed).open(PARTIES[suite])


@pytest.mark.parametrize("suite", SUITES)
def test_open__of_truncated_or_extended_bytes__is_refused(suite: PartySuite) -> None:
    raw = SEALED[suite].encode()
    for length in [*range(60), *range(60, len(raw), 37), len(raw) - 1]:
        with pytest.raises((GrantMalformed, GrantDoesNotOpen)):
            SealedGrant.decode(raw[:length]).open(PARTIES[suite])
    with pytest.raises(GrantDoesNotOpen):
        SealedGrant.decode(raw + b"\x00").open(PARTIES[suite])


@pytest.mark.parametrize(
    "changed", [{"stream": bytes(32)}, {"epoch": 5}, {"first": FIRST}, {"end": FIRST + 14}, {"end": WINDOWS}]
)
def test_open__with_a_header_that_says_more__is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(GrantDoesNotOpen):
        replace(SEALED[PartySuite.X25519], **changed).open(PARTIES[PartySuite.X25519])


def test_open__of_keys_that_are_not_the_headers__is_refused() -> None:
    party = PARTIES[PartySuite.X25519]
    keys = OWNER.covering(*GRANTED)
    assert sealed_by_hand(keys.encode(), party.public).open(party).keys == keys
    for other in (
        replace(keys, epoch=5),
        replace(keys, nodes=()),
        replace(keys, nodes=keys.nodes[1:]),
        replace(keys, nodes=keys.nodes[:-1]),
        OWNER.covering(GRANTED[0] - 1, GRANTED[1]),
        OWNER,
        keys.without(FIRST + 6, FIRST + 7),
    ):
        with pytest.raises(GrantKeysWrong):
            sealed_by_hand(other.encode(), party.public).open(party)
    with pytest.raises(KeysMalformed):
        sealed_by_hand(b"no keys", party.public).open(party)


@pytest.mark.parametrize(
    ("suite", "length"), [(PartySuite.X25519, 31), (PartySuite.X25519, 0), (PartySuite.HYBRID, 32)]
)
def test_party_keys__of_another_length__are_refused(suite: PartySuite, length: int) -> None:
    with pytest.raises(PartyKeyMalformed, match="bytes"):
        PartyKey(suite, bytes(length))
    with pytest.raises(PartyKeyMalformed, match="bytes"):
        PartySecret(suite, bytes(length))


@pytest.mark.parametrize("raw", [bytes(32), (1).to_bytes(32, "little")])
def test_grant__to_a_point_of_small_order__is_refused(raw: bytes) -> None:
    with pytest.raises(PartyKeyMalformed, match="point"):
        grant(OWNER, STREAM, *GRANTED, PartyKey(PartySuite.X25519, raw))


def test_grant__to_a_key_off_the_lattice__is_refused() -> None:
    with pytest.raises(PartyKeyMalformed):
        grant(OWNER, STREAM, *GRANTED, PartyKey(PartySuite.HYBRID, b"\xff" * 1_216))


def test_grant__of_no_windows_or_erased_ones__is_refused() -> None:
    party = PARTIES[PartySuite.X25519].public
    with pytest.raises(WindowsMalformed):
        grant(OWNER, STREAM, FIRST, FIRST, party)
    with pytest.raises(WindowClosed):
        grant(OWNER.without(FIRST + 5, FIRST + 6), STREAM, *GRANTED, party)


def test_decode__of_what_is_no_grant__is_refused() -> None:
    raw = SEALED[PartySuite.X25519].encode()
    swapped = replace(SEALED[PartySuite.X25519], first=GRANTED[1], end=GRANTED[0]).encode()
    for other in (b"", b"\x02" + raw[1:], b"\x01\x00" + raw[2:], b"\x01\x03" + raw[2:], swapped):
        with pytest.raises(GrantMalformed):
            SealedGrant.decode(other)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=120))
def test_decode__of_any_bytes__refuses_or_gives_them_back(raw: bytes) -> None:
    try:
        found = SealedGrant.decode(raw)
    except GrantMalformed:
        return
    assert found.encode() == raw
    with pytest.raises(GrantRefusal):
        found.open(PARTIES[found.suite])


def test_read__of_another_stream_or_epoch__is_refused() -> None:
    opened = SEALED[PartySuite.X25519].open(PARTIES[PartySuite.X25519])
    other_stream = StreamTail.start(bytes(32))
    with pytest.raises(GrantOfOtherStream):
        opened.read(SCHEMA, seal(OWNER, SCHEMA, signed_segments(DEVICE, RUN.cut(0, 60), 15, other_stream)))
    with pytest.raises(BatchOfOtherEpoch):
        opened.read(SCHEMA, seal(WindowKeys.fresh(5), SCHEMA, SENT))


@pytest.mark.parametrize("suite", SUITES)
def test_read__with_the_partys_own_key_alone__gives_the_range_and_no_neighbour(suite: PartySuite) -> None:
    opened = SealedGrant.decode(SEALED[suite].encode()).open(PartySecret(suite, PARTIES[suite].raw))
    sections = [section for batch in BATCHES for section in opened.read(SCHEMA, batch)]
    for section in sections:
        section.must_be_signed(DEVICE.key, DOMAIN)
    first, end = GRANTED
    wanted = [reading for reading in RUN if first <= window_at(reading.at_ms) < end]
    assert len(wanted) == 9 * 15
    assert ReadingRun.joined([section.run for section in sections]) == ReadingRun.of(wanted)
    closed = 0
    for batch in BATCHES:
        for section in batch.sections():
            if not first <= section.window < end:
                with pytest.raises(WindowClosed):
                    open_section(opened.keys, SCHEMA, batch.header, section)
                closed += 1
    assert closed == 24 - 9


def test_read__after_a_new_epoch__gives_nothing_more() -> None:
    """Sold: the old owner's keys do not open what comes, nor the new owner's what was."""
    bought = WindowKeys.fresh(OWNER.epoch + 1)
    later = seal(bought, SCHEMA, SENT[12:])
    for keys, batch in ((OWNER, later), (bought, BATCHES[0])):
        with pytest.raises(BatchOfOtherEpoch):
            open_section(keys, SCHEMA, batch.header, batch.sections()[0])


@pytest.mark.parametrize("suite", SUITES)
def test_grant__twice__is_never_the_same_bytes(suite: PartySuite) -> None:
    again = grant(OWNER, STREAM, *GRANTED, PARTIES[suite].public)
    assert again != SEALED[suite]
    assert again.open(PARTIES[suite]) == SEALED[suite].open(PARTIES[suite])


def test_repr__of_secrets__tells_none() -> None:
    secret = PARTIES[PartySuite.X25519]
    assert repr(secret) == "PartySecret(suite=<PartySuite.X25519: 1>)"
    assert "secret" not in repr(SEALED[PartySuite.X25519].open(secret))


@pytest.mark.parametrize(("first_ms", "end_ms"), [(1, WINDOW_MS), (0, WINDOW_MS + 1), (START_MS + 1, START_MS + 2)])
def test_windows_of__times_within_windows__are_refused(first_ms: int, end_ms: int) -> None:
    with pytest.raises(TimesOffWindows):
        windows_of(first_ms, end_ms)


@pytest.mark.parametrize(("first", "end"), [(5, 5), (6, 5), (-1, 0), (0, WINDOWS + 1)])
def test_windows_of__no_range__is_refused(first: int, end: int) -> None:
    with pytest.raises(WindowsMalformed):
        windows_of(first * WINDOW_MS, end * WINDOW_MS)
    assert windows_of(START_MS, START_MS + 3 * WINDOW_MS) == (FIRST, FIRST + 3)
