"""What a relayer's acknowledgements are worth: bonds, claims and proofs of refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from gridweave.chain.contracts.acts import Act, SignedWord
from gridweave.chain.contracts.base import Contract
from gridweave.chain.types import Call
from gridweave.domain.acknowledgements import Acknowledgement
from gridweave.domain.bond import Bond
from gridweave.domain.orders import Order

__all__ = ["Promise", "RelayerBond"]


@dataclass(frozen=True)
class Promise:
    """An acknowledgement with the relayer that gave it and its 64-byte signature: the struct Acknowledgement."""

    said: Acknowledgement
    relayer: str
    signature: bytes

    def abi(self) -> tuple[str, str, bytes, int, bytes, bytes]:
        """The struct's values in order."""
        said = self.said
        halves = self.signature[:32], self.signature[32:]
        return self.relayer, said.sponsor, said.signature_hash, said.commit_before, *halves


class RelayerBond(Contract):
    """Sponsors' bonds for relayers. Every call may be sent by anyone."""

    NAME: ClassVar[str] = "RelayerBond"

    async def bond_of(self, sponsor: str, relayer: str, block: int | None = None) -> Bond:
        """What answers for the relayer's acknowledgements that name the sponsor."""
        return Bond(*await self._results("bondOf", sponsor, relayer, block=block))

    async def refused_at(self, digest: bytes, request: bytes, signature_hash: bytes, block: int | None = None) -> int:
        """When it was proved that the order is refused as part of `request`; 0: never."""
        return int(await self._result("refusedAt", digest, request, signature_hash, block=block))

    async def is_compensated(self, digest: bytes, relayer: str, block: int | None = None) -> bool:
        return bool(await self._result("isCompensated", digest, relayer, block=block))

    async def compensation(self, block: int | None = None) -> int:
        """What each order is compensated with, millionths."""
        return int(await self._result("compensation", block=block))

    async def digest_of_acknowledgement(self, promise: Promise, block: int | None = None) -> bytes:
        return bytes(await self._result("digestOfAcknowledgement", promise.said.request, promise.abi(), block=block))

    async def is_nonce_used(self, signer: str, nonce: int, block: int | None = None) -> bool:
        return bool(await self._result("isNonceUsed", signer, nonce, block=block))

    def post(self, relayer: str, amount: int, sponsor: Act) -> Call:
        """The sponsor signs PostBond."""
        return self.call("post", relayer, amount, sponsor.abi())

    def unbond(self, relayer: str, amount: int, sponsor: Act) -> Call:
        """The sponsor signs Unbond."""
        return self.call("unbond", relayer, amount, sponsor.abi())

    def redeem(self, sponsor: str, relayer: str) -> Call:
        """Once it may leave."""
        return self.call("redeem", sponsor, relayer)

    def claim(self, order: Order, promise: Promise) -> Call:
        """From the promise's `commit_before` on, until 64 slots after the order's."""
        return self.call("claim", order.pack(), promise.abi())

    def claim_line(self, account: str, orders: Sequence[Order], index: int, promise: Promise) -> Call:
        """The same for a line of a schedule."""
        return self.call("claimLine", account, [order.pack() for order in orders], index, promise.abi())

    def prove_refusal(self, signed: SignedWord) -> Call:
        """Places the order, or notes that it is refused."""
        return self.call("proveRefusal", signed)

    def prove_schedule_refusal(self, account: str, orders: Sequence[bytes], signature: bytes) -> Call:
        """Places a schedule's order words, or notes which of them are refused."""
        return self.call("proveScheduleRefusal", account, list(orders), signature)
