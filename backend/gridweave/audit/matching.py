"""What contracts had to say in one transaction, compared with what they said.

Every event has one rule here: which fields name it, and which kind of difference each other field makes. Events are
paired by name first, then by likeness; so a changed field is one difference, a dropped event one, a doubled one one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any

from gridweave.audit.differences import Difference, Kind, Place, Subject
from gridweave.audit.stream import place_of
from gridweave.chain import events as chain
from gridweave.chain.errors import error_name, reverted
from gridweave.chain.events import Event
from gridweave.chain.hexes import to_hex
from gridweave.domain.errors import WordMalformed
from gridweave.domain.firmware.messages import Release
from gridweave.domain.orders import unpack_reference

__all__ = ["GOVERNANCE", "RULES", "UNCHECKED", "Expected", "Rule", "compare", "subject_of", "text_of", "values_of"]

Tell = Callable[[Difference], None]

_PLACE = frozenset(Event.__dataclass_fields__) - {"contract"}


@dataclass(frozen=True)
class Rule:
    """`keys` name one event among others of its class; `kind` and `kinds` name differences of the rest."""

    keys: tuple[str, ...]
    kind: Kind
    kinds: Mapping[str, Kind] = field(default_factory=dict)

    def kind_of(self, name: str) -> Kind:
        return self.kinds.get(name, self.kind)


@dataclass(frozen=True)
class Expected:
    """An event that must be there: its class, the contract that says it, and its parameters."""

    kind: type[Event]
    contract: str
    values: Mapping[str, Any]


_SELECTOR, _LONG = 4, 256
_BALANCE = {"available": Kind.BALANCE}

RULES: Mapping[type[Event], Rule] = {
    chain.Deposited: Rule(("account", "payer"), Kind.DEPOSIT, _BALANCE),
    chain.Withdrawn: Rule(("account", "to"), Kind.WITHDRAWAL, _BALANCE),
    chain.Locked: Rule(("account", "ref"), Kind.COLLATERAL, _BALANCE),
    chain.Paid: Rule(("account", "ref"), Kind.PAYMENT, _BALANCE),
    chain.Balanced: Rule(
        ("utility", "operator"),
        Kind.SETTLEMENT,
        {"utility_available": Kind.BALANCE, "operator_available": Kind.BALANCE},
    ),
    chain.DebtPaid: Rule(
        ("debtor", "creditor"),
        Kind.DEBT,
        {"debtor_available": Kind.BALANCE, "creditor_available": Kind.BALANCE},
    ),
    chain.DebtChanged: Rule(("debtor", "creditor"), Kind.DEBT),
    chain.Skimmed: Rule(("to",), Kind.TOKENS),
    chain.DeviceEnrolled: Rule(("device",), Kind.DEVICE),
    chain.DIDOwnerChanged: Rule(("identity",), Kind.DEVICE),
    chain.DIDAttributeChanged: Rule(("identity",), Kind.DEVICE),
    chain.BatchRegistered: Rule(("root",), Kind.DEVICE),
    chain.BatchClosed: Rule(("root",), Kind.DEVICE),
    chain.DeviceCompromised: Rule(("device",), Kind.DEVICE),
    chain.RotationProposed: Rule(("device",), Kind.DEVICE),
    chain.RotationVetoed: Rule(("device",), Kind.DEVICE),
    chain.TransferOffered: Rule(("device",), Kind.DEVICE),
    chain.DeviceStatusChanged: Rule(("device",), Kind.DEVICE),
    chain.MeterRegistered: Rule(("meter",), Kind.METER),
    chain.MeterEnded: Rule(("meter",), Kind.METER),
    chain.MeterMoved: Rule(("device",), Kind.METER),
    chain.AssetRegistered: Rule(("asset",), Kind.ASSET),
    chain.AssetStateChanged: Rule(("asset", "since"), Kind.ASSET),
    chain.AssetStateRefused: Rule(("asset", "state", "since"), Kind.REFUSAL),
    chain.ReadingRecorded: Rule(("meter", "slot"), Kind.READING),
    chain.ReadingRefused: Rule(("meter", "slot", "version"), Kind.REFUSAL),
    chain.MarketCreated: Rule(("market",), Kind.MARKET),
    chain.MarketChanged: Rule(("market", "version"), Kind.MARKET),
    chain.DelegationSet: Rule(("account", "delegate"), Kind.DELEGATION),
    chain.Placed: Rule(("digest",), Kind.ORDER),
    chain.Cancelled: Rule(("digest",), Kind.CANCEL),
    chain.OrderRefused: Rule(("digest",), Kind.REFUSAL),
    chain.Cleared: Rule(("market", "slot"), Kind.PRICE),
    chain.Settled: Rule(
        ("meter", "slot"), Kind.READING, {"bought_wh": Kind.FILL, "sold_wh": Kind.FILL, "cash": Kind.CASH}
    ),
    chain.SettlementRefused: Rule(("meter", "slot"), Kind.REFUSAL),
    chain.Released: Rule(("meter", "slot"), Kind.RELEASE),
    chain.SlotClosed: Rule(("market", "slot"), Kind.CLOSE),
    chain.BondPosted: Rule(("sponsor", "relayer"), Kind.BOND),
    chain.BondLeaving: Rule(("sponsor", "relayer"), Kind.BOND),
    chain.BondRedeemed: Rule(("sponsor", "relayer"), Kind.BOND),
    chain.RefusalProved: Rule(("digest", "request", "signature_hash"), Kind.REFUSAL),
    chain.Compensated: Rule(("digest", "relayer"), Kind.COMPENSATION, {"bond": Kind.BOND, "leaving": Kind.BOND}),
    chain.Transfer: Rule(("sender", "to"), Kind.TOKENS),
    chain.RoleGranted: Rule(("role_id", "account"), Kind.ROLE),
    chain.RoleRevoked: Rule(("role_id", "account"), Kind.ROLE),
    chain.RoleAdminChanged: Rule(("role_id",), Kind.ROLE),
    chain.RoleGuardianChanged: Rule(("role_id",), Kind.ROLE),
    chain.RoleGrantDelayChanged: Rule(("role_id",), Kind.ROLE),
    chain.TargetFunctionRoleUpdated: Rule(("target", "selector"), Kind.ROLE),
    chain.TargetAdminDelayUpdated: Rule(("target",), Kind.ROLE),
    chain.TargetClosed: Rule(("target",), Kind.ROLE),
    chain.AuthorityUpdated: Rule((), Kind.ROLE),
    chain.StreamOpened: Rule(("stream",), Kind.STREAM),
    chain.EpochBegun: Rule(("stream", "epoch"), Kind.EPOCH),
    chain.BatchAnchored: Rule(("stream", "span"), Kind.TELEMETRY),
    chain.BodyAnchored: Rule(("stream", "number"), Kind.BODY),
    chain.BatchRefused: Rule(("stream", "span"), Kind.REFUSAL),
    chain.AccessGranted: Rule(("stream", "to", "epoch", "first_window", "last_window"), Kind.GRANT),
    chain.ModelOpened: Rule(("model",), Kind.FIRMWARE),
    chain.ReleaseKeysChanged: Rule(("model", "version"), Kind.FIRMWARE),
    chain.FirmwareReleased: Rule(("model", "counter"), Kind.FIRMWARE),
    chain.ReleaseRevoked: Rule(("model", "counter"), Kind.FIRMWARE),
    chain.FloorRaised: Rule(("model",), Kind.FIRMWARE),
    chain.RolloutStepped: Rule(("model", "counter", "step"), Kind.ROLLOUT),
    chain.RolloutPaused: Rule(("model", "counter", "step"), Kind.ROLLOUT),
    chain.InstallTold: Rule(("device", "model", "counter"), Kind.RECEIPT),
    chain.ReceiptRefused: Rule(("device", "model", "counter"), Kind.REFUSAL),
}
"""Events that the audit predicts, field by field."""

GOVERNANCE: frozenset[type[Event]] = frozenset(
    {
        chain.RoleGranted,
        chain.RoleRevoked,
        chain.RoleAdminChanged,
        chain.RoleGuardianChanged,
        chain.RoleGrantDelayChanged,
        chain.TargetFunctionRoleUpdated,
        chain.TargetAdminDelayUpdated,
        chain.TargetClosed,
    }
)
"""Events of the Authority: predicted where the admin called it directly, else taken as they are."""

_OF_FIRMWARE = (
    chain.ModelOpened,
    chain.ReleaseKeysChanged,
    chain.FirmwareReleased,
    chain.RolloutStepped,
    chain.RolloutPaused,
    chain.ReleaseRevoked,
    chain.FloorRaised,
    chain.InstallTold,
    chain.ReceiptRefused,
)
_SPAN_OF_CONTRACT = 48
"""Lowest bits of a span that are not the device's word."""

