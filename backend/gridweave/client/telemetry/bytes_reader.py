"""Reading bytes from left to right, none left out and none left over."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["BytesReader"]


class BytesReader:
    """`refusal` makes the error that is raised, out of the rule that was broken."""

    def __init__(self, raw: bytes, refusal: Callable[[str], Exception]) -> None:
        self._raw, self._place, self._refusal = raw, 0, refusal

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        part = self._raw[self._place : self._place + length]
        if len(part) != length:
            raise self._refusal("the bytes end too early")
        self._place += length
        return part

    def number(self, length: int) -> int:
        """The next unsigned number of so many bytes, big endian."""
        return int.from_bytes(self.take(length), "big")

    def rest(self) -> bytes:
        """All that follows."""
        part, self._place = self._raw[self._place :], len(self._raw)
        return part

    def version(self, known: int) -> None:
        """A byte that must be this."""
        if self.number(1) != known:
            raise self._refusal(f"this program reads version {known}")

    def end(self) -> None:
        """Nothing may follow."""
        if self._place != len(self._raw):
            raise self._refusal("bytes follow the end")
