"""Every event of the contracts leaves a row, or is left out on purpose."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from gridweave.chain.events import EVENTS, Event
from gridweave.domain.acts import KeyKind
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.firmware.messages import Release
from gridweave.domain.meters import Meter
from gridweave.domain.orders import Cancel, Order, Side
from gridweave.domain.readings import Reading
from gridweave.domain.signatures import secp256k1_point
from gridweave.indexer.projections import PROJECTED, project
from gridweave.store.index_tables import EVENT_TABLES
from tests.support.market_terms import make_terms

KEY = DevicePublicKey(KeyKind.SECP256K1, *secp256k1_point(bytes(31) + b"\7"))
RELEASE = Release(1, 2, 1, 3, bytes(32), bytes(32), bytes(32), "https://firmware.example", 4, 5, 6)
MADE_UP: dict[str, Any] = {"str": "0x" + "11" * 20, "bytes": bytes(32), "bool": True, "int": 1}
WORDS: dict[str, dict[str, Any]] = {
    "Placed": {"order": Order(1, 2, 3, 1, 9, Side.BID, 5, 6).pack()},
    "Cancelled": {"cancel": Cancel(1, 2, 3, 1, 9).pack()},
    "ReadingRecorded": {"reading": Reading(1, 2, 1, 3, 4).pack()},
    "MeterRegistered": {"terms": int.from_bytes(Meter("0x" + "11" * 20, 1, 2, 3, 1, True, False).pack())},
    "MarketCreated": {"terms": make_terms()},
    "MarketChanged": {"terms": make_terms()},
    "DelegationSet": {"meters": (1, 2)},
    "Compensated": {"order": Order(1, 2, 3, 1, 9, Side.BID, 5, 6).pack()},
    "FirmwareReleased": {"release": RELEASE},
    "ModelOpened": {"keys": ("0x" + "11" * 20,)},
    "ReleaseKeysChanged": {"keys": ("0x" + "11" * 20,)},
    "ReceiptRefused": {"reason": bytes(4)},
    "DIDAttributeChanged": {"name": KEY.attribute, "value": KEY.compressed},
}
LEFT_OUT = {
    "Approval",
    "AssetEnrolled",
    "AssetOptedOut",
    "AssetStateRefused",
    "AssetsCalled",
    "AuthorityUpdated",
    "BodyAnchored",
    "CalendarOpened",
    "CallRefused",
    "CommitmentReleased",
    "DaysPublished",
    "EIP712DomainChanged",
    "MarginFound",
    "OperationCanceled",
    "OperationExecuted",
    "OperationScheduled",
    "ProgrammeOpened",
    "ResponseAnnounced",
    "ResponseCancelled",
    "ResponseClosed",
    "ResponseDrawn",
    "ResponseRuleEnded",
    "ResponseRuleOpened",
    "ResponseSettled",
    "ResponseSettlementRefused",
    "RoleAdminChanged",
    "RoleGrantDelayChanged",
    "RoleGranted",
    "RoleGuardianChanged",
    "RoleLabel",
    "RoleRevoked",
    "SetpointGiven",
    "TargetAdminDelayUpdated",
    "TargetClosed",
    "TargetFunctionRoleUpdated",
    "Transfer",
}
"""Roles, the token's own book, sealed bodies; yet calendars and demand response: only the history shows them."""


def test_projected__with_those_left_out__are_all_events() -> None:
    assert {kind.__name__ for kind in PROJECTED} | LEFT_OUT == set(EVENTS)


def test_projected__tables__are_all_event_tables() -> None:
    assert {table for event in EVENTS.values() for table in tables_of(event)} == set(EVENT_TABLES)


@pytest.mark.parametrize("kind", PROJECTED, ids=lambda kind: kind.__name__)
def test_project__rows__have_the_columns_of_their_tables(kind: type[Event]) -> None:
    for table, rows in rows_of(kind).items():
        assert all(set(row) == set(EVENT_TABLES[table].columns.keys()) for row in rows)


def tables_of(kind: type[Event]) -> set[str]:
    """Tables in which a made-up event of this kind leaves rows."""
    return set(rows_of(kind))


def rows_of(kind: type[Event]) -> dict[str, list[dict[str, Any]]]:
    """Rows that a made-up event of this kind leaves, by table."""
    values = {field.name: MADE_UP.get(str(field.type), 1) for field in fields(kind)} | WORDS.get(kind.__name__, {})
    return project([kind(**values)])
