"""The history for auditors: every event of every contract, in pages or as one stream."""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BeforeValidator, Field
from starlette.types import Receive, Scope, Send

from gridweave.api.depends import InRuntime, InWorld
from gridweave.api.fields import Address, Body, Digest, Uint32
from gridweave.api.shapes.errors import HISTORY, Responses
from gridweave.api.shapes.history import HistoryOut
from gridweave.services import history
from gridweave.services.export import Export, open_export
from gridweave.services.history import Filters
from gridweave.services.places import Places
from gridweave.services.writing import Format
from gridweave.store.history import Reorganised
from gridweave.store.reading import MOST_ROWS

__all__ = ["router"]

log = structlog.get_logger(__name__)
router = APIRouter(tags=["history"])

_MOST_VALUES = 50
_EXPORTED: Responses = {200: {"content": {each.media_type: {"schema": {"type": "string"}} for each in Format}}}


def _number(value: object) -> object:
    """A query's text as a number: everything in a query is text."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19 else value


Number = Annotated[int, BeforeValidator(_number), Field(ge=0, lt=2**53)]
Cursor = Annotated[str, Field(max_length=200)]
Several = Field(max_length=_MOST_VALUES)


class HistoryQuery(Body):
    """Each kind that is given must hold; of the values of one kind any may. Ranges include both ends."""

    contract: Annotated[tuple[str, ...], Several] = ()
    event: Annotated[tuple[str, ...], Several] = ()
    account: Annotated[tuple[Address, ...], Several] = ()
    device: Annotated[tuple[Address, ...], Several] = ()
    meter: Annotated[tuple[Uint32, ...], Several] = ()
    market: Annotated[tuple[Uint32, ...], Several] = ()
    model: Annotated[tuple[Uint32, ...], Several] = ()
    transaction: Annotated[tuple[Digest, ...], Several] = ()
    from_slot: Uint32 | None = None
    to_slot: Uint32 | None = None
    from_time: Number | None = None
    to_time: Number | None = None
    from_block: Number | None = None
    to_block: Number | None = None
    final: bool = False
    cursor: Cursor | None = None

    def filters(self) -> Filters:
        """As the service takes them."""
        return Filters(
            contracts=self.contract,
            events=self.event,
            accounts=self.account,
            devices=self.device,
            meters=self.meter,
            markets=self.market,
            models=self.model,
            transactions=self.transaction,
            slots=(self.from_slot, self.to_slot),
            times=(self.from_time, self.to_time),
            blocks=(self.from_block, self.to_block),
            final=self.final,
        )


class PageQuery(HistoryQuery):
    """Filters, and how long a page may be."""

    limit: Annotated[Number, Field(ge=1, le=MOST_ROWS)] = MOST_ROWS


class ExportQuery(HistoryQuery):
    """Filters, and how rows are written."""

    format: Format = Format.NDJSON


class _Exported(StreamingResponse):
    """An export that gives its place back however it ends.

    One that breaks off is left unfinished: the server then closes the connection within the body.
    """

    def __init__(self, places: Places, export: Export) -> None:
        headers = {
            "Content-Disposition": f'attachment; filename="history.{export.format.value}"',
            "Gridweave-Block": f"{export.block}.{export.hash}",
        }
        super().__init__(export.body, media_type=export.format.media_type, headers=headers)
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except Reorganised:
            log.warning("an export broke off: its newest block is not in the chain any more")
        finally:
            self._places.leave()


@router.get("/history", response_model=HistoryOut, responses=HISTORY)
async def get_history(world: InWorld, query: Annotated[PageQuery, Query()]) -> Response:
    """A page of events in chain order. It may be short: only a `nextCursor` of null is the end."""
    text = await history.page(world, query.filters(), query.cursor, query.limit)
    return Response(text, media_type="application/json")


@router.get("/history/export", response_class=StreamingResponse, responses=_EXPORTED | HISTORY)
async def get_export(runtime: InRuntime, query: Annotated[ExportQuery, Query()]) -> Response:
    """Every event that passes, up to the newest block of now, as NDJSON, CSV or Parquet.

    The answer ends early, as a broken connection does, if that block is thrown out of the chain meanwhile.
    """
    export = await open_export(runtime.world, query.filters(), query.format, query.cursor)
    runtime.exports.enter()
    return _Exported(runtime.exports, export)
