"""A stream, lived once over REST: so the fuzzer finds something behind each of its routes."""

from __future__ import annotations

from typing import Any

import httpx

from fuzzing.taking import take
from gridweave.chain.hexes import to_hex
from gridweave.domain.anchors import StreamMode, stream_id
from gridweave.domain.telemetry.merkle import MerkleTree
from gridweave.domain.telemetry.readings import Reading
from tests.support.acts import Acts, Party, Posted, schema_of
from tests.support.process import until
from tests.support.town import Town

__all__ = ["live_streams"]

LEAVES = [bytes([index]) * 16 + Reading(index, 1_000 * (index + 1), 1, (5,)).pack() for index in range(2)]
"""Salts and readings of the batch."""

TREE = MerkleTree.of(LEAVES)


async def live_streams(town: Town, http: httpx.AsyncClient) -> tuple[dict[str, list[Any]], list[Posted]]:
    """Real values by parameter, and what was posted and taken: two streams, of which one has a batch, one an epoch."""
    acts, (home, other, *_) = Acts(town), town.homes
    owner, key = Party("owner", home.secret), home.key
    measured, rekeyed = (stream_id(key.device, StreamMode.FULL, schema_of(of).hash) for of in ("measured", "rekeyed"))
    opened = [acts.stream(key.device, owner, of) for of in ("measured", "rekeyed")]
    await take(http, opened)
    then = [
        acts.anchored(measured, key, TREE.root),
        acts.epoch(rekeyed, owner),
        acts.grant(measured, owner, other.account),
    ]
    await take(http, then)
    stream = to_hex(measured)

    async def placed() -> dict[str, Any]:
        found = await http.get(f"/streams/{stream}/batches/1/proof")
        return dict(found.json()) if found.status_code == 200 else {}

    shown = {"leaf": to_hex(LEAVES[1]), "siblings": [to_hex(word) for word in TREE.prove(1)]}
    proof = Posted("readings/verify", await until(placed) | shown)
    await http.post(proof.path, json=proof.body)
    values: dict[str, list[Any]] = {
        "stream": [stream, to_hex(rekeyed)],
        "number": [1],
        "body_hash": [then[0].body["bodyHash"]],
        "to": [other.account],
        "owner": [owner.account],
    }
    return values, [*opened, *then, proof]
