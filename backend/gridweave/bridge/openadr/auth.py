"""Where tokens are given, and to whom: client credentials by HTTP Basic or in the body (RFC 6749, section 2.3.1)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gridweave.bridge.openadr.crud import answered, refused
from gridweave.bridge.openadr.depends import InVtn
from gridweave.bridge.openadr.shapes import Token, TokenError, TokenServer
from gridweave.services.vtn.errors import Malformed, TokenRefused

__all__ = ["PATH", "router"]

router = APIRouter()

PATH = "/auth/token"
_SCOPES = {
    "bl": "read_all read_bl write_programs write_events write_subscriptions write_vens",
    "ven": "read_all read_targets read_ven_objects write_reports write_subscriptions write_vens",
}
_HOST = re.compile(r"[A-Za-z0-9.\-:\[\]_%]{1,255}")
_MOST_FIELDS = 20
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": ["client_credentials"]},
                        "client_id": {"type": "string", "minLength": 1, "maxLength": 4096},
                        "client_secret": {"type": "string", "minLength": 1, "maxLength": 4096},
                        "scope": {"type": "string", "maxLength": 4096},
                    },
                }
            }
        },
    }
}
_TOLD: dict[int | str, dict[str, Any]] = {
    400: {"model": TokenError, "description": "the request is wrong"},
    401: {"model": TokenError, "description": "the credentials are wrong"},
}


@router.get("/auth/server", response_model=TokenServer, responses=refused(400), operation_id="getAuthServer")
async def auth_server(vtn: InVtn, request: Request) -> Response:
    """Where tokens are given."""
    if vtn.public_url:
        return answered({"tokenURL": f"{vtn.public_url}{PATH}"})
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise Malformed("the Host header names no host")
    return answered({"tokenURL": f"{request.scope['scheme']}://{host}{request.scope.get('root_path', '')}{PATH}"})


@router.post(
    PATH,
    response_model=Token,
    responses=refused(413, 415) | _TOLD,
    operation_id="fetchToken",
    openapi_extra=_FORM,
)
async def auth_token(vtn: InVtn, request: Request) -> Response:
    """A token for a client's credentials. What else it asks for, as a scope, is passed over: its role says it all."""
    fields = _form_of(await request.body())
    basic = _basic_of(request.headers.get("authorization", ""))
    if basic is not None and fields.get("client_secret"):
        raise TokenRefused("invalid_request", "give the credentials once: by HTTP Basic or in the body")
    id_, secret = basic or (fields.get("client_id"), fields.get("client_secret"))
    token = vtn.tokens.give(fields.get("grant_type"), id_, secret)
    scope = _SCOPES[vtn.tokens.check(token).role]
    body = {"access_token": token, "token_type": "Bearer", "expires_in": vtn.tokens.seconds, "scope": scope}
    answer = answered(body)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _form_of(body: bytes) -> dict[str, str]:
    """Raises TokenRefused for a field that comes twice."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as fault:
        raise TokenRefused("invalid_request", "send a form: application/x-www-form-urlencoded") from fault
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise TokenRefused("invalid_request", "a field comes twice")
    return fields


def _basic_of(header: str) -> tuple[str, str] | None:
    """The credentials in the header, each form-encoded as RFC 6749 has it; None if it holds none of this kind."""
    scheme, _, coded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(coded.strip(), validate=True).decode()
    except (binascii.Error, ValueError) as fault:
        raise TokenRefused("invalid_client", "the Authorization header cannot be read") from fault
    id_, _, secret = text.partition(":")
    return unquote_plus(id_), unquote_plus(secret)
