"""Two homes trade one slot through Brownie's own interface, on contracts that `brownie run deploy` deployed.

now        gate(s)      start(s)      end(s)        + reading window
 |-- place --|-- clear ---|---- slot ---|-- settle ----|
"""

from __future__ import annotations

import json

import brownie
import pytest
from brownie import accounts, chain, project, run

from gridweave.domain.orders import Order, Side
from gridweave.domain.readings import Reading
from gridweave.domain.settlement import settle_meter
from gridweave.domain.signatures import address_of
from gridweave.domain.slots import SlotClock
from tests.contracts.street import DEADLINE, PURSE, Street, mine_at
from tests.support.market_terms import make_terms

ROLES = ("operator", "utility", "maker", "minter")
CLOCK = SlotClock(900)


@pytest.fixture
def keys(rng):
    return {role: rng.randbytes(32) for role in ROLES}


@pytest.fixture
def record(tmp_path, monkeypatch, keys):
    """What the deployment script reads from the environment."""
    path = tmp_path / "deployment.json"
    monkeypatch.setenv("GRIDWEAVE_RECORD", str(path))
    for variable, role in (("OPERATORS", "operator"), ("MAKERS", "maker"), ("MINTERS", "minter")):
        monkeypatch.setenv(f"GRIDWEAVE_{variable}", address_of(keys[role]))
    return path


@pytest.fixture
def street(record, keys, stranger):
    run("deploy")
    loaded = project.get_loaded_projects()[0]
    contracts = json.loads(record.read_text())["contracts"]
    for key in keys.values():
        accounts[0].transfer(address_of(key), "1 ether", silent=True)
    return Street({name: loaded[name].at(entry["address"]) for name, entry in contracts.items()}, keys, stranger)


def test_run_deploy__given_a_second_run__sends_nothing(record):
    run("deploy")
    before, text = len(chain), record.read_text()
    run("deploy")
    assert len(chain) == before
    assert record.read_text() == text


def test_street__given_two_homes__trades_and_pays_one_slot(street, rng):
    terms = make_terms(utility=street.address("utility"), operator=street.address("operator"))
    market = street.open_market(terms)
    street.fill_purse(street.keys["utility"])
    buyer = street.move_in(market, rng.randbytes(32), rng.randbytes(32), 1)
    seller = street.move_in(market, rng.randbytes(32), rng.randbytes(32), 2)
    slot = CLOCK.slot_at(chain.time()) + 3

    bid = Order(market, slot, buyer.meter, 1, DEADLINE, Side.BID, 1_000, 200_000)
    ask = Order(market, slot, seller.meter, 1, DEADLINE, Side.ASK, 1_500, 120_000)
    placed = street.send(
        street.EnergyAuction.place, [street.signed_order(buyer, bid), street.signed_order(seller, ask)]
    )
    assert "OrderRefused" not in placed.events
    assert len(placed.events["Placed"]) == 2

    mine_at(terms.gate(slot, CLOCK))
    cleared = street.send(street.EnergyAuction.clear, market, slot).events["Cleared"]
    assert (cleared["traded"], cleared["volumeWh"], cleared["longSide"]) == (True, 1_000, Side.ASK)
    assert cleared["low"] <= cleared["price"] <= cleared["high"]

    mine_at(CLOCK.end(slot))
    readings = [Reading(buyer.meter, slot, 1, 1_100, 0), Reading(seller.meter, slot, 1, 0, 950)]
    signed = [street.signed_reading(home, each) for home, each in zip((buyer, seller), readings, strict=True)]
    settled = street.send(street.EnergyAuction.settle, market, slot, signed)
    assert "ReadingRefused" not in settled.events

    price = cleared["price"]
    paid = {
        buyer: settle_meter(terms, price, 1_000, 0, 1_100, 0).account,
        seller: settle_meter(terms, price, 0, 1_000, 0, 950).account,
    }
    assert {event["meter"]: event["cash"] for event in settled.events["Settled"]} == {
        home.meter: cash for home, cash in paid.items()
    }
    for home, cash in paid.items():
        available, _, arrear = street.Vault.accountOf(home.address)
        assert (available, arrear) == (PURSE + cash, 0)
    assert len(settled.events["SlotClosed"]) == 1
    assert street.Vault.potOf(street.EnergyAuction.address) == 0
    assert street.Vault.totalTracked() == 3 * PURSE == street.LocalCurrency.balanceOf(street.Vault.address)


def test_place__given_a_strangers_signature__is_refused_by_name(street, rng, reverts):
    terms = make_terms(utility=street.address("utility"), operator=street.address("operator"))
    market = street.open_market(terms)
    home = street.move_in(market, rng.randbytes(32), rng.randbytes(32), 1)
    order = Order(market, CLOCK.slot_at(chain.time()) + 3, home.meter, 1, DEADLINE, Side.BID, 1_000, 200_000)
    word, r, vs = street.signed_order(home, order)
    refused = street.send(street.EnergyAuction.place, [(word, r[:-1] + bytes([r[-1] ^ 1]), vs)])
    expected = brownie.web3.keccak(text="WrongSigner()")[:4].hex().removeprefix("0x")
    assert str(refused.events["OrderRefused"]["reason"]).removeprefix("0x").startswith(expected)
    with reverts("AccessManagedUnauthorized"):
        street.LocalCurrency.mint(home.address, 1, {"from": street.relayer})
