"""A node that lies: the real one behind it, and one thing in its answers changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

from gridweave.chain import Node

Lie = Callable[[str, list[Any], Any], Any]
"""Takes a method, its parameters and the true result; returns what the node says."""

RawLog = dict[str, Any]


class Liar:
    """Answers from what the real node once said, asking it for the rest, and passes every result through `lie`.

    `answers` keeps true results as JSON by question; it may be shared for as long as the chain stands still.
    """

    def __init__(self, url: str, lie: Lie, answers: dict[str, str]) -> None:
        self._url, self._lie, self._answers = url, lie, answers

    async def post(self, content: bytes) -> tuple[int, bytes]:
        asked = json.loads(content)
        items = asked if isinstance(asked, list) else [asked]
        await self._ask([item for item in items if _question(item) not in self._answers])
        said = [self._answer(item) for item in items]
        return 200, json.dumps(said if isinstance(asked, list) else said[0]).encode()

    async def _ask(self, items: list[dict[str, Any]]) -> None:
        if not items:
            return
        async with httpx.AsyncClient(trust_env=False, timeout=60.0) as http:
            response = await http.post(self._url, json=items)
        by_id = {item["id"]: item for item in response.json()}
        for item in items:
            said = by_id[item["id"]]
            self._answers[_question(item)] = json.dumps({key: said[key] for key in said if key != "id"})

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        said = json.loads(self._answers[_question(asked)])
        if "result" in said:
            said["result"] = self._lie(asked["method"], asked["params"], said["result"])
        return {**said, "id": asked["id"]}


def _question(asked: dict[str, Any]) -> str:
    return json.dumps([asked["method"], asked["params"]])


def lying_node(url: str, lie: Lie, answers: dict[str, str]) -> Node:
    """A node at `url` that tells this lie."""
    return Node(url, timeout=60.0, post=Liar(url, lie, answers).post)


def honest(method: str, params: list[Any], result: Any) -> Any:
    """No lie."""
    return result


def about_logs(change: Callable[[list[RawLog]], list[RawLog]]) -> Lie:
    """A lie about every list of logs."""

    def lie(method: str, params: list[Any], result: Any) -> Any:
        return change(result) if method == "eth_getLogs" else result

    return lie


def about_input(transaction: str, change: Callable[[bytes], bytes]) -> Lie:
    """A lie about what one transaction asked."""

    def lie(method: str, params: list[Any], result: Any) -> Any:
        entries: list[Any] = []
        if method == "eth_getBlockByNumber" and isinstance(result, dict):
            entries = [entry for entry in result["transactions"] if isinstance(entry, dict)]
        elif method == "eth_getTransactionByHash" and result:
            entries = [result]
        for entry in entries:
            if entry["hash"] == transaction:
                entry["input"] = "0x" + change(bytes.fromhex(entry["input"][2:])).hex()
        return result

    return lie


def about_call(to: str, data: str, change: Callable[[bytes], bytes]) -> Lie:
    """A lie about what one eth_call returns."""

    def lie(method: str, params: list[Any], result: Any) -> Any:
        if method == "eth_call" and params[0]["to"].lower() == to.lower() and params[0]["data"] == data:
            return "0x" + change(bytes.fromhex(result[2:])).hex()
        return result

    return lie


def flip(word: bytes, bit: int = 0) -> bytes:
    """A 32-byte word with one bit changed, counted from the least significant."""
    return (int.from_bytes(word, "big") ^ 1 << bit).to_bytes(32, "big")


def is_at(log: RawLog, block: int, index: int) -> bool:
    """Whether the log stands there."""
    return (int(log["blockNumber"], 16), int(log["logIndex"], 16)) == (block, index)
