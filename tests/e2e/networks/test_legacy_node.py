"""A node without EIP-1559, without `pending` and without fee suggestions serves everything, and is asked for little."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gridweave.chain import Call, Node, NodeError, find_network
from tests.support.legacy import EXTRA_DATA, legacy_chain
from tests.support.process import ServiceProcess
from tests.support.town import GENESIS, found
from tests.support.trading_hour import BY_THE_NETWORK, HOMES, as_computed, trading_hour

pytestmark = [pytest.mark.chain, pytest.mark.slow]

STRANGER = "0x" + "77" * 20
DOCS = Path(__file__).parents[3] / "docs/networks.md"


async def test_trading_hour__through_a_legacy_node__comes_out_the_same(tmp_path: Path) -> None:
    """Deployment, outbox, indexer, keeper, REST, clients and audit; nothing that they ask for is refused."""
    async with legacy_chain(tmp_path / "chain", GENESIS) as (chain, proxy):
        town = await found(chain, HOMES)
        known = {"network": "before-1559", "networks": str(chain.networks), **BY_THE_NETWORK}
        hour = await trading_hour(town, tmp_path, **known)
        as_computed(hour)

        commands = ServiceProcess(town, tmp_path, rpc=chain.url, **known)
        record = str(chain.home.deployment_file)
        checked = await commands.run("deploy", "--check", "--record", record, "--json")
        audited = await commands.run("audit", "--deployment", record, "--json")
        walked = await commands.run("audit", "--deployment", record, "walk", "-m", "1", "-s", str(hour.first))
        assert json.loads(checked.stdout) == {"ok": True, "contracts": {}, "findings": []}, checked.stderr
        assert audited.returncode == 0, audited.stderr
        assert walked.returncode == 0, walked.stdout + walked.stderr
        depth = find_network("before-1559", chain.networks).finality_depth
        assert json.loads(audited.stdout)["toBlock"] == (await chain.node.block_number()) - depth

    print(f"asked of the node: {dict(proxy.asked.most_common())}")
    assert not proxy.refused
    assert set(proxy.asked) == _documented(), "docs/networks.md lists what a node is asked for"


async def test_legacy_node__asked_for_what_is_newer__refuses(tmp_path: Path) -> None:
    """The proxy is what the other test says it is."""
    async with legacy_chain(tmp_path / "chain", GENESIS) as (chain, proxy), Node(proxy.url) as node:
        header = await node.request("eth_getBlockByNumber", "latest", False)
        assert header["extraData"] == EXTRA_DATA
        assert "baseFeePerGas" not in header
        typed = chain.keys["admin"].sign(
            Call(STRANGER, b""),
            nonce=0,
            gas=21_000,
            fees=find_network("anvil").profile(1).fees(10**9),
            chain_id=chain.chain_id,
        )
        for method, *params in (
            ("eth_maxPriorityFeePerGas",),
            ("eth_feeHistory", "0x1", "latest", []),
            ("eth_getBlockByNumber", "pending", False),
            ("eth_getTransactionCount", chain.keys["admin"].address, "pending"),
            ("eth_getBlockByNumber", "finalized", False),
            ("eth_getLogs", {"fromBlock": "0x0", "toBlock": "safe"}),
            ("eth_sendRawTransaction", "0x" + typed.raw.hex()),
        ):
            with pytest.raises(NodeError):
                await node.request(method, *params)
        assert sum(proxy.refused.values()) == 7


def _documented() -> set[str]:
    (listed,) = re.findall(r"## What a node must answer\n(.*?)Blocks are named", DOCS.read_text(), re.DOTALL)
    return set(re.findall(r"`(eth_\w+)`", listed))
