"""What all facades share: reads pinned to a block, writes that nobody has sent yet."""

from __future__ import annotations

from typing import Any, ClassVar

from eth_abi.exceptions import DecodingError

from gridweave.chain.abi import Abi, abi_of
from gridweave.chain.errors import NotThatContract
from gridweave.chain.node import Node
from gridweave.chain.types import Call
from gridweave.domain.addresses import checksum_address

__all__ = ["Contract"]


class Contract:
    """A deployed contract. Reads take `block`, the number they are pinned to (None: the node's latest).

    They raise NodeUnavailable, NodeError, BlockNotAvailable, Reverted, or NotThatContract for a wrong address.
    """

    NAME: ClassVar[str]

    def __init__(self, node: Node, address: str) -> None:
        self.node = node
        self.address = checksum_address(address)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"

    @classmethod
    def abi(cls) -> Abi:
        """The codecs of this contract's artifact."""
        return abi_of(cls.NAME)

    @classmethod
    def selector(cls, function: str) -> bytes:
        """The four bytes that call `function`."""
        return cls.abi().selector(function)

    def call(self, function: str, *arguments: Any) -> Call:
        """The unsent call of `function`; structs are tuples."""
        return Call(self.address, self.abi().functions[function].encode(*arguments))

    async def _results(self, function: str, *arguments: Any, block: int | None) -> tuple[Any, ...]:
        answer = await self.node.call(self.call(function, *arguments), block=block)
        try:
            return self.abi().functions[function].decode(answer)
        except DecodingError as error:
            raise NotThatContract(f"{self.address} does not answer {self.NAME}.{function}") from error

    async def _result(self, function: str, *arguments: Any, block: int | None) -> Any:
        return (await self._results(function, *arguments, block=block))[0]

    async def authority(self, block: int | None = None) -> str:
        """The AccessManager that this contract obeys."""
        return checksum_address(await self._result("authority", block=block))
