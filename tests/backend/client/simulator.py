"""The service as a signer meets it, in memory: it checks signatures, acknowledges, and can be told to be difficult."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from gridweave.domain import signatures
from gridweave.domain.acknowledgements import Acknowledgement
from gridweave.domain.eip712 import Domain, Message, digest
from gridweave.domain.orders import Cancel, Order, Side
from gridweave.domain.readings import Reading

RELAYER_KEY = b"\x07" * 32
CHAIN_ID = 2_000_000_123
CONTRACTS = {
    name: f"0x{place:040x}"
    for place, name in enumerate(
        ("LocalCurrency", "Vault", "DeviceRegistry", "DERRegistry", "MeterLedger", "EnergyAuction", "RelayerBond"),
        start=0xA1,
    )
}
SPONSOR = "0x" + "5A" * 20


def domain(contract: str) -> Domain:
    return Domain.of(contract, CHAIN_ID, CONTRACTS[contract])


@dataclass
class Simulator:
    """`accounts` maps a meter to the address that must sign its orders. `seen` keeps every request body as text."""

    accounts: dict[int, str] = field(default_factory=dict)
    relayer_key: bytes = RELAYER_KEY
    chain_time: int = 1_465_509_600
    seen: list[str] = field(default_factory=list)
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: dict[tuple[int, int], list[dict[str, Any]]] = field(default_factory=dict)
    recorded: list[dict[str, Any]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    before: Callable[[httpx.Request], httpx.Response | None] = lambda _: None
    mangle: Callable[[dict[str, Any]], dict[str, Any]] = lambda item: item

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self.handle))

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request.content.decode())
        early = self.before(request)
        if early is not None:
            return early
        path, body = request.url.path, json.loads(request.content or b"{}")
        if request.method == "GET":
            return self._get(path, dict(request.url.params))
        items = {"/v1/orders": self._order, "/v1/cancels": self._cancel, "/v1/readings": self._reading}
        if path in items:
            answers = [items[path](entry) for entry in body[path.rsplit("/", 1)[1]]]
            failed = [answer for answer in answers if "error" in answer]
            status = 202 if not failed else 207 if len(failed) < len(answers) else 422
            return httpx.Response(status, json={"items": answers})
        return _error(404, "NotFound", "no such route")

    def _get(self, path: str, params: dict[str, str]) -> httpx.Response:
        if path == "/v1/deployment":
            return httpx.Response(200, json=self._deployment())
        if path == "/v1/orders":
            return httpx.Response(200, json={"items": self.orders.get((int(params["meter"]), int(params["slot"])), [])})
        if path == "/v1/readings":
            return httpx.Response(200, json={"items": self.recorded, "nextCursor": None})
        if path.startswith("/v1/requests/"):
            found = self.requests.get(path.rsplit("/", 1)[1])
            return httpx.Response(200, json=found) if found else _error(404, "UnknownRequest", "never seen")
        return _error(404, "NotFound", "no such route")

    def _deployment(self) -> dict[str, Any]:
        return {
            "chainId": CHAIN_ID,
            "genesisHash": "0x" + "11" * 32,
            "slotLength": 900,
            "horizon": 192,
            "contracts": {name: {"address": address} for name, address in CONTRACTS.items()},
            "finalityDepth": 2,
            "commitMargin": 30,
            "relayer": signatures.address_of(RELAYER_KEY),
            "chainTime": self.chain_time,
            "blockNumber": 7,
        }

    def _order(self, raw: dict[str, Any]) -> dict[str, Any]:
        side = {"bid": Side.BID, "ask": Side.ASK}[raw["side"]]
        order = Order(*_place(raw), side, raw["energyWh"], raw["limitPriceMicroPerKwh"])
        answer = self._signed_by_account(order, raw["signature"])
        if "error" not in answer:
            line = {"id": answer["id"], "version": order.version, "status": "committed"}
            self.orders.setdefault((order.meter, order.slot), []).append(line)
        return answer

    def _cancel(self, raw: dict[str, Any]) -> dict[str, Any]:
        return self._signed_by_account(Cancel(*_place(raw)), raw["signature"])

    def _signed_by_account(self, act: Order | Cancel, signature: str) -> dict[str, Any]:
        hash_ = digest(domain("EnergyAuction"), act)
        if signatures.recover(hash_, bytes.fromhex(signature[2:])) != self.accounts.get(act.meter):
            return _refused(hash_, "WrongSigner")
        return self._accept(hash_, signature)

    def _reading(self, raw: dict[str, Any]) -> dict[str, Any]:
        reading = Reading(raw["meter"], raw["slot"], raw["version"], raw["importWh"], raw["exportWh"])
        hash_ = digest(domain("MeterLedger"), reading)
        reason = self.refuse.get(str(reading.slot))
        return _refused(hash_, reason) if reason else self._accept(hash_, raw["signature"])

    def _accept(self, hash_: bytes, signed: str) -> dict[str, Any]:
        id_, closes = "0x" + hash_.hex(), self.chain_time + 600
        promise: Message = Acknowledgement.of(hash_, bytes.fromhex(signed[2:]), SPONSOR, closes)
        signature = signatures.sign_compact(self.relayer_key, digest(domain("RelayerBond"), promise))
        self.requests.setdefault(id_, {"id": id_, "status": "accepted", "final": False, "reason": None})
        told = {"commitBefore": closes, "acknowledgement": "0x" + signature.hex(), "sponsor": SPONSOR}
        answer = {"id": id_, "status": "accepted", **told}
        return self.mangle(answer)


def _place(raw: dict[str, Any]) -> tuple[int, int, int, int, int]:
    return raw["market"], raw["slot"], raw["meter"], raw["version"], raw["deadline"]


def _refused(hash_: bytes, name: str) -> dict[str, Any]:
    return {"id": "0x" + hash_.hex(), "error": {"name": name, "message": "sign it otherwise", "args": {}}}


def _error(status: int, name: str, message: str) -> httpx.Response:
    body = {"error": {"name": name, "message": message, "args": {"a": 1}}, "requestId": "r-1"}
    return httpx.Response(status, json=body)
