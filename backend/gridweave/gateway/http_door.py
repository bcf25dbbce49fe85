"""Devices over HTTP, where there is no broker: the same words, asked for instead of told.

    POST /v1/segments                    a segment's message; the answer is its acknowledgement
    GET  /v1/streams/{stream}/standing   how the stream's batches stand, and which one is to be signed
    POST /v1/signatures                  the device's signature of it

What is sent is signed, and what is answered is no secret: there is no session. Put it where devices alone can reach it.
"""

from __future__ import annotations

import asyncio
import socket

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gridweave.domain.errors import DomainError
from gridweave.domain.setpoints import Setpoint
from gridweave.domain.telemetry.words import BatchStanding, Refusal
from gridweave.gateway.program import Inside

__all__ = ["HttpDoor", "application"]

MOST_BYTES = 1 << 20
"""Of one message, as at the broker."""

_WITHIN_S = 30.0
"""A body's time, which trickled bytes do not lengthen."""

log = structlog.get_logger(__name__)

_JSON = "application/json"
_STREAM_DIGITS = 64


class HttpDoor:
    """Listens on an address until it is cancelled."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._socket: socket.socket | None = None

    @property
    def address(self) -> str:
        """Where it listens, as people write it."""
        return f"{self._host}:{self._port}"

    def bind(self) -> None:
        """Takes the address now, where `run` would take it later. Raises OSError."""
        family, kind, _, _, address = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)[0]
        self._socket = socket.socket(family, kind)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(address)

    async def run(self, inside: Inside) -> None:
        config = uvicorn.Config(
            application(inside),
            host=self._host,
            port=self._port,
            log_config=None,
            access_log=False,
            ws="none",
            lifespan="off",
        )
        server = _Server(config)
        log.info("devices are listened to", host=self._host, port=self._port)
        await server.serve([self._socket] if self._socket else None)

    async def tell(self, device: str, standing: BatchStanding) -> None:
        """Devices ask."""

    async def command(self, device: str, setpoint: Setpoint) -> None:
        """Here nobody shows who he is: setpoints go over a broker alone."""


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """Whoever runs the gateway has its own."""


def application(inside: Inside, within_s: float = _WITHIN_S) -> Starlette:
    """The routes above. A body that has not arrived `within_s` seconds is waited for no longer."""

    async def segments(request: Request) -> Response:
        ack = await inside.take_segment(None, await _body(request, within_s))
        return Response(ack.encode(), 200 if ack.refused is None else 409, media_type=_JSON)

    async def standing(request: Request) -> Response:
        text = request.path_params["stream"].removeprefix("0x")
        try:
            stream = bytes.fromhex(text) if len(text) == _STREAM_DIGITS else b""
        except ValueError:
            stream = b""
        found = await inside.standing(stream) if stream else None
        if found is None:
            raise HTTPException(404, "no such stream was ever met here")
        return Response(found.encode(), media_type=_JSON)

    async def signatures(request: Request) -> Response:
        await inside.take_signature(None, await _body(request, within_s))
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/v1/segments", segments, methods=["POST"]),
            Route("/v1/streams/{stream}/standing", standing),
            Route("/v1/signatures", signatures, methods=["POST"]),
        ],
        exception_handlers={DomainError: _refused, HTTPException: _failed},
    )


async def _refused(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, DomainError)
    return JSONResponse({"error": Refusal.of(fault).to_json()}, 422)


async def _failed(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    error = {"name": "HttpError", "values": {"message": fault.detail}}
    return JSONResponse({"error": error}, fault.status_code, fault.headers)


async def _body(request: Request, within_s: float) -> bytes:
    parts, length = [], 0
    try:
        async with asyncio.timeout(within_s):
            async for part in request.stream():
                length += len(part)
                if length > MOST_BYTES:
                    raise HTTPException(413, f"at most {MOST_BYTES} bytes")
                parts.append(part)
    except TimeoutError as late:
        raise HTTPException(408, f"a whole message within {within_s:g} s", {"Connection": "close"}) from late
    return b"".join(parts)
