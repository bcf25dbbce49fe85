"""A relayer's bond on the real contracts beside a town's, and the same bond in the domain: every act goes to both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from gridweave import artifacts
from gridweave.chain import Authority, to_hex
from gridweave.chain.abi import abi_of
from gridweave.chain.contracts.acts import signed_word
from gridweave.chain.contracts.authority import Role
from gridweave.chain.contracts.relayer_bond import Promise, RelayerBond
from gridweave.chain.errors import reverted
from gridweave.chain.events import Event, decode_logs
from gridweave.chain.types import Call
from gridweave.domain.acknowledgements import Acknowledgement
from gridweave.domain.acts import PostBond, Unbond
from gridweave.domain.addresses import checksum_address
from gridweave.domain.bond import BondBook
from gridweave.domain.eip712 import digest
from gridweave.domain.errors import DomainError
from gridweave.domain.hashing import keccak
from gridweave.domain.orders import Order, Schedule
from gridweave.domain.outcomes import Outcome
from tests.e2e.differential.chain import Mined
from tests.e2e.differential.town import FAR, Person, Step, Town, kind_of

COMPENSATION = 1_000_000
_BASE = {field.name for field in fields(Event)}
Told = tuple[list[Outcome], list[tuple[Any, ...]]]
"""What the market and what the bond has to say of an act."""
Question = tuple[str, str, tuple[Any, ...]]


class WrongSignature(DomainError):
    """The contract's own refusal: the domain is given signatures as judged."""

    parameters = ("address signer",)


class AccessManagedUnauthorized(DomainError):
    """The Authority's, of a stopped auction."""

    parameters = ("address caller",)


@dataclass(frozen=True)
class BondAct:
    """One transaction, and what it does in the domain at a time."""

    call: Call
    apply: Callable[[int], Told]


@dataclass(frozen=True)
class Request:
    """What a relayer may have acknowledged: an order, or a schedule of its account."""

    account: str
    orders: tuple[Order, ...]
    signature: bytes
    alone: bool
    good: bool


