"""The ERC-20 with permits, ours or any other of six decimals."""

from __future__ import annotations

from typing import ClassVar

from gridweave.chain.contracts.base import Contract
from gridweave.chain.types import Call

__all__ = ["LocalCurrency"]


class LocalCurrency(Contract):
    """Amounts are millionths."""

    NAME: ClassVar[str] = "LocalCurrency"

    async def balance_of(self, account: str, block: int | None = None) -> int:
        return int(await self._result("balanceOf", account, block=block))

    async def allowance(self, owner: str, spender: str, block: int | None = None) -> int:
        return int(await self._result("allowance", owner, spender, block=block))

    async def total_supply(self, block: int | None = None) -> int:
        return int(await self._result("totalSupply", block=block))

    async def decimals(self, block: int | None = None) -> int:
        return int(await self._result("decimals", block=block))

    async def name(self, block: int | None = None) -> str:
        """The token's name, which is its EIP-712 domain's as well."""
        return str(await self._result("name", block=block))

    async def symbol(self, block: int | None = None) -> str:
        return str(await self._result("symbol", block=block))

    async def permit_nonce(self, owner: str, block: int | None = None) -> int:
        """The nonce that the owner's next permit must carry."""
        return int(await self._result("nonces", owner, block=block))

    def mint(self, to: str, amount: int) -> Call:
        """Issues money. Minters only."""
        return self.call("mint", to, amount)

    def approve(self, spender: str, amount: int) -> Call:
        return self.call("approve", spender, amount)

    def transfer(self, to: str, amount: int) -> Call:
        return self.call("transfer", to, amount)

    def permit(self, owner: str, spender: str, amount: int, deadline: int, signature: bytes) -> Call:
        """`signature` is r, s, v over Permit, 65 bytes."""
        return self.call("permit", owner, spender, amount, deadline, *split_signature(signature))


def split_signature(signature: bytes) -> tuple[int, bytes, bytes]:
    """(v, r, s) of r, s, v in 65 bytes; v 0 and 1 count as 27 and 28. ValueError for another length."""
    if len(signature) != 65:
        raise ValueError(f"this signature has 65 bytes, not {len(signature)}")
    v = signature[64]
    return v + 27 if v < 27 else v, signature[:32], signature[32:64]
