"""Firmware on the real registries and in the domain at once: every act goes to both, and both say the same of it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from gridweave import artifacts
from gridweave.chain import Authority, DeviceRegistry, FirmwareRegistry, Role, SignedQuorum, SignedReceipt, to_hex
from gridweave.chain.abi import abi_of
from gridweave.chain.contracts.acts import Act
from gridweave.chain.errors import reverted
from gridweave.chain.events import decode_logs
from gridweave.chain.types import Call
from gridweave.domain.acts import DeviceStatus, Endorsement, KeyKind, Possession, StatusChange
from gridweave.domain.addresses import checksum_address
from gridweave.domain.eip712 import Domain, Message
from gridweave.domain.errors import DomainError
from gridweave.domain.firmware.book import FirmwareBook
from gridweave.domain.firmware.keys import Approval, KeySet
from gridweave.domain.firmware.messages import InstallReceipt, ModelOpening
from gridweave.domain.firmware.roll import KnownDevice, Moment, Quorum
from gridweave.domain.signatures import to_rsv
from tests.e2e.differential.chain import Chain, Mined
from tests.e2e.differential.devices import said_of
from tests.e2e.differential.town import FAR, Device, Person

MODEL = 7
BLOCKS = 12
"""How far back reliability is compared."""
Question = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True)
class FleetAct:
    """One transaction, and what it does in the domain at a moment."""

    name: str
    call: Call
    apply: Callable[[Moment], Sequence[object] | None]
    """The outcomes; None: it is no act on the FirmwareRegistry."""


@dataclass(frozen=True)
class Signed:
    """A quorum as it is sent and as it is judged."""

    sent: SignedQuorum
    judged: Quorum


class Fleet:
    """Two makers' devices, one model with release keys out of `people`; `book` is the registry's double."""

    def __init__(self, chain: Chain, rng: random.Random) -> None:
        self.chain, self.rng, self.nonces = chain, rng, count(1)
        self.maker, self.rival, self.operator = Person(rng), Person(rng), Person(rng)
        self.people = sorted((Person(rng) for _ in range(7)), key=lambda person: int(person.address, 16))
        self.keys = KeySet(1, 2, tuple(person.address for person in self.people[:4]))
        self.at = self._deploy()
        nobody: Any = None
        self.registry = FirmwareRegistry(nobody, self.at["FirmwareRegistry"])
        self._devices = DeviceRegistry(nobody, self.at["DeviceRegistry"])
        self.known: dict[str, KnownDevice] = {}
        self.book = FirmwareBook(self.known)
        self.devices = [Device(rng, kind) for kind in (*[KeyKind.SECP256K1] * 6, *[KeyKind.P256] * 3)]
        self.seen: Counter[str] = Counter()
        self._found()

    def domain(self, contract: str = "FirmwareRegistry") -> Domain:
        """The EIP-712 domain of one of the contracts."""
        return Domain.of(contract, self.chain.chain_id, self.at[contract])

    # building

    def _deploy(self) -> dict[str, str]:
        at: dict[str, str] = {}
        for name, arguments in (
            ("Authority", lambda: (self.chain.sender,)),
            ("DeviceRegistry", lambda: (at["Authority"],)),
            ("FirmwareRegistry", lambda: (at["Authority"], at["DeviceRegistry"])),
        ):
            code = artifacts.load(name).bytecode + abi_of(name).creation_arguments(*arguments())
            at[name] = checksum_address(self.chain.create(code))
        return at

    def _found(self) -> None:
        nobody: Any = None
        authority = Authority(nobody, self.at["Authority"])
        selectors = {name: abi_of(name).selector for name in self.at}
        self.chain.must(
            [
                *(
                    authority.set_function_role(self.at[name], [selectors[name](function)], role)
                    for name, function, role in (
                        ("DeviceRegistry", "enrol", Role.MAKER),
                        ("DeviceRegistry", "setStatus", Role.OPERATOR),
                        ("FirmwareRegistry", "openModel", Role.MAKER),
                    )
                ),
                *(authority.grant_role(Role.MAKER, maker.address) for maker in (self.maker, self.rival)),
                authority.grant_role(Role.OPERATOR, self.operator.address),
            ]
        )
        for index, device in enumerate(self.devices[:-1]):  # the last one stays unknown
            maker, model = {6: (self.rival, MODEL), 7: (self.maker, MODEL + 1)}.get(index, (self.maker, MODEL))
            self.chain.must([self._enrolment(device, maker, model)])
            self.known[device.id.lower()] = KnownDevice(maker.address, model, DeviceStatus.ACTIVE)

    def _enrolment(self, device: Device, maker: Person, model: int) -> Call:
        owner = self.operator.address
        said = Endorsement(device.id, maker.address, owner, model, device.kind, *device.point, next(self.nonces), FAR)
        space = self.domain("DeviceRegistry")
        possession = device.sign(space, Possession(device.id, maker.address, owner, FAR))
        return self._devices.enrol(said, to_rsv(maker.sign(space, said)), possession)

    # what is signed

    def signed(self, message: Message, signers: Sequence[Person], keys: KeySet | None = None, bad: int = -1) -> Signed:
        """By those people in that order, the one at `bad` signing something else."""
        keys = keys or self.keys
        other = ModelOpening(0, keys.members[0], 0, (), 0, 0)
        pairs = tuple(
            (person.address, to_rsv(person.sign(self.domain(), other if at == bad else message)))
            for at, person in enumerate(signers)
        )
        judged = tuple(Approval(person.address, at != bad) for at, person in enumerate(signers))
        return Signed(_Ordered(keys, pairs), Quorum(keys, judged))

    def opening(self, model: int, maker: Person, signers: Sequence[Person]) -> FleetAct:
        """A maker opens a model with the present keys."""
        said = ModelOpening(model, maker.address, self.keys.threshold, self.keys.members, next(self.nonces), FAR)
        quorum = self.signed(said, signers)
        act = Act.of(said, maker.address, to_rsv(maker.sign(self.domain(), said)))
        call = self.registry.open_model(model, quorum.sent, act)
        return FleetAct("open", call, lambda _: self.book.open_model(model, maker.address, quorum.judged))

    def status(self, device: Device, status: DeviceStatus) -> FleetAct:
        """An operator changes a device's standing."""
        said = StatusChange(device.id, status, next(self.nonces), FAR)
        act = Act.of(said, self.operator.address, to_rsv(self.operator.sign(self.domain("DeviceRegistry"), said)))
        known = self.known[device.id.lower()]

        def apply(_: Moment) -> None:
            self.known[device.id.lower()] = KnownDevice(known.maker, known.model, status)

        return FleetAct(status.name, self._devices.set_status(device.id, status, act), apply)

    def telling(self, device: Device, receipt: InstallReceipt, signer: Device) -> FleetAct:
        """A receipt of `device`, signed by `signer`."""
        signature = signer.sign(self.domain(), receipt)
        if device.kind is KeyKind.P256 and self.rng.random() < 0.5:
            signature += b"".join(device.point)
        call = self.registry.tell(SignedReceipt(receipt, signature))
        good = signer is device
        return FleetAct("tell", call, lambda now: self.book.tell(receipt, is_authentic=good, now=now))

    def telling_many(self, told: Sequence[tuple[Device, InstallReceipt, Device]]) -> FleetAct:
        """Receipts in one transaction, each of a device and signed by another, or the same."""
        signed = [SignedReceipt(receipt, signer.sign(self.domain(), receipt)) for _, receipt, signer in told]

        def apply(now: Moment) -> list[object]:
            outcomes: list[object] = []
            for device, receipt, signer in told:
                try:
                    outcomes += self.book.tell(receipt, is_authentic=signer is device, now=now)
                except DomainError as refusal:
                    outcomes.append(self.book.refused(receipt, refusal))
            return outcomes

        return FleetAct("tell many", self.registry.tell_many(signed), apply)

    # both at once

    def run(self, act: FleetAct, now: int) -> None:
        """Mines the act in a block of its own and compares what comes of it."""
        (mined,) = self.chain.mine([act.call], now)
        moment = Moment(int(self.chain.rpc("eth_blockNumber"), 16), now)
        try:
            outcomes = act.apply(moment)
        except DomainError as refusal:
            self._compare_refusal(refusal, mined)
        else:
            assert mined.succeeded, f"{act.name}: {reverted(self.chain.revert_of(mined))}"
            self.seen[act.name] += 1
            if outcomes is not None:
                self._compare_events(mined, outcomes)
        self._compare(moment)

    def _compare_refusal(self, refusal: DomainError, mined: Mined) -> None:
        assert not mined.succeeded, f"not refused with {refusal}"
        said = reverted(self.chain.revert_of(mined))
        told = tuple(to_hex(value) if isinstance(value, bytes) else value for value in said.arguments.values())
        assert (said.name, *told) == (refusal.name, *refusal.args), f"{said} is not {refusal}"
        self.seen[refusal.name] += 1

    def _compare_events(self, mined: Mined, outcomes: Sequence[object]) -> None:
        due = [(type(outcome).__name__, *vars(outcome).values()) for outcome in outcomes]
        assert [said_of(event) for event in decode_logs(mined.logs)] == due
        self.seen.update(name for name, *_ in due)

    def _compare(self, now: Moment) -> None:
        views = self._views(now)
        functions = abi_of("FirmwareRegistry").functions
        calls = [Call(self.at["FirmwareRegistry"], functions[name].encode(*values)) for name, values in views]
        for (question, answer), data in zip(views.items(), self.chain.view(calls), strict=True):
            found = functions[question[0]].decode(data)
            assert found == answer, f"{question}: {found} is not {answer}"

    def _views(self, now: Moment) -> dict[Question, tuple[Any, ...]]:
        views: dict[Question, tuple[Any, ...]] = {}
        model = self.book.models.get(MODEL)
        if model is None:
            return views
        line = model.line
        views["lineOf", (MODEL,)] = ((line.maker.lower(), line.latest, line.full, line.floor), model.keys)
        counters = [*range(max(1, line.latest - 6), line.latest + 2)]
        for block in range(now.block - BLOCKS, now.block + 1):
            views["floorAt", (MODEL, block)] = (self.book.floor_at(MODEL, block),)
        for counter in counters:
            views["commitmentOf", (MODEL, counter)] = (model.releases.get(counter, bytes(32)),)
            rollout = self.book.rollout_of(MODEL, counter)
            views["rolloutOf", (MODEL, counter)] = (rollout.fields,)
            block = now.block - self.rng.randrange(BLOCKS)
            views["isReliableAt", (MODEL, counter, block)] = (self.book.is_reliable_at(MODEL, counter, block),)
        for device in self.devices:
            installation = self.book.installation_of(device.id)
            views["installationOf", (device.id,)] = (tuple(vars(installation).values()),)
            counter = self.rng.choice(counters)
            views["isAllowed", (device.id, counter)] = (self.book.is_allowed(device.id, counter),)
        return views


class _Ordered(SignedQuorum):
    """Sends signatures in the very order they were given in, be it wrong."""

    def abi(self) -> tuple[tuple[int, int, list[str]], list[tuple[str, bytes]]]:
        return super().abi()[0], list(self.signatures)
