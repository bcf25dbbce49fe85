"""Settings: what is set wins, the rest is the network's."""

from __future__ import annotations

import pytest

from gridweave.chain import FeeRule
from gridweave.services.settings import Settings, SettingsInvalid

OWN = """
[village]
evm = "london"
finality_depth = 3
fee_rule = "legacy"
priority_fee_wei = 0
gas_price_wei = 5
"""


def _four(settings):
    return settings.finality_depth, settings.fee_rule, settings.priority_fee_wei, settings.gas_price_wei


def test_from_env__given_nothing__takes_the_careful_network():
    assert _four(Settings.from_env({})) == (32, FeeRule.AUTO, 10**9, 10**9)


def test_from_env__given_a_network__takes_its_finality_and_fees():
    assert _four(Settings.from_env({"GRIDWEAVE_NETWORK": "besu-qbft"})) == (0, FeeRule.AUTO, 0, 0)


def test_from_env__given_a_network_and_settings__lets_the_settings_win():
    env = {"GRIDWEAVE_NETWORK": "sepolia", "GRIDWEAVE_FINALITY_DEPTH": "200", "GRIDWEAVE_PRIORITY_FEE_WEI": "0"}
    assert _four(Settings.from_env(env)) == (200, FeeRule.EIP1559, 0, 10**9)


def test_from_env__given_slow_blocks__promises_nothing_five_blocks_before_a_gate():
    assert Settings.from_env({"GRIDWEAVE_NETWORK": "mainnet"}).commit_margin >= 5 * 12
    assert Settings.from_env({"GRIDWEAVE_NETWORK": "mainnet", "GRIDWEAVE_COMMIT_MARGIN": "90"}).commit_margin == 90
    assert Settings.from_env({}).commit_margin == 30


def test_from_env__given_a_file_of_networks__knows_them(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(OWN)
    settings = Settings.from_env({"GRIDWEAVE_NETWORKS": str(file)}, network="village")
    assert _four(settings) == (3, FeeRule.LEGACY, 0, 5)


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"GRIDWEAVE_NETWORK": "ropsten"}, "no network is called ropsten"),
        ({"GRIDWEAVE_NETWORKS": "/nowhere.toml"}, "GRIDWEAVE_NETWORKS: /nowhere.toml cannot be read"),
        ({"GRIDWEAVE_FEE_RULE": "free"}, "GRIDWEAVE_FEE_RULE: Input should be 'auto', 'eip1559' or 'legacy'"),
        ({"GRIDWEAVE_FINALITY_DEPTH": "-1"}, "GRIDWEAVE_FINALITY_DEPTH: Input should be greater than or equal to 0"),
        ({"GRIDWEAVE_TIME_ZONE": "Berlin"}, "'Berlin' is no time zone; an IANA name such as Europe/Berlin or UTC"),
    ],
)
def test_from_env__given_what_cannot_be__names_it(env, said):
    with pytest.raises(SettingsInvalid) as raised:
        Settings.from_env(env)
    assert said in str(raised.value)


def test_settings__of_a_node_whose_address_holds_a_key__do_not_show_it() -> None:
    settings = Settings.from_env({"GRIDWEAVE_RPC_URL": "https://node.test/s3cret"})
    assert settings.rpc_url.endswith("s3cret")
    assert "s3cret" not in repr(settings)
