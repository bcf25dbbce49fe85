"""Assets as pages for people: a list with what stands out, and one asset. Nothing from elsewhere, no script."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape

from gridweave.api.policy import page_headers, style_hash
from gridweave.domain.asset_performance import (
    LEAST_COMPARED,
    LEAST_PEERS,
    SILENT_S,
    UNAVAILABLE_BP,
    UNDER_RATIO_BP,
    UNREAD_BP,
)
from gridweave.domain.units import WH_PER_KWH

__all__ = ["PAGE_HEADERS", "asset_page", "assets_page"]

_CSS = resources.files("gridweave.api").joinpath("pages/assets.css").read_text("utf-8").strip()

PAGE_HEADERS = page_headers(style=style_hash(_CSS)) | {"Vary": "Accept"}


def _percent(basis_points: int | None) -> str:
    """Basis points as percent to the last digit; an en dash for none."""
    return "–" if basis_points is None else f"{basis_points // 100:,}.{basis_points % 100:02d} %"


_FLAGS = {
    "underDelivers": (
        "under-delivers",
        f"It gave less than {_percent(UNDER_RATIO_BP)} of what its like on the feeder gave in the same slots.",
    ),
    "unavailable": (
        "unavailable",
        f"It was online for less than {_percent(UNAVAILABLE_BP)} of the time out of maintenance.",
    ),
    "fault": ("fault", "Its device reports a fault."),
    "silent": ("silent", f"Neither it nor its meter was heard of for {SILENT_S // 3_600} hours."),
    "unread": ("unread", f"Less than {_percent(UNREAD_BP)} of its slots have a reading."),
}


def assets_page(shown: dict[str, Any], feeder: int | None, kind: str | None) -> str:
    """The page of a list as the API answers it, what stands out first. Every string is escaped."""
    items = sorted(shown["items"], key=lambda item: (not item["flags"], item["asset"]))
    asked = {name: value for name, value in (("feeder", feeder), ("kind", kind)) if value is not None}
    cursor = shown["nextCursor"]
    return _template("assets.html.j2").render(
        css=_CSS,
        items=items,
        feeder=feeder,
        kind=kind,
        flagged=sum(bool(item["flags"]) for item in items),
        following=urlencode(asked | {"cursor": cursor, "format": "html"}) if cursor else None,
        flags=_FLAGS,
    )


def asset_page(shown: dict[str, Any], now: int) -> str:
    """The page of an asset as the API answers it, at chain time `now`. Every string is escaped."""
    return _template("asset.html.j2").render(
        css=_CSS, asset=shown, now=now, flags=_FLAGS, least_peers=LEAST_PEERS, least_compared=LEAST_COMPARED
    )


@cache
def _template(name: str) -> Template:
    pages = Environment(
        loader=PackageLoader("gridweave.api", "pages"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(percent=_percent, kwh=_kwh, utc=_utc, word=_word, count=lambda number: f"{number:,}")
    return pages.get_template(name)


def _kwh(wh: int | None) -> str:
    """Wh as kWh to the last digit; an en dash for none."""
    return "–" if wh is None else f"{wh // WH_PER_KWH:,}.{wh % WH_PER_KWH:03d}"


def _utc(moment: int | None) -> str:
    return "never" if moment is None else f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _word(name: str) -> str:
    return name.replace("_", " ")
