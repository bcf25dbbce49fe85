"""What of a device's bundle the chain gives, and whoever approved again; manifest and witnesses are others' to add."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gridweave.chain.errors import BlockNotAvailable, NodeError
from gridweave.chain.firmware_evidence import Evidence, EvidenceMissing, evidence_of
from gridweave.chain.hexes import from_hex, to_hex
from gridweave.domain.eip712 import digest
from gridweave.services import firmware
from gridweave.services.errors import EvidenceUnavailable, Unavailable
from gridweave.services.firmware_rows import release_of
from gridweave.services.world import World

__all__ = ["Proved", "evidence"]

_FIRST = 1


@dataclass(frozen=True)
class Proved:
    """The evidence as of a block."""

    evidence: Evidence
    block: int


async def evidence(world: World, model: int, counter: int) -> Proved:
    """A release as it stands in the newest indexed block, with approvals given since its keys changed.

    Raises NotFound (UnknownModel, UnknownRelease), EvidenceUnavailable, NodeUnavailable.
    """
    world = world.still()
    row = await firmware.release(world, model, counter)
    sets = await world.reads.firmware.key_sets(model)
    changed = [from_hex(keys["tx_hash"]) for keys in sets if keys["version"] > _FIRST]
    block, registry = world.heads.number, world.contracts.firmware
    try:
        found = await evidence_of(registry, release_of(row), from_hex(row["tx_hash"]), changed, block)
    except EvidenceMissing as missing:
        raise EvidenceUnavailable(str(missing)) from missing
    except BlockNotAvailable as gone:
        raise Unavailable("the node's state") from gone
    except NodeError as error:
        if error.is_of_the_moment:
            raise
        raise EvidenceUnavailable(f"the node gives no proof ({error})") from error
    again = await world.proposals.find(to_hex(digest(world.domain(registry.NAME), found.release)))
    more = again.signatures if again is not None and again.kept else {}
    return Proved(replace(found, signatures=tuple({**dict(found.signatures), **more}.items())), block)
