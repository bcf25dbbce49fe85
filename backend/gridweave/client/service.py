"""The service's API, call by call. Signing happens elsewhere; nothing secret passes through here."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from gridweave.client.acknowledgement import check_acknowledgement
from gridweave.client.errors import RequestRejected, ServiceError
from gridweave.client.history import EVERYTHING, HistoryFilters
from gridweave.client.transport import Transport
from gridweave.client.wire import Deployment, Item, Json, Signed

__all__ = ["MOST_ITEMS", "Event", "GridweaveClient"]

MOST_ITEMS = 500
"""Items that one request may carry."""


@dataclass(frozen=True)
class Event:
    """One live update: `id` resumes after it, `kind` is order, cleared, settled, block or reorg."""

    id: str
    kind: str
    data: Json


class GridweaveClient:
    """One service. Every answer to a signed request is checked for the relayer's acknowledgement before it is returned.

    Methods raise ServiceError with the service's error name, ServiceUnavailable when all attempts fail, and
    AcknowledgementInvalid.
    """

    def __init__(
        self,
        base_url: str,
        *,
        http: httpx.Client | None = None,
        attempts: int = 6,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transport = Transport(base_url, http=http, attempts=attempts, sleep=sleep)
        self._sleep = sleep
        self._deployment: Deployment | None = None

    def __enter__(self) -> GridweaveClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    @property
    def deployment(self) -> Deployment:
        """Chain and contracts, asked for once: what signatures bind to does not change under a running client."""
        if self._deployment is None:
            self._deployment = Deployment.from_json(self._transport.get("/v1/deployment"))
        return self._deployment

    def chain_time(self) -> int:
        """The newest block's time, seconds."""
        return int(self._transport.get("/v1/deployment")["chainTime"])

    # signed requests

    def post_orders(self, orders: Sequence[Signed]) -> list[Item]:
        """Orders as `wire.order_json` writes them; one answer each, in order. Refusals are answers, not exceptions."""
        return self._post_many("/v1/orders", "orders", orders)

    def post_cancels(self, cancels: Sequence[Signed]) -> list[Item]:
        return self._post_many("/v1/cancels", "cancels", cancels)

    def post_readings(self, readings: Sequence[Signed]) -> list[Item]:
        return self._post_many("/v1/readings", "readings", readings)

    def post(self, path: str, request: Signed) -> Item:
        """One signed act (deposit, withdrawal, enrolment, ...). Raises ServiceError when it is refused."""
        answer = self._transport.post(path, request.body)
        item = Item.from_json(answer["items"][0] if "items" in answer else answer)
        if item.error:
            raise item.error
        check_acknowledgement(item, request, self.deployment)
        return item

    def post_plain(self, path: str, body: Json) -> Json:
        """What is answered at once and not acknowledged. Raises ServiceError."""
        return dict(self._transport.post(path, body))

    # queries

    def get(self, path: str, **params: Any) -> Any:
        """Any query as the API answers it; `from_` stands for `from`."""
        return self._transport.get(path, **params)

    def content(self, path: str) -> bytes:
        """What is answered, byte for byte, where it is no JSON. Raises ServiceError, ServiceUnavailable."""
        return b"".join(self._transport.stream(path))

    def request(self, request_id: str) -> Json:
        """Status of any accepted request: {id, status, reason, final, transaction, block, ...}."""
        return dict(self._transport.get(f"/v1/requests/{request_id}"))

    def order(self, digest: str) -> Json:
        return dict(self._transport.get(f"/v1/orders/{digest}"))

    def orders(self, meter: int, slot: int) -> list[Json]:
        return list(self._transport.get("/v1/orders", meter=meter, slot=slot)["items"])

    def readings(self, meter: int, from_slot: int, to_slot: int) -> list[Json]:
        return list(self._pages("/v1/readings", meter=meter, from_=from_slot, to=to_slot))

    def market(self, market: int) -> Json:
        return dict(self._transport.get(f"/v1/markets/{market}"))

    def slot(self, market: int, slot: int) -> Json:
        return dict(self._transport.get(f"/v1/markets/{market}/slots/{slot}"))

    def book(self, market: int, slot: int) -> Json:
        return dict(self._transport.get(f"/v1/markets/{market}/slots/{slot}/book"))

    def prices(self, market: int, from_slot: int, to_slot: int) -> list[Json]:
        return list(self._pages(f"/v1/markets/{market}/prices", from_=from_slot, to=to_slot))

    def balance(self, market: int, from_slot: int, to_slot: int) -> Json:
        """Slot by slot and in `totals`; what the service answers in parts is put together."""
        path = f"/v1/markets/{market}/balance"
        found = dict(self._transport.get(path, from_=from_slot, to=to_slot))
        while found["more"] is not None:
            part = self._transport.get(path, from_=found["more"], to=to_slot)
            totals = {name: amount + part["totals"][name] for name, amount in found["totals"].items()}
            found |= {**part, "from": from_slot, "slots": found["slots"] + part["slots"], "totals": totals}
        return found

    def arrears(self, market: int) -> Json:
        return dict(self._transport.get(f"/v1/markets/{market}/arrears"))

    def account(self, address: str) -> Json:
        return dict(self._transport.get(f"/v1/accounts/{address}"))

    def bill(self, address: str, **asked: Any) -> Json:
        """The bill of a calendar `period` in a `zone`, or of slots `from_` and `to`, with every line.

        Nothing asked: today, in the service's time zone.
        """
        path = f"/v1/accounts/{address}/bill"
        found = dict(self._transport.get(path, **asked))
        while found["nextCursor"] is not None:
            part = self._transport.get(f"{path}/lines", cursor=found["nextCursor"], **asked)
            found |= {"lines": found["lines"] + part["items"], "nextCursor": part["nextCursor"]}
        return found

    def save_bill(self, address: str, file: Path, form: str, **asked: Any) -> None:
        """Writes the bill to a file as the service sends it, `form` "csv" or "html", whole or not at all."""
        unfinished = file.with_name(f"{file.name}.partial")
        with unfinished.open("wb") as out:
            for part in self._transport.stream(f"/v1/accounts/{address}/bill", format=form, **asked):
                out.write(part)
        unfinished.replace(file)

    def meters(self, *, device: str | None = None, account: str | None = None, market: int | None = None) -> list[Json]:
        return list(self._pages("/v1/meters", device=device, account=account, market=market))

    def assets(self, *, feeder: int | None = None, kind: str | None = None) -> list[Json]:
        """Assets of a feeder, of a kind ("photovoltaic", ...), or all, with what they gave in the newest day."""
        return list(self._pages("/v1/assets", feeder=feeder, kind=kind))

    def asset(self, asset: int, from_slot: int | None = None, to_slot: int | None = None) -> Json:
        """An asset, all that its device said of it, and its figures in these slots; by default of the newest week."""
        return dict(self._transport.get(f"/v1/assets/{asset}", from_=from_slot, to=to_slot))

    def delegations(self, address: str) -> list[Json]:
        """Delegations that the account gave or was given, those that have ended left out."""
        return list(self._transport.get(f"/v1/accounts/{address}/delegations")["items"])

    def compensations(self, relayer: str) -> list[Json]:
        """What was paid for orders that the relayer had acknowledged and left."""
        return list(self._pages("/v1/compensations", relayer=relayer))

    def device(self, device: str) -> Json:
        return dict(self._transport.get(f"/v1/devices/{device}"))

    def device_document(self, device: str, version: int | None = None) -> Json:
        """The device's DID document with its metadata, as it stood in a block (None: now)."""
        return dict(self._transport.get(f"/v1/devices/{device}/did", versionId=version))

    def device_batch(self, root: str) -> Json:
        """A maker's batch."""
        return dict(self._transport.get(f"/v1/device-batches/{root}"))

    def keep_device_key(self, device: str) -> Item:
        """Has the device's P-256 key kept on chain, as a meter's must be. Raises ServiceError."""
        item = Item.from_json(self._transport.post(f"/v1/devices/{device}/kept-key", {}))
        if item.error:
            raise item.error
        return item

    def history(self, filters: HistoryFilters = EVERYTHING) -> Iterator[Json]:
        """Every event that passes, in chain order, fetched page by page.

        ServiceError CursorReorganised when the chain moved back below what was given: its arguments say how far.
        """
        return self._pages("/v1/history", **filters.params())

    def history_page(self, filters: HistoryFilters, limit: int, cursor: str | None = None) -> Json:
        """{items, nextCursor}: only null is the end, a page may be short."""
        return dict(self._transport.get("/v1/history", limit=limit, cursor=cursor, **filters.params()))

    def export_history(self, filters: HistoryFilters, kind: str, cursor: str | None = None) -> Iterator[bytes]:
        """The same as one stream: `kind` is ndjson, csv or parquet. Raises ServiceUnavailable where it breaks off."""
        return self._transport.stream("/v1/history/export", format=kind, cursor=cursor, **filters.params())

    def wait(self, request_id: str, *, timeout_s: float = 30.0, pause_s: float = 0.1) -> Json:
        """The request once it is on chain. Raises RequestRejected, or TimeoutError while it is still on its way."""
        waited = 0.0
        while True:
            state = self.request(request_id)
            if state["status"] == "rejected":
                raise RequestRejected(request_id, str(state.get("reason")))
            if state["status"] != "accepted":
                return state
            if waited >= timeout_s:
                raise TimeoutError(f"{request_id} is still {state['status']} after {timeout_s:g} s; it stays accepted")
            self._sleep(pause_s)
            waited += pause_s

    def events(self, after: str | None = None) -> Iterator[Event]:
        """Live updates; `after` resumes behind an event's id. Ends when the service closes the stream."""
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": after} if after else {})}
        fields: dict[str, str] = {}
        for line in self._transport.lines("/v1/events", headers=headers):
            name, _, value = line.partition(":")
            if line and name:
                value = value.removeprefix(" ")
                fields[name] = f"{fields['data']}\n{value}" if name == "data" and "data" in fields else value
            elif not line and "data" in fields:
                yield Event(fields.get("id", ""), fields.get("event", "message"), json.loads(fields["data"]))
                fields = {}

    def _post_many(self, path: str, name: str, items: Sequence[Signed]) -> list[Item]:
        answers: list[Item] = []
        for start in range(0, len(items), MOST_ITEMS):
            chunk = [item.body for item in items[start : start + MOST_ITEMS]]
            body = self._transport.post(path, {name: chunk})
            answers += [Item.from_json(item) for item in body["items"]]
        if len(answers) != len(items):
            raise ServiceError("AnswerNotUnderstood", f"{len(items)} items sent, {len(answers)} answered")
        for item, sent in zip(answers, items, strict=True):
            if not item.error:
                check_acknowledgement(item, sent, self.deployment)
        return answers

    def _pages(self, path: str, **params: Any) -> Iterator[Json]:
        cursor: str | None = None
        while True:
            body = self._transport.get(path, cursor=cursor, **params)
            yield from body["items"]
            cursor = body.get("nextCursor")
            if not cursor:
                return
