"""Markets on the real contracts, and the same markets in the domain: every act goes to both, and both are compared."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import count
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from gridweave import artifacts
from gridweave.chain import Authority
from gridweave.chain.abi import abi_of
from gridweave.chain.contracts.acts import NO_ACT, Act, SignedWord, signed_words
from gridweave.chain.contracts.authority import Role
from gridweave.chain.contracts.der_registry import DERRegistry
from gridweave.chain.contracts.device_registry import DeviceRegistry
from gridweave.chain.contracts.energy_auction import EnergyAuction
from gridweave.chain.contracts.local_currency import LocalCurrency
from gridweave.chain.contracts.vault import Vault
from gridweave.chain.errors import reverted
from gridweave.chain.events import DelegationSet, Event, MarketChanged, decode_logs
from gridweave.chain.types import Call
from gridweave.deployment.roles import FUNCTION_ROLES
from gridweave.domain import outcomes as domain
from gridweave.domain import signatures
from gridweave.domain.acts import (
    ChangeMarket,
    CreateMarket,
    Endorsement,
    KeyKind,
    Mandate,
    MeterEnd,
    MeterMove,
    MeterRegistration,
    Possession,
    Underwrite,
    UnderwriteChange,
    Withdrawal,
)
from gridweave.domain.delegations import Delegation, Scope
from gridweave.domain.eip712 import Domain, Message, digest
from gridweave.domain.errors import DeviceSignatureInvalid, DomainError
from gridweave.domain.market import MarketBook
from gridweave.domain.meters import Meter, MeterBinding
from gridweave.domain.orders import Cancel, CancelSchedule, Order, Schedule
from gridweave.domain.readings import Reading
from gridweave.domain.slots import SlotClock
from gridweave.domain.terms import MarketTerms
from gridweave.domain.vault import VaultBook
from tests.e2e.differential.chain import Chain, Mined

SLOT_LENGTH = 900
HOLD_LENGTH = 7_200
FAR = (1 << 40) - 1
MINTED = 1 << 60
_BASE = {field.name for field in fields(Event)}
Outcomes = list[domain.Outcome]


@dataclass(frozen=True)
class Step:
    """One transaction, and what it does in the domain at a time."""

    call: Call
    apply: Callable[[int], Outcomes]


class Person:
    """An account and its key."""

    def __init__(self, rng: random.Random) -> None:
        self.key = rng.randbytes(32)
        self.address = signatures.address_of(self.key)

    def sign(self, domain: Domain, message: Message) -> bytes:
        """64 bytes."""
        return signatures.sign_compact(self.key, digest(domain, message))

    def consent(self, domain: Domain, message: Any) -> Act:
        """The act by which this person signs the message."""
        return Act.of(message, self.address, signatures.to_rsv(self.sign(domain, message)))


class Device:
    """A meter's device: its key on either curve, and its id."""

    def __init__(self, rng: random.Random, kind: KeyKind) -> None:
        self.kind = kind
        if kind is KeyKind.P256:
            self._p256 = ec.derive_private_key(rng.getrandbits(200) + 1, ec.SECP256R1())
            self.point = signatures.p256_point(self._p256)
        else:
            self._secret = rng.randbytes(32)
            self.point = signatures.secp256k1_point(self._secret)
        self.id = signatures.device_id(*self.point)

    def sign(self, domain: Domain, message: Message) -> bytes:
        """64 bytes."""
        if self.kind is KeyKind.P256:
            return signatures.sign_p256(self._p256, digest(domain, message))
        return signatures.sign_compact(self._secret, digest(domain, message))


@dataclass(frozen=True)
class Home:
    """A meter with its owner and its device."""

    meter: int
    market: int
    owner: Person
    device: Device


