"""Networks by name: those that ship, those of the user's own, and those that cannot be."""

from __future__ import annotations

import pytest

from gridweave import artifacts
from gridweave.chain import EvmLevel, FeeRule, NetworkUnusable, find_network, list_networks

PREVRANDAO, PUSH1, PUSH32 = 0x44, 0x60, 0x7F

OWN = """
[village]
about = "the village's own chain"
chain_id = 4711
evm = "shanghai"
finality_depth = 3
fee_rule = "legacy"
priority_fee_wei = 0
gas_price_wei = 5
max_gas = 8_000_000
"""


def _file(tmp_path, text):
    path = tmp_path / "networks.toml"
    path.write_text(text)
    return path


def test_list_networks__as_shipped__describes_every_kind_of_chain_that_runs_the_contracts():
    known = list_networks()
    assert {"generic", "anvil", "ganache", "besu-qbft", "geth-clique", "cometbft-evm", "sepolia", "mainnet"} == set(
        known
    )
    for network in known.values():
        chain_id = network.chain_id or 77
        profile = network.profile(chain_id)
        assert (profile.chain_id, profile.finality_depth) == (chain_id, network.finality_depth)
        assert network.about


def test_find_network__given_a_name_that_nobody_has__names_those_there_are():
    with pytest.raises(NetworkUnusable, match=r"no network is called ropsten: name one of generic, anvil, .*mainnet"):
        find_network("ropsten")


def test_find_network__given_a_file__takes_its_networks_beside_those_that_ship(tmp_path):
    file = _file(tmp_path, OWN)
    profile = find_network("village", file).profile(4711)
    assert (profile.fee_rule, profile.gas_price, profile.max_gas) == (FeeRule.LEGACY, 5, 8_000_000)
    assert find_network("sepolia", file) == find_network("sepolia")


def test_find_network__given_a_file_that_describes_a_shipped_one__prefers_the_file(tmp_path):
    file = _file(tmp_path, OWN.replace("village", "sepolia"))
    assert find_network("sepolia", file).finality_depth == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("village", "is no TOML"),
        ("village = 3", "village is no network"),
        (OWN.replace('"shanghai"', '"byzantium"'), "evm of network village: Input should be 'istanbul', "),
        (OWN.replace("finality_depth = 3", ""), "finality_depth of network village: Field required"),
        (OWN + "fees = 3\n", "fees of network village: Extra inputs are not permitted"),
        (OWN.replace("8_000_000", "16_777_217"), "max_gas of network village: Input should be less than or equal to"),
    ],
)
def test_list_networks__given_a_file_with_a_fault__says_where(tmp_path, text, said):
    file = _file(tmp_path, text)
    with pytest.raises(NetworkUnusable) as raised:
        list_networks(file)
    assert said in str(raised.value)
    assert str(file) in str(raised.value)


def test_list_networks__given_no_such_file__says_which(tmp_path):
    with pytest.raises(NetworkUnusable, match=r"nowhere\.toml cannot be read"):
        list_networks(tmp_path / "nowhere.toml")


def test_profile__given_another_chains_id__says_what_to_change():
    with pytest.raises(NetworkUnusable, match=r"network sepolia is chain 11155111, not 1: .*--network"):
        find_network("sepolia").profile(1)


def test_profile__given_an_evm_older_than_the_artifacts__says_what_to_change(tmp_path):
    old = find_network("village", _file(tmp_path, OWN.replace('"shanghai"', '"istanbul"')))
    with pytest.raises(NetworkUnusable, match="runs EVM level istanbul, the contracts are compiled for paris: raise"):
        old.profile(4711)


@pytest.mark.parametrize(
    ("chain", "code", "runs"),
    [
        (EvmLevel.OSAKA, EvmLevel.PARIS, True),
        (EvmLevel.LONDON, EvmLevel.PARIS, True),
        (EvmLevel.BERLIN, EvmLevel.PARIS, False),
        (EvmLevel.PARIS, EvmLevel.SHANGHAI, False),
        (EvmLevel.LONDON, EvmLevel.SHANGHAI, False),
    ],
)
def test_runs__given_levels__asks_for_the_code_s_own_or_a_newer_one(chain, code, runs):
    assert chain.runs(code) is runs


def test_artifacts__compiled_for_paris__never_read_what_paris_changed():
    """What lets London chains run them."""
    assert artifacts.evm_level() == EvmLevel.PARIS
    for name in artifacts.deployables():
        artifact = artifacts.load(name)
        assert PREVRANDAO not in _words(artifact.runtime), name
        assert PREVRANDAO not in _words(artifact.bytecode), name


def _words(code):
    """The instructions of code, without the bytes that PUSH carries."""
    at = 0
    while at < len(code):
        yield code[at]
        at += 1 + (code[at] - PUSH1 + 1 if PUSH1 <= code[at] <= PUSH32 else 0)
