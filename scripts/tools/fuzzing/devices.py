"""The life of devices, lived once over REST: so the fuzzer finds something to change behind each of their routes."""

from __future__ import annotations

from typing import Any

import httpx

from fuzzing.taking import take
from gridweave.domain.maker_tree import leaf_of
from tests.support.acts import Acts, Party, Posted
from tests.support.admission import answer_to
from tests.support.town import DeviceKeyPair, Town, draw_home

__all__ = ["live_devices"]

_WEEK = 7 * 86_400
_AHEAD = 195
"""Slots: beyond the order horizon."""
_NAMES = ("claimed", "unclaimed", "turning", "vetoing", "lost", "idle", "offered", "doubted")


async def live_devices(town: Town, http: httpx.AsyncClient) -> tuple[list[DeviceKeyPair], list[Posted], list[bytes]]:
    """Devices, what was posted about them and taken, and the roots of their batches."""
    acts, (home, neighbour, *_) = Acts(town), town.homes
    owner, buyer = Party("owner", home.secret), Party("buyer", neighbour.secret)
    maker, operator = (Party(role, town.keys[role].secret) for role in ("maker", "operator"))
    devices = {name: draw_home(740 + number)[1] for number, name in enumerate(_NAMES)}
    following, proposed = draw_home(760)[1], draw_home(761)[1]
    enrolled = [key for name, key in devices.items() if not name.endswith("claimed")]
    await town.send([town.enrol_call(key, owner.account) for key in enrolled])
    roots = [leaf_of(devices[name].device, devices[name].kind) for name in ("claimed", "unclaimed")]
    lost, offered, turning = (devices[name].device for name in ("lost", "offered", "turning"))
    first = [
        *(acts.batch(root, maker) for root in roots),
        acts.proposal(devices["vetoing"].device, proposed, owner),
        acts.proposal(lost, proposed, owner),
        acts.offer(offered, buyer.account, owner),
        acts.asset(home.meter, operator),
    ]
    await take(http, first)
    await town.chain.mine(await town.now() + _WEEK)
    then = [
        acts.claim(devices["claimed"], owner.account, roots[0]),
        acts.closing(roots[1], maker),
        acts.rotation(turning, devices["turning"], following, 0),
        acts.veto(devices["vetoing"].device, devices["vetoing"], proposed.device, 0),
        acts.adoption(lost, devices["lost"], proposed, 0),
        acts.transfer(offered, owner.account, buyer, devices["offered"], 0),
        acts.compromise(devices["doubted"].device, devices["doubted"], owner),
        acts.status(devices["idle"].device, owner),
        acts.meter_end(town.homes[2].meter, operator, town.clock.slot_at(await town.now()) + _AHEAD),
        acts.state(1, Party("device", home.key.secret.to_bytes(32, "big")), await town.now()),
    ]
    await take(http, then)
    await _knock(town, http, home.key)
    return list(devices.values()), [*first, *then], roots


async def _knock(town: Town, http: httpx.AsyncClient, key: DeviceKeyPair) -> None:
    """A session, which no body that was signed before could open: a challenge is good once, and for a minute."""
    given: dict[str, Any] = (await http.post("/device-challenges", json={"device": key.device})).json()
    answer = answer_to(given, town.domain("DeviceRegistry"), key.sign)
    opened = (await http.post("/device-sessions", json=answer)).json()
    await http.get("/device-sessions/current", headers={"Authorization": f"Bearer {opened['token']}"})
