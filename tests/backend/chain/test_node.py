"""Node against a simulated neighbour: order, batches and every kind of failure."""

from __future__ import annotations

import asyncio
import gzip
import json
import traceback
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest

from gridweave.chain import (
    MAX_TRANSACTION_GAS,
    AnswerTooLarge,
    BlockNotAvailable,
    Call,
    GasAboveCap,
    Node,
    NodeError,
    NodeUnavailable,
    Reverted,
)
from tests.backend.chain.simulated import Refusal, SimulatedNode

HOME = "0x" + "11" * 20


def _refuses(**error):
    def answer(*_):
        raise Refusal({"code": -32000, "message": "no", **error})

    return answer


def _answering(status: int, text: str) -> Node:
    async def post(_: bytes) -> tuple[int, bytes]:
        return status, text.encode()

    return Node("http://node.test", post=post)


@asynccontextmanager
async def _neighbour(says: bytes | None, most: int = 1_000) -> AsyncIterator[Node]:
    """A node on a socket that says so much after it was asked, and hangs up; None: it never says anything."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if says is not None:
            writer.write(says)
            writer.close()
        await reader.read()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Node(f"http://127.0.0.1:{port}/secret", timeout=0.3, most=most) as node:
        yield node


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (None, "no answer in time"),
        (b"", "ServerDisconnectedError|reset"),
        (b"220 mail.test ESMTP\r\n", "ClientResponseError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "ClientPayloadError"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "HTTP 302"),
    ],
)
async def test_request__to_what_is_no_node__is_node_unavailable(says: bytes | None, why: str) -> None:
    async with _neighbour(says) as node:
        with pytest.raises(NodeUnavailable, match=why) as raised:
            await node.block_number()
    assert "secret" not in str(raised.value)


_ONE = b'{"jsonrpc": "2.0", "id": 1, "result": "0x10"}'


@pytest.mark.parametrize("said", [b"Content-Length: %d", b"Connection: close"], ids=["length", "no length"])
async def test_request__given_an_answer_as_long_as_may_be__is_read(said: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\n" + (said % len(_ONE) if b"%" in said else said) + b"\r\n\r\n"
    async with _neighbour(head + _ONE, most=len(_ONE)) as node:
        assert await node.block_number() == 16
    async with _neighbour(head + _ONE, most=len(_ONE) - 1) as node:
        with pytest.raises(AnswerTooLarge, match="more than 44 bytes; ask for less"):
            await node.block_number()


async def test_request__given_a_small_answer_that_unpacks_to_a_large_one__is_too_large() -> None:
    packed = gzip.compress(b'{"jsonrpc": "2.0", "id": 1, "result": "0x10"' + b" " * 5_000_000 + b"}")
    assert len(packed) < 10_000
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    async with _neighbour(head + packed, most=100_000) as node:
        with pytest.raises(AnswerTooLarge) as raised:
            await node.request("eth_blockNumber")
    assert raised.value.most == 100_000
    assert isinstance(raised.value, NodeError) and raised.value.is_of_the_moment


@pytest.mark.parametrize(
    ("url", "why"), [("http://127.0.0.1:1", "connection refused"), ("http://none.invalid", "host")]
)
async def test_request__to_nobody__is_node_unavailable(url: str, why: str) -> None:
    async with Node(url) as node:
        with pytest.raises(NodeUnavailable, match=why):
            await node.block_number()


@pytest.mark.parametrize(("status", "text"), [(503, "busy"), (429, '{"detail": "slow down"}'), (200, "<html>")])
async def test_request__given_no_answer__is_node_unavailable(status: int, text: str) -> None:
    with pytest.raises(NodeUnavailable):
        await _answering(status, text).block_number()


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"status": "maintenance"}',
        '{"jsonrpc": "2.0", "id": 1, "result": null}',
        '{"jsonrpc": "2.0", "id": 1, "result": "0x"}',
        '{"jsonrpc": "2.0", "id": 1, "result": {"number": "0x1"}}',
        "[]",
        "[null]",
        '[{"id": [1]}]',
    ],
)
async def test_reads__given_json_that_no_node_says__are_node_unavailable(text: str) -> None:
    """As a proxy says it before a node that is away: a nonce or balance of 0 would be believed."""
    node = _answering(200, text)
    reads: list[Awaitable[object]] = [
        node.head(),
        node.block_number(),
        node.nonce(HOME),
        node.balance(HOME),
        node.logs(1, 2),
    ]
    if not text.startswith('{"jsonrpc"'):
        reads += [node.blocks([1]), node.receipts([bytes(32)]), node.codes([HOME])]
    for read in reads:
        with pytest.raises(NodeUnavailable):
            await read


async def test_request__given_an_error_with_http_500__is_the_nodes_refusal():
    body = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "method not found"}}
    with pytest.raises(NodeError) as raised:
        await _answering(500, json.dumps(body)).block_number()
    assert (raised.value.code, raised.value.message) == (-32601, "method not found")


async def test_request__given_a_url_with_a_secret__keeps_it_out_of_the_message():
    async with Node("http://user:secret@127.0.0.1:1/key") as node:
        with pytest.raises(NodeUnavailable) as raised:
            await node.block_number()
    assert "secret" not in str(raised.value)
    assert "key" not in str(raised.value)


@pytest.mark.parametrize("url", ["http://user:s3cret/key@node.test", "http://user:s3cret@[node.test"])
def test_node__given_a_url_that_is_none__shows_no_piece_of_it(url):
    with pytest.raises(NodeUnavailable, match="no address of a node") as raised:
        Node(url)
    assert "s3cret" not in "".join(traceback.format_exception(raised.value))


async def test_batch__given_answers_in_another_order__returns_them_as_asked():
    node = SimulatedNode({"eth_getBalance": lambda address, tag: address}).node()
    asked = [("eth_getBalance", [f"0x{n:x}", "latest"]) for n in range(250)]
    assert await node.batch(asked) == [f"0x{n:x}" for n in range(250)]


async def test_batch__given_more_than_a_post_holds__splits_it():
    simulated = SimulatedNode({"eth_sendRawTransaction": lambda raw: raw[:66]})
    await simulated.node().send_raws([bytes(400_000)] * 6)
    assert [len(post) for post in simulated.posts] == [1] * 6
    simulated.posts.clear()
    await simulated.node().send_raws([bytes(32)] * 101)
    assert [len(post) for post in simulated.posts] == [100, 1]


async def test_calls__given_one_that_reverts__fails_alone():
    def answer(call, tag):
        if call["data"] == "0x01":
            raise Refusal({"code": 3, "message": "execution reverted", "data": "0x1f2a2005"})
        return "0x2a"

    first, second = await SimulatedNode({"eth_call": answer}).node().calls([Call(HOME, b"\1"), Call(HOME, b"\2")])
    assert isinstance(first, Reverted)
    assert first.selector == bytes.fromhex("1f2a2005")
    assert second == b"*"


async def test_call__given_a_block__is_pinned_to_its_number():
    tags = []
    node = SimulatedNode({"eth_call": lambda call, tag: tags.append(tag) or "0x"}).node()
    await node.call(Call(HOME, b""), block=255)
    await node.call(Call(HOME, b""))
    assert tags == ["0xff", "latest"]


@pytest.mark.parametrize(
    "message", ["header not found", "BlockOutOfRangeError: block height is 3 but requested was 1", "Unknown block"]
)
async def test_call__given_a_block_the_node_no_longer_has__says_so(message):
    node = SimulatedNode({"eth_call": _refuses(message=message)}).node()
    with pytest.raises(BlockNotAvailable):
        await node.call(Call(HOME, b""), block=1)


async def test_gas__given_an_estimate__adds_a_quarter():
    node = SimulatedNode({"eth_estimateGas": lambda call, tag: hex(100_000)}).node()
    assert await node.gas(Call(HOME, b""), sender=HOME) == 125_000


async def test_gas__given_an_estimate_near_the_cap__stops_at_the_cap():
    node = SimulatedNode({"eth_estimateGas": lambda call, tag: hex(MAX_TRANSACTION_GAS - 1)}).node()
    assert await node.gas(Call(HOME, b""), sender=HOME) == MAX_TRANSACTION_GAS


async def test_gas__given_an_estimate_above_the_cap__refuses():
    node = SimulatedNode({"eth_estimateGas": lambda call, tag: hex(MAX_TRANSACTION_GAS + 1)}).node()
    with pytest.raises(GasAboveCap):
        await node.gas(Call(HOME, b""), sender=HOME)


@pytest.mark.parametrize(
    ("message", "flag"),
    [
        ("already known", "already_known"),
        ("transaction already imported", "already_known"),
        ("nonce too low: next nonce 3, tx nonce 2", "nonce_too_low"),
        ("replacement transaction underpriced", "underpriced"),
        ("max fee per gas less than block base fee", "underpriced"),
        ("Insufficient funds for gas * price + value", "insufficient_funds"),
    ],
)
async def test_send_raw__given_a_refusal__names_its_kind(message, flag):
    node = SimulatedNode({"eth_sendRawTransaction": _refuses(message=message)}).node()
    with pytest.raises(NodeError) as raised:
        await node.send_raw(b"\2")
    kinds = ("already_known", "nonce_too_low", "underpriced", "insufficient_funds")
    assert [kind for kind in kinds if getattr(raised.value, kind)] == [flag]


async def test_logs__given_a_long_range__asks_for_stretches_that_every_node_serves():
    simulated = SimulatedNode({"eth_getLogs": lambda asked: []})
    assert await simulated.node().logs(7, 2_500, [HOME], [b"\1" * 32], [None, b"\2" * 32]) == []
    asked = [post["params"][0] for post in simulated.posts]
    ranges = [(int(each["fromBlock"], 16), int(each["toBlock"], 16)) for each in asked]
    assert ranges == [(7, 1_006), (1_007, 2_006), (2_007, 2_500)]
    assert all(each["topics"] == [["0x" + "01" * 32], None, "0x" + "02" * 32] for each in asked)


async def test_receipt__given_none_yet__is_none():
    assert await SimulatedNode({"eth_getTransactionReceipt": lambda hash_: None}).node().receipt(bytes(32)) is None


async def test_wait_for_receipt__given_a_transaction_that_is_never_mined__times_out():
    node = SimulatedNode({"eth_getTransactionReceipt": lambda hash_: None}).node()
    with pytest.raises(TimeoutError):
        await node.wait_for_receipt(bytes(32), within=0.05, poll=0.01)
