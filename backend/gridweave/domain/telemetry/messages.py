"""What a device sends to its gateway: a signed segment and its readings, in one message.

    message    0x01, number of channels (1), stream (32), head before (32), head after (32), seed (32), signature (64),
               canonical bytes of each reading

The segment's first index, number of readings and times are those of the readings: they are not said twice. A message is
as secret as the readings in it.
"""

from __future__ import annotations

from struct import Struct

from gridweave.domain.telemetry.errors import MessageMalformed
from gridweave.domain.telemetry.readings import MOST_READINGS, ReadingRun, layout
from gridweave.domain.telemetry.salts import SaltedRun
from gridweave.domain.telemetry.schema import MOST_CHANNELS
from gridweave.domain.telemetry.segments import Segment, SignedRun

_VERSION = 1
_HEAD = Struct(">BB32s32s32s32s64s")


def encode_message(sent: SignedRun) -> bytes:
    """The message of a signed run."""
    segment, salted = sent.segment, sent.salted
    head = _HEAD.pack(
        _VERSION,
        salted.run.channels,
        segment.stream,
        segment.previous_head,
        segment.head,
        salted.seed,
        sent.signature,
    )
    return head + salted.run.raw


def decode_message(raw: bytes) -> SignedRun:
    """The signed run of a message, still to be verified. Raises MessageMalformed, and as ReadingRun.decode."""
    if len(raw) <= _HEAD.size:
        raise MessageMalformed(f"more than {_HEAD.size} bytes")
    version, channels, stream, previous_head, head, seed, signature = _HEAD.unpack_from(raw)
    if version != _VERSION:
        raise MessageMalformed("this program reads version 1")
    if not 1 <= channels <= MOST_CHANNELS:
        raise MessageMalformed(f"1 to {MOST_CHANNELS} channels")
    if len(raw) > _HEAD.size + MOST_READINGS * layout(channels).size:
        raise MessageMalformed(f"at most {MOST_READINGS} readings")
    run = ReadingRun.decode(raw[_HEAD.size :], channels)
    segment = Segment(stream, run.first_index, len(run), run.first_ms, run.last_ms, previous_head, head)
    return SignedRun(SaltedRun(run, seed), segment, signature)
