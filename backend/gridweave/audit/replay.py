"""One transaction after another through the rules: what each had to leave is compared with what it left."""

from __future__ import annotations

from collections.abc import Sequence

from gridweave.audit.acts import Acts
from gridweave.audit.addresses import AddressBook
from gridweave.audit.asset_states import AssetStates
from gridweave.audit.bonds import Bonds
from gridweave.audit.calls import (
    Bundle,
    Call,
    Cancelling,
    ChangingMarket,
    Claiming,
    ClearingSlot,
    Collecting,
    CreatingMarket,
    Defaulting,
    Delegating,
    Depositing,
    EndingMeter,
    MovingMeter,
    NotingRefusal,
    Placing,
    PostingBond,
    ProvingRefusal,
    Redeeming,
    RegisteringAsset,
    RegisteringMeter,
    Releasing,
    ReportingStates,
    Settling,
    Skimming,
    Unbonding,
    Withdrawing,
)
from gridweave.audit.consent import Consent
from gridweave.audit.device_acts import Bench
from gridweave.audit.device_calls import DeviceCall
from gridweave.audit.devices import Devices
from gridweave.audit.differences import Kind, Subject
from gridweave.audit.findings import Findings
from gridweave.audit.firmware_calls import FirmwareCall
from gridweave.audit.firmwares import Firmwares
from gridweave.audit.governance import Governance
from gridweave.audit.identity import Identities
from gridweave.audit.inference import infer
from gridweave.audit.inputs import UnreadableCall, read_call
from gridweave.audit.matching import GOVERNANCE, RULES, Expected, compare, values_of
from gridweave.audit.money import Money
from gridweave.audit.proofs import Proofs
from gridweave.audit.report import Checked
from gridweave.audit.responses import Responses
from gridweave.audit.roles import Roles
from gridweave.audit.stream import Step
from gridweave.audit.stream_calls import StreamCall
from gridweave.audit.streams import Streams
from gridweave.audit.subjects import signers_of, subject_of_call
from gridweave.audit.trade import Trade
from gridweave.chain import events as chain
from gridweave.chain.events import Event
from gridweave.chain.node import Node
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.delegations import DelegationBook
from gridweave.domain.devices import Moment
from gridweave.domain.errors import DomainError
from gridweave.domain.registry import MeterBook
from gridweave.domain.slots import SlotClock

__all__ = ["Replay"]

_COUNTED: dict[type[Event], Checked] = {
    chain.MarketCreated: Checked.MARKETS,
    chain.MarketChanged: Checked.MARKET_CHANGES,
    chain.DelegationSet: Checked.DELEGATIONS,
    chain.Placed: Checked.ORDERS,
    chain.Cancelled: Checked.CANCELS,
    chain.OrderRefused: Checked.REFUSALS,
    chain.AssetStateChanged: Checked.ASSET_STATES,
    chain.AssetStateRefused: Checked.REFUSALS,
    chain.ReadingRefused: Checked.REFUSALS,
    chain.SettlementRefused: Checked.REFUSALS,
    chain.ReadingRecorded: Checked.READINGS,
    chain.Settled: Checked.FILLS,
    chain.Paid: Checked.PAYMENTS,
    chain.Released: Checked.RELEASES,
    chain.SlotClosed: Checked.CLOSES,
    chain.DebtChanged: Checked.DEBTS,
    chain.Deposited: Checked.DEPOSITS,
    chain.Withdrawn: Checked.WITHDRAWALS,
    chain.BondPosted: Checked.BONDS,
    chain.BondLeaving: Checked.UNBONDINGS,
    chain.BondRedeemed: Checked.REDEMPTIONS,
    chain.Compensated: Checked.COMPENSATIONS,
    chain.RefusalProved: Checked.REFUSAL_PROOFS,
    chain.BatchRegistered: Checked.BATCHES,
    chain.DeviceEnrolled: Checked.DEVICES,
    chain.DeviceStatusChanged: Checked.STATUS_CHANGES,
    chain.RotationProposed: Checked.KEY_PROPOSALS,
    chain.RotationVetoed: Checked.KEY_VETOES,
    chain.DeviceCompromised: Checked.COMPROMISES,
    chain.StreamOpened: Checked.STREAMS,
    chain.EpochBegun: Checked.EPOCHS,
    chain.BatchAnchored: Checked.TELEMETRY_BATCHES,
    chain.BodyAnchored: Checked.BODIES,
    chain.BatchRefused: Checked.REFUSALS,
    chain.AccessGranted: Checked.GRANTS,
    chain.ModelOpened: Checked.MODELS,
    chain.ReleaseKeysChanged: Checked.KEY_SETS,
    chain.FirmwareReleased: Checked.FIRMWARE_RELEASES,
    chain.RolloutStepped: Checked.ROLLOUT_STEPS,
    chain.FloorRaised: Checked.FLOORS,
    chain.ReleaseRevoked: Checked.REVOCATIONS,
    chain.InstallTold: Checked.RECEIPTS,
    chain.ReceiptRefused: Checked.REFUSALS,
}
_MANAGED = (
    "Vault",
    "DeviceRegistry",
    "DERRegistry",
    "MeterLedger",
    "EnergyAuction",
    "RelayerBond",
    "TelemetryAnchor",
    "FirmwareRegistry",
    "DayCalendar",
    "DemandResponse",
)
_REFUSALS = (
    chain.OrderRefused,
    chain.ReadingRefused,
    chain.SettlementRefused,
    chain.AssetStateRefused,
    chain.BatchRefused,
    chain.ReceiptRefused,
)


