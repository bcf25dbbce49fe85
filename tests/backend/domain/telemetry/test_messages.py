"""Messages of a device: read as they were sent, and no change passes for what was signed."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridweave.domain.acts import KeyKind
from gridweave.domain.telemetry.errors import MessageMalformed, ReadingsMalformed, TelemetryRefusal
from gridweave.domain.telemetry.messages import decode_message, encode_message
from gridweave.domain.telemetry.readings import MOST_READINGS
from gridweave.domain.telemetry.segments import StreamTail
from gridweave.domain.telemetry.verifying import verify_segment
from tests.support.seed import seeded
from tests.support.telemetry import DOMAIN, SCHEMA, STREAM, Device, home_seconds

DEVICE = Device(KeyKind.SECP256K1)
START = StreamTail.start(STREAM)
SENT = DEVICE.send(START, home_seconds(seeded("messages"), 5))
RAW = encode_message(SENT)


def test_decode__of_truncated_or_extended_bytes__is_refused() -> None:
    for length in range(len(RAW)):
        with pytest.raises(TelemetryRefusal):
            verify_segment(START, SCHEMA, decode_message(RAW[:length]), DEVICE.key, DOMAIN)
    with pytest.raises(ReadingsMalformed):
        decode_message(RAW + b"\x00")


@pytest.mark.parametrize("raw", [b"\x02" + RAW[1:], b"\x01\x00" + RAW[2:], b"\x01\x21" + RAW[2:]])
def test_decode__of_another_version_or_no_channels__is_refused(raw: bytes) -> None:
    with pytest.raises(MessageMalformed):
        decode_message(raw)


def test_decode__of_too_many_readings__is_refused_unread() -> None:
    with pytest.raises(MessageMalformed, match="at most"):
        decode_message(RAW + bytes(44 * MOST_READINGS))


def test_verify__with_any_byte_of_the_message_changed__is_refused() -> None:
    for place, flip in product(range(len(RAW)), (1, 0x80, 0xFF)):
        changed = RAW[:place] + bytes([RAW[place] ^ flip]) + RAW[place + 1 :]
        with pytest.raises(TelemetryRefusal):
            verify_segment(START, SCHEMA, decode_message(changed), DEVICE.key, DOMAIN)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_decode__of_any_bytes__refuses_by_name_or_gives_them_back(raw: bytes) -> None:
    try:
        sent = decode_message(b"\x01\x01" + raw)
    except TelemetryRefusal:
        return
    assert encode_message(sent) == b"\x01\x01" + raw


def test_decode__of_what_was_sent__is_the_same_and_verifies() -> None:
    sent = decode_message(RAW)
    assert sent == SENT
    assert verify_segment(START, SCHEMA, sent, DEVICE.key, DOMAIN) == START.after(SENT.segment)
