from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from gridweave.client import ConflictingReading, DeviceAgent, DeviceKey, GridweaveClient, ServiceUnavailable
from gridweave.client.queue import QueuedReading, ReadingQueue
from gridweave.domain.acts import KeyKind
from tests.backend.client.simulator import Simulator

METER, SLOT = 3, 1_628_400


@pytest.fixture(params=list(KeyKind))
def key(request: pytest.FixtureRequest) -> DeviceKey:
    return DeviceKey.create(request.param)


@pytest.fixture
def agent(client: GridweaveClient, key: DeviceKey, tmp_path: Path) -> DeviceAgent:
    return DeviceAgent(client, key, METER, tmp_path)


def test_record__given_other_figures_for_a_signed_slot__is_refused(agent: DeviceAgent) -> None:
    agent.record(SLOT, 250, 0)
    with pytest.raises(ConflictingReading):
        agent.record(SLOT, 251, 0)
    assert [(r.import_wh, r.export_wh) for r in agent.unsent()] == [(250, 0)]


def test_record__given_the_same_figures_again__is_the_same_reading(agent: DeviceAgent) -> None:
    assert agent.record(SLOT, 250, 0) == agent.record(SLOT, 250, 0)


def test_record__by_a_restarted_device__still_refuses_other_figures(
    agent: DeviceAgent, client: GridweaveClient, key: DeviceKey, tmp_path: Path
) -> None:
    first = agent.record(SLOT, 250, 0)
    agent.close()
    restarted = DeviceAgent(client, key, METER, tmp_path)
    with pytest.raises(ConflictingReading):
        restarted.record(SLOT, 251, 0)
    assert restarted.unsent() == [first]


def test_correct__after_the_last_version__is_refused(agent: DeviceAgent) -> None:
    agent.record(SLOT, 250, 0)
    assert [agent.correct(SLOT, 250 + i, 0).version for i in (1, 2)] == [2, 3]
    with pytest.raises(ConflictingReading):
        agent.correct(SLOT, 260, 0)


def test_send__when_the_service_is_away__keeps_the_reading_and_sends_the_same_bytes_later(
    agent: DeviceAgent, service: Simulator
) -> None:
    reading = agent.record(SLOT, 250, 0)
    service.before = lambda _: httpx.Response(503)
    with pytest.raises(ServiceUnavailable):
        agent.send()
    assert agent.unsent() == [reading]
    service.before = lambda _: None
    assert agent.send() == [reading]
    assert "0x" + reading.signature.hex() in service.seen[-1]
    assert agent.unsent() == []


def test_send__given_a_refusal_for_good__keeps_its_reason(agent: DeviceAgent, service: Simulator) -> None:
    agent.record(SLOT, 250, 0)
    service.refuse[str(SLOT)] = "ReadingAboveCapacity"
    assert agent.send() == []
    assert [reading.reason for reading in agent.rejected()] == ["ReadingAboveCapacity"]
    assert agent.unsent() == []


def test_send__given_a_slot_that_has_not_ended__tries_again_later(agent: DeviceAgent, service: Simulator) -> None:
    agent.record(SLOT, 250, 0)
    service.refuse[str(SLOT)] = "ReadingTooEarly"
    assert agent.send() == []
    service.refuse.clear()
    assert len(agent.send()) == 1


def test_follow__when_the_service_forgot_the_reading__sends_it_again(agent: DeviceAgent, service: Simulator) -> None:
    agent.record(SLOT, 250, 0)
    agent.send()
    service.requests.clear()
    assert agent.follow() == 1
    assert len(agent.unsent()) == 1
    assert len(agent.send()) == 1


def test_follow__once_the_reading_is_final__has_nothing_left(agent: DeviceAgent, service: Simulator) -> None:
    reading = agent.record(SLOT, 250, 0)
    agent.send()
    assert agent.follow() == 1
    service.requests[reading.digest] |= {"status": "settled", "final": True}
    assert agent.follow() == 0


def test_follow__many_recorded_for_good__asks_once_for_all_and_on_its_own_for_the_rest(
    agent: DeviceAgent, service: Simulator
) -> None:
    readings = [agent.record(SLOT + place, 250, 0) for place in range(6)]
    agent.send()
    rows = [{"slot": reading.slot, "version": 1, "final": reading is not readings[4]} for reading in readings[:5]]
    service.recorded = rows
    service.requests = {readings[4].digest: service.requests[readings[4].digest]}
    service.requests[readings[4].digest] |= {"status": "committed", "final": False}
    assert agent.follow() == 2
    assert agent.unsent() == [readings[5]]


def test_follow__when_the_reading_was_rejected__keeps_its_reason(agent: DeviceAgent, service: Simulator) -> None:
    reading = agent.record(SLOT, 250, 0)
    agent.send()
    service.requests[reading.digest] |= {"status": "rejected", "reason": "DeviceRevoked", "final": True}
    assert agent.follow() == 0
    assert [(r.digest, r.reason) for r in agent.rejected()] == [(reading.digest, "DeviceRevoked")]


_WRITER = """
import sys
from pathlib import Path
from gridweave.client.queue import QueuedReading, ReadingQueue
queue = ReadingQueue(Path(sys.argv[1]), b"d" * 32)
for slot in range(100000):
    queue.add(QueuedReading(1, slot, 1, slot, 0, b"s" * 64, f"0x{slot:064x}"))
    print(slot, flush=True)
"""


def test_add__when_the_process_is_killed__all_that_it_said_is_on_disk(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, tmp_path / "q.db"], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    said = [int(writer.stdout.readline()) for _ in range(25)]
    os.kill(writer.pid, signal.SIGKILL)
    said += [int(line) for line in writer.stdout.read().splitlines() if line.isdigit()]
    writer.stdout.close()
    writer.wait()
    queue = ReadingQueue(tmp_path / "q.db", b"d" * 32)
    kept = {reading.slot for reading in queue.in_state("signed")}
    queue.close()
    assert set(said) <= kept


def test_add__given_two_programs_on_one_file__keeps_the_first_reading(tmp_path: Path) -> None:
    one, two = (ReadingQueue(tmp_path / "q.db", b"d" * 32) for _ in range(2))
    first = QueuedReading(1, SLOT, 1, 10, 0, b"a" * 64, "0x01")
    assert one.add(first) == first
    assert two.add(QueuedReading(1, SLOT, 1, 11, 0, b"b" * 64, "0x02")) == first
    one.close()
    two.close()


def test_find__given_another_deployments_domain__does_not_mix(tmp_path: Path) -> None:
    here, there = ReadingQueue(tmp_path / "q.db", b"a" * 32), ReadingQueue(tmp_path / "q.db", b"b" * 32)
    here.add(QueuedReading(1, SLOT, 1, 10, 0, b"a" * 64, "0x01"))
    assert there.find(1, SLOT, 1) is None
    here.close()
    there.close()
