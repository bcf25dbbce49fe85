"""A DeviceRegistry on a chain, and the same devices in the domain: every act goes to both, with real signatures."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import count
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from gridweave import artifacts
from gridweave.chain import Authority, to_hex
from gridweave.chain.abi import abi_of
from gridweave.chain.contracts.acts import Act
from gridweave.chain.contracts.authority import Role
from gridweave.chain.contracts.device_registry import DeviceRegistry
from gridweave.chain.device_words import Word, words_of_batch, words_of_device, words_of_origins
from gridweave.chain.errors import reverted
from gridweave.chain.events import Event, decode_logs
from gridweave.chain.types import Call
from gridweave.deployment.roles import FUNCTION_ROLES
from gridweave.domain.acts import KeyKind
from gridweave.domain.addresses import ZERO_ADDRESS, checksum_address
from gridweave.domain.device_errors import ActExpired, NonceUsed, WrongSignature
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.device_outcomes import DeviceOutcome
from gridweave.domain.device_registry import DeviceBook
from gridweave.domain.devices import MOST_ACTS, Moment
from gridweave.domain.eip712 import Domain, Message, digest
from gridweave.domain.errors import DomainError, SignatureMalformed
from gridweave.domain.signatures import p256_point, recover, secp256k1_point, sign_compact, sign_p256, to_compact
from tests.e2e.differential.chain import Chain, Mined
from tests.e2e.differential.town import Person

_BASE = {field.name for field in fields(Event)}
Question = tuple[str, tuple[Any, ...]]


class Key:
    """A device's key on either curve."""

    def __init__(self, rng: random.Random, kind: KeyKind) -> None:
        self._secret = rng.randbytes(32)
        self._p256 = ec.derive_private_key(int.from_bytes(self._secret, "big") >> 1, ec.SECP256R1())
        self.kind = kind
        point = p256_point(self._p256) if kind is KeyKind.P256 else secp256k1_point(self._secret)
        self.public = DevicePublicKey(kind, *point)
        self.name = self.public.name

    def sign(self, said: bytes) -> bytes:
        """64 bytes."""
        return sign_p256(self._p256, said) if self.kind is KeyKind.P256 else sign_compact(self._secret, said)


class Clerk:
    """A witness of one act on the chain: knows its signatures, the roles, and which nonces were used."""

    def __init__(
        self, space: Domain, roles: dict[str, set[str]], used: set[tuple[str, int]], function: str, act: Act | None
    ) -> None:
        self._space, self._roles, self._used = space, roles, used
        self._function, self._act = function, act
        self.signature = b""
        self.now = 0

    def require_consent(self, signer: str, message: Message) -> None:
        """As SignedActs does."""
        act = self._act
        assert act is not None and act.signer == signer
        if self.now > act.deadline:
            raise ActExpired(act.deadline)
        if (signer, act.nonce) in self._used:
            raise NonceUsed(signer, act.nonce)
        try:
            recovered = recover(digest(self._space, message), to_compact(act.signature))
        except SignatureMalformed:
            recovered = ""
        if recovered != signer:
            raise WrongSignature(signer)

    def may(self, signer: str) -> bool:
        return signer in self._roles.get(self._function, set())

    def is_signed(self, key: DevicePublicKey, message: Message) -> bool:
        return key.verifies(digest(self._space, message), self.signature)

    def file(self) -> None:
        """The act has taken place: its nonce is used."""
        if self._act is not None:
            self._used.add((self._act.signer, self._act.nonce))


@dataclass(frozen=True)
class DeviceAct:
    """One transaction, and what it does in the domain, given a moment and a witness. `device`: whom it is about.

    `signature` is a device's, `act` a person's consent.
    """

    call: Call
    function: str
    apply: Callable[[Moment, Clerk], list[DeviceOutcome]]
    device: str = ""
    act: Act | None = None
    signature: bytes = b""


