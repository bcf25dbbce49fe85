"""Refusals of DemandResponse, named as it names them; see IDemandResponse for what each means."""

# ruff: noqa: D101 (one class per custom error of the interface, which is the manual)

from __future__ import annotations

from gridweave.domain.errors import CallRefusal


class UnknownProgramme(CallRefusal):
    parameters = ("uint32 programme",)


class UnknownRule(CallRefusal):
    parameters = ("uint32 rule",)


class UnknownResponse(CallRefusal):
    parameters = ("uint32 number",)


class ResponseTermsNotAllowed(CallRefusal):
    parameters = ("string rule",)


class NotPayer(CallRefusal):
    parameters = ("address signer", "address payer")


class EnrolmentNotNewer(CallRefusal):
    parameters = ("uint256 given", "uint256 version")


class MeterCommitted(CallRefusal):
    parameters = ("uint32 meter", "uint256 events")


class PowerOutOfRange(CallRefusal):
    parameters = ("uint256 powerW", "uint256 most")


class AskOffGrid(CallRefusal):
    parameters = ("uint64 askPrice",)


class OtherFeeder(CallRefusal):
    parameters = ("uint32 feeder", "uint32 expected")


class OtherMarket(CallRefusal):
    parameters = ("uint32 market", "uint32 expected")


class BaselineNotDue(CallRefusal):
    pass


class BondNotPaid(CallRefusal):
    parameters = ("address account", "uint256 amount")


class BudgetNotPaid(CallRefusal):
    parameters = ("address payer", "uint256 amount")


class TargetOutOfRange(CallRefusal):
    parameters = ("uint32 targetW",)


class ResponseOutsideSeason(CallRefusal):
    parameters = ("uint32 firstSlot", "uint256 slots")


class ResponseNotInOrder(CallRefusal):
    parameters = ("uint32 firstSlot", "uint32 earliest")


class ResponseOverMidnight(CallRefusal):
    parameters = ("uint32 firstSlot", "uint256 slots")


class NoticeTooShort(CallRefusal):
    parameters = ("uint256 startsAt", "uint256 earliest")


class ResponseCapReached(CallRefusal):
    parameters = ("uint256 would", "uint256 most")


class ResponseRuleIsEnded(CallRefusal):
    parameters = ("uint32 rule",)


class TriggerStale(CallRefusal):
    parameters = ("uint32 lastSlot", "uint256 presentSlot")


class TriggerNotNewer(CallRefusal):
    parameters = ("uint32 lastSlot", "uint32 earliest")


class TriggerReadingMissing(CallRefusal):
    parameters = ("uint32 meter", "uint32 slot")


class ConditionNotMet(CallRefusal):
    parameters = ("uint32 slot", "int256 netImportWh")


class RuleCapReached(CallRefusal):
    parameters = ("uint256 would", "uint256 most")


class ResponseIsCancelled(CallRefusal):
    parameters = ("uint32 number",)


class ResponseIsClosed(CallRefusal):
    parameters = ("uint32 number",)


class CallTooLate(CallRefusal):
    parameters = ("uint32 number", "uint256 gateAt")


class BeforeGate(CallRefusal):
    parameters = ("uint32 number", "uint256 gateAt")


class ResponseHasStarted(CallRefusal):
    parameters = ("uint32 number", "uint256 startsAt")


class ResponseHasEnded(CallRefusal):
    parameters = ("uint32 number", "uint256 endsAt")


class ResponseNotEnded(CallRefusal):
    parameters = ("uint32 number", "uint256 endsAt")


class ResponseNotFinal(CallRefusal):
    parameters = ("uint32 number", "uint256 finalAt")


class ResponseNotSettled(CallRefusal):
    parameters = ("uint32 number", "uint256 settled", "uint256 called")


class ResponseNotDrawn(CallRefusal):
    parameters = ("uint32 number",)


class DrawNotDue(CallRefusal):
    parameters = ("uint32 number",)


class UnknownCommitment(CallRefusal):
    parameters = ("uint32 number", "uint32 index")


class HasOptedOut(CallRefusal):
    parameters = ("uint32 number", "uint32 index")


class TooManyAssets(CallRefusal):
    parameters = ("uint256 given", "uint256 most")


class NotEnrolled(CallRefusal):
    pass


class LongerThanAgreed(CallRefusal):
    pass


class InComfortHours(CallRefusal):
    pass


class BondSpent(CallRefusal):
    pass


class MeterBusy(CallRefusal):
    pass


class TickFull(CallRefusal):
    pass


class ReadingsMissing(CallRefusal):
    pass


class SettlementUnchanged(CallRefusal):
    pass


class NothingCommitted(CallRefusal):
    pass
