"""Who signed what: each order, cancel and reading against the key that had to sign it at that time."""

from __future__ import annotations

from collections.abc import Set

from gridweave.audit.differences import Kind, Subject
from gridweave.audit.findings import Findings
from gridweave.audit.identity import Identities
from gridweave.audit.proofs import Proofs
from gridweave.audit.report import Checked
from gridweave.audit.signed import SharedConsent
from gridweave.chain import events as chain
from gridweave.chain.events import Event
from gridweave.domain.acts import KeyKind
from gridweave.domain.delegations import DelegationBook
from gridweave.domain.errors import DeviceSignatureInvalid, WrongSigner
from gridweave.domain.orders import Cancel, CancelSchedule, Order, Schedule
from gridweave.domain.outcomes import Reason
from gridweave.domain.readings import Reading

__all__ = ["Consent"]


class Consent:
    """Judges signatures. Where the contract took one that does not hold, that is the difference, and the replay goes on
    with what the contract did; where it refused, the judgement stands by itself.

    `wallets` are accounts with code: the contract asks them, and what they said cannot be asked again later.
    """

    def __init__(
        self,
        proofs: Proofs,
        identities: Identities,
        delegations: DelegationBook,
        wallets: Set[str],
        findings: Findings,
    ) -> None:
        self._wallets = wallets
        self._proofs, self._identities, self._findings = proofs, identities, findings
        self._delegations = delegations

    def account_of(self, meter: int) -> str | None:
        """Who trades for the meter, None for an unknown one."""
        registration = self._identities.meters.get(meter)
        return registration.meter.account if registration else None

    def is_signed(self, item: Order | Cancel, signature: bytes | None, said: Event | None, now: int) -> bool:
        """Whether the contract was right to take the item as its account's. `said`: the event in which it ended."""
        account = self.account_of(item.meter)
        if signature is None or account is None:
            self._findings.count(Checked.BY_CONTRACT_ONLY, signature is None)
            return not _is_refused(said)
        if not self._findings.reviewing:
            return not _is_refused(said)
        self._findings.count(Checked.ORDER_SIGNATURES)
        return self._judge(item, account, self._proofs.signer_of(item, signature), said, now)

    def signer_of(self, schedule: Schedule | CancelSchedule, shared: SharedConsent) -> str | None:
        """Whose key signed a schedule, None if nobody's: then a wallet may have."""
        if not self._findings.reviewing:
            return None
        self._findings.count(Checked.SCHEDULE_SIGNATURES)
        return self._proofs.signer_of(schedule, shared.signature)

    def is_line(
        self, item: Order | Cancel, shared: SharedConsent, signer: str | None, said: Event | None, now: int
    ) -> bool:
        """The same for a line of a schedule that `signer` signed."""
        account = self.account_of(item.meter)
        if account is None or not self._findings.reviewing:
            return not _is_refused(said)
        if account != shared.account:
            return False
        return self._judge(item, account, signer, said, now)

    def _judge(self, item: Order | Cancel, account: str, signer: str | None, said: Event | None, now: int) -> bool:
        if self._delegations.speaks(signer, account, item, now):
            return True
        if account in self._wallets:
            self._findings.count(Checked.BY_CONTRACT_ONLY)
            return not _is_refused(said)
        if isinstance(said, chain.OrderRefused):
            return False
        kind = Kind.ORDER_SIGNATURE if isinstance(item, Order) else Kind.CANCEL_SIGNATURE
        subject = Subject(market=item.market, slot=item.slot, meter=item.meter, account=account)
        self._findings.differ(kind, subject, f"{account} or a delegate of it", signer or "a signature of no key")
        return True

    def fault_of(self, reading: Reading, signature: bytes | None, gate: int, said: Event | None) -> Reason | None:
        """Why the reading is not its device's word; None: it is. `gate`: its slot's. `said`: the event it ended in."""
        registration = self._identities.meters.get(reading.meter)
        if registration is None:
            return None
        devices, name = self._identities.devices, registration.device
        standing = devices.fault_of(name, registration.binding.judged_at(gate))
        if standing is not None:
            self._findings.count(Checked.BY_CONTRACT_ONLY, signature is None)
            return standing
        device = devices.book.devices[name]
        if isinstance(said, chain.ReadingRecorded) and device.judging_key is None:
            devices.keep_unseen(name)
        if signature is None:
            self._findings.count(Checked.BY_CONTRACT_ONLY)
            return None
        if not self._findings.reviewing:
            return DeviceSignatureInvalid if _is_refused_as_forged(said) else None
        p256 = device.key.kind is KeyKind.P256
        self._findings.count(Checked.READINGS_P256 if p256 else Checked.READINGS_SECP256K1)
        signed = self._proofs.is_reading_of(reading, signature, device.key)
        if signed and (devices.book.devices[name].judging_key is not None or not _is_refused_as_forged(said)):
            return None
        if isinstance(said, chain.ReadingRefused):
            return DeviceSignatureInvalid
        subject = Subject(slot=reading.slot, meter=reading.meter, device=name)
        self._findings.differ(Kind.READING_SIGNATURE, subject, "the device's current key", "another key")
        return None


def _is_refused_as_forged(said: Event | None) -> bool:
    return isinstance(said, chain.ReadingRefused) and said.reason == DeviceSignatureInvalid.selector()


def _is_refused(said: Event | None) -> bool:
    return isinstance(said, chain.OrderRefused) and said.reason == WrongSigner.selector()
