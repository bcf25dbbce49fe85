"""The audit's day of every event, unchanged, on Ganache: another EVM computes what the auditor recomputes."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridweave.audit import audit
from tests.e2e.audit.conftest import GENESIS
from tests.e2e.audit.street import live, open_street
from tests.support.ganache import ganache

pytestmark = [pytest.mark.chain, pytest.mark.slow]


async def test_day__of_every_event_on_ganache__audits_without_a_difference(tmp_path: Path) -> None:
    async with ganache(tmp_path / "chain", GENESIS) as chain:
        street = await open_street(chain)
        await live(street)
        report = await audit(street.node, street.book)
    assert report.clean, report.differences
    assert report.recomputed["reading signatures (P-256)"] > 5
    assert report.recomputed["orders"] > 20
