"""Firmware lives on the contract and in the domain at once: every act ends the same, and all that is stored agrees.

GRIDWEAVE_FLEET sets how many acts there are (2,000); GRIDWEAVE_SEED which.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from gridweave.domain.acts import DeviceStatus
from gridweave.domain.addresses import checksum_address
from gridweave.domain.firmware import errors
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import (
    InstallReceipt,
    Release,
    ReleaseKeyChange,
    ReleaseRevocation,
    RolloutPause,
    RolloutRaise,
    RolloutResume,
    RolloutStart,
)
from gridweave.domain.firmware.outcomes import FirmwareOutcome
from gridweave.domain.firmware.roll import Moment
from gridweave.domain.firmware.rollout import RolloutState
from tests.e2e.differential.chain import Chain
from tests.e2e.differential.fleet import MODEL, Fleet, FleetAct, Signed
from tests.e2e.differential.town import Device, Person
from tests.support.seed import run_seed

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(900)]

COUNT = int(os.environ.get("GRIDWEAVE_FLEET", "2000"))
START = 1_800_000_000
NEVER = {"SignerNotAllowed", "ReleaseIncomplete", "FailureLimitOutOfRange", "KeysNotAscending", "ThresholdOutOfRange"}
NEVER |= {"TooManyReceipts"}
"""Of the arguments alone, or of roles: their own tests refuse them."""
EXPECTED = {
    *("ModelOpened", "ReleaseKeysChanged", "FirmwareReleased", "RolloutStepped", "RolloutPaused", "ReleaseRevoked"),
    *("FloorRaised", "InstallTold", "ReceiptRefused", "tell many"),
    *("release", "begin", "raise", "full", "pause", "resume", "revoke", "tell", "change keys", "SUSPENDED", "ACTIVE"),
    *(name for name, kind in vars(errors).items() if isinstance(kind, type) and kind.__module__ == errors.__name__),
} - NEVER


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    with Chain(START) as chain:
        yield Fleet(chain, random.Random(f"fleet {run_seed()}"))


class Life:
    """Draws one act after another, most of them sensible."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet, self.rng, self.book = fleet, fleet.rng, fleet.book
        self.releases: list[Release] = []
        self.now = fleet.chain.now
        self.fleet.run(fleet.opening(MODEL, fleet.maker, self._quorum()), self._pass())

    def act(self) -> None:
        draws: list[tuple[int, Callable[[], FleetAct]]] = [
            *((6, self._release), (8, self._begin), (10, self._raise), (3, self._pause), (5, self._resume)),
            *(
                (3, self._revoke),
                (30, self._tell),
                (4, self._tell_many),
                (3, self._change),
                (2, self._status),
                (1, self._open),
            ),
        ]
        (draw,) = self.rng.choices([draw for _, draw in draws], [weight for weight, _ in draws])
        act = draw()
        self.fleet.run(act, self._pass())

    def _pass(self) -> int:
        self.now += self.rng.choice([1, 5, 12])
        return self.now

    # signing

    def _quorum(self) -> list[Person]:
        """Enough of the present keys, ascending."""
        keys = self.fleet.keys
        members = [person for person in self.fleet.people if person.address in keys.members]
        chosen = self.rng.sample(members, self.rng.randint(keys.threshold, len(members)))
        return sorted(chosen, key=lambda person: int(person.address, 16))

    def _signed(self, message: object, count: int = 0) -> Signed:
        """Mostly good; or too few, a stranger, one twice, disordered, a wrong signature, or keys of another day."""
        signers = self._quorum()[:count] if count else self._quorum()
        fault = self.rng.randrange(24)
        if fault == 0:
            signers = signers[: self.fleet.keys.threshold - 1]
        if fault == 1:
            strangers = [person for person in self.fleet.people if person.address not in self.fleet.keys.members]
            signers = sorted([*signers, strangers[0]], key=lambda person: int(person.address, 16))
        if fault == 2:
            signers = [*signers, signers[-1]]
        if fault == 3:
            signers = signers[::-1]
        bad = self.rng.randrange(len(signers)) if fault == 4 and signers else -1
        keys = replace(self.fleet.keys, version=self.fleet.keys.version + 1) if fault == 5 else None
        return self.fleet.signed(message, signers, keys, bad)  # type: ignore[arg-type]

    def _deadline(self) -> int:
        return self.now + self.rng.choice([3_600] * 12 + [-5])

    def _model(self) -> int:
        return self.rng.choice([MODEL] * 30 + [99])

    def _some(self) -> Release:
        """One of the newest, seldom one that there is not."""
        if not self.releases or self.rng.random() < 0.04:
            return self._drafted()
        return self.rng.choice(self.releases[-4:])

    def _in_state(self, *states: RolloutState) -> Release:
        """One in such a state if there is one, most of the time."""
        fitting = [r for r in self.releases[-6:] if self.book.state_of(MODEL, r.counter) in states]
        return self.rng.choice(fitting) if fitting and self.rng.random() < 0.85 else self._some()

    def _step(self, counter: int) -> int:
        return self.book.rollout_of(MODEL, counter).step

    # releases

    def _drafted(self) -> Release:
        rng, line = self.rng, self.book.models[MODEL].line
        counter = max(1, line.latest + rng.choice([0, 1, 1, 1, 1, 1, 2]))
        floor = max(0, line.floor + rng.choice([0, 0, 0, 0, 1, 1, -1]))
        if rng.random() < 0.12:
            floor = counter + 1
        least, limit = rng.randint(1, 3), rng.choice([0, 2_500, 5_000, 10_000])
        hashes = (rng.randbytes(32) for _ in range(3))
        return Release(
            self._model(), counter, floor, rng.randint(1, 2**40), *hashes, "source", least, limit, self._deadline()
        )

    def _release(self) -> FleetAct:
        release = self._drafted()
        quorum = self._signed(release)

        def apply(now: Moment) -> list[FirmwareOutcome]:
            outcomes = self.book.release(release, quorum.judged, now)
            self.releases.append(release)
            return outcomes

        return FleetAct("release", self.fleet.registry.release(release, quorum.sent), apply)

    def _begin(self) -> FleetAct:
        release = self._in_state(RolloutState.PROPOSED)
        brought = replace(release, source="another") if self.rng.random() < 0.12 else release
        share = self.rng.choice([200, 500, 1_000, 1_000, 1_000, 0, 1_001])
        start = RolloutStart(release.model, release.counter, share, self._deadline())
        quorum = self._signed(start)
        call = self.fleet.registry.begin(brought, start, quorum.sent)
        return FleetAct("begin", call, lambda now: self.book.begin(brought, start, quorum.judged, now))

    def _raise(self) -> FleetAct:
        release = self._in_state(RolloutState.CANARY, RolloutState.RAMP)
        share = self.book.rollout_of(MODEL, release.counter).share_bp
        share = self.rng.choice([share, min(9_999, share + 3_000), min(9_999, share + 3_000), 10_000, 10_001])
        step = RolloutRaise(release.model, release.counter, share, self._step(release.counter), self._deadline())
        quorum = self._signed(step)
        name = "full" if share == 10_000 else "raise"
        call = self.fleet.registry.raise_share(step, quorum.sent)
        return FleetAct(name, call, lambda now: self.book.raise_share(step, quorum.judged, now))

    def _pause(self) -> FleetAct:
        release = self._in_state(RolloutState.CANARY, RolloutState.RAMP, RolloutState.FULL)
        step = RolloutPause(release.model, release.counter, self._step(release.counter), self._deadline())
        quorum = self._signed(step, count=1)
        call = self.fleet.registry.pause(step, quorum.sent)
        return FleetAct("pause", call, lambda now: self.book.pause(step, quorum.judged, now))

    def _resume(self) -> FleetAct:
        release = self._in_state(RolloutState.PAUSED)
        step = RolloutResume(release.model, release.counter, self._step(release.counter), self._deadline())
        quorum = self._signed(step)
        call = self.fleet.registry.resume(step, quorum.sent)
        return FleetAct("resume", call, lambda now: self.book.resume(step, quorum.judged, now))

    def _revoke(self) -> FleetAct:
        release = self._some()
        block = int(self.fleet.chain.rpc("eth_blockNumber"), 16)
        since = self.rng.choice([block, block + 1, block - 3, max(0, block - 8), block + 2, 0])
        said = ReleaseRevocation(release.model, release.counter, since, self._deadline())
        quorum = self._signed(said)
        call = self.fleet.registry.revoke(said, quorum.sent)
        return FleetAct("revoke", call, lambda now: self.book.revoke(said, quorum.judged, now))

    def _change(self) -> FleetAct:
        """Another threshold, or one member for another."""
        keys, people = self.fleet.keys, self.fleet.people
        members = set(self.rng.sample(list(keys.members), 3)) | {self.rng.choice(people).address}
        ascending = tuple(person.address for person in people if person.address in members)
        version = keys.version + self.rng.choice([1] * 9 + [2])
        following = KeySet(version, self.rng.randint(2, 3), ascending)
        said = ReleaseKeyChange(self._model(), version, following.threshold, ascending, self._deadline())
        signers = [person for person in people if person.address in {*keys.members, *ascending}]
        if self.rng.random() < 0.2:
            signers = self._quorum()
        quorum = self.fleet.signed(said, signers)

        def apply(now: Moment) -> list[FirmwareOutcome]:
            outcomes = self.book.change_keys(said, quorum.judged, now)
            self.fleet.keys = following
            return outcomes

        return FleetAct("change keys", self.fleet.registry.change_keys(said, quorum.sent), apply)

    # devices

    def _tell(self) -> FleetAct:
        return self.fleet.telling(*self._receipt())

    def _tell_many(self) -> FleetAct:
        told = [self._receipt() for _ in range(self.rng.randrange(1, 6))]
        return self.fleet.telling_many([(device, receipt, signer) for device, receipt, signer in told])

    def _receipt(self) -> tuple[Device, InstallReceipt, Device]:
        """Whose it is, what it says, who signed it."""
        release = self._in_state(RolloutState.CANARY, RolloutState.RAMP, RolloutState.FULL)
        device = self.rng.choice(self.fleet.devices)
        signer = device if self.rng.random() < 0.8 else self.fleet.devices[0]
        code = self.rng.choice([0, 0, 0, 7])
        time = self.now + self.rng.choice([0, -1_000, 300, 400, 1])
        receipt = InstallReceipt(checksum_address(device.id), release.model, release.counter, code, time)
        return device, receipt, signer

    def _status(self) -> FleetAct:
        """Suspended ones come back; one is revoked, seldom."""
        known = {device.id: self.fleet.known.get(device.id.lower()) for device in self.fleet.devices[:6]}
        out = [d for d in self.fleet.devices[:6] if known[d.id].status is DeviceStatus.SUSPENDED]  # type: ignore[union-attr]
        if out:
            return self.fleet.status(out[0], DeviceStatus.ACTIVE)
        active = [d for d in self.fleet.devices[:6] if known[d.id].status is DeviceStatus.ACTIVE]  # type: ignore[union-attr]
        if len(active) == 6 and self.rng.random() < 0.3:
            return self.fleet.status(active[5], DeviceStatus.REVOKED)
        return self.fleet.status(self.rng.choice(active), DeviceStatus.SUSPENDED)

    def _open(self) -> FleetAct:
        return self.fleet.opening(MODEL, self.fleet.maker, self._quorum())


def test_firmware__act_after_act__equals_the_domain(fleet: Fleet) -> None:
    life = Life(fleet)
    for _ in range(COUNT):
        life.act()
    print(f"\nseed {run_seed()}, {COUNT} acts: {dict(fleet.seen)}")
    missing = sorted(name for name in EXPECTED if not fleet.seen[name])
    assert not missing or COUNT < 1_000, f"never seen: {missing}"