class Registry:
    """The contract on `chain`; `book` is its double. People: two makers, an operator, three owners, and the sender."""

    def __init__(self, chain: Chain, rng: random.Random) -> None:
        self.chain, self.rng = chain, rng
        self.nonces = count(1)
        self.operator, self.makers = Person(rng), [Person(rng), Person(rng)]
        self.owners = [Person(rng) for _ in range(3)]
        self.people = {each.address: each for each in (self.operator, *self.makers, *self.owners)}
        self.sender = checksum_address(chain.sender)
        nobody: Any = None
        authority = Authority(nobody, self._create("Authority", chain.sender))
        self.contract = DeviceRegistry(nobody, self._create("DeviceRegistry", authority.address))
        self.space = Domain.of("DeviceRegistry", chain.chain_id, self.contract.address)
        self.book = DeviceBook()
        self.roles: dict[str, set[str]] = {}
        self.used: set[tuple[str, int]] = set()
        self.seen: Counter[str] = Counter()
        self.keys: dict[str, Key] = {}
        """By name: those that there are; whoever draws one puts it here."""
        self._grant(authority)

    def _create(self, name: str, *arguments: Any) -> str:
        code = artifacts.load(name).bytecode + abi_of(name).creation_arguments(*arguments)
        return checksum_address(self.chain.create(code))

    def _grant(self, authority: Authority) -> None:
        members = {Role.MAKER: self.makers, Role.OPERATOR: [self.operator]}
        calls = []
        for role, functions in FUNCTION_ROLES["DeviceRegistry"].items():
            selectors = [DeviceRegistry.selector(name) for name in functions]
            calls.append(authority.set_function_role(self.contract.address, selectors, role))
            calls += [authority.grant_role(role, person.address) for person in members[role]]
            self.roles |= {name: {person.address for person in members[role]} for name in functions}
        self.chain.must(calls)

    # running

    def run(self, act: DeviceAct, now: int) -> None:
        """Mines the act, and compares how it ends, what is said and what is stored then."""
        (mined,) = self.chain.mine([act.call], now)
        at = Moment(now, int(self.chain.rpc("eth_blockNumber"), 16))
        clerk = Clerk(self.space, self.roles, self.used, act.function, act.act)
        clerk.now, clerk.signature = now, act.signature
        before = dict(self.book.devices)
        try:
            outcomes = act.apply(at, clerk)
        except DomainError as refusal:
            self._compare_refusal(refusal, mined)
            assert self.book.devices == before
        else:
            clerk.file()
            self._compare_events(mined, outcomes)
            self.seen[act.function] += 1
        touched = {act.device} | {name for name, device in self.book.devices.items() if before.get(name) != device}
        self.compare(sorted(touched - {""}), at)

    def _compare_refusal(self, refusal: DomainError, mined: Mined) -> None:
        assert not mined.succeeded, f"not refused with {refusal}"
        said = reverted(self.chain.revert_of(mined))
        told = said.name, *(to_hex(value) if isinstance(value, bytes) else value for value in said.arguments.values())
        assert told == (refusal.name, *refusal.args), f"{told} is not {refusal}"
        self.seen[refusal.name] += 1

    def _compare_events(self, mined: Mined, outcomes: Sequence[DeviceOutcome]) -> None:
        assert mined.succeeded, f"{reverted(self.chain.revert_of(mined))}, not {outcomes}"
        said = [said_of(event) for event in decode_logs(mined.logs)]
        due = [(type(outcome).__name__, *vars(outcome).values()) for outcome in outcomes]
        assert said == due, f"{said} is not {due}"
        self.seen.update(name for name, *_ in said)

    # comparing

    def compare(self, names: Sequence[str], at: Moment) -> None:
        """What the registry answers about these devices, and every word of theirs, of batches and of origins."""
        questions = [pair for name in names for pair in self._views(name, at)]
        questions += [(("batchOf", (root,)), self._batch(root)) for root in self.book.batches]
        functions = abi_of("DeviceRegistry").functions
        calls = [Call(self.contract.address, functions[name].encode(*values)) for (name, values), _ in questions]
        for (question, answer), data in zip(questions, self.chain.view(calls), strict=True):
            found = functions[question[0]].decode(data)
            assert found == answer, f"{question}: {found} is not {answer}"
        self._compare_words([*self._words(names)])

    def _words(self, names: Sequence[str]) -> Iterator[Word]:
        for name in names:
            if name in self.book.devices:
                yield from words_of_device(name, self.book.devices[name])
        for root, batch in self.book.batches.items():
            yield from words_of_batch(root, batch)
        yield from words_of_origins(self.book)

    def _compare_words(self, words: Sequence[Word]) -> None:
        asked = [("eth_getStorageAt", [self.contract.address, hex(word.slot), "latest"]) for word in words]
        for word, found in zip(words, self.chain.batch(asked), strict=True):
            assert bytes.fromhex(found[2:]).rjust(32, b"\0") == word.word, f"{word.field}: {found} is not {word}"

    def _batch(self, root: bytes) -> tuple[Any, ...]:
        batch = self.book.batches[root]
        origin = self.book.origin_of(batch)
        return origin.maker.lower(), origin.model, batch.is_closed

    def _views(self, name: str, at: Moment) -> Iterator[tuple[Question, tuple[Any, ...]]]:
        book, device = self.book, self.book.devices.get(name)
        proposal = book.proposal_of(name)
        said = (proposal.key.lower(), proposal.key_kind, proposal.ready_at) if proposal else (ZERO_ADDRESS, 0, 0)
        yield ("proposalOf", (name,)), said
        offer = device.offer if device else None
        yield ("offerOf", (name,)), (offer.to.lower(), offer.until) if offer else (ZERO_ADDRESS, 0)
        yield ("identityOwner", (name,)), (book.owner_of(name).lower(),)
        yield ("changed", (name,)), (device.changed if device else 0,)
        yield ("nonce", (name,)), (device.nonce if device else 0,)
        yield ("deviceOf", (name,)), (self._shown(name),)
        for block in self._blocks(name, at):
            yield ("isTrustedAt", (name, block)), (book.is_trusted_at(name, block),)
        yield from self._judgements(name, at)

    def _shown(self, name: str) -> tuple[Any, ...]:
        device = self.book.devices.get(name)
        if device is None:
            return ZERO_ADDRESS, ZERO_ADDRESS, 0, 0, 0, 0, 0, 0, 0, 0, ZERO_ADDRESS, (bytes(32), bytes(32))
        origin = self.book.origin_of(device)
        whose = device.owner.lower(), origin.maker.lower(), origin.model
        counts = device.key_version, device.nonce, device.enrolled_at, device.status_since, device.compromised_since
        kept = (device.key.x, device.key.y) if device.is_kept else (bytes(32), bytes(32))
        return *whose, device.status, device.key.kind, *counts, device.key.name.lower(), kept

    def _blocks(self, name: str, at: Moment) -> list[int]:
        device = self.book.devices.get(name)
        edges = [at.block, *(edge for span in (device.doubts if device else ()) for edge in span)]
        edges.append(device.compromised_since if device else 0)
        return sorted({max(0, edge - back) for edge in edges for back in (0, 1)})

    def _judgements(self, name: str, at: Moment) -> Iterator[tuple[Question, tuple[Any, ...]]]:
        """By its present key, by another, and by a key that is brought, at every edge of its statuses."""
        device, said = self.book.devices.get(name), self.rng.randbytes(32)
        times = {at.time, *(since - back for since, _ in (device.standings if device else ()) for back in (0, 1))}
        own = self.keys.get(device.key.name) if device else None
        for key in {own, self.rng.choice(list(self.keys.values()))} - {None}:
            assert key is not None
            signature = key.sign(said)
            checks = [(name, time, said, signature[:32], signature[32:]) for time in sorted(times)]
            reasons = [self.book.judge(name, time, said, signature) for time in sorted(times)]
            found = tuple(reason.selector() if reason else bytes(4) for reason in reasons)
            yield ("areAuthentic", (checks,)), (found,)
            point = key.public.x + key.public.y
            for whole in (signature, signature + point, signature + point[:-1]):
                yield ("isAuthentic", (name, said, whole)), (self.book.is_authentic(name, said, whole),)

    def age(self, name: str) -> None:
        """Makes a device so old that it can count no further act, on both sides."""
        device = replace(self.book.devices[name], nonce=MOST_ACTS, key_version=MOST_ACTS)
        self.book.devices[name] = device
        (standing,) = [word for word in words_of_device(name, device) if word.field == "standing"]
        asked = self.contract.address, hex(standing.slot), to_hex(standing.word)
        self.chain.rpc("anvil_setStorageAt", *asked)


def said_of(event: Event) -> tuple[Any, ...]:
    """An event by its name and its own values."""
    values = (getattr(event, field.name) for field in fields(event) if field.name not in _BASE)
    return type(event).__name__, *values
