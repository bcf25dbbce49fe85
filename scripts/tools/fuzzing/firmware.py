"""A model's firmware, lived once over REST: releases in every state, a receipt, and an act that waits for a key."""

from __future__ import annotations

from typing import Any

import httpx

from fuzzing.taking import take
from tests.support.acts import Party, Posted
from tests.support.firmware import FirmwareActs, key_set, release_keys
from tests.support.process import until
from tests.support.town import MODEL, Town

__all__ = ["live_firmware"]

_ALL_BP, _TENTH_BP = 10_000, 1_000


async def live_firmware(town: Town, http: httpx.AsyncClient) -> tuple[dict[str, list[Any]], list[Posted]]:
    """Real values by parameter, and what was posted and taken."""
    keys = release_keys(2)
    maker, key, now = Party("maker", town.keys["maker"].secret), town.homes[0].key, await town.now()
    acts = FirmwareActs(town, MODEL, key_set(keys, 1))
    by = keys[:1]
    first, second, third = (acts.release_of(counter) for counter in (1, 2, 3))
    posted = [
        acts.opening(maker, by),
        acts.release(first, by),
        acts.start(first, _TENTH_BP, by),
        acts.raise_share(1, _ALL_BP, 1, by),
        acts.receipt(key, 1, now),
        acts.release(second, by),
        acts.start(second, _TENTH_BP, by),
        acts.pause(2, 1, by),
        acts.resume(2, 2, by),
        acts.release(third, by),
        acts.revocation(3, 1, by),
        acts.key_change(key_set(keys, 2, version=2), keys),
    ]
    await take(http, posted)
    acts.keys = key_set(keys, 2, version=2)
    waiting = acts.release(acts.release_of(4), by)
    gathered = (await http.post(waiting.path, json=waiting.body)).json()
    await http.get(f"/firmware/proposals/{gathered['id']}")
    await _look(http, key.device)
    return {"model": [MODEL], "counter": [1, 2, 3], "running": [1], "digest": [gathered["id"]]}, [*posted, waiting]


async def _look(http: httpx.AsyncClient, device: str) -> None:
    """At everything that is told, once the index has it."""
    model = f"/firmware/models/{MODEL}"
    paths = (
        model,
        f"{model}/keys",
        f"{model}/devices",
        f"{model}/releases",
        f"{model}/releases/1",
        f"{model}/releases/1/receipts",
        f"{model}/releases/1/refusals",
        f"{model}/releases/1/bundle",
        f"{model}/releases/1/devices/{device}",
        f"/firmware/devices/{device}",
    )
    for path in paths:

        async def told(path: str = path) -> bool:
            return (await http.get(path)).status_code == httpx.codes.OK

        await until(told)
