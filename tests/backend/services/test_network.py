"""A service holds the network it is told to the deployment it serves, before anything is signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridweave.services.runtime import Runtime
from gridweave.services.settings import SettingsInvalid
from tests.support.service import settings_of
from tests.support.town import founded

pytestmark = pytest.mark.chain

OWN = """
[village]
evm = "{evm}"
finality_depth = 3
priority_fee_wei = 0
gas_price_wei = 5
max_gas = 8_000_000
"""


async def test_open__given_the_wrong_network__says_what_to_change(tmp_path: Path) -> None:
    own = tmp_path / "networks.toml"
    async with founded(tmp_path / "chain", homes=0) as town:
        with pytest.raises(SettingsInvalid, match=f"network sepolia is chain 11155111, not {town.chain.chain_id}"):
            await Runtime.open(settings_of(town, tmp_path / "s", network="sepolia"))
        own.write_text(OWN.format(evm="berlin"))
        with pytest.raises(SettingsInvalid, match="network village runs EVM level berlin, the contracts are compiled"):
            await Runtime.open(settings_of(town, tmp_path / "s", network="village", networks=own))
        own.write_text(OWN.format(evm="london"))
        runtime = await Runtime.open(settings_of(town, tmp_path / "s", network="village", networks=own))
        assert runtime._sender._gas.cap == 8_000_000, "batches are sized by it"
        await runtime.close()
