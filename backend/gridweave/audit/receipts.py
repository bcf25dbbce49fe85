"""Install receipts replayed: what devices told of releases, and what of that the FirmwareRegistry had to refuse."""

from __future__ import annotations

from collections.abc import Sequence

from gridweave.audit.device_acts import Bench
from gridweave.audit.devices import Devices
from gridweave.audit.differences import Kind, Subject
from gridweave.audit.findings import Findings
from gridweave.audit.firmware_calls import SeenReceipt, TellingReceipts
from gridweave.audit.report import Checked
from gridweave.chain import events as chain
from gridweave.chain.events import Event
from gridweave.domain.acts import DeviceStatus
from gridweave.domain.errors import DeviceSignatureInvalid, DomainError
from gridweave.domain.firmware.book import FirmwareBook, require_count
from gridweave.domain.firmware.outcomes import FirmwareOutcome
from gridweave.domain.firmware.roll import Moment

__all__ = ["CONTRACT", "Receipts"]

CONTRACT = "FirmwareRegistry"
Told = chain.InstallTold | chain.ReceiptRefused

_BARE = 64
"""Bytes of a signature without its key."""


class Receipts:
    """Those of one registry, whose `book` they change."""

    def __init__(self, book: FirmwareBook, devices: Devices, bench: Bench) -> None:
        self._book, self._devices, self._bench = book, devices, bench
        self._findings: Findings = bench.findings

    def tell_all(self, call: TellingReceipts, now: Moment, said: Sequence[Event]) -> list[FirmwareOutcome]:
        """What a call must leave, `said` being what it left. Alone, raises what refuses a receipt."""
        if call.in_batch:
            require_count(len(call.items))
        outcomes: list[FirmwareOutcome] = []
        for item, told in zip(call.items, _each(call, said), strict=True):
            try:
                outcomes += self._tell(item, now, told, taken=not call.in_batch or isinstance(told, chain.InstallTold))
            except DomainError as refusal:
                if not call.in_batch:
                    raise
                outcomes.append(self._book.refused(item.receipt, refusal))
        return outcomes

    def _tell(self, item: SeenReceipt, now: Moment, told: Told | None, *, taken: bool) -> list[FirmwareOutcome]:
        signed = self._is_signed(item, told, taken=taken)
        outcomes = self._book.tell(item.receipt, is_authentic=signed or taken, now=now)
        if not signed:
            receipt = item.receipt
            subject = Subject(device=receipt.device, model=receipt.model, counter=receipt.counter)
            self._findings.differ(Kind.RECEIPT_SIGNATURE, subject, "the device's current key", "another key")
        return outcomes

    def _is_signed(self, item: SeenReceipt, told: Told | None, *, taken: bool) -> bool:
        name = item.receipt.device
        device = self._devices.device(name)
        if item.signature is None or not self._findings.reviewing:
            self._findings.count(Checked.BY_CONTRACT_ONLY, item.signature is None)
            forged = isinstance(told, chain.ReceiptRefused) and told.reason == DeviceSignatureInvalid.selector()
            return not forged
        if device is None or device.status is not DeviceStatus.ACTIVE:
            return False
        if taken and len(item.signature) == _BARE and device.judging_key is None:
            self._devices.keep_unseen(name)
        self._findings.count(Checked.RECEIPT_SIGNATURES)
        return self._devices.book.is_authentic(name, self._bench.proofs.digest(CONTRACT, item.receipt), item.signature)


def _each(call: TellingReceipts, said: Sequence[Event]) -> Sequence[Told | None]:
    """What was said of each receipt of a call, which leaves one of two events each, in their order."""
    told = [event for event in said if isinstance(event, chain.InstallTold | chain.ReceiptRefused)]
    return told if len(told) == len(call.items) else [None] * len(call.items)
