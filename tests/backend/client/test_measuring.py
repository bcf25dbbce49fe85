"""A device that measures: it signs each reading once, keeps it until it is acknowledged, countersigns its own alone."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from gridweave.client.device_key import DeviceKey
from gridweave.client.measuring.device import SigningPace, StreamDevice
from gridweave.client.measuring.pump import Patience, Pump
from gridweave.domain.acts import KeyKind
from gridweave.domain.anchors import NO_HEAD, Batch, StreamMode
from gridweave.domain.eip712 import Domain, digest
from gridweave.domain.telemetry.errors import ValueOutsideChannel
from gridweave.domain.telemetry.gateway_errors import (
    ClockRanBack,
    DeviceMemoryFull,
    MemoryOfOtherStream,
    OtherHistory,
    SpoolFull,
)
from gridweave.domain.telemetry.merkle import MerkleTree
from gridweave.domain.telemetry.messages import decode_message
from gridweave.domain.telemetry.segments import SignedRun, StreamTail
from gridweave.domain.telemetry.verifying import DeviceKey as PublicKey
from gridweave.domain.telemetry.verifying import verify_segment
from gridweave.domain.telemetry.windows import WINDOW_MS
from gridweave.domain.telemetry.words import BatchSignature, BatchStanding, Refusal, SegmentAck
from tests.support.telemetry import DOMAIN, SCHEMA, START_MS

VALUES = (2_485, 2_314, 2_080)


class Bench:
    """A device whose program can be started again, from the same key and folder."""

    def __init__(self, folder: Path, kind: KeyKind = KeyKind.P256) -> None:
        self.folder, self.key = folder, DeviceKey.create(kind)
        self.device = self.boot()

    def boot(self, **changes: object) -> StreamDevice:
        domain, key = changes.pop("domain", DOMAIN), changes.pop("key", self.key)
        pace = SigningPace(**({"readings": 10} | changes))  # type: ignore[arg-type]
        return StreamDevice(key, domain, SCHEMA, StreamMode.FULL, self.folder, device=self.key.device, pace=pace)  # type: ignore[arg-type]

    def restart(self, **changes: object) -> StreamDevice:
        self.device.close()
        self.device = self.boot(**changes)
        return self.device

    def measure(self, count: int, start_ms: int = START_MS, step_ms: int = 1_000) -> None:
        for place in range(count):
            self.device.record(start_ms + place * step_ms, 3, VALUES)

    def sent(self) -> list[SignedRun]:
        return [decode_message(message) for _, _, message in self.device.unacknowledged(0, 1_000)]

    def batch(self, first: int, end: int, previous_head: bytes = NO_HEAD, **changes: object) -> Batch:
        kept = self.device.memory.within(first, end)
        hashes = b"".join(each.leaf_hashes for each in kept)
        root = MerkleTree.over([hashes[at : at + 32] for at in range(0, len(hashes), 32)]).root
        times = kept[0].first_ms, kept[-1].last_ms
        batch = Batch(self.device.stream, first, end - first, *times, 1, previous_head, root, bytes(32))
        return replace(batch, **changes)  # type: ignore[arg-type]

    def asked(self, batch: Batch, final: bytes | None = None, committed: bytes | None = None) -> BatchSignature:
        answer = self.device.answer(BatchStanding(batch.stream, final, committed, batch))
        assert answer is not None
        return answer

    def signs(self, batch: Batch, **standing: bytes) -> bool:
        answer = self.asked(batch, **standing)
        key = PublicKey(self.key.kind, self.key.x, self.key.y)
        return answer.signature is not None and key.signed(digest(DOMAIN, batch), answer.signature)

    def refuses(self, batch: Batch, **standing: bytes) -> str:
        answer = self.asked(batch, **standing)
        assert answer.signature is None
        assert answer.refused is not None
        return answer.refused.name


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


# measuring


def test_record__with_a_clock_that_ran_back__refuses_and_re_times_nothing(bench: Bench) -> None:
    bench.measure(10)
    with pytest.raises(ClockRanBack):
        bench.device.record(START_MS + 8_999, 3, VALUES)
    assert bench.device.record(START_MS + 9_000, 3, VALUES) == 10


def test_record__of_a_value_that_the_channel_cannot_hold__refuses_it_alone(bench: Bench) -> None:
    bench.measure(3)
    with pytest.raises(ValueOutsideChannel):
        bench.device.record(START_MS + 9_000, 3, (1, 1 << 15, 1))
    assert bench.device.record(START_MS + 9_000, 3, VALUES) == 3


def test_record__once_enough_waits_for_a_gateway__refuses_until_one_takes_it(bench: Bench) -> None:
    device = bench.restart(most_bytes=1_500)
    with pytest.raises(DeviceMemoryFull):
        bench.measure(100)
    index, head = device.memory.tail.next_index, device.memory.tail.head
    assert 20 <= index < 100
    device.hear_ack(SegmentAck(device.stream, index, head))
    assert device.record(START_MS + 500_000, 3, VALUES) == index


@pytest.mark.parametrize("kind", KeyKind)
def test_record__in_several_windows__signs_segments_that_a_gateway_takes(tmp_path: Path, kind: KeyKind) -> None:
    bench = Bench(tmp_path, kind)
    bench.measure(37, START_MS, 100_000)
    bench.device.sign()
    key, tail = PublicKey(bench.key.kind, bench.key.x, bench.key.y), StreamTail.start(bench.device.stream)
    for sent in bench.sent():
        tail = verify_segment(tail, SCHEMA, sent, key, DOMAIN)
    assert tail.next_index == 37
    assert [len(sent.run) for sent in bench.sent()] == [9, 9, 9, 9, 1]


def test_tick__after_the_time_or_the_window__signs(bench: Bench) -> None:
    device = bench.restart(ms=5_000)
    device.record(START_MS, 3, VALUES)
    device.tick(START_MS + 4_999)
    assert bench.sent() == []
    device.tick(START_MS + 5_000)
    assert len(bench.sent()) == 1
    device.record(START_MS + WINDOW_MS - 1, 3, VALUES)
    device.tick(START_MS + WINDOW_MS)
    assert len(bench.sent()) == 2


# power cuts and keys


def test_device__after_a_power_cut__sends_the_same_bytes_and_goes_on_behind_them(bench: Bench) -> None:
    bench.measure(25)
    before = bench.device.unacknowledged()
    device = bench.restart()
    assert device.unacknowledged() == before
    assert device.record(START_MS + 60_000, 3, VALUES) == 20, "what was not signed is measured no more"


def test_device__with_a_new_key__signs_anew_what_nobody_has(bench: Bench) -> None:
    bench.measure(20)
    before = bench.sent()
    device = bench.restart(key=DeviceKey.create(KeyKind.SECP256K1))
    after = bench.sent()
    assert [sent.segment for sent in after] == [sent.segment for sent in before]
    key, tail = PublicKey(device.key.kind, device.key.x, device.key.y), StreamTail.start(device.stream)
    for sent in after:
        tail = verify_segment(tail, SCHEMA, sent, key, DOMAIN)


def test_device__with_the_memory_of_another_chain__refuses_it(bench: Bench) -> None:
    with pytest.raises(MemoryOfOtherStream):
        bench.restart(domain=Domain.of("TelemetryAnchor", 1, "0x" + "7e" * 20))


# acknowledgements


def test_hear_ack__of_what_is_on_the_gateways_disk__forgets_the_messages_and_keeps_the_hashes(bench: Bench) -> None:
    bench.measure(30)
    first, second, _ = bench.sent()
    bench.device.hear_ack(SegmentAck(bench.device.stream, 20, second.segment.head))
    assert [first_index for first_index, *_ in bench.device.unacknowledged()] == [20]
    assert len(bench.device.memory.within(0, 20)) == 2
    bench.device.hear_ack(SegmentAck(bench.device.stream, 10, first.segment.head))
    assert bench.device.memory.acknowledged == (20, second.segment.head), "an old one says nothing new"


@pytest.mark.parametrize("index", [10, 15, 400])
def test_hear_ack__of_what_the_device_never_signed__refuses_to_go_on(bench: Bench, index: int) -> None:
    bench.measure(30)
    with pytest.raises(OtherHistory):
        bench.device.hear_ack(SegmentAck(bench.device.stream, index, bytes(32)))
    assert len(bench.device.unacknowledged()) == 3


def test_pump__while_nobody_answers__sends_again_from_the_first(bench: Bench) -> None:
    now = [0.0]
    pump = Pump(bench.device, Patience(window=2, resend_s=5), lambda: now[0])
    bench.measure(40)
    first = pump.due()
    assert len(first) == 2
    assert pump.due() == []
    now[0] = 5.1
    assert pump.due() == first
    head = decode_message(first[1]).segment.head
    pump.hear_segments(SegmentAck(bench.device.stream, 20, head).encode())
    assert [decode_message(message).segment.first_index for message in pump.due()] == [20, 30]


def test_pump__told_that_the_spool_is_full__keeps_everything_and_pauses_longer_each_time(bench: Bench) -> None:
    now = [0.0]
    pump = Pump(bench.device, Patience(pause_s=1, longest_pause_s=3), lambda: now[0])
    bench.measure(10)
    full = SegmentAck(
        bench.device.stream, 0, StreamTail.start(bench.device.stream).head, 0, Refusal.of(SpoolFull(9, 9))
    )
    for pause in (1, 2, 3, 3):
        assert len(pump.due()) == 1
        pump.hear_segments(full.encode())
        now[0] += pause - 0.01
        assert pump.due() == []
        now[0] += 0.02
    assert pump.refused is not None
    assert pump.refused.name == "SpoolFull"


# countersigning


def test_answer__to_its_own_readings__signs_and_signs_the_same_again(bench: Bench) -> None:
    bench.measure(40)
    batch = bench.batch(0, 30)
    assert bench.signs(batch)
    bench.restart()
    assert bench.signs(batch)


def test_answer__to_other_readings_than_its_own__refuses_each_by_name(bench: Bench) -> None:
    bench.measure(40)
    batch = bench.batch(0, 30)
    for changes in (
        {"root": bytes(32)},
        {"first_ms": batch.first_ms + 1},
        {"last_ms": batch.last_ms - 1},
        {"count": 29},
        {"count": 31},
        {"count": 41},
        {"count": 0},
    ):
        assert bench.refuses(replace(batch, **changes)) == "BatchNotOwn", changes  # type: ignore[arg-type]
    for changes in ({"previous_head": bytes([1] * 32)}, {"first_index": 10}):
        assert bench.refuses(replace(batch, **changes)) == "BatchFollowsOther", changes  # type: ignore[arg-type]
    assert bench.refuses(replace(batch, stream=bytes(32))) == "BatchOfOtherStream"
    assert bench.device.memory.signed() == []


def test_answer__before_the_batch_before_is_anchored__refuses(bench: Bench) -> None:
    bench.measure(40)
    first = bench.batch(0, 20)
    second = bench.batch(20, 40, first.head)
    assert bench.refuses(second) == "BatchFollowsOther"
    assert bench.signs(first)
    assert bench.refuses(second) == "BatchFollowsOther"
    assert bench.signs(second, committed=first.head)


def test_answer__to_another_batch_at_a_place__refuses_it_but_under_a_later_epoch(bench: Bench) -> None:
    bench.measure(40)
    first = bench.batch(0, 20)
    assert bench.signs(first)
    assert bench.refuses(bench.batch(0, 30)) == "BatchEquivocates"
    assert bench.refuses(replace(first, body_hash=bytes([1] * 32))) == "BatchEquivocates"
    assert bench.refuses(bench.batch(0, 30, epoch=0)) == "BatchEquivocates"
    again = bench.batch(0, 30, epoch=2)
    assert bench.signs(again)
    assert bench.signs(bench.batch(30, 40, again.head, epoch=2), committed=again.head)


def test_answer__to_what_lies_before_the_final_batch__refuses(bench: Bench) -> None:
    bench.measure(40)
    first = bench.batch(0, 20)
    again = bench.batch(0, 20, epoch=9)
    assert bench.signs(first)
    bench.device.hear_ack(SegmentAck(bench.device.stream, 40, bench.sent()[-1].segment.head))
    assert bench.device.answer(BatchStanding(bench.device.stream, first.head, first.head)) is None
    assert bench.device.memory.within(0, 20) == [], "what is final and acknowledged is forgotten"
    assert bench.refuses(again) == "BatchFollowsOther"
    assert bench.signs(bench.batch(20, 40, first.head))


def test_answer__told_that_an_unknown_batch_is_final__believes_nothing(bench: Bench) -> None:
    bench.measure(20)
    assert bench.device.answer(BatchStanding(bench.device.stream, bytes([5] * 32), bytes([6] * 32))) is None
    assert bench.signs(bench.batch(0, 20))


def test_answer__to_batches_at_random__signs_a_chain_without_a_fork(bench: Bench, rng: random.Random) -> None:
    bench.measure(200)
    signed: dict[tuple[int, int], bytes] = {}
    for _ in range(300):
        first, end = sorted(rng.sample(range(0, 210, 10), 2))
        if end > 200:
            continue
        heads = [NO_HEAD, *signed.values()]
        batch = bench.batch(first, end, rng.choice(heads), epoch=rng.randrange(1, 3))
        answer = bench.asked(batch, committed=rng.choice(heads))
        if answer.signature is not None:
            place = batch.first_index, batch.epoch
            assert signed.setdefault(place, batch.head) == batch.head
    assert len(signed) > 3
