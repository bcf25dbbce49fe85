"""What release keys are asked to sign: kept acts as they stand in view of the chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gridweave.chain.contracts import Act
from gridweave.chain.hexes import from_hex, to_hex
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import (
    ModelOpening,
    Release,
    ReleaseKeyChange,
    ReleaseRevocation,
    RolloutStart,
)
from gridweave.domain.firmware.proposals import FirmwareAct, Need, act_of, needs_of
from gridweave.services.errors import NotFound
from gridweave.services.firmware_rows import key_set_of
from gridweave.services.world import World
from gridweave.store.proposals import Proposal
from gridweave.store.reading import Row

__all__ = ["NOBODY", "Gathered", "gathered", "maker_json", "proposal", "proposals"]

NOBODY = KeySet(0, 0, ())
"""Who speaks for a model that is not open."""

_MOST_LISTED = 200


@dataclass(frozen=True)
class Gathered:
    """An act and who has signed it. `status` is `gathering`, `released` for a release that is approved again, `void`
    once the chain has gone on without it, or what the outbox says of it."""

    id: str
    act: FirmwareAct
    status: str
    needs: tuple[Need, ...]
    signers: tuple[str, ...]
    maker: Act | None = None


async def proposals(world: World, model: int | None) -> list[Gathered]:
    """Acts of a model, or of all, that are being gathered, newest first; the newest 200 are told."""
    return [await gathered(world, each) for each in await world.proposals.of_model(model, _MOST_LISTED)]


async def proposal(world: World, id_: str) -> Gathered:
    """Raises NotFound (UnknownProposal)."""
    found = await world.proposals.find(id_)
    if found is None:
        message = "no such act is being gathered; what was sent is told under /v1/requests"
        raise NotFound("UnknownProposal", message, {"id": id_})
    return await gathered(world, found)


async def gathered(world: World, kept: Proposal) -> Gathered:
    """As it stands now, in view of the model's present keys."""
    act = act_of(kept.act, kept.message)
    row = await world.reads.firmware.model(act.model)
    needs = needs_of(act, key_set_of(row) if row else NOBODY)
    item = await world.outbox.item(kept.id)
    if kept.kept:
        status = "released"
    elif item is not None:
        status = item.status
    else:
        status = "void" if await _is_void(world, act, row) else "gathering"
    return Gathered(
        kept.id, act, status, needs, tuple(sorted(kept.signatures, key=lambda signer: int(signer, 16))), _maker_of(kept)
    )


async def _is_void(world: World, act: FirmwareAct, row: Row | None) -> bool:
    """Whether the chain has gone on without it."""
    if isinstance(act, ModelOpening) or row is None:
        return row is not None
    if isinstance(act, ReleaseKeyChange):
        return bool(act.version <= row["version"])
    if isinstance(act, Release):
        return bool(act.counter <= row["latest"])
    released = await world.reads.firmware.release(act.model, act.counter)
    if released is None:
        return False
    standing = released["standing"]
    if isinstance(act, ReleaseRevocation):
        return bool(standing["revoked_since"] and act.since_block >= standing["revoked_since"])
    return bool(standing["step"] > (0 if isinstance(act, RolloutStart) else act.step))


def maker_json(maker: Act) -> dict[str, Any]:
    """A maker's consent to an opening, as it is kept and told."""
    said = {"signer": maker.signer, "nonce": maker.nonce, "deadline": maker.deadline}
    return said | {"signature": to_hex(maker.signature)}


def _maker_of(kept: Proposal) -> Act | None:
    said = kept.maker
    return Act(said["signer"], said["nonce"], said["deadline"], from_hex(said["signature"])) if said else None
