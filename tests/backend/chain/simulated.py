"""A node that answers from a table: method -> function of the parameters."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from gridweave.chain import Node

Answer = Callable[..., Any]


class Refusal(Exception):
    """Raised by an answer: becomes the JSON-RPC error member."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(str(error))
        self.error = error


class SimulatedNode:
    """Counts posts and keeps every request that it answered."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = answers
        self.posts: list[Any] = []

    def node(self) -> Node:
        return Node("http://node.test", post=self._post)

    async def _post(self, content: bytes) -> tuple[int, bytes]:
        asked = json.loads(content)
        self.posts.append(asked)
        if isinstance(asked, list):  # batches may come back in any order
            return 200, json.dumps([self._answer(each) for each in reversed(asked)]).encode()
        return 200, json.dumps(self._answer(asked)).encode()

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            result = self.answers[asked["method"]](*asked["params"])
        except Refusal as refusal:
            return {"jsonrpc": "2.0", "id": asked["id"], "error": refusal.error}
        return {"jsonrpc": "2.0", "id": asked["id"], "result": result}
