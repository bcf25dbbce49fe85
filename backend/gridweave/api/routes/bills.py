"""Bills by calendar period or by slots: JSON, CSV as a stream, and a page that prints."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from io import StringIO
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from gridweave.api.bill_page import BILL_HEADERS, bill_page
from gridweave.api.depends import FROM, AddressPath, CursorQuery, InWorld, LimitQuery
from gridweave.api.fields import Id
from gridweave.api.shapes.bills import BillLinesOut, BillOut
from gridweave.api.shapes.errors import READS, Responses
from gridweave.domain.bill_span import BillSpan
from gridweave.services import bills
from gridweave.services.bill_lines import LINE_FIELDS, Line

__all__ = ["router"]

router = APIRouter(tags=["bills"])

_CSV_ROWS = 200

_TEXTS: Responses = {200: {"content": {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "text/html")}}}


def _span(
    world: InWorld,
    period: Annotated[str | None, Query(max_length=40)] = None,
    zone: Annotated[str | None, Query(max_length=60)] = None,
    from_: Annotated[Id | None, FROM] = None,
    to: Id | None = None,
) -> BillSpan:
    return bills.span_of(world, period, zone, from_, to)


InSpan = Annotated[BillSpan, Depends(_span)]
Format = Annotated[Literal["json", "csv", "html"] | None, Query(alias="format")]


@router.get("/accounts/{address}/bill", response_model=BillOut, responses=_TEXTS | READS)
async def get_bill(
    request: Request, world: InWorld, address: AddressPath, span: InSpan, format_: Format = None
) -> Response | dict[str, Any]:
    """The account's bill of a calendar period (2026, 2026-11, 2026-W48, 2026-11-27, 2026-11-27..2026-12-03) in a zone.

    Without a period: of today. `from` and `to` name slots instead. The format follows `format`, else what is accepted.
    """
    chosen = format_ or _accepted(request)
    if chosen == "csv":
        rows = await bills.lines(world, address, span)
        name = f"bill-{address}-{span.name}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(_csv(rows), media_type="text/csv; charset=utf-8", headers=headers)
    found = await bills.bill(world, address, span)
    if chosen == "html":
        return HTMLResponse(bill_page(found), headers=BILL_HEADERS)
    return found


@router.get("/accounts/{address}/bill/lines", response_model=BillLinesOut, responses=READS)
async def get_bill_lines(
    world: InWorld, address: AddressPath, span: InSpan, cursor: CursorQuery = None, limit: LimitQuery = 1_000
) -> dict[str, Any]:
    """The bill's lines by slot and meter, behind a cursor of the bill or of another page."""
    return await bills.lines_page(world, address, span, cursor, limit)


def _accepted(request: Request) -> str:
    """The first of the formats that the Accept header names; JSON if it names none."""
    for kind in request.headers.get("accept", "").split(","):
        match kind.partition(";")[0].strip().lower():
            case "application/json":
                return "json"
            case "text/html":
                return "html"
            case "text/csv":
                return "csv"
    return "json"


async def _csv(rows: AsyncIterator[Line]) -> AsyncIterator[str]:
    text = StringIO()
    writer = csv.DictWriter(text, LINE_FIELDS, lineterminator="\r\n")
    writer.writeheader()
    waiting = 0
    async for row in rows:
        writer.writerow(row | {"final": "true" if row["final"] else "false"})
        waiting += 1
        if waiting == _CSV_ROWS:
            yield text.getvalue()
            text.seek(waiting := 0)
            text.truncate()
    yield text.getvalue()