_OF_RESPONSE = "demand response is not recomputed yet: its money is carried through the Vault as it asked for it"

UNCHECKED: Mapping[type[Event], str] = {
    chain.RoleLabel: "a label that nothing reads",
    chain.OperationScheduled: "a plan of the admin; what it does shows in other events",
    chain.OperationExecuted: "what it did shows in other events",
    chain.OperationCanceled: "a plan that came to nothing",
    chain.EIP712DomainChanged: "never sent",
    chain.CalendarOpened: "days move no money; what is measured by them is not audited yet",
    chain.DaysPublished: "days move no money; what is measured by them is not audited yet",
    chain.ProgrammeOpened: _OF_RESPONSE,
    chain.ResponseRuleOpened: _OF_RESPONSE,
    chain.ResponseRuleEnded: _OF_RESPONSE,
    chain.AssetEnrolled: _OF_RESPONSE,
    chain.ResponseAnnounced: _OF_RESPONSE,
    chain.AssetsCalled: _OF_RESPONSE,
    chain.CallRefused: _OF_RESPONSE,
    chain.AssetOptedOut: _OF_RESPONSE,
    chain.MarginFound: _OF_RESPONSE,
    chain.SetpointGiven: _OF_RESPONSE,
    chain.ResponseDrawn: _OF_RESPONSE,
    chain.ResponseCancelled: _OF_RESPONSE,
    chain.ResponseSettled: _OF_RESPONSE,
    chain.CommitmentReleased: _OF_RESPONSE,
    chain.ResponseSettlementRefused: _OF_RESPONSE,
    chain.ResponseClosed: _OF_RESPONSE,
    chain.Approval: "the currency's own affair; the Vault's tokens show in Transfer and in its balance",
}
"""Events that no promise rests on, each with the reason."""


