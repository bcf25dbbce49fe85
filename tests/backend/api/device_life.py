"""What tests of a device's life share: its people, a device born from a batch of one, what becomes of an act."""

from __future__ import annotations

from typing import Any

from gridweave.domain.maker_tree import leaf_of
from tests.support.acts import Acts, Party, Posted
from tests.support.service import Service
from tests.support.town import DeviceKeyPair, Town, draw_home

__all__ = ["WEEK", "claimed", "done", "drawn", "party", "refusal", "shown"]

WEEK = 7 * 86_400


def party(town: Town, role: str) -> Party:
    return Party(role, town.keys[role].secret)


def drawn(number: int) -> tuple[Party, DeviceKeyPair]:
    """An owner and a device of a number's own; odd numbers sign on P-256."""
    secret, key = draw_home(number)
    return Party(f"owner {number}", secret), key


async def refusal(service: Service, posted: Posted) -> tuple[int, str]:
    """Of what must not be queued."""
    before = await service.runtime.world.outbox.accepted_total()
    response = await service.post(posted.path, posted.body)
    assert await service.runtime.world.outbox.accepted_total() == before
    return response.status_code, response.json()["error"]["name"]


async def done(service: Service, *posted: Posted) -> None:
    """Accepted one after the other without waiting, and all of them on chain."""
    ids = [id_ for each in posted for id_ in await service.accept(each.path, each.body)]
    states = await service.done(*ids)
    assert [(state["status"], state["reason"]) for state in states] == [("committed", None)] * len(ids)
    await service.caught_up()


async def claimed(service: Service, number: int) -> tuple[Party, DeviceKeyPair]:
    """A device that claimed itself from a batch of its own, and its owner."""
    owner, key = drawn(number)
    acts, root = Acts(service.town), leaf_of(key.device, key.kind)
    await done(service, acts.batch(root, party(service.town, "maker")), acts.claim(key, owner.account, root))
    return owner, key


async def shown(service: Service, device: str) -> dict[str, Any]:
    answer: dict[str, Any] = await service.get(f"devices/{device}")
    return answer
