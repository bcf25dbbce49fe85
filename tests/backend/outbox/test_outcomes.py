"""Which refusals a bond must hear of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridweave.outbox.kinds import Kind
from gridweave.outbox.outcomes import rejected
from tests.backend.outbox.test_planner import item

SPONSOR = "0x" + "5a" * 20


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
