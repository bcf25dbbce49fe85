"""A node from before EIP-1559: a proxy over HTTP in front of a real Anvil, which hides what such nodes lack.

It does not know newer methods and tags, takes no typed transactions, and shows headers without a base fee, with the 97
bytes of extra data that proof of authority writes, and receipts without an effective price. It remembers what it was
asked for and what it refused.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from gridweave.chain import Block, NetworkProfile, Node, find_network
from gridweave.deployment import Deployment
from gridweave.localnet import Clock, Localnet, localnet
from tests.support.chains import deploy_on

UNKNOWN_METHODS = frozenset(
    {
        "eth_blobBaseFee",
        "eth_createAccessList",
        "eth_feeHistory",
        "eth_getBlockReceipts",
        "eth_getProof",
        "eth_maxPriorityFeePerGas",
        "eth_simulateV1",
    }
)
UNKNOWN_TAGS = frozenset({"finalized", "pending", "safe"})
HIDDEN_FIELDS = frozenset(
    {
        "accessList",
        "baseFeePerGas",
        "blobGasUsed",
        "effectiveGasPrice",
        "excessBlobGas",
        "maxFeePerGas",
        "maxPriorityFeePerGas",
        "parentBeaconBlockRoot",
        "requestsHash",
        "type",
        "withdrawals",
        "withdrawalsRoot",
        "yParity",
    }
)
EXTRA_DATA = "0x" + "ab" * 97
LEGACY_FIRST_BYTE = 0xC0
"""A legacy transaction is an RLP list, whose first byte is this or higher; a typed one begins with its type."""

NETWORKS = """
[before-1559]
about = "what the proxy shows"
evm = "london"
finality_depth = 4
fee_rule = "auto"
priority_fee_wei = 0
gas_price_wei = 2_000_000_000
"""


class LegacyProxy:
    """The proxy at `url`, and its memory. Made by `legacy_proxy`."""

    def __init__(self, node_url: str) -> None:
        self.asked: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._http = httpx.Client(base_url=node_url, timeout=60.0, trust_env=False)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._http.close()

    def answer(self, body: bytes) -> bytes:
        """What such a node answers to a request or a batch."""
        content = json.loads(body)
        answers = [self._one(request) for request in (content if isinstance(content, list) else [content])]
        return json.dumps(answers if isinstance(content, list) else answers[0]).encode()

    def _one(self, request: dict[str, Any]) -> dict[str, Any]:
        method, params = request["method"], request.get("params", [])
        self.asked[method] += 1
        fault = _fault_of(method, params)
        if fault:
            self.refused[fault[1]] += 1
            return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": fault[0], "message": fault[1]}}
        answer: dict[str, Any] = self._http.post("", json=request).json()
        if "result" in answer:
            answer["result"] = _as_of_old(answer["result"])
        return answer


class LegacyChain:
    """A local chain as it looks through the proxy; only the making of blocks goes past it. See TownChain."""

    def __init__(self, inner: Localnet, proxy: LegacyProxy, networks: Path) -> None:
        self.home, self.keys, self.chain_id = inner.home, inner.keys, inner.chain_id
        self.url, self.networks = proxy.url, networks
        self.node = Node(proxy.url, timeout=60.0)
        self._inner = inner

    def profile(self) -> NetworkProfile:
        return find_network("before-1559", self.networks).profile(self.chain_id)

    async def mine(self, timestamp: int | None = None) -> Block:
        await self._inner.mine(timestamp)
        return await self.node.head()

    async def deploy(self, *, slot_length: int = 900) -> Deployment:
        return await deploy_on(self, slot_length)


@contextmanager
def legacy_proxy(node_url: str) -> Iterator[LegacyProxy]:
    """A proxy in front of the node, for the length of a block."""
    proxy = LegacyProxy(node_url)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


@asynccontextmanager
async def legacy_chain(path: Path, genesis_time: int) -> AsyncIterator[tuple[LegacyChain, LegacyProxy]]:
    """A chain of its own behind a proxy, with a file of networks that describes it, for the length of a block."""
    async with localnet(path, clock=Clock.MANUAL, genesis_time=genesis_time) as inner:
        networks = path / "networks.toml"
        networks.write_text(NETWORKS)
        with legacy_proxy(inner.url) as proxy:
            chain = LegacyChain(inner, proxy, networks)
            try:
                yield chain, proxy
            finally:
                await chain.node.aclose()


def _fault_of(method: str, params: list[Any]) -> tuple[int, str] | None:
    """Why such a node refuses: code and message."""
    if method in UNKNOWN_METHODS:
        return -32601, f"the method {method} does not exist/is not available"
    for tag in sorted(UNKNOWN_TAGS & set(_texts(params))):
        return -32602, f"invalid argument: unknown block {tag}"
    if method == "eth_sendRawTransaction" and int(params[0][2:4], 16) < LEGACY_FIRST_BYTE:
        return -32000, "transaction type not supported"
    if method in ("eth_call", "eth_estimateGas") and HIDDEN_FIELDS & params[0].keys():
        return -32602, "invalid argument: unknown field of the call"
    return None


def _texts(value: Any) -> Iterator[str]:
    """Every text in the parameters, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _as_of_old(result: Any) -> Any:
    """An answer without what is newer than such a node."""
    if isinstance(result, list):
        return [_as_of_old(entry) for entry in result]
    if not isinstance(result, dict):
        return result
    kept = {name: _as_of_old(value) for name, value in result.items() if name not in HIDDEN_FIELDS}
    return kept | ({"extraData": EXTRA_DATA} if "extraData" in kept else {})


def _handler_of(proxy: LegacyProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            answer = proxy.answer(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
