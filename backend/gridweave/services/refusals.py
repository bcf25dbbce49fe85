"""Proofs of refusal: what was acknowledged with a bond behind it and was refused on chain is shown to the bond in time.

Nothing in the auction remembers a refusal, so without a proof it would look like an order that was left.
"""

from __future__ import annotations

from gridweave.chain.contracts import signed_word
from gridweave.chain.hexes import from_hex, to_hex
from gridweave.chain.types import Call
from gridweave.domain.hashing import keccak
from gridweave.outbox.kinds import Kind
from gridweave.services.backing import proofs_lane
from gridweave.services.world import World
from gridweave.store.records import Item, NewItem
from gridweave.store.refused import RefusedItems

__all__ = ["Refusals"]


class Refusals:
    """Looks at the outbox after the index moved, and queues a proof for each refusal."""

    def __init__(self, world: World, refused: RefusedItems) -> None:
        self._world = world
        self._refused = refused

    async def look(self) -> int:
        """Queues what is to be proved and still can be; how many proofs. Raises StoreUnavailable."""
        items = await self._refused.all()
        proofs = [self._proof(item) for item in items if item.commit_before > self._world.heads.time]
        await self._world.queue.accept(proofs)
        await self._refused.done([item.seq for item in items])
        return len(proofs)

    def _proof(self, item: Item) -> NewItem:
        bond, payload = self._world.contracts.bond, item.payload
        if item.kind == Kind.SCHEDULE:
            placing = from_hex(payload["data"])  # the auction's own call takes the same arguments
            call = Call(bond.address, bond.selector("proveScheduleRefusal") + placing[4:])
        else:
            call = bond.prove_refusal(signed_word(from_hex(payload["word"]), from_hex(payload["signature"])))
        data = to_hex(call.data)
        return NewItem(
            id=to_hex(keccak(f"gridweave refusal {item.id}".encode())),
            kind=Kind.REFUSAL,
            nonce_key=None,
            lanes=(proofs_lane(item.account),),  # no act of the account holds it up
            payload={"to": bond.address, "data": data, "late": "GateClosed"}
            | ({"lines": payload["lines"]} if "lines" in payload else {}),
            commit_before=item.commit_before,
            market=item.market,
            slot=item.slot,
            meter=item.meter,
            account=item.account,
        )
