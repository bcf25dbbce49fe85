"""Acts by signature: who consented to what, in time, once, and with the role that it takes."""

from __future__ import annotations

from collections.abc import Set

from gridweave.audit.calls import ChangingMarket, CreatingMarket, Delegating
from gridweave.audit.differences import Kind, Subject
from gridweave.audit.findings import Findings
from gridweave.audit.inputs import selector_of
from gridweave.audit.proofs import Proofs
from gridweave.audit.report import Checked
from gridweave.audit.roles import Roles
from gridweave.audit.signed import SignedAct

__all__ = ["Acts"]


class Acts:
    """Checks acts against one deployment's roles, and remembers their nonces.

    `wallets` are signers with code: the contract asks them, and what they said cannot be asked again later.
    """

    def __init__(
        self, addresses: dict[str, str], proofs: Proofs, roles: Roles, wallets: Set[str], findings: Findings
    ) -> None:
        self._addresses = addresses
        self._wallets = wallets
        self._proofs, self._roles, self._findings = proofs, roles, findings
        self._nonces: set[tuple[str, str, int]] = set()

    def check(
        self,
        act: SignedAct,
        contract: str,
        now: int,
        kind: Kind,
        subject: Subject,
        signed: bool,
        function: str | None = None,
    ) -> None:
        """One act for the contract of that name. `signed`: its signature holds. `function`: what a role must allow."""
        if act.signature is None:
            self._findings.count(Checked.BY_CONTRACT_ONLY)
        else:
            wallet = not signed and act.signer in self._wallets
            self._findings.count(Checked.BY_CONTRACT_ONLY if wallet else Checked.ACTS)
            self._findings.check(signed or wallet, kind, subject, act.signer, "another signer")
            self._findings.check(now <= act.deadline, kind, subject, f"a time up to {act.deadline}", now)
            used = (contract, act.signer, act.nonce)
            self._findings.check(used not in self._nonces, kind, subject, "a nonce not used before", act.nonce)
            self._nonces.add(used)
        if function is not None and act.signer:
            self.check_role(act.signer, contract, function, now, subject)

    def check_role(self, signer: str, contract: str, function: str, now: int, subject: Subject) -> None:
        """The signer of an act that only a role may ask for."""
        allowed = self._roles.may(signer, self._addresses[contract], selector_of(contract, function), now)
        self._findings.check(allowed, Kind.ROLE, subject, f"a signer who may {function}", signer)

    def check_sender(self, sender: str, contract: str, function: str, now: int) -> None:
        """The sender of a call that only a role may make."""
        allowed = self._roles.may(sender, self._addresses[contract], selector_of(contract, function), now)
        subject = Subject(account=sender, field=function)
        self._findings.check(allowed, Kind.ROLE, subject, f"a sender who may {function}", sender)

    def check_withdrawal(self, to: str, amount: int, act: SignedAct, now: int) -> None:
        """An account's withdrawal by signature."""
        signed = act.signature is not None and self._proofs.is_withdrawal_signed(to, amount, act)
        self.check(act, "Vault", now, Kind.ACCOUNT_SIGNATURE, Subject(account=act.signer), signed)

    def check_market(self, call: CreatingMarket, market: int, now: int) -> None:
        """An operator's market and its utility's consent to underwrite it."""
        subject = Subject(market=market)
        operator, utility = call.operator, call.utility
        signed = operator.signature is not None and self._proofs.is_market_signed(call)
        self.check(operator, "EnergyAuction", now, Kind.OPERATOR_SIGNATURE, subject, signed, "createMarket")
        underwritten = utility.signature is not None and self._proofs.is_underwritten(call)
        self.check(utility, "EnergyAuction", now, Kind.UTILITY_SIGNATURE, subject, underwritten)

    def check_change(self, call: ChangingMarket, now: int) -> None:
        """An operator's change of a market and its utility's consent."""
        subject = Subject(market=call.market)
        operator, utility = call.operator, call.utility
        signed = operator.signature is not None and self._proofs.is_change_signed(call)
        self.check(operator, "EnergyAuction", now, Kind.OPERATOR_SIGNATURE, subject, signed, "changeMarket")
        underwritten = utility.signature is not None and self._proofs.is_change_underwritten(call)
        self.check(utility, "EnergyAuction", now, Kind.UTILITY_SIGNATURE, subject, underwritten)

    def check_delegation(self, call: Delegating, now: int) -> None:
        """An account's consent to what its delegate may say."""
        signed = call.act.signature is not None and self._proofs.is_delegation_signed(call)
        subject = Subject(account=call.account)
        self.check(call.act, "EnergyAuction", now, Kind.ACCOUNT_SIGNATURE, subject, signed)
