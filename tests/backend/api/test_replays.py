"""The same signed bytes, many times at once: one item, one answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.service import served
from tests.support.town import founded

pytestmark = pytest.mark.chain


async def test_orders__sent_many_times_at_once_for_the_last_place_there_is__all_get_its_answer(tmp_path: Path) -> None:
    async with (
        founded(tmp_path / "chain", homes=1) as town,
        served(town, tmp_path / "s", most_replacements=1) as service,
    ):
        [home], slot = town.homes, await town.open_slot()
        await service.accept("orders", town.bid(home, slot))
        last = town.bid(home, slot)
        answers = await asyncio.gather(*(service.post("orders", last) for _ in range(8)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["items"][0]["acknowledgement"] for answer in answers}) == 1
        await service.done(answers[0].json()["items"][0]["id"])
        assert not service.runtime.world.lanes._counts
        assert not service.runtime.world.queue.holds(answers[0].json()["items"][0]["id"])
