"""Who signed a call about a device: what does not hold is a difference, and the replay goes on."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.audit.acts import Acts
from gridweave.audit.differences import Kind, Subject
from gridweave.audit.findings import Findings
from gridweave.audit.proofs import Proofs
from gridweave.audit.report import Checked
from gridweave.audit.signed import SignedAct
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.eip712 import Message

__all__ = ["Bench", "DeviceWitness"]


@dataclass(frozen=True)
class Bench:
    """What signatures are checked with."""

    proofs: Proofs
    acts: Acts
    findings: Findings


@dataclass(frozen=True)
class DeviceWitness:
    """Of one call at chain time `now`. `kind` is whose act it is, `signature` the device's; None: none was seen.

    `counted` are what the device's signature counts as; `contract` is whom the act is meant for.
    """

    bench: Bench
    function: str
    subject: Subject
    now: int
    act: SignedAct | None = None
    kind: Kind = Kind.OWNER_SIGNATURE
    signature: bytes | None = None
    counted: tuple[Checked, ...] = (Checked.DEVICE_ACTS,)
    contract: str = "DeviceRegistry"

    def require_consent(self, _signer: str, message: Message) -> None:
        """As `domain.device_registry.Witness`, but tells instead of raising."""
        if self.act is not None:
            signed = self.act.signature is not None and self.bench.proofs.is_act(self.contract, message, self.act)
            self.bench.acts.check(self.act, self.contract, self.now, self.kind, self.subject, signed)

    def may(self, signer: str) -> bool:
        """Tells if the signer may not; then the contract was wrong, and the replay goes on with what it did."""
        self.bench.acts.check_role(signer, self.contract, self.function, self.now, self.subject)
        return True

    def is_signed(self, key: DevicePublicKey, message: Message) -> bool:
        """Tells if the key did not sign."""
        findings = self.bench.findings
        if self.signature is None:
            findings.count(Checked.BY_CONTRACT_ONLY)
            return True
        for what in self.counted:
            findings.count(what)
        signed = self.bench.proofs.is_of_device(message, self.signature, key)
        findings.check(signed, Kind.DEVICE_SIGNATURE, self.subject, "the device's own key", "another key")
        return True
