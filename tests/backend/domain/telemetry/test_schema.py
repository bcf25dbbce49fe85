"""Schemas: one form of bytes for each, and nothing else is one."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from hashlib import sha256
from string import ascii_lowercase, digits

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridweave.domain.telemetry.errors import ChannelMalformed, SchemaMalformed, SchemaRefusal
from gridweave.domain.telemetry.schema import MOST_CHANNELS, WIDTHS, Channel, Schema
from tests.support.telemetry import SCHEMA

names = st.builds(
    "".join, st.tuples(st.sampled_from(ascii_lowercase), st.text(ascii_lowercase + digits + "_", max_size=30))
)
channels = st.builds(
    Channel,
    names,
    st.text([chr(code) for code in range(0x21, 0x7F)], min_size=1, max_size=31),
    st.integers(-24, 24),
    st.sampled_from(WIDTHS),
)
schemas = st.lists(channels, min_size=1, max_size=MOST_CHANNELS, unique_by=lambda c: c.name).map(
    lambda found: Schema(tuple(found))
)


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"name": ""}, "a name"),
        ({"name": "Power"}, "a name"),
        ({"name": "1st"}, "a name"),
        ({"name": "a" * 32}, "a name"),
        ({"name": "power\n"}, "a name"),
        ({"unit": ""}, "a unit"),
        ({"unit": "k W"}, "a unit"),
        ({"unit": "°C"}, "a unit"),
        ({"unit": "W" * 32}, "a unit"),
        ({"unit": "W\n"}, "a unit"),
        ({"scale": 25}, "a scale"),
        ({"scale": -25}, "a scale"),
        ({"width": 3}, "a width"),
        ({"width": 0}, "a width"),
        ({"width": 16}, "a width"),
    ],
)
def test_channel__given_what_is_not_allowed__says_the_rule(changed: dict[str, object], rule: str) -> None:
    with pytest.raises(ChannelMalformed, match=rule):
        Channel(**({"name": "power", "unit": "W", "scale": 0, "width": 4} | changed))


@pytest.mark.parametrize("count", [0, MOST_CHANNELS + 1])
def test_schema__given_no_channel_or_too_many__is_refused(count: int) -> None:
    with pytest.raises(SchemaMalformed, match="1 to 32"):
        Schema(tuple(Channel(f"c{i}", "1", 0, 1) for i in range(count)))


def test_schema__given_two_channels_of_a_name__is_refused() -> None:
    with pytest.raises(SchemaMalformed, match="share"):
        Schema((Channel("a", "W", 0, 1), Channel("a", "V", 0, 1)))


@settings(max_examples=100, deadline=None)
@given(schemas)
def test_decode__of_what_was_encoded__is_the_same_and_no_part_of_it_is_one(schema: Schema) -> None:
    raw = schema.encode()
    assert Schema.decode(raw) == schema
    for cut in range(len(raw)):
        with pytest.raises(SchemaRefusal):
            Schema.decode(raw[:cut])
    with pytest.raises(SchemaMalformed):
        Schema.decode(raw + b"\x00")


def test_decode__of_any_other_byte__is_another_schema_or_refused() -> None:
    raw = SCHEMA.encode()
    for place in range(len(raw)):
        for byte in set(range(256)) - {raw[place]}:
            changed = raw[:place] + bytes([byte]) + raw[place + 1 :]
            try:
                other = Schema.decode(changed)
            except SchemaRefusal:
                continue
            assert other != SCHEMA
            assert other.encode() == changed
            assert other.hash != SCHEMA.hash


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_decode__of_any_bytes__refuses_or_gives_them_back(raw: bytes) -> None:
    with contextlib.suppress(SchemaRefusal):
        assert Schema.decode(raw).encode() == raw


def test_encode__of_a_home__is_the_documented_layout() -> None:
    raw = bytes([1, 3])
    raw += b"\x05power\x01W\xff\x04" + b"\x07voltage\x01V\xff\x02" + b"\x0btemperature\x03Cel\xfe\x02"
    assert SCHEMA.encode() == raw
    assert SCHEMA.hash == sha256(b"gridweave/telemetry/schema" + raw).digest()


def test_quantity__of_a_number__is_in_the_unit_and_of_the_lowest_none() -> None:
    _, voltage, _ = SCHEMA.channels
    assert voltage.quantity(2314) == Decimal("231.4")
    assert voltage.quantity(-32767) == Decimal("-3276.7")
    assert voltage.quantity(voltage.not_measured) is None
    assert (voltage.not_measured, voltage.highest) == (-32768, 32767)
