from __future__ import annotations

import random
from typing import Any

import pytest

from gridweave.audit.differences import Difference, Kind, Place
from gridweave.audit.matching import RULES, Expected, compare
from gridweave.chain import events as chain
from gridweave.domain.orders import position_reference

AUCTION, VAULT = "0x" + "a1" * 20, "0x" + "a2" * 20
HOME, OTHER = "0x" + "01" * 20, "0x" + "02" * 20
WHERE = Place(7, "0x" + "33" * 32)


def values(**changes: Any) -> dict[str, Any]:
    paid = {
        "account": HOME,
        "module": AUCTION,
        "ref": position_reference(1, 50, 3, 2),
        "from_pot": 100,
        "from_utility": -7,
        "hold": 0,
        "available": 1_000,
    }
    return paid | changes


def due(**changes: Any) -> Expected:
    return Expected(chain.Paid, VAULT, values(**changes))


def said(index: int = 0, contract: str = VAULT, **changes: Any) -> chain.Paid:
    return chain.Paid(
        contract=contract,
        block_number=7,
        block_hash=b"\x44" * 32,
        transaction_hash=b"\x33" * 32,
        transaction_index=0,
        log_index=index,
        **values(**changes),
    )


def compared(expected: list[Expected], found: list[chain.Event]) -> list[Difference]:
    differences: list[Difference] = []
    compare(expected, found, WHERE, differences.append)
    return differences


def test_compare__given_the_same_in_another_order__finds_nothing() -> None:
    assert compared([due(), due(account=OTHER)], [said(1, account=OTHER), said()]) == []


@pytest.mark.parametrize(
    ("field", "kind"), [("from_pot", Kind.PAYMENT), ("hold", Kind.PAYMENT), ("available", Kind.BALANCE)]
)
def test_compare__given_one_other_value__names_field_and_subject(field: str, kind: Kind) -> None:
    (found,) = compared([due()], [said(4, **{field: 55})])
    assert found.kind is kind
    assert (found.subject.market, found.subject.slot, found.subject.meter) == (1, 50, 3)
    assert (found.subject.account, found.subject.field) == (HOME, field)
    assert (found.expected, found.found) == (str(values()[field]), "55")
    assert found.place == Place(7, "0x" + "33" * 32, 4)


def test_compare__given_another_name__is_one_difference() -> None:
    (found,) = compared([due()], [said(account=OTHER)])
    assert (found.subject.field, found.expected, found.found) == ("account", HOME, OTHER)


def test_compare__given_a_missing_event__says_so_at_the_transaction() -> None:
    (found,) = compared([due(), due(account=OTHER)], [said(account=OTHER)])
    assert (found.kind, found.subject.account, found.place) == (Kind.MISSING_EVENT, HOME, WHERE)


def test_compare__given_an_event_too_many__says_where() -> None:
    (found,) = compared([due()], [said(0), said(9)])
    assert (found.kind, found.place.log_index) == (Kind.UNEXPECTED_EVENT, 9)


def test_compare__given_another_contract__is_a_difference() -> None:
    (found,) = compared([due()], [said(contract=AUCTION)])
    assert VAULT in found.expected
    assert AUCTION in found.found


def test_compare__given_many_of_one_name_with_one_changed__finds_that_one(rng: random.Random) -> None:
    amounts = list(range(20))
    rng.shuffle(amounts)
    changed = rng.choice(amounts)
    events: list[chain.Event] = [said(i, from_pot=1_000 + (a if a != changed else 99)) for i, a in enumerate(amounts)]
    (found,) = compared([due(from_pot=1_000 + a) for a in range(20)], events)
    assert (found.expected, found.found) == (str(1_000 + changed), "1099")


def test_rules__given_each_event__name_fields_that_it_has() -> None:
    for kind, rule in RULES.items():
        fields = set(kind.__dataclass_fields__)
        assert set(rule.keys) <= fields, kind
        assert set(rule.kinds) <= fields, kind


def test_difference__given_its_parts__says_them_in_one_sentence() -> None:
    (found,) = compared([due()], [said(4, available=999)])
    assert found.sentence == (
        f"balance of event Paid, market 1, slot 50, meter 3, account {HOME}, field available: expected 1000, found 999 "
        f"(block 7, transaction 0x{'33' * 32}, log 4)."
    )
    assert found.to_json()["subject"]["meter"] == 3
