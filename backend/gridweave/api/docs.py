"""`/docs`: every route with what it takes and answers, as one page without scripts, styles or fonts from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from gridweave.api.policy import page_headers, style_hash

__all__ = ["router", "routes_page"]

router = APIRouter(include_in_schema=False)

_METHODS = ("get", "post", "put", "patch", "delete")
_STYLE = """
:root { color-scheme: light dark; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; }
h2 { margin: 2.5rem 0 .25rem; font-size: 1.1rem; border-top: 1px solid #8885; padding-top: 1rem; }
h2 code { font-size: 1rem; } h2 b { display: inline-block; min-width: 4rem; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .2rem 1.2rem .2rem 0; }
th { font-weight: 500; opacity: .7; } p { margin: .3rem 0; white-space: pre-line; } nav a { margin-right: 1rem; }
"""


@router.get("/")
def home() -> RedirectResponse:
    """Whoever comes to the door is shown the routes."""
    return RedirectResponse("/docs")


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """The routes, for people; programs read /openapi.json."""
    return HTMLResponse(routes_page(request.app.openapi()), headers=page_headers(style=style_hash(_STYLE)))


def routes_page(document: dict[str, Any]) -> str:
    """The page of an OpenAPI 3.1 document. Every string of the document is escaped."""
    title = escape(document["info"]["title"])
    sections = "\n".join(
        _section(path, method, operation, document)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in _METHODS
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title} API</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>\n'
        f"<body><h1>{title} API</h1>\n<p>{escape(document['info'].get('description', ''))}</p>\n"
        f'<p>For programs: <a href="/openapi.json">/openapi.json</a>, an OpenAPI document with every schema.</p>\n'
        f"{sections}\n</body></html>\n"
    )


def _section(path: str, method: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    told = operation.get("description") or operation.get("summary", "")
    rows = "".join(
        f"<tr><th>{escape(what)}</th><td><code>{escape(name)}</code></td><td>{escape(kind)}</td></tr>"
        for what, name, kind in _lines(operation, document)
    )
    return (
        f"<section><h2><b>{method.upper()}</b><code>{escape(path)}</code></h2>"
        f"<p>{escape(told)}</p><table>{rows}</table></section>"
    )


def _lines(operation: dict[str, Any], document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(where, name, type) of each parameter, field of the body and answer."""
    for parameter in operation.get("parameters", ()):
        need = "" if parameter.get("required") else ", optional"
        yield parameter["in"], parameter["name"], _kind(parameter.get("schema", {})) + need
    body = _schema_of(operation.get("requestBody", {}))
    if body:
        yield "body", _kind(body), ""
        shape = _resolved(body, document)
        for name, field in shape.get("properties", {}).items():
            yield "", name, _kind(field) + ("" if name in shape.get("required", ()) else ", optional")
    for status, answer in operation.get("responses", {}).items():
        schema = _schema_of(answer)
        yield "answer", status, f"{answer.get('description', '')}{': ' + _kind(schema) if schema else ''}"


def _schema_of(part: dict[str, Any]) -> dict[str, Any]:
    """The schema of a body's or answer's first media type, empty if there is none."""
    media: dict[str, Any] = next(iter(part.get("content", {}).values()), {})
    schema: dict[str, Any] = media.get("schema", {})
    return schema


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = document["components"]["schemas"][_kind(schema)]
    return found


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a few words: its name, `integer`, `list of X`, `A or B`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(_kind(choice) for choice in schema[several])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    kind = str(schema.get("type", "any"))
    return f"list of {_kind(schema.get('items', {}))}" if kind == "array" else kind
