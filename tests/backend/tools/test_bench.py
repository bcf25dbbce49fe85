"""What is kept agrees: results, docs and gas snapshot. No test here measures time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import ValidationError

import bench
import gas
from benchmark.figures import NAMES, Figure, load, percentile, save
from benchmark.gas import IN_CODE, gas_figures
from benchmark.page import PAGE
from benchmark.rivals import RIVALS, read_rivals
from benchmark.speed.generator import Unanswered, post_all, request
from gridweave.outbox.gas_model import GasModel

SNAPSHOT = json.loads((gas.SNAPSHOTS / "gas.json").read_text())


@asynccontextmanager
async def answering(status: str) -> AsyncIterator[str]:
    """A server that answers every request with its body and this status."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                length = int(head.rpartition("content-length:")[2])
                body = await reader.readexactly(length)
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n".encode() + body)
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/orders"


def test_faults__as_committed__are_none():
    assert bench.faults(load(), SNAPSHOT, PAGE.read_text()) == []


def test_faults__a_cheaper_order_than_the_snapshots__is_named():
    figures = load()
    figures["gas.place.batch100"] = figures["gas.place.batch100"].model_copy(update={"value": 1})
    found = bench.faults(figures, SNAPSHOT, PAGE.read_text())
    assert any("gas.place.batch100 is 1, the gas snapshot says" in fault for fault in found)
    assert any("shows other figures" in fault for fault in found)


def test_faults__a_figure_missing__is_named():
    figures = load()
    del figures["readings.paid_per_s"]
    assert "results.json lacks readings.paid_per_s" in bench.faults(figures, SNAPSHOT, PAGE.read_text())


def test_load__as_committed__has_every_name_in_order_and_ratios_of_their_limits():
    figures = load()
    assert tuple(figures) == NAMES
    for name, figure in figures.items():
        assert (figure.limit is None) == (figure.ratio is None)
        assert figure.limit is None or not name.startswith(bench.EXACT)
        assert figure.limit is None or figure.ratio == pytest.approx(figure.value / figure.limit, rel=0.02)


def test_load__what_was_saved__comes_back(tmp_path):
    figures = {"homes.per_chain": Figure(value=3, unit="homes", note="few")}
    save(figures, tmp_path / "results.json")
    assert load(tmp_path / "results.json") == figures


def test_load__a_figure_with_more_than_its_fields__is_refused(tmp_path):
    (tmp_path / "results.json").write_text('{"gas.clear.10": {"value": 1, "unit": "gas", "note": "", "best": true}}')
    with pytest.raises(ValidationError, match="best"):
        load(tmp_path / "results.json")


def test_gas_figures__of_a_snapshot__weigh_a_words_slots_and_add_up():
    sentences = dict.fromkeys(SNAPSHOT, 0) | {
        "a reading of a batch of 100, the first of its word, secp256k1": 80_000,
        "a reading of a batch of 100, a later one of its word, secp256k1": 40_000,
        "an order of a batch of 100 on fresh storage": 50_000,
        "an order of a batch of 100 in reused words": 30_000,
        "clearing 100 orders": 100_000,
    }
    figures = gas_figures(sentences)
    assert figures["gas.settle.secp256k1.batch100"].value == 45_000
    assert figures["gas.life.n100"].value == 50_000 + 1_000 + 45_000
    assert figures["gas.life.n100.reused"].value == 30_000 + 1_000 + 45_000
    assert figures["homes.per_chain"].value == 30_000_000 * 180 // 76_000


def test_in_code__as_the_service_batches__is_what_was_measured():
    assert GasModel(p256_in_code=True).capacity("reading", 0) == IN_CODE


def test_read_rivals__as_committed__are_every_system_that_is_told_of():
    systems = {rival.system for rival in read_rivals()}
    assert systems >= {"Communitas", "gnosis EasyAuction", "CoW GPv2", "TRANSAX", "lemlab"}
    assert systems >= {"ERC-1056 ethr-did", "EAS", "ioID"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"low": 99_000_000}, "is above high"),
        ({"act": "guess"}, "act"),
        ({"basis": "heard"}, "basis"),
        ({"source": ""}, "source"),
        ({"link": "somewhere"}, "link"),
    ],
)
def test_read_rivals__a_wrong_entry__is_refused(tmp_path, change, says):
    entries = json.loads(RIVALS.read_text())
    (tmp_path / "rivals.json").write_text(json.dumps([entries[0] | change]))
    with pytest.raises(ValidationError, match=says):
        read_rivals(tmp_path / "rivals.json")


def test_read_rivals__two_figures_for_one_act__are_refused(tmp_path):
    entries = json.loads(RIVALS.read_text())
    (tmp_path / "rivals.json").write_text(json.dumps([entries[0], entries[0]]))
    with pytest.raises(ValueError, match="two figures"):
        read_rivals(tmp_path / "rivals.json")


async def test_post_all__many_requests_over_few_hands__gives_each_its_own_answer():
    async with answering("202 Accepted") as url:
        answered = await post_all(url, [request(url, {"number": number}) for number in range(50)], hands=4)
    assert [json.loads(body)["number"] for body in answered.bodies] == list(range(50))
    assert len(answered.waits) == 50
    assert 0 < sum(answered.waits) <= 4 * answered.seconds, "each of four hands waits no longer than all took"


def test_percentile__of_a_hundred_values__is_the_one_that_so_many_do_not_exceed():
    values = list(range(100, 0, -1))
    assert [percentile(values, share) for share in (1, 50, 99, 100)] == [1, 50, 99, 100]
    assert percentile([7.0], 99) == 7.0


async def test_post_all__an_answer_that_is_no_202__fails():
    async with answering("409 Conflict") as url:
        with pytest.raises(ExceptionGroup) as failed:
            await post_all(url, [request(url, {})], hands=1)
    assert failed.group_contains(Unanswered, match="409")