_ENDINGS: tuple[tuple[tuple[type[Event], ...], tuple[str, ...]], ...] = (
    ((chain.Placed, chain.Cancelled, chain.OrderRefused), ("digest",)),
    ((chain.ReadingRecorded, chain.ReadingRefused), ("meter", "slot")),
    ((chain.Settled, chain.Released, chain.SettlementRefused), ("meter", "slot")),
    ((chain.BatchAnchored, chain.BatchRefused), ("stream", "span")),
    ((chain.InstallTold, chain.ReceiptRefused), ("device", "model", "counter")),
)


def values_of(event: Event) -> dict[str, Any]:
    """An event's parameters by name, and the contract that said it."""
    return {name: getattr(event, name) for name in _names(type(event))}


def subject_of(kind: type[Event], values: Mapping[str, Any]) -> Subject:
    """Whom an event with these parameters is about."""
    market, slot, meter = values.get("market"), values.get("slot"), values.get("meter")
    if "ref" in values:
        with suppress(WordMalformed):
            market, slot, meter, _ = unpack_reference(values["ref"])
    named = ("account", "debtor", "utility", "sender", "target", "sponsor")
    account = next((values[name] for name in named if values.get(name)), None)
    return Subject(
        event=kind.__name__,
        market=market,
        slot=slot,
        meter=meter,
        account=account,
        creditor=values.get("creditor"),
        relayer=values.get("relayer"),
        device=values.get("device") or values.get("identity"),
        batch=to_hex(values["root"]) if kind in (chain.BatchRegistered, chain.BatchClosed) else None,
        asset=values.get("asset"),
        stream=to_hex(values["stream"]) if "stream" in values else None,
        number=values.get("number"),
        model=values.get("model") if kind in _OF_FIRMWARE else None,
        counter=values.get("counter"),
    )


def text_of(value: Any) -> str:
    """A value for people: bytes as hex, a reason by its name, what is long by its hash."""
    if not isinstance(value, bytes):
        return str(value)
    if len(value) > _LONG:
        return f"{len(value)} bytes with SHA-256 {to_hex(sha256(value).digest())}"
    return error_name(value) if len(value) == _SELECTOR else to_hex(value)


def reason_of(value: bytes) -> str:
    """Why something was refused, for people: the error's name, with its arguments if it has them."""
    return error_name(value) if len(value) <= _SELECTOR else str(reverted(value))


