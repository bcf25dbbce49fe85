"""The relayer's bond replayed: calls through the domain's own book, and the events that each must leave."""

from __future__ import annotations

from collections.abc import Sequence

from gridweave.audit.acts import Acts
from gridweave.audit.calls import Claiming, NotingRefusal, PostingBond, ProvingRefusal, Redeeming, Unbonding
from gridweave.audit.differences import Kind, Subject
from gridweave.audit.findings import Findings
from gridweave.audit.inputs import selector_of
from gridweave.audit.matching import Expected
from gridweave.audit.money import Money
from gridweave.audit.proofs import Proofs
from gridweave.audit.report import Checked
from gridweave.audit.roles import Roles
from gridweave.audit.trade import Trade
from gridweave.audit.words import order_of
from gridweave.chain import events as chain
from gridweave.chain.abi import abi_of
from gridweave.chain.events import Event
from gridweave.domain.acknowledgements import Acknowledgement
from gridweave.domain.bond import BondBook
from gridweave.domain.hashing import keccak
from gridweave.domain.orders import Order, Schedule

__all__ = ["Bonds"]


class Bonds:
    """Replays one RelayerBond on a market and its money. `compensation` is millionths. Raises what the rules raise."""

    def __init__(
        self,
        trade: Trade,
        money: Money,
        compensation: int,
        addresses: dict[str, str],
        proofs: Proofs,
        acts: Acts,
        roles: Roles,
        findings: Findings,
    ) -> None:
        self.book = BondBook(trade.book, addresses["RelayerBond"], compensation)
        self.subjects: dict[bytes, Subject] = {}
        """Whose order it is, by the digest of each that was noted or compensated."""
        self._trade, self._money = trade, money
        self._proofs, self._acts, self._roles, self._findings = proofs, acts, roles, findings
        names = "Vault", "EnergyAuction", "RelayerBond"
        self._vault, self._auction, self._bond = (addresses[name] for name in names)

    def post(self, call: PostingBond, now: int) -> list[Expected]:
        """A sponsor puts money down."""
        act = call.sponsor
        signed = act.signature is not None and self._proofs.is_bond_signed(call)
        subject = Subject(account=act.signer, relayer=call.relayer)
        self._acts.check(act, "RelayerBond", now, Kind.ACCOUNT_SIGNATURE, subject, signed)
        bond = self.book.post(act.signer, call.relayer, call.amount, now)
        said = {"amount": call.amount, "bond": bond.amount, "leaving": bond.leaving}
        return self._say(chain.BondPosted, sponsor=act.signer, relayer=call.relayer, **said)

    def unbond(self, call: Unbonding, now: int) -> list[Expected]:
        """A sponsor begins to take money back."""
        act = call.sponsor
        signed = act.signature is not None and self._proofs.is_unbonding_signed(call)
        subject = Subject(account=act.signer, relayer=call.relayer)
        self._acts.check(act, "RelayerBond", now, Kind.ACCOUNT_SIGNATURE, subject, signed)
        amount = call.amount
        if amount is None:
            # what leaves only grows here
            amount = max(0, call.leaving - self.book.bond(act.signer, call.relayer).leaving)
        bond = self.book.unbond(act.signer, call.relayer, amount, now)
        said = {"bond": bond.amount, "leaving": bond.leaving, "redeemable_at": bond.redeemable_at}
        return self._say(chain.BondLeaving, sponsor=act.signer, relayer=call.relayer, **said)

    def redeem(self, call: Redeeming, now: int) -> list[Expected]:
        """What has left a bond goes back to its sponsor."""
        sponsor, relayer = call.sponsor, call.relayer
        amount = self.book.redeem(sponsor, relayer, now)
        left = self.book.bond(sponsor, relayer).amount
        return self._say(chain.BondRedeemed, sponsor=sponsor, relayer=relayer, amount=amount, bond=left)

    # claims

    def claim(self, call: Claiming, now: int) -> list[Expected]:
        """An order that was acknowledged and left is compensated."""
        order, promise = order_of(call.order), call.promise
        digest = self._proofs.digest("EnergyAuction", order)
        request = self._schedule(*call.schedule) if call.schedule else digest
        said = Acknowledgement(request, promise.signature_hash, promise.sponsor, promise.commit_before)
        self._check_promise(call, order, said)
        account = self.book.claim(order, digest, said, promise.relayer, now)
        self.subjects[digest] = Subject(market=order.market, slot=order.slot, meter=order.meter)
        bond = self.book.bond(promise.sponsor, promise.relayer)
        return self._say(
            chain.Compensated,
            digest=digest,
            sponsor=promise.sponsor,
            relayer=promise.relayer,
            order=call.order,
            account=account,
            amount=self.book.compensation,
            bond=bond.amount,
            leaving=bond.leaving,
        )

    def _schedule(self, account: str, words: Sequence[bytes]) -> bytes:
        """The digest of a schedule."""
        return self._proofs.digest("EnergyAuction", Schedule(account, tuple(map(order_of, words))))

    def _check_promise(self, call: Claiming, order: Order, said: Acknowledgement) -> None:
        relayer, signature = call.promise.relayer, call.promise.signature
        if signature is None:
            self._findings.count(Checked.BY_CONTRACT_ONLY)
        elif self._findings.reviewing:
            self._findings.count(Checked.ACKNOWLEDGEMENTS)
            signer = self._proofs.acknowledger_of(said, signature)
            subject = Subject(market=order.market, slot=order.slot, meter=order.meter, relayer=relayer)
            found = signer or "a signature of no key"
            self._findings.check(signer == relayer, Kind.RELAYER_SIGNATURE, subject, relayer, found)

    # refusals

    def prove(self, call: ProvingRefusal, now: int, said: Sequence[Event]) -> list[Expected]:
        """Orders are placed by the bond, unless nobody may place; which of them are refused is noted."""
        shared, items = call.placing.shared, call.placing.items
        expected = [] if self._is_stopped(call, now) else self._trade.place(call.placing, now, said)
        schedule = self._schedule(shared.account, [item.word for item in items]) if shared else None
        for item in items:
            signature_hash = keccak(shared.signature if shared else item.signature or b"")
            expected += self._note(order_of(item.word), schedule, signature_hash, now)
        return expected

    def _is_stopped(self, call: ProvingRefusal, now: int) -> bool:
        """Whether nobody may place, or the auction may not ask the Vault for collateral, which it does in any case."""
        function = "placeSchedule" if call.placing.shared else "place"
        places = self._roles.may(self._bond, self._auction, selector_of("EnergyAuction", function), now)
        return not (places and self._roles.may(self._auction, self._vault, abi_of("Vault").selector("lock"), now))

    def _note(self, order: Order, schedule: bytes | None, signature_hash: bytes, now: int) -> list[Expected]:
        digest = self._proofs.digest("EnergyAuction", order)
        request = schedule or digest
        if not self.book.prove(order, digest, request, signature_hash, now):
            return []
        return self._refused(NotingRefusal(digest, order.meter, order.slot, request, signature_hash))

    def note(self, call: NotingRefusal, now: int) -> list[Expected]:
        """A note whose order nobody showed: all that can be said is that it was not there before."""
        self._findings.count(Checked.BY_CONTRACT_ONLY)
        key = call.digest, call.request, call.signature_hash
        if key in self.book.refused_at:
            return []
        self.book.refused_at[key] = now
        return self._refused(call)

    # words

    def _refused(self, said: NotingRefusal) -> list[Expected]:
        self.subjects[said.digest] = Subject(slot=said.slot, meter=said.meter)
        return self._say(chain.RefusalProved, **vars(said))

    def _say(self, kind: type[Event], **values: object) -> list[Expected]:
        """The bond's own event, and the Vault's."""
        return [Expected(kind, self._bond, values), *self._money.take()]
