"""A firmware release that goes wrong: canary, ramp, failures that pause it, revocation, and the one that mends it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from gridweave.client import GridweaveClient, Wallet
from gridweave.client.firmware_life import FirmwareDesk, InstallReporter, ReleaseKeyHolder
from gridweave.client.wire import Item, SignedAct
from gridweave.demo.fleet.fleet import Live
from gridweave.demo.fleet.makers import MODEL
from gridweave.demo.waiter import Waiter
from gridweave.domain.acts import KeyKind
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import Release, ReleaseRevocation, RolloutRaise, RolloutStart
from gridweave.domain.firmware.proposals import FirmwareAct
from gridweave.domain.firmware.rollout import ramp_position

__all__ = ["BAD", "FIRST", "MENDED", "Step", "Stewardship"]

FIRST, BAD, MENDED = 1, 2, 3
"""Counters of the releases."""

CANARY_BP, HALF_BP, ALL_BP = 1_000, 5_000, 10_000
_KEYS, _THRESHOLD = 5, 3
_RECEIPTS_OF, _FAILURE_LIMIT_BP = 5, 1_000
"""One device in so many must have told before failures count."""
_AT_ONCE = 10
_NEVER = 2**40 - 1
_BROKEN = 7
"""What a device reports where the update does not start again."""


@dataclass(frozen=True)
class Step:
    """What became of a release: `state` as the registry says it, and receipts so far."""

    slot: int
    counter: int
    what: str
    state: str
    installed: int
    failed: int


@dataclass
class Stewardship:
    """The maker's five release keys, of which three decide, and what they do in the day."""

    client: GridweaveClient
    waiter: Waiter
    maker: Wallet
    devices: int
    keys: tuple[Wallet, ...] = field(default_factory=lambda: tuple(Wallet.create() for _ in range(_KEYS)))
    steps: list[Step] = field(default_factory=list)
    _tried: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set), repr=False)

    def begin(self, live: Sequence[Live]) -> None:
        """Opens the model, and brings the first release to everybody."""
        members = tuple(sorted((key.address for key in self.keys), key=lambda address: int(address, 16)))
        opening = ReleaseKeyHolder(self.client, self.maker).open_model(
            MODEL, KeySet(1, _THRESHOLD, members), self.waiter.clock.now() + 3_000
        )
        assert not isinstance(opening, Item)  # its keys must agree
        self._approve(opening.act, opening.maker)
        self.release(FIRST, floor=FIRST)
        self.start(FIRST)
        self.raise_to(FIRST, ALL_BP)
        self.install(FIRST, live)

    def release(self, counter: int, floor: int) -> None:
        """Three of five approve it."""
        said = Release(
            model=MODEL,
            counter=counter,
            floor=floor,
            image_size=480_000 + counter,
            image_hash=sha256(f"image {counter}".encode()).digest(),
            manifest_hash=sha256(f"manifest {counter}".encode()).digest(),
            bom_hash=sha256(f"bill of materials {counter}".encode()).digest(),
            source=f"https://firmware.example/meter/{counter}",
            least_receipts=max(1, self.devices // _RECEIPTS_OF),
            failure_limit_bp=_FAILURE_LIMIT_BP,
            deadline=_NEVER,
        )
        self._approve(said)

    def start(self, counter: int) -> None:
        """For a tenth of the devices."""
        self._approve(RolloutStart(MODEL, counter, CANARY_BP, _NEVER))

    def raise_to(self, counter: int, share_bp: int) -> None:
        """For more of them."""
        step = int(self._desk.release(MODEL, counter)["step"])
        self._approve(RolloutRaise(MODEL, counter, share_bp, step, _NEVER))

    def revoke(self, counter: int) -> None:
        """From the block on in which it was released."""
        since = int(self._desk.release(MODEL, counter)["block"])
        self._approve(ReleaseRevocation(MODEL, counter, since, _NEVER))

    def install(self, counter: int, live: Sequence[Live]) -> None:
        """Every device that is in the ramp and behind takes it and says how that went, as long as the ramp stands.

        Release BAD does not start on boards whose chip holds a P-256 key; these go on with what they ran.
        """
        release = self._desk.release(MODEL, counter)
        ramp = [
            each
            for each in live
            if each.meter.firmware < counter
            and each.meter.ended is None
            and each.device not in self._tried[counter]
            and ramp_position(each.device, MODEL, counter) < int(release["shareBp"])
        ]
        at_once = 1 if counter == BAD else _AT_ONCE  # each looks whether the ramp still stands
        for first in range(0, len(ramp), at_once):
            if self.state(counter) == "paused":
                return
            self.waiter.require([self._told(counter, each) for each in ramp[first : first + at_once]])

    def _told(self, counter: int, each: Live) -> Item:
        fails = counter == BAD and each.meter.own.key.kind is KeyKind.P256
        self._tried[counter].add(each.device)
        if not fails:
            each.meter.firmware = counter
        reporter = InstallReporter(self.client, each.meter.own.key, each.device)
        return reporter.tell(MODEL, counter, _BROKEN if fails else 0, self.waiter.clock.now())

    def note(self, slot: int, counter: int, what: str) -> None:
        """Writes down how a release stands."""
        installed, failed = (len(self._desk.receipts(MODEL, counter, failed=failed)) for failed in (False, True))
        self.steps.append(Step(slot, counter, what, self.state(counter), installed, failed))

    def state(self, counter: int) -> str:
        """As the registry says it."""
        return str(self._desk.release(MODEL, counter)["state"])

    @property
    def _desk(self) -> FirmwareDesk:
        return FirmwareDesk(self.client)

    def _approve(self, act: FirmwareAct, maker: SignedAct | None = None) -> None:
        answers = [ReleaseKeyHolder(self.client, key).approve(act, maker) for key in self.keys[:_THRESHOLD]]
        answer = answers[-1]
        assert isinstance(answer, Item)  # the third signature was enough
        self.waiter.require([answer])