class BondedTown:
    """The bond of `town`, whose people are sponsors; `book` is its double."""

    def __init__(self, town: Town) -> None:
        self.town, self.rng = town, town.rng
        at = town.at
        places = (at[name] for name in ("Authority", "Vault", "EnergyAuction", "DERRegistry"))
        code = artifacts.load("RelayerBond").bytecode + abi_of("RelayerBond").creation_arguments(*places, COMPENSATION)
        at["RelayerBond"] = checksum_address(town.chain.create(code))
        nobody: Any = None
        self._authority = Authority(nobody, at["Authority"])
        self._bond = RelayerBond(nobody, at["RelayerBond"])
        town.chain.must([self._authority.grant_role(Role.MODULE, at["RelayerBond"])])
        self.book = BondBook(town.book, at["RelayerBond"], COMPENSATION)
        self.stopped = False
        self.seen: Counter[str] = Counter()
        self.digests: set[bytes] = set()
        self.slots: set[tuple[int, int]] = set()

    # what is signed

    def signed(self, account: str, orders: Sequence[Order], signer: Person, alone: bool) -> Request:
        """Orders of an account as `signer` signs them: it is the account's word if the account is the signer's."""
        space = self.town.domain("EnergyAuction")
        message = orders[0] if alone else Schedule(account, tuple(orders))
        return Request(account, tuple(orders), signer.sign(space, message), alone, signer.address == account)

    def acknowledged(self, request: Request, sponsor: str, relayer: Person, before: int) -> Promise:
        """A relayer's promise about it."""
        said = Acknowledgement.of(self._request(request), request.signature, sponsor, before)
        return Promise(said, relayer.address, relayer.sign(self.town.domain("RelayerBond"), said))

    def _request(self, request: Request) -> bytes:
        space = self.town.domain("EnergyAuction")
        return digest(space, request.orders[0] if request.alone else Schedule(request.account, request.orders))

    def _digest(self, order: Order) -> bytes:
        self.slots.add((order.meter, order.slot))
        found = digest(self.town.domain("EnergyAuction"), order)
        self.digests.add(found)
        return found

    # acts

    def post(self, sponsor: Person, relayer: str, amount: int) -> BondAct:
        """Puts money down."""
        message = PostBond(sponsor.address, relayer, amount, next(self.town.nonces), FAR)
        call = self._bond.post(relayer, amount, sponsor.consent(self.town.domain("RelayerBond"), message))

        def apply(now: int) -> Told:
            bond = self.book.post(sponsor.address, relayer, amount, now)
            return [], [("BondPosted", sponsor.address, relayer, amount, bond.amount, bond.leaving)]

        return BondAct(call, apply)

    def unbond(self, sponsor: Person, relayer: str, amount: int) -> BondAct:
        """Begins to take it back."""
        message = Unbond(sponsor.address, relayer, amount, next(self.town.nonces), FAR)
        call = self._bond.unbond(relayer, amount, sponsor.consent(self.town.domain("RelayerBond"), message))

        def apply(now: int) -> Told:
            bond = self.book.unbond(sponsor.address, relayer, amount, now)
            said = bond.amount, bond.leaving, bond.redeemable_at
            return [], [("BondLeaving", sponsor.address, relayer, *said)]

        return BondAct(call, apply)

    def redeem(self, sponsor: str, relayer: str) -> BondAct:
        """Takes it back."""

        def apply(now: int) -> Told:
            amount = self.book.redeem(sponsor, relayer, now)
            return [], [("BondRedeemed", sponsor, relayer, amount, self.book.bond(sponsor, relayer).amount)]

        return BondAct(self._bond.redeem(sponsor, relayer), apply)

    def place(self, request: Request) -> BondAct:
        """Places what was acknowledged, as its relayer does."""
        auction = self.town.auction
        if request.alone:
            call = auction.place([signed_word(request.orders[0].pack(), request.signature)])
        else:
            words = [order.pack() for order in request.orders]
            call = auction.place_schedule(request.account, words, request.signature)

        def apply(now: int) -> Told:
            if self.stopped:
                raise AccessManagedUnauthorized(checksum_address(self.town.chain.sender))
            return self._placed(request, now), []

        return BondAct(call, apply)

    def _placed(self, request: Request, now: int) -> list[Outcome]:
        for order in request.orders:
            self._digest(order)
        return self.town.book.place(request.orders, now, [request.good] * len(request.orders))

    def prove(self, request: Request) -> BondAct:
        """Has the bond place it, which notes what is refused."""
        if request.alone:
            call = self._bond.prove_refusal(signed_word(request.orders[0].pack(), request.signature))
        else:
            words = [order.pack() for order in request.orders]
            call = self._bond.prove_schedule_refusal(request.account, words, request.signature)

        def apply(now: int) -> Told:
            outcomes = [] if self.stopped else self._placed(request, now)
            return outcomes, self._noted(request, now)

        return BondAct(call, apply)

    def _noted(self, request: Request, now: int) -> list[tuple[Any, ...]]:
        executed, noted = (self._request(request), keccak(request.signature)), []
        for order in request.orders:
            said = self._digest(order)
            if self.book.prove(order, said, *executed, now):
                noted.append(("RefusalProved", said, order.meter, order.slot, *executed))
        return noted

    def claim(self, request: Request, index: int, promise: Promise, forged: bool) -> BondAct:
        """Claims a line; where the promise is `forged`, its signature is not its relayer's."""
        order = request.orders[index]
        if request.alone:
            call = self._bond.claim(order, promise)
        else:
            call = self._bond.claim_line(request.account, request.orders, index, promise)

        def apply(now: int) -> Told:
            if forged:
                raise WrongSignature(promise.relayer)
            said, relayer, sponsor = self._digest(order), promise.relayer, promise.said.sponsor
            account = self.book.claim(order, said, promise.said, relayer, now)
            bond = self.book.bond(sponsor, relayer)
            paid = order.pack(), account, COMPENSATION, bond.amount, bond.leaving
            return [], [("Compensated", said, sponsor, relayer, *paid)]

        return BondAct(call, apply)

    def stop(self, stopped: bool) -> BondAct:
        """The emergency stop of the auction, or its end."""

        def apply(_: int) -> Told:
            self.stopped = stopped
            return [], []

        return BondAct(self._authority.set_closed(self.town.at["EnergyAuction"], closed=stopped), apply)

    @staticmethod
    def of(step: Step) -> BondAct:
        """An act of the town that the bond says nothing about."""
        return BondAct(step.call, lambda now: (step.apply(now), []))

    # comparing

    def run(self, act: BondAct, now: int) -> None:
        """Mines the act, and compares how it ends, what is said and what is stored then."""
        (mined,) = self.town.chain.mine([act.call], now)
        try:
            outcomes, noted = act.apply(now)
        except DomainError as refusal:
            self._compare_refusal(refusal, mined)
        else:
            assert mined.succeeded, reverted(self.town.chain.revert_of(mined))
            self._compare_events(mined, outcomes, noted)
        self._compare(now)

    def _compare_refusal(self, refusal: DomainError, mined: Mined) -> None:
        assert not mined.succeeded, f"not refused with {refusal}"
        said = reverted(self.town.chain.revert_of(mined))
        told = said.name, *(to_hex(value) if isinstance(value, bytes) else value for value in said.arguments.values())
        assert told == (refusal.name, *refusal.args), f"{told} is not {refusal}"
        self.seen[refusal.name] += 1

    def _compare_events(self, mined: Mined, outcomes: list[Outcome], noted: list[tuple[Any, ...]]) -> None:
        events = list(decode_logs(mined.logs))
        market = [_said(event) for event in events if self.town._is_market(event)]
        own = [_said(event) for event in events if event.contract == self.town.at["RelayerBond"]]
        due = [self.town._expected(outcome) for outcome in outcomes]
        assert market == due, f"{market} is not {due}"
        assert own == noted, f"{own} is not {noted}"
        self.seen.update(map(kind_of, outcomes))
        self.seen.update(name for name, *_ in own)

    def _compare(self, now: int) -> None:
        views = self._views(now)
        calls = [Call(self.town.at[name], abi_of(name).functions[f].encode(*values)) for name, f, values in views]
        for (question, answer), data in zip(views.items(), self.town.chain.view(calls), strict=True):
            found = abi_of(question[0]).functions[question[1]].decode(data)
            assert found == answer, f"{question}: {found} is not {answer}"

    def _views(self, now: int) -> dict[Question, tuple[Any, ...]]:
        vault, book, at = self.town.book.vault, self.book, self.town.at
        views: dict[Question, tuple[Any, ...]] = {("Vault", "totalTracked", ()): (vault.total_tracked,)}
        for module in (at["EnergyAuction"], at["RelayerBond"]):
            views["Vault", "potOf", (module,)] = (vault.pot(module),)
        for party in sorted(vault.accounts):
            account = vault.account(party, now)
            views["Vault", "accountOf", (party,)] = (account.available, account.held, account.arrear)
        for pair, bond in book.bonds.items():
            views["RelayerBond", "bondOf", pair] = (bond.amount, bond.leaving, bond.redeemable_at)
        for key, time in book.refused_at.items():
            views["RelayerBond", "refusedAt", key] = (time,)
        for relayer in {relayer for _, relayer in book.bonds}:
            for each in sorted(self.digests):
                views["RelayerBond", "isCompensated", (each, relayer)] = ((each, relayer) in book.compensated,)
        for meter, slot in sorted(self.slots):
            said = self.town.book.last_version_of(meter, slot)
            # a meter's own place in the ring may be the older slot's longer than the market's
            if said != (0, 0):
                views["EnergyAuction", "lastVersionOf", (meter, slot)] = said
        return views

    def forget(self, before: int) -> None:
        """Orders of slots before that are no longer asked for."""
        self.slots = {(meter, slot) for meter, slot in self.slots if slot >= before}
        self.digests.clear()


def _said(event: Event) -> tuple[Any, ...]:
    values = (getattr(event, field.name) for field in fields(event) if field.name not in _BASE)
    return type(event).__name__, *values