def compare(expected: Sequence[Expected], found: Iterable[Event], where: Place, tell: Tell) -> None:
    """Tells of every difference between what had to be said in a transaction and what was."""
    wanted: dict[type[Event], list[Expected]] = defaultdict(list)
    said: dict[type[Event], list[Event]] = defaultdict(list)
    for item in expected:
        wanted[item.kind].append(item)
    for event in found:
        said[type(event)].append(event)
    missing: list[Expected] = []
    extra: list[Event] = []
    for kind in {**wanted, **said}:
        _compare_class(RULES[kind], wanted[kind], said[kind], tell)
        missing += wanted[kind]
        extra += said[kind]
    _tell_rest(missing, extra, where, tell)


def _compare_class(rule: Rule, wanted: list[Expected], said: list[Event], tell: Tell) -> None:
    """Pairs what belongs together and takes it out of both lists."""
    if len(wanted) == len(said) and all(map(_equal, wanted, said)):
        wanted.clear()
        said.clear()
        return
    for pairing in (_equal, partial(_same_key, rule), _alike):
        for item in list(wanted):
            partner = next((event for event in said if pairing(item, event)), None)
            if partner is not None:
                wanted.remove(item)
                said.remove(partner)
                _tell_fields(rule, item, partner, tell)


def _tell_rest(missing: list[Expected], extra: list[Event], where: Place, tell: Tell) -> None:
    """Items that ended otherwise than they had to, then what is only on one side."""
    for item in missing:
        ending = _ending(item.kind, item.values)
        other = next((event for event in extra if ending and _ending(type(event), values_of(event)) == ending), None)
        subject = subject_of(item.kind, item.values)
        if other is None:
            tell(Difference(Kind.MISSING_EVENT, subject, "the event", "none", where))
        else:
            extra.remove(other)
            tell(Difference(Kind.REFUSAL, subject, _said(item.kind, item.values), _told(other), place_of(other)))
    for event in extra:
        subject = subject_of(type(event), values_of(event))
        tell(Difference(Kind.UNEXPECTED_EVENT, subject, "none", "the event", place_of(event)))


def _ending(kind: type[Event], values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """What an event says the fate of: one order or cancel, one reading, one meter's settlement; None for others."""
    for group, (kinds, keys) in enumerate(_ENDINGS):
        if kind in kinds:
            return group, *(_fate(key, values[key]) for key in keys)
    return None


def _fate(key: str, value: Any) -> Any:
    """Of a span only what its device said: number and nonce are the contract's once it is anchored."""
    return value >> _SPAN_OF_CONTRACT if key == "span" else value


def _told(event: Event) -> str:
    return _said(type(event), values_of(event))


def _said(kind: type[Event], values: Mapping[str, Any]) -> str:
    reason = values.get("reason")
    return f"{kind.__name__}({reason_of(reason)})" if reason is not None else kind.__name__


def _tell_fields(rule: Rule, item: Expected, event: Event, tell: Tell) -> None:
    subject = subject_of(item.kind, item.values)
    if item.contract != event.contract:
        tell(Difference(rule.kind, subject, f"said by {item.contract}", f"by {event.contract}", place_of(event)))
    for name, value in item.values.items():
        for part, wanted, found in _parts(name, value, getattr(event, name)):
            say = reason_of if name == "reason" else text_of
            named = _with_field(subject, part)
            tell(Difference(rule.kind_of(name), named, say(wanted), say(found), place_of(event)))


def _parts(name: str, value: Any, found: Any) -> Iterator[tuple[str, Any, Any]]:
    """What differs: the field itself, of a release its own fields."""
    pairs = [(name, value, found)]
    if isinstance(value, Release) and isinstance(found, Release):
        pairs = [(f"{name}.{own}", getattr(value, own), getattr(found, own)) for own in value.__dataclass_fields__]
    return (each for each in pairs if each[1] != each[2])


def _with_field(subject: Subject, name: str) -> Subject:
    return Subject(**{**subject.to_json(), "field": name})


def _equal(item: Expected, event: Event) -> bool:
    same = all(getattr(event, name) == value for name, value in item.values.items())
    return same and item.contract == event.contract


def _same_key(rule: Rule, item: Expected, event: Event) -> bool:
    return all(getattr(event, name) == item.values[name] for name in rule.keys)


def _alike(item: Expected, event: Event) -> bool:
    """All but one field agree: the one that names it was changed."""
    differing = [name for name, value in item.values.items() if getattr(event, name) != value]
    return len(differing) <= 1


def _names(kind: type[Event]) -> tuple[str, ...]:
    return tuple(name for name in kind.__dataclass_fields__ if name not in _PLACE and name != "contract")
