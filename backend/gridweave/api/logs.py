"""JSON log lines: one object a line, with what the request or the transaction is called."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Callable
from typing import Any, TextIO, cast

import orjson
import structlog

__all__ = ["configure_logs"]


class _Lossy:
    """A stream that loses lines where they cannot be written: a full disk must not stop what is being told of."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, words: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(words)
        return len(words)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


def configure_logs(level: str = "info", stream: TextIO | None = None) -> None:
    """Sends every log line of this process, uvicorn's included, as JSON to `stream` (by default standard error)."""
    out = cast("TextIO", _Lossy(stream or sys.stderr))
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(_line)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processor=structlog.processors.JSONRenderer(_line)
    )
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(number, logging.WARNING))


def _line(event: dict[str, Any], default: Callable[[Any], Any]) -> str:
    """The quick writer knows no integers above 64 bits, which amounts of wei may be."""
    try:
        return orjson.dumps(event, default=default).decode()
    except TypeError:
        return json.dumps(event, default=default)
