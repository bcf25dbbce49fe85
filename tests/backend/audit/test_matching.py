from __future__ import annotations

import random
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from gridweave.audit.differences import Difference, Kind, Place
from gridweave.audit.matching import RULES, Expected, compare
from gridweave.chain import events as chain
from gridweave.domain.firmware.messages import Release
from gridweave.domain.orders import position_reference
from gridweave.domain.stream_errors import BatchLeavesGap

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


# fates of batches and receipts


def of_batch(kind: type[chain.Event], span: int, **said_of: Any) -> Expected:
    return Expected(kind, AUCTION, {"stream": b"\x07" * 32, "span": span, **said_of})


def event_of(item: Expected) -> chain.Event:
    return item.kind(item.contract, 7, b"\x44" * 32, b"\x33" * 32, 0, 1, **item.values)


def test_compare__given_a_batch_refused_instead_of_anchored__is_one_refusal_with_its_words() -> None:
    """The contract puts number and nonce into the span of what it anchors; what the device said of it is the same."""
    device_s = 5 << 48
    hashes = {"head": bytes(32), "root": bytes(32), "body_hash": bytes(32)}
    anchored = of_batch(chain.BatchAnchored, device_s | 9 << 16 | 2, **hashes)
    reason = BatchLeavesGap("0x" + "07" * 32, 8, 6).data
    (found,) = compared([anchored], [event_of(of_batch(chain.BatchRefused, device_s, reason=reason))])
    assert (found.kind, found.expected) == (Kind.REFUSAL, "BatchAnchored")
    assert found.found == f"BatchRefused(BatchLeavesGap(stream=0x{'07' * 32}, firstIndex=8, expected=6))"
    assert found.subject.stream == "0x" + "07" * 32


def test_compare__given_another_device_s_word__is_two_differences() -> None:
    refused = [of_batch(chain.BatchRefused, index << 48, reason=b"1234") for index in (5, 6)]
    hashes = {"head": bytes(32), "root": bytes(32), "body_hash": bytes(32)}
    found = compared([of_batch(chain.BatchAnchored, 4 << 48, **hashes)], [event_of(refused[0])])
    assert {each.kind for each in found} == {Kind.MISSING_EVENT, Kind.UNEXPECTED_EVENT}


def test_compare__given_a_long_body__tells_it_by_its_hash() -> None:
    wanted, other = bytes(1_000), bytes(999)
    due_ = Expected(chain.BodyAnchored, AUCTION, {"stream": bytes(32), "number": 3, "body": wanted})
    (found,) = compared([due_], [event_of(replace(due_, values={**due_.values, "body": other}))])
    assert found.expected == f"1000 bytes with SHA-256 0x{sha256(wanted).hexdigest()}"
    assert (found.kind, found.subject.field, found.subject.number) == (Kind.BODY, "body", 3)


def test_compare__given_a_release_of_other_parts__names_each() -> None:
    release = Release(7, 2, 0, 1, b"\x01" * 32, b"\x02" * 32, bytes(32), "here", 1, 0, 5)
    due_ = Expected(
        chain.FirmwareReleased, AUCTION, {"model": 7, "counter": 2, "commitment": bytes(32), "release": release}
    )
    other = replace(release, source="there", image_size=2)
    found = compared([due_], [event_of(replace(due_, values={**due_.values, "release": other}))])
    assert [(each.subject.field, each.expected, each.found) for each in found] == [
        ("release.image_size", "1", "2"),
        ("release.source", "here", "there"),
    ]
