"""Which refusals a bond must hear of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import pytest

from gridweave.chain.events import OrderRefused, Placed, topics_of
from gridweave.chain.types import Log, Receipt
from gridweave.domain import errors
from gridweave.outbox.kinds import Kind
from gridweave.outbox.outcomes import outcomes_of, rejected
from gridweave.store.records import ItemOutcome
from tests.backend.outbox.test_planner import item

SPONSOR = "0x" + "5a" * 20
AUCTION = "0x" + "11" * 20
_ELSEWHERE = SimpleNamespace(address=SPONSOR)
CONTRACTS = SimpleNamespace(auction=SimpleNamespace(address=AUCTION), ledger=_ELSEWHERE, firmware=_ELSEWHERE)


@pytest.mark.parametrize(
    ("kind", "reason", "to_prove"),
    [
        (Kind.ORDER, "AvailableTooSmall", True),
        (Kind.ORDER, "TransactionReverted", True),
        (Kind.SCHEDULE, "WrongSigner", True),
        (Kind.ORDER, "VersionNotNewer", False),  # the bond sees the newer version
        (Kind.ORDER, "GateClosed", False),  # too late to prove anything
        (Kind.ORDER, "GateClosedByReorg", False),
        (Kind.CANCEL, "WrongSigner", False),  # a bond answers for orders
        (Kind.READING, "ReadingNotNewer", False),
    ],
)
def test_rejected__given_a_sponsor__is_to_be_proved_where_it_can_be(kind: Kind, reason: str, to_prove: bool) -> None:
    assert rejected(replace(item(kind), sponsor=SPONSOR), reason).to_prove is to_prove


def test_rejected__without_a_sponsor__is_not_to_be_proved() -> None:
    assert not rejected(item(Kind.ORDER), "AvailableTooSmall").to_prove


@pytest.mark.parametrize(
    ("refusals", "said"),
    [
        (("", ""), ("committed", None, False)),
        (("VersionNotNewer", ""), ("committed", None, False)),
        (("", "AvailableTooSmall"), ("committed", None, True)),
        (("AvailableTooSmall", "VersionNotNewer"), ("rejected", "AvailableTooSmall", True)),
        (("VersionNotNewer", "AvailableTooSmall"), ("rejected", "VersionNotNewer", True)),
        (("VersionNotNewer", "VersionNotNewer"), ("rejected", "VersionNotNewer", False)),
    ],
)
def test_outcomes_of__given_a_schedule__proves_the_refusal_of_any_line(
    refusals: Sequence[str], said: tuple[str, str | None, bool]
) -> None:
    outcome = of_schedule(refusals)
    assert (outcome.status, outcome.reason, outcome.to_prove) == said


def of_schedule(refusals: Sequence[str]) -> ItemOutcome:
    """What a receipt says of a schedule whose lines were refused so; "": the line was placed."""
    digests = [bytes([number]) * 32 for number in range(len(refusals))]
    logs = tuple(line_log(digest, refusal) for digest, refusal in zip(digests, refusals, strict=True))
    receipt = Receipt(bytes(32), 1, bytes(32), 0, True, SPONSOR, AUCTION, None, 0, 0, logs)
    schedule = replace(item(Kind.SCHEDULE), sponsor=SPONSOR, payload={"lines": [f"0x{d.hex()}" for d in digests]})
    (outcome,) = outcomes_of([schedule], receipt, CONTRACTS)  # type: ignore[arg-type]
    return outcome


def line_log(digest: bytes, refusal: str) -> Log:
    """The event in which a line ends."""
    kind = OrderRefused if refusal else Placed
    data = getattr(errors, refusal).selector().ljust(32, b"\0") if refusal else bytes(32)
    place = [digest, bytes(32), bytes(32)]
    return Log(AUCTION, (*topics_of(kind), *place), data, 1, bytes(32), bytes(32), 0, 0)
