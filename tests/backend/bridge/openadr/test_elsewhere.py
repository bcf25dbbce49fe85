"""Programs and events that are born elsewhere are seen, told and filtered like all others, and change there alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gridweave.services.vtn.elsewhere import Born
from gridweave.services.vtn.kinds import Kind
from tests.support.callbacks import listening
from tests.support.vtn import running_vtn

PROGRAM = Born(Kind.PROGRAM, "dr-7", {"programName": "feeder 7", "targets": ["feeder-7"]})
EVENT = Born(Kind.EVENT, "dr-7-1", {"programID": "dr-7", "eventName": "called", "targets": ["feeder-7"]})


@dataclass
class Chain:
    """What stands there, as the test says."""

    name: str = "on chain"
    stands: list[Born] = field(default_factory=list)

    async def standing(self) -> Sequence[Born]:
        return list(self.stands)


async def test_event__that_stands_elsewhere__is_seen_told_and_not_changed_here(tmp_path: Path) -> None:
    chain = Chain(stands=[PROGRAM])
    async with listening() as subscriber, running_vtn(tmp_path, [chain], vtn_private_webhooks=True) as vtn:
        await vtn.granted("building", "feeder-7")
        wish = {"objects": ["EVENT"], "operations": ["CREATE", "UPDATE", "DELETE"], "callbackUrl": subscriber.url}
        await vtn.building.make("/subscriptions", {"clientName": "b", "objectOperations": [wish]})
        chain.stands.append(EVENT)
        created = (await subscriber.until(1))[0]["object"]
        assert (created["id"], created["targets"]) == ("dr-7-1", ["feeder-7"])
        assert await vtn.building.get("/events") == [created]
        assert await vtn.battery.get("/events") == []
        body = {"programID": "dr-7", "eventName": "mine"}
        assert await vtn.utility.refused("PUT", "/events/dr-7-1", body) == 403
        assert await vtn.utility.refused("DELETE", "/events/dr-7-1") == 403
        assert await vtn.utility.refused("POST", "/events", body) == 403
        assert await vtn.utility.refused("DELETE", "/programs/dr-7") == 403
        report = {"eventID": "dr-7-1", "clientName": "b", "resources": []}
        await vtn.building.make("/reports", report)
        chain.stands[1] = Born(Kind.EVENT, "dr-7-1", {**EVENT.body, "eventName": "cancelled"})
        assert (await subscriber.until(2))[1]["operation"] == "UPDATE"
        assert len(await vtn.building.get("/reports")) == 1
        await asyncio.sleep(1.5)
        assert len(subscriber.told) == 2, "what does not change is not told again"
        chain.stands.clear()
        assert (await subscriber.until(3))[2]["operation"] == "DELETE"
        assert await vtn.utility.get("/programs") == []