class Town:
    """The contracts on `chain`, `book` with its vault beside them."""

    def __init__(self, chain: Chain, rng: random.Random) -> None:
        self.chain = chain
        self.rng = rng
        self.nonces = count(1)
        self.operator, self.maker, self.agent = Person(rng), Person(rng), Person(rng)
        self.at = self._deploy()
        # the facades are only asked for calls, never to read
        nobody: Any = None
        self.vault = Vault(nobody, self.at["Vault"])
        self.auction = EnergyAuction(nobody, self.at["EnergyAuction"])
        self._devices = DeviceRegistry(nobody, self.at["DeviceRegistry"])
        self._meters = DERRegistry(nobody, self.at["DERRegistry"])
        self.book = MarketBook(SlotClock(SLOT_LENGTH), VaultBook(HOLD_LENGTH), self.at["EnergyAuction"])
        self.homes: list[Home] = []
        self.people: dict[str, Person] = {}
        self.debts: set[tuple[str, str]] = set()
        self.scoped: set[tuple[str, str, int]] = set()
        self.seen: Counter[str] = Counter()
        self._grant_roles()

    def domain(self, contract: str) -> Domain:
        """The EIP-712 domain of one of the contracts."""
        return Domain.of(contract, self.chain.chain_id, self.at[contract])

    # building

    def _deploy(self) -> dict[str, str]:
        at: dict[str, str] = {}
        for name, arguments in (
            ("Authority", lambda: (self.chain.sender,)),
            ("LocalCurrency", lambda: (at["Authority"],)),
            ("Vault", lambda: (at["Authority"], at["LocalCurrency"], HOLD_LENGTH)),
            ("DeviceRegistry", lambda: (at["Authority"],)),
            ("DERRegistry", lambda: (at["Authority"], at["DeviceRegistry"], SLOT_LENGTH)),
            ("MeterLedger", lambda: (at["Authority"], at["DERRegistry"], at["DeviceRegistry"])),
            ("EnergyAuction", lambda: (at["Authority"], at["Vault"], at["MeterLedger"], at["DERRegistry"])),
        ):
            code = artifacts.load(name).bytecode + abi_of(name).creation_arguments(*arguments())
            at[name] = Domain.of("Vault", 1, self.chain.create(code)).verifying_contract
        return at

    def _grant_roles(self) -> None:
        nobody: Any = None
        authority = Authority(nobody, self.at["Authority"])
        currency = LocalCurrency(nobody, self.at["LocalCurrency"])
        auction = self.at["EnergyAuction"]
        calls = [
            authority.set_function_role(self.at[name], [abi_of(name).selector(f) for f in functions], role)
            for name, roles in FUNCTION_ROLES.items()
            if name in self.at
            for role, functions in roles.items()
        ]
        members = ((Role.OPERATOR, self.operator.address), (Role.MAKER, self.maker.address), (Role.MODULE, auction))
        for role, account in (*members, (Role.RECORDER, auction), (Role.MINTER, self.chain.sender)):
            calls.append(authority.grant_role(role, account))
        calls += [currency.mint(self.chain.sender, MINTED), currency.approve(self.vault.address, MINTED)]
        self.chain.must(calls)

    def create_market(self, terms: MarketTerms, utility: Person) -> int:
        """Opens a market on both sides."""
        create = CreateMarket(terms, next(self.nonces), FAR)
        underwrite = Underwrite(terms, next(self.nonces), FAR)
        consents = self.operator.consent, utility.consent
        acts = [sign(self.domain("EnergyAuction"), m) for sign, m in zip(consents, (create, underwrite), strict=True)]
        self.chain.must([self.auction.create_market(terms, *acts)])
        self.people[utility.address] = utility
        return self.book.create_market(terms, self.chain.now)

    def add_home(self, market: int, owner: Person, meter: Meter, kind: KeyKind) -> None:
        """Enrols a device and registers its meter on both sides."""
        device = Device(self.rng, kind)
        devices, meters, maker = self.domain("DeviceRegistry"), self.domain("DERRegistry"), self.maker
        endorsement = Endorsement(
            device.id, maker.address, owner.address, 7, kind, *device.point, next(self.nonces), FAR
        )
        proof = device.sign(devices, Possession(device.id, maker.address, owner.address, FAR))
        registration = MeterRegistration(
            device.id,
            market,
            owner.address,
            meter.import_capacity_w,
            meter.export_capacity_w,
            meter.scale_wh,
            meter.mandate,
            next(self.nonces),
            FAR,
        )
        mandate = NO_ACT
        if meter.mandate:
            mandate = owner.consent(meters, Mandate(device.id, market, owner.address, next(self.nonces), FAR))
        consent = self.operator.consent(meters, registration)
        self.chain.must(
            [
                self._devices.enrol(endorsement, maker.consent(devices, endorsement).signature, proof),
                self._meters.register_meter(registration, consent, mandate),
            ]
        )
        number = len(self.homes) + 1
        self.book.meters.register(number, meter, MeterBinding(device.id, 0, 0, self.chain.now))
        self.homes.append(Home(number, market, owner, device))
        self.people[owner.address] = owner

    # steps

    def place(self, orders: Sequence[Order], signed: Sequence[bool]) -> Step:
        """Places; where `signed` is False a stranger has signed."""
        call = self.auction.place(self._signed(orders, signed))
        return Step(call, lambda now: self.book.place(orders, now, signed))

    def cancel(self, cancels: Sequence[Cancel], signed: Sequence[bool]) -> Step:
        """Cancels likewise."""
        call = self.auction.cancel(self._signed(cancels, signed))
        return Step(call, lambda now: self.book.cancel(cancels, now, signed))

    def _signed(self, items: Sequence[Order | Cancel], signed: Sequence[bool]) -> list[SignedWord]:
        space = self.domain("EnergyAuction")
        signers = [self._owner(i.meter) if s else self.maker for i, s in zip(items, signed, strict=True)]
        return signed_words((i, who.sign(space, i)) for i, who in zip(items, signers, strict=True))

    def _owner(self, meter: int) -> Person:
        return self.homes[meter - 1].owner if meter <= len(self.homes) else self.maker

    def schedule(self, account: str, items: Sequence[Order] | Sequence[Cancel], signer: Person) -> Step:
        """Places or cancels an account's items under one signature: its own, a delegate's or nobody's."""
        space, words = self.domain("EnergyAuction"), [item.pack() for item in items]
        if isinstance(items[0], Order):
            signature = signer.sign(space, Schedule(account, tuple(items)))
            call = self.auction.place_schedule(account, words, signature)
            return Step(call, lambda now: self.book.place(items, now, self._speaks(account, items, signer, now)))
        signature = signer.sign(space, CancelSchedule(account, tuple(items)))
        call = self.auction.cancel_schedule(account, words, signature)
        return Step(call, lambda now: self.book.cancel(items, now, self._speaks(account, items, signer, now)))

    def _speaks(self, account: str, items: Sequence[Order | Cancel], signer: Person, now: int) -> list[bool]:
        return [
            self._owner(item.meter).address == account
            and self.book.delegations.speaks(signer.address, account, item, now)
            for item in items
        ]

    def delegate(self, owner: Person, delegate: Person, meters: tuple[int, ...], scope: Scope) -> Step:
        """Lets `delegate` order for the owner."""
        message = Delegation(
            owner.address, delegate.address, scope.market, meters, *_bounds(scope), next(self.nonces), FAR
        )
        call = self.auction.set_delegation(message, owner.consent(self.domain("EnergyAuction"), message))
        self.scoped |= {(owner.address, delegate.address, meter) for meter in meters or (0,)}
        book = self.book.delegations
        return Step(call, lambda _: _none(book.set(owner.address, delegate.address, meters, scope)))

    def change_market(self, market: int, terms: MarketTerms) -> Step:
        """Changes a market's terms; its utility consents."""
        space, utility = self.domain("EnergyAuction"), self.people[terms.utility]
        change = ChangeMarket(market, terms, next(self.nonces), FAR)
        underwrite = UnderwriteChange(market, terms, next(self.nonces), FAR)
        acts = self.operator.consent(space, change), utility.consent(space, underwrite)
        call = self.auction.change_market(market, terms, *acts)
        return Step(call, lambda now: _none(self.book.change_market(market, terms, now)))

    def move_meter(self, home: Home, owner: Person, meter: Meter, from_slot: int) -> Step:
        """Moves a home's device to an owner and a market."""
        meters = self.domain("DERRegistry")
        move = MeterMove(
            home.device.id,
            meter.market,
            owner.address,
            meter.import_capacity_w,
            meter.export_capacity_w,
            meter.scale_wh,
            meter.mandate,
            from_slot,
            next(self.nonces),
            FAR,
        )
        mandate = NO_ACT
        if meter.mandate:
            said = Mandate(home.device.id, meter.market, owner.address, next(self.nonces), FAR)
            mandate = owner.consent(meters, said)
        call = self._meters.move_meter(move, self.operator.consent(meters, move), mandate)

        def apply(now: int) -> Outcomes:
            number = len(self.homes) + 1
            self.book.meters.move(number, meter, home.device.id, from_slot, now)
            self.homes.append(Home(number, meter.market, owner, home.device))
            return []

        return Step(call, apply)

    def end_meter(self, meter: int, until_slot: int) -> Step:
        """Ends a meter without a next one."""
        end = MeterEnd(meter, until_slot, next(self.nonces), FAR)
        call = self._meters.end_meter(end, self.operator.consent(self.domain("DERRegistry"), end))
        return Step(call, lambda now: _none(self.book.meters.end(meter, until_slot, now)))

    def clear(self, market: int, slot: int) -> Step:
        """Clears."""
        return Step(self.auction.clear(market, slot), lambda now: self.book.clear(market, slot, now))

    def settle(self, market: int, slot: int, readings: Sequence[Reading], authentic: Sequence[bool]) -> Step:
        """Settles; where `authentic` is False another device has signed."""
        space, words = self.domain("MeterLedger"), []
        for reading, own in zip(readings, authentic, strict=True):
            home = self.homes[(reading.meter - 1) % len(self.homes)]
            device = home.device if own else self.homes[reading.meter % len(self.homes)].device
            words.append((reading, device.sign(space, reading)))
        reasons = [None if own else DeviceSignatureInvalid for own in authentic]
        call = self.auction.settle(market, slot, signed_words(words))
        return Step(call, lambda now: self.book.settle(market, slot, readings, now, reasons))

    def settle_by_default(self, market: int, slot: int, meters: Sequence[int]) -> Step:
        """Settles the silent."""
        call = self.auction.settle_by_default(market, slot, meters)
        return Step(call, lambda now: self.book.settle_by_default(market, slot, meters, now))

    def release(self, market: int, slot: int, meters: Sequence[int]) -> Step:
        """Releases."""
        call = self.auction.release(market, slot, meters)
        return Step(call, lambda now: self.book.release(market, slot, meters, now))

    def collect(self, market: int, creditor: str) -> Step:
        """Collects what the market's utility owes."""
        return Step(self.auction.collect(market, creditor), lambda now: _none(self.book.collect(market, creditor, now)))

    def deposit(self, account: str, amount: int) -> Step:
        """Deposits."""
        call = self.vault.deposit(account, amount)
        return Step(call, lambda now: _none(self.book.vault.deposit(account, amount, now)))

    def withdraw(self, person: Person, amount: int) -> Step:
        """Withdraws by signature."""
        message = Withdrawal(person.address, self.maker.address, amount, next(self.nonces), FAR)
        call = self.vault.withdraw_by_sig(message.to, amount, person.consent(self.domain("Vault"), message))
        return Step(call, lambda now: _none(self.book.vault.withdraw(person.address, amount, now)))

    # comparing

    def run(self, steps: Sequence[Step], now: int) -> None:
        """Mines the steps in one block and compares what each leaves."""
        mined = self.chain.mine([step.call for step in steps], now)
        for step, transaction in zip(steps, mined, strict=True):
            try:
                outcomes = step.apply(now)
            except DomainError as refusal:
                self._compare_refusal(refusal, transaction)
                continue
            self.seen.update(map(kind_of, outcomes))
            assert transaction.succeeded, f"reverted: {reverted(self.chain.revert_of(transaction))}; domain: {outcomes}"
            said = [_said(event) for event in decode_logs(transaction.logs) if self._is_market(event)]
            assert said == [self._expected(outcome) for outcome in outcomes]
        self._remember_debts()

    def _compare_refusal(self, refusal: DomainError, transaction: Mined) -> None:
        """Asking why is slow: of each refusal the first ones are asked, then one in ten."""
        assert not transaction.succeeded, f"not refused with {refusal}"
        self.seen[refusal.name] += 1
        if self.seen[refusal.name] > 5 and self.seen[refusal.name] % 10:
            return
        said = reverted(self.chain.revert_of(transaction))
        assert (said.name, tuple(said.arguments.values())) == (refusal.name, refusal.args)

    def _is_market(self, event: Event) -> bool:
        said_elsewhere = isinstance(event, MarketChanged | DelegationSet)
        return event.contract in (self.at["EnergyAuction"], self.at["MeterLedger"]) and not said_elsewhere

    def _expected(self, outcome: domain.Outcome) -> tuple[Any, ...]:
        name = type(outcome).__name__
        match outcome:
            case domain.Placed(item) | domain.Cancelled(item):
                return name, self._digest(item), item.meter, item.slot, item.pack()
            case domain.OrderRefused(item, reason):
                return name, self._digest(item), item.meter, item.slot, reason.selector()
            case domain.ReadingRecorded(reading):
                return name, reading.meter, reading.slot, reading.pack()
            case domain.ReadingRefused(reading, reason):
                return name, reading.meter, reading.slot, reading.version, reason.selector()
            case domain.SettlementRefused(meter, slot, reason):
                return name, meter, slot, reason.selector()
            case domain.Cleared():
                return name, *(0 if value is None else value for value in astuple(outcome))
        return name, *astuple(outcome)

    def _digest(self, item: Order | Cancel) -> bytes:
        return digest(self.domain("EnergyAuction"), item)

    def _remember_debts(self) -> None:
        vault = self.book.vault
        self.debts |= {(debtor, creditor) for debtor in vault.accounts for creditor in vault.debts(debtor)}

    def compare_money(self) -> None:
        """Every account, the pot, every debt there ever was, and the total."""
        vault, now, auction = self.book.vault, self.chain.now, self.at["EnergyAuction"]
        expected = {("accountOf", (a,)): _money(vault, a, now) for a in sorted(vault.accounts)}
        expected |= {("owed", pair): (vault.owed(*pair),) for pair in sorted(self.debts)}
        expected |= {("potOf", (auction,)): (vault.pot(auction),), ("totalTracked", ()): (vault.total_tracked,)}
        self._compare("Vault", expected)

    def compare_slots(self, slots: Sequence[int], markets: Sequence[int]) -> None:
        """Books, clearing and every position of these slots."""
        expected: dict[tuple[str, tuple[Any, ...]], Any] = {}
        for market in markets:
            for slot in slots:
                expected |= self._slot_views(market, slot)
        self._compare("EnergyAuction", expected)

    def compare_bounds(self, now: int) -> None:
        """Every scope of a delegate, every meter's words, and the terms of every market on both sides of now."""
        scopes = self.book.delegations.scopes
        known = sorted(key for key in self.scoped if key in scopes)
        said = {("delegationOf", key): (int.from_bytes(scopes[key].pack(), "big"),) for key in known}
        slots = (now // SLOT_LENGTH, now // SLOT_LENGTH + 300)
        said |= {
            ("termsOf", (market, slot)): (_plain(self.book.terms_of(market, slot)),)
            for market in range(1, self.book.market_count + 1)
            for slot in slots
        }
        self._compare("EnergyAuction", said)
        records = [self.book.meters.get(home.meter) for home in self.homes]
        words = [tuple(int.from_bytes(part.pack(), "big") for part in parts) for parts in zip(*records, strict=True)]
        self._compare("DERRegistry", {("meteringOf", (tuple(home.meter for home in self.homes),)): tuple(words)})

    def _slot_views(self, market: int, slot: int) -> dict[tuple[str, tuple[Any, ...]], Any]:
        book = self.book.slot_book(market, slot)
        bid, ask = book.open_wh.values()
        views: dict[tuple[str, tuple[Any, ...]], Any] = {
            ("slotStateOf", (market, slot)): ((book.pot, bid, ask, book.bought_wh, book.sold_wh),)
        }
        for home in self.homes:
            if home.market == market:
                position = book.position(home.meter)
                line = position.line
                state = (line.side or 0, line.version, line.tick, line.energy_wh, position.filled_wh)
                flags = (position.released, position.settled_by_default)
                views["positionOf", (home.meter, slot)] = ((*state, *flags),)
        return views

    def _compare(self, contract: str, expected: dict[tuple[str, tuple[Any, ...]], Any]) -> None:
        functions = abi_of(contract).functions
        calls = [Call(self.at[contract], functions[name].encode(*arguments)) for name, arguments in expected]
        for (question, answer), data in zip(expected.items(), self.chain.view(calls), strict=True):
            assert functions[question[0]].decode(data) == answer, question


def kind_of(outcome: domain.Outcome) -> str:
    """What it is, or why it was refused."""
    reason = getattr(outcome, "reason", None)
    return reason.__name__ if reason else type(outcome).__name__


def _said(event: Event) -> tuple[Any, ...]:
    values = (getattr(event, field.name) for field in fields(event) if field.name not in _BASE)
    return type(event).__name__, *values


def _money(vault: VaultBook, party: str, now: int) -> tuple[int, int, int]:
    account = vault.account(party, now)
    return account.available, account.held, account.arrear


def _none(_: object) -> Outcomes:
    return []


def _bounds(scope: Scope) -> tuple[int, int, int, int]:
    return scope.max_energy_wh, scope.lowest_ask, scope.highest_bid, scope.until


def _plain(terms: MarketTerms) -> tuple[Any, ...]:
    """Terms as the ABI gives them: addresses in lower case."""
    return tuple(value.lower() if isinstance(value, str) else value for value in astuple(terms))
