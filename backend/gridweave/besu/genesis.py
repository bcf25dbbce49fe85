"""The files of a network as text and values: genesis, a node's configuration, static nodes, and what to do with them.

London is the level: it runs the contracts, and Besu's Shanghai under QBFT had faults in several releases. Gas is free,
which from London on takes a zero base fee in the genesis and a minimum gas price of 0 at every node.
"""

from __future__ import annotations

from typing import Any

from gridweave.besu.extra_data import encode_extra_data
from gridweave.besu.plan import BYZANTINE, BesuPlan, Validator

__all__ = ["ISTANBUL_DIGEST", "config_toml", "genesis", "network_toml", "readme", "static_nodes"]

ISTANBUL_DIGEST = "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365"
"""The mix hash by which Besu knows blocks of its Byzantine protocols."""

_ZERO = "0x" + "00" * 20

_CONFIG = """\
# Validator {number}, {address}. Start it in this folder: besu --config-file=config.toml
data-path="data"
genesis-file="../genesis.json"

# Everything is kept: the audit reads balances as they were at the block that it audits.
sync-mode="FULL"
data-storage-format="FOREST"

p2p-host="{host}"
p2p-port={p2p_port}
discovery-enabled=false
static-nodes-file="../static-nodes.json"

# JSON-RPC for this machine alone. Put a proxy with access control in front of it before others may reach it.
rpc-http-enabled=true
rpc-http-host="127.0.0.1"
rpc-http-port={rpc_port}
rpc-http-api=["ETH","NET","WEB3"]
host-allowlist=["localhost","127.0.0.1"]

# Gas is free; a node with a higher minimum drops our transactions without a word.
min-gas-price=0
tx-pool="SEQUENCED"
tx-pool-limit-by-account-percentage=0.15
"""

_README = """\
A Besu network under QBFT: chain {chain_id}, {count} validators, a block every {block_seconds} s, free gas.

It was generated, in a form that is checked against a schema made from Besu's documentation. It was not run: start it
on machines of yours before you rely on it.

Files
  genesis.json        the same for every node
  static-nodes.json   how they find each other
  node-N/config.toml  what differs from node to node
  node-N/data/key     the node's private key, mode 0600; whoever has it validates in its name
  networks.toml       this network for Gridweave (GRIDWEAVE_NETWORKS)

Start
  1. Give each operator genesis.json, static-nodes.json and one node-N. Nobody needs a second key: delete the others.
  2. On each machine, in node-N: besu --config-file=config.toml
  3. Open the p2p ports between the nodes ({p2p}); keep the RPC ports closed.
{warning}
Deploy and serve, beside one of the nodes
  export GRIDWEAVE_NETWORKS=networks.toml GRIDWEAVE_NETWORK={name}
  gridweave deploy --rpc http://127.0.0.1:{rpc_port} --keystore deployer.json --operator 0x...
  gridweave serve --rpc http://127.0.0.1:{rpc_port} --deployment deployment.json --keystore relayer.json
"""

_NETWORK = """\
# For GRIDWEAVE_NETWORKS: this network by name.
[{name}]
about = "Besu under QBFT, {count} validators"
chain_id = {chain_id}
evm = "london"
finality_depth = 0
priority_fee_wei = 0
gas_price_wei = 0
"""


def genesis(plan: BesuPlan) -> dict[str, Any]:
    """The genesis file's content."""
    return {
        "config": {
            "chainId": plan.chain_id,
            "berlinBlock": 0,
            "londonBlock": 0,
            "zeroBaseFee": True,
            "qbft": {
                "blockperiodseconds": plan.block_seconds,
                "epochlength": plan.epoch_blocks,
                "requesttimeoutseconds": 2 * plan.block_seconds,
            },
        },
        "nonce": "0x0",
        "timestamp": "0x0",
        "extraData": "0x" + encode_extra_data([validator.address for validator in plan.validators]).hex(),
        "gasLimit": hex(plan.gas_limit),
        "difficulty": "0x1",
        "mixHash": ISTANBUL_DIGEST,
        "coinbase": _ZERO,
        "alloc": {account.removeprefix("0x").lower(): {"balance": hex(plan.balance)} for account in plan.accounts},
    }


def static_nodes(plan: BesuPlan) -> list[str]:
    """The enode URLs of all nodes, which every node gets alike."""
    return [validator.enode for validator in plan.validators]


def config_toml(validator: Validator) -> str:
    """One node's configuration; its paths are relative to the node's folder."""
    return _CONFIG.format(
        number=validator.number,
        address=validator.address,
        host=validator.host,
        p2p_port=validator.p2p_port,
        rpc_port=validator.rpc_port,
    )


def network_toml(plan: BesuPlan) -> str:
    """The network for GRIDWEAVE_NETWORKS."""
    return _NETWORK.format(name=_name(plan), count=len(plan.validators), chain_id=plan.chain_id)


def readme(plan: BesuPlan) -> str:
    """What the folder holds and how to start it."""
    count = len(plan.validators)
    warning = f"\nWith fewer than {BYZANTINE} validators it bears none that lies: fit for trying out only.\n"
    return _README.format(
        chain_id=plan.chain_id,
        count=count,
        block_seconds=plan.block_seconds,
        p2p=", ".join(sorted({str(validator.p2p_port) for validator in plan.validators})),
        warning=warning if count < BYZANTINE else "",
        name=_name(plan),
        rpc_port=plan.validators[0].rpc_port,
    )


def _name(plan: BesuPlan) -> str:
    return f"besu-{plan.chain_id}"