class Replay:
    """The whole deployment under its rules, step by step."""

    def __init__(
        self, book: AddressBook, clock: SlotClock, hold_length: int, compensation: int, findings: Findings
    ) -> None:
        """`hold_length` seconds, `compensation` millionths: what the contracts were made with."""
        self._addresses = dict(book.addresses)
        self._names = book.names
        self._findings = findings
        proofs = Proofs(book.chain_id, self._addresses)
        self._wallets: set[str] = set()
        self._asked: set[str] = set()
        self.clock = clock
        self.roles = Roles()
        self._governance = Governance(self._addresses["Authority"], self.roles, findings)
        self.money = Money(self._addresses["Vault"], self._addresses["LocalCurrency"], hold_length)
        self._acts = Acts(self._addresses, proofs, self.roles, self._wallets, findings)
        meters, delegations = MeterBook(clock), DelegationBook()
        self.devices = Devices(self._addresses["DeviceRegistry"], proofs, self._acts, findings)
        self.identities = Identities(self.devices, self._addresses["DERRegistry"], meters, proofs, self._acts, findings)
        self.states = AssetStates(self.identities, self._addresses["DERRegistry"], clock, proofs, findings)
        bench = Bench(proofs, self._acts, findings)
        self.streams = Streams(self._addresses["TelemetryAnchor"], self.devices, bench)
        self.firmwares = Firmwares(self._addresses["FirmwareRegistry"], self.devices, self._wallets, bench)
        consent = Consent(proofs, self.identities, delegations, self._wallets, findings)
        self.trade = Trade(clock, self.money, self._addresses, proofs, consent, findings)
        self.trade.book.meters, self.trade.book.delegations = meters, delegations
        self.bonds = Bonds(
            self.trade, self.money, compensation, self._addresses, proofs, self._acts, self.roles, findings
        )
        self.responses = Responses(self._addresses["DemandResponse"], self.money, self.identities, clock)
        self._managed = {self._addresses[name] for name in _MANAGED}
        self.markets: dict[int, list[int]] = {}
        """By market, the slots from which its versions are in force."""

    async def learn_wallets(self, node: Node, step: Step, block: int) -> None:
        """Finds out which signers are contracts, as of the audited block: a node need not keep older state."""
        signers = {event.account for event in step.events if isinstance(event, chain.MeterRegistered)}
        for call in self._calls(step)[0]:
            signers |= signers_of(call)
        unknown = sorted(signers - self._asked)
        if unknown:
            codes = await node.codes(unknown, block)
            self._wallets |= {signer for signer, code in zip(unknown, codes, strict=True) if code}
            self._asked |= signers

    def apply(self, step: Step) -> None:
        """Takes one transaction: what it had to leave and what it left."""
        self._findings.review(step.place)
        self._findings.count(Checked.TRANSACTIONS, bool(step.events))
        self._findings.count(Checked.EVENTS, len(step.events))
        expected = self._govern(step)
        calls, direct = self._calls(step)
        for call in calls:
            expected += self._attempt(call, step)
        expected += self._take_responses(step)
        found = [event for event in step.events if self._is_compared(event, expected, direct)]
        self._count(expected)
        compare(expected, found, step.place, self._findings.tell)

    def _calls(self, step: Step) -> tuple[list[Call], bool]:
        """What the transaction asked of our contracts, and whether it asked them itself."""
        name = self._names.get(step.transaction.to or "")
        if name is not None:
            try:
                call = read_call(name, step.transaction.data)
                return list(call.calls) if isinstance(call, Bundle) else [call], True
            except UnreadableCall:
                pass
        return infer(step.events, self._market_of), False

    def _market_of(self, meter: int) -> int:
        registration = self.identities.meters.get(meter)
        return registration.meter.market if registration else 0

    def _attempt(self, call: Call, step: Step) -> list[Expected]:
        """The events that a call must leave. A call that the rules forbid is a difference by itself."""
        try:
            return self._apply(call, step)
        except DomainError as error:
            self._findings.differ(Kind.RULE, subject_of_call(call), "a call that the rules allow", str(error))
            return self.money.take()

    def _take_responses(self, step: Step) -> list[Expected]:
        try:
            return self.responses.apply(step)
        except DomainError as error:
            subject = Subject(account=self._addresses["DemandResponse"])
            self._findings.differ(Kind.RULE, subject, "moves that the Vault allows", str(error))
            return self.money.take()

    def _apply(self, call: Call, step: Step) -> list[Expected]:
        now, said = step.time, step.events
        match call:
            case Placing():
                return self.trade.place(call, now, said)
            case Cancelling():
                return self.trade.cancel(call, now, said)
            case ClearingSlot():
                return self.trade.clear(call, now)
            case Settling():
                return self.trade.settle(call, now, said)
            case Defaulting():
                return self.trade.settle_by_default(call, now)
            case Releasing():
                return self.trade.release(call, now)
            case Collecting():
                return self.trade.collect(call, now)
            case CreatingMarket():
                return self._create_market(call, now)
            case ChangingMarket():
                self._acts.check_change(call, now)
                expected = self.trade.change_market(call, now)
                self.markets[call.market].append(call.terms.from_slot)
                return expected
            case Delegating():
                self._acts.check_delegation(call, now)
                return self.trade.delegate(call)
            case _:
                return self._apply_other(call, step)

    def _apply_other(self, call: Call, step: Step) -> list[Expected]:
        now = step.time
        match call:
            case Depositing(account, amount, payer):
                self.money.take_deposit(account, payer or step.transaction.sender, amount, now)
            case Withdrawing(to, amount, act):
                if act is not None:
                    self._acts.check_withdrawal(to, amount, act, now)
                self.money.give_withdrawal(act.signer if act else step.transaction.sender, to, amount, now)
            case Skimming(to):
                if step.transaction.to == self._addresses["Vault"]:
                    self._acts.check_sender(step.transaction.sender, "Vault", "skim", now)
                self.money.skim(to)
            case RegisteringMeter():
                return self.identities.register_meter(call, now)
            case MovingMeter():
                return self.identities.move_meter(call, now)
            case EndingMeter():
                return self.identities.end_meter(call, now)
            case RegisteringAsset():
                return self.identities.register_asset(call, now)
            case ReportingStates():
                return self.states.report(call, now, step.events)
            case _:
                return self._apply_of_devices(call, step)
        return self.money.take()

    def _apply_of_devices(self, call: Call, step: Step) -> list[Expected]:
        at = Moment(step.time, step.block.number)
        if isinstance(call, DeviceCall):
            return self.devices.apply(call, at, step.transaction.sender)
        if isinstance(call, StreamCall):
            return self.streams.apply(call, at, step.events)
        if isinstance(call, FirmwareCall):
            return self.firmwares.apply(call, at, step.events)
        return self._apply_bond(call, step)

    def _apply_bond(self, call: Call, step: Step) -> list[Expected]:
        now = step.time
        match call:
            case PostingBond():
                return self.bonds.post(call, now)
            case Unbonding():
                return self.bonds.unbond(call, now)
            case Redeeming():
                return self.bonds.redeem(call, now)
            case Claiming():
                return self.bonds.claim(call, now)
            case ProvingRefusal():
                return self.bonds.prove(call, now, step.events)
            case NotingRefusal():
                return self.bonds.note(call, now)
            case _:
                return []

    def _create_market(self, call: CreatingMarket, now: int) -> list[Expected]:
        self._acts.check_market(call, len(self.markets) + 1, now)
        expected = self.trade.create_market(call, now)
        self.markets[len(self.markets) + 1] = [self.clock.slot_at(now)]
        return expected

    # events

    def _govern(self, step: Step) -> list[Expected]:
        """Roles and rights. What an unknown call to the Authority said is taken as it is, and then is expected."""
        transaction, authority = step.transaction, self._addresses["Authority"]
        if transaction.to == authority:
            foreseen = self._governance.follow(transaction.data, transaction.sender, step.time)
            if foreseen is not None:
                return foreseen
        expected: list[Expected] = []
        for event in step.events:
            said = values_of(event)
            if isinstance(event, chain.AuthorityUpdated):
                good = event.contract in self._managed
                self._managed.discard(event.contract)
                expected += [Expected(chain.AuthorityUpdated, event.contract, {"authority": authority})] if good else []
            elif type(event) in GOVERNANCE:
                new = self.roles.take(type(event), said, step.time)
                expected += [Expected(type(event), authority, said)] if new else []
        return expected

    def require_authority(self) -> None:
        """Every contract must have said, when it was made, that it obeys the Authority."""
        for contract in sorted(self._managed):
            subject = Subject(event="AuthorityUpdated", account=contract)
            self._findings.differ(Kind.MISSING_EVENT, subject, "the event", "none")

    def _is_compared(self, event: Event, expected: Sequence[Expected], direct: bool) -> bool:
        if type(event) not in RULES:
            return False
        if isinstance(event, chain.AuthorityUpdated) and event.contract == self._addresses["LocalCurrency"]:
            return False
        if isinstance(event, _REFUSALS) and not direct:
            return False
        if isinstance(event, chain.Transfer):
            return self._is_vaults(event, expected)
        return True

    def _is_vaults(self, event: chain.Transfer, expected: Sequence[Expected]) -> bool:
        """Whether a transfer is the Vault's doing. What comes to it unannounced is nobody's, and can be skimmed."""
        vault = self._addresses["Vault"]
        if event.sender == vault:
            return True
        if event.to != vault:
            return self._is_altered(event, expected)
        announced = any(item.kind is chain.Transfer and item.values["sender"] == event.sender for item in expected)
        if not announced:
            self.money.tokens += event.value
        return announced

    @staticmethod
    def _is_altered(event: chain.Transfer, expected: Sequence[Expected]) -> bool:
        """Whether it looks like a transfer that was due, with another recipient."""
        due = [item.values for item in expected if item.kind is chain.Transfer]
        return any((item["sender"], item["value"]) == (event.sender, event.value) for item in due)

    def _count(self, expected: Sequence[Expected]) -> None:
        for item in expected:
            what = _COUNTED.get(item.kind)
            if what is not None:
                self._findings.count(what)
            if item.kind is chain.Cleared:
                self._findings.count(Checked.PRICES if item.values["traded"] else Checked.NO_TRADES)
            elif item.kind is chain.Settled and item.values["reading_version"] != 1:
                default = item.values["reading_version"] == 0
                self._findings.count(Checked.DEFAULTS if default else Checked.CORRECTIONS)
            elif item.kind is chain.RolloutPaused:
                itself = item.values["by"] == ZERO_ADDRESS
                self._findings.count(Checked.SELF_PAUSES if itself else Checked.ROLLOUT_PAUSES)
