"""Raw connections, to say what no client library would."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from types import TracebackType
from typing import Self

ANSWERED_WITHIN = 30.0


@dataclass
class Line:
    """One connection; `close` it, or use it as a block."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def say(self, data: bytes) -> bool:
        """Whether the other side still took it."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except ConnectionError:
            return False
        return not self.writer.is_closing()

    async def repeat(self, data: bytes, every: float = 0) -> None:
        """Says it again and again until the other side closes."""
        async with asyncio.timeout(ANSWERED_WITHIN):
            while await self.say(data):  # noqa: ASYNC110 - as slowly as asked for
                await asyncio.sleep(every)

    async def heard(self) -> bytes:
        """All until the other side closes."""
        found = b""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(ANSWERED_WITHIN):
                while part := await self.reader.read(65_536):
                    found += part
        return found

    async def status(self) -> int:
        """Of the next answer; 0 if the other side closed instead."""
        try:
            async with asyncio.timeout(ANSWERED_WITHIN):
                line = await self.reader.readline()
        except ConnectionError:
            return 0
        return int(line.split()[1]) if line else 0

    def close(self) -> None:
        self.writer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def request(path: str, body: bytes = b"", *headers: str, method: str = "POST", version: str = "1.1") -> bytes:
    """A request as one piece; the length is said unless a header says otherwise."""
    said = [f"{method} {path} HTTP/{version}", "Host: service", "Content-Type: application/json", *headers]
    if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
        said.append(f"Content-Length: {len(body)}")
    return "\r\n".join(said).encode("latin-1") + b"\r\n\r\n" + body
