"""What an audit reports: one typed record for every place where the chain says something else than the rules."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

__all__ = ["NOWHERE", "Difference", "Kind", "Place", "Subject"]


class Kind(StrEnum):
    """What differs. First facts that were recomputed, then signatures, then the record itself."""

    MARKET = "market"
    METER = "meter"
    ASSET = "asset"
    DEVICE = "device"
    ROLE = "role"
    DELEGATION = "delegation"
    ORDER = "order"
    CANCEL = "cancel"
    REFUSAL = "refusal"
    PRICE = "price"
    FILL = "fill"
    READING = "reading"
    CASH = "cash"
    COLLATERAL = "collateral"
    RELEASE = "release"
    PAYMENT = "payment"
    SETTLEMENT = "settlement"
    CLOSE = "close"
    DEBT = "debt"
    BALANCE = "balance"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TOKENS = "tokens"
    BOND = "bond"
    COMPENSATION = "compensation"
    BILL = "bill"
    STREAM = "stream"
    EPOCH = "epoch"
    TELEMETRY = "telemetry"
    BODY = "body"
    GRANT = "grant"
    FIRMWARE = "firmware"
    ROLLOUT = "rollout"
    RECEIPT = "receipt"

    ORDER_SIGNATURE = "order-signature"
    CANCEL_SIGNATURE = "cancel-signature"
    READING_SIGNATURE = "reading-signature"
    STATE_SIGNATURE = "state-signature"
    BATCH_SIGNATURE = "batch-signature"
    RECEIPT_SIGNATURE = "receipt-signature"
    MAKER_SIGNATURE = "maker-signature"
    DEVICE_SIGNATURE = "device-signature"
    OPERATOR_SIGNATURE = "operator-signature"
    UTILITY_SIGNATURE = "utility-signature"
    OWNER_SIGNATURE = "owner-signature"
    ACCOUNT_SIGNATURE = "account-signature"
    RELAYER_SIGNATURE = "relayer-signature"
    RELEASE_KEY_SIGNATURE = "release-key-signature"

    RULE = "rule"
    MISSING_EVENT = "missing-event"
    UNEXPECTED_EVENT = "unexpected-event"
    REPEATED_EVENT = "repeated-event"
    UNREADABLE_EVENT = "unreadable-event"
    STORAGE = "storage"


@dataclass(frozen=True)
class Place:
    """Where on the chain: block, transaction hash as 0x hex, log index within the block. None where it has none."""

    block: int | None = None
    transaction: str | None = None
    log_index: int | None = None


NOWHERE = Place()


@dataclass(frozen=True)
class Subject:
    """Whom a difference is about: any of market, slot, meter, account, relayer, device, a maker's batch, asset, stream
    and number of its batch, model and counter of firmware, an event's or a getter's name."""

    event: str | None = None
    market: int | None = None
    slot: int | None = None
    meter: int | None = None
    account: str | None = None
    creditor: str | None = None
    relayer: str | None = None
    device: str | None = None
    batch: str | None = None
    asset: int | None = None
    stream: str | None = None
    number: int | None = None
    model: int | None = None
    counter: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        said = ((field.name, getattr(self, field.name)) for field in fields(self))
        return ", ".join(f"{name} {value}" for name, value in said if value is not None)

    def to_json(self) -> dict[str, Any]:
        """The members that are set."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True)
class Difference:
    """`expected` is what the rules give, `found` what the chain says, both as text; `sentence` says it to a person."""

    kind: Kind
    subject: Subject
    expected: str
    found: str
    place: Place = NOWHERE
    why: str = ""

    @property
    def sentence(self) -> str:
        """One sentence that names the thing, what it should be, what it is and where that stands."""
        what = f"{self.kind.value.replace('-', ' ')} of {self.subject}: expected {self.expected}, found {self.found}"
        where = "" if self.place.block is None else f" (block {self.place.block}"
        if where and self.place.transaction:
            where += f", transaction {self.place.transaction}"
        if where and self.place.log_index is not None:
            where += f", log {self.place.log_index}"
        return f"{what}{where + ')' if where else ''}{': ' + self.why if self.why else ''}."

    def to_json(self) -> dict[str, Any]:
        """The record for programs: kind, subject, expected, found, block, transaction, logIndex, sentence."""
        return {
            "kind": self.kind.value,
            "subject": self.subject.to_json(),
            "expected": self.expected,
            "found": self.found,
            "block": self.place.block,
            "transaction": self.place.transaction,
            "logIndex": self.place.log_index,
            "sentence": self.sentence,
        }
