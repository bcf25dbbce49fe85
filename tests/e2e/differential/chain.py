"""A chain of this test's own: anvil on a free port, told when to mine and at what time, driven without async."""

from __future__ import annotations

import itertools
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from gridweave.chain.types import Call, Log

ROOT = Path(__file__).resolve().parents[3]
TRANSACTION_GAS = 16_000_000
"""Under the cap of 16,777,216 that every transaction must keep."""

_START_SECONDS = 30.0
_BATCH = 400
Json = dict[str, Any]


class Failed(AssertionError):
    """The node refused what the test asked."""


class Mined:
    """A mined transaction: whether it succeeded, its logs, its gas."""

    def __init__(self, raw: Json) -> None:
        self.succeeded = int(raw["status"], 16) == 1
        self.hash = raw["transactionHash"]
        self.gas_used = int(raw["gasUsed"], 16)
        self.created = raw.get("contractAddress")
        self.logs = [Log.parse(log) for log in raw["logs"]]


class Chain:
    """Use as a context. `sender`, an account of the node's own, sends everything."""

    def __init__(self, timestamp: int) -> None:
        self._ids = itertools.count(1)
        self._port = _free_port()
        command = [
            *(str(_anvil()), "--port", str(self._port), "--chain-id", str(31_000 + self._port % 1_000)),
            *("--timestamp", str(timestamp), "--no-mining", "--order", "fifo", "--accounts", "1"),
            *("--disable-block-gas-limit", "--base-fee", "0", "--gas-price", "0"),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{self._port}", timeout=300.0)
        self.chain_id = 31_000 + self._port % 1_000
        self.now = timestamp
        self.sender = ""
        self._nonce = 0

    def __enter__(self) -> Chain:
        deadline = time.monotonic() + _START_SECONDS
        while not self.sender:
            try:
                self.sender = self.rpc("eth_accounts")[0]
            except httpx.TransportError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self._process.terminate()
        self._process.wait(10)

    def rpc(self, method: str, *params: Any) -> Any:
        """The result of one call. Raises Failed."""
        (result,) = self.batch([(method, list(params))])
        return result

    def batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """The results of many calls, in order. Raises Failed for the first that the node refuses."""
        results: list[Any] = []
        for start in range(0, len(calls), _BATCH):
            chunk = calls[start : start + _BATCH]
            body = [{"jsonrpc": "2.0", "id": next(self._ids), "method": m, "params": p} for m, p in chunk]
            answers = {answer["id"]: answer for answer in self._http.post("/", json=body).json()}
            for request in body:
                answer = answers[request["id"]]
                if "error" in answer:
                    raise Failed(f"{request['method']}: {answer['error']}")
                results.append(answer["result"])
        return results

    def view(self, calls: Sequence[Call]) -> list[bytes]:
        """What the calls answer at the newest block."""
        answers = self.batch([("eth_call", [{"from": self.sender, **call.rpc()}, "latest"]) for call in calls])
        return [bytes.fromhex(answer[2:]) for answer in answers]

    def mine(self, calls: Sequence[Call], now: int | None = None) -> list[Mined]:
        """Mines the calls, in order, in one block at `now` (default: a second later)."""
        self.now = now or self.now + 1
        sends = [("eth_sendTransaction", [self._transaction(call)]) for call in calls]
        hashes = self.batch(sends)
        self.rpc("evm_mine", {"timestamp": hex(self.now)})
        receipts = self.batch([("eth_getTransactionReceipt", [hash_]) for hash_ in hashes])
        return [Mined(receipt) for receipt in receipts]

    def must(self, calls: Sequence[Call]) -> list[Mined]:
        """Mines calls that must all succeed. Raises Failed."""
        mined = self.mine(calls)
        for each in mined:
            if not each.succeeded:
                raise Failed(f"reverted with 0x{self.revert_of(each).hex()}")
        return mined

    def create(self, code: bytes) -> str:
        """The address of a new contract."""
        (mined,) = self.must([Call(None, code)])
        return str(mined.created)

    def revert_of(self, mined: Mined) -> bytes:
        """What a failed transaction returned."""
        trace = self.rpc("debug_traceTransaction", mined.hash, {"tracer": "callTracer"})
        return bytes.fromhex(trace.get("output", "0x")[2:])

    def _transaction(self, call: Call) -> Json:
        nonce, self._nonce = self._nonce, self._nonce + 1
        fields = {"from": self.sender, "nonce": hex(nonce), "gas": hex(TRANSACTION_GAS), "gasPrice": "0x0"}
        return {**fields, **call.rpc()}


def _anvil() -> Path:
    found = sorted((ROOT / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil*"))
    assert found, "anvil is not installed: run `make setup`"
    return found[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
