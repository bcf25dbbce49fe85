"""The FirmwareRegistry replayed: every model's keys, releases and rollouts, and what its devices told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

from gridweave.audit.device_acts import Bench, DeviceWitness
from gridweave.audit.devices import Devices
from gridweave.audit.differences import Kind, Subject
from gridweave.audit.findings import Findings
from gridweave.audit.firmware_calls import (
    BeginningRollout,
    ChangingKeys,
    FirmwareCall,
    OpeningModel,
    PausingRollout,
    RaisingShare,
    ReleasingFirmware,
    ResumingRollout,
    RevokingRelease,
    SeenQuorum,
    SteppingRollout,
    TellingReceipts,
)
from gridweave.audit.matching import Expected
from gridweave.audit.receipts import CONTRACT, Receipts
from gridweave.audit.report import Checked
from gridweave.chain.events import EVENTS, Event
from gridweave.domain.addresses import checksum_address
from gridweave.domain.device_outcomes import FOREVER
from gridweave.domain.device_roll import DeviceRoll
from gridweave.domain.devices import Moment
from gridweave.domain.eip712 import Message
from gridweave.domain.firmware import roll as rules
from gridweave.domain.firmware.book import FirmwareBook
from gridweave.domain.firmware.errors import UnknownRelease
from gridweave.domain.firmware.keys import Approval, KeySet
from gridweave.domain.firmware.messages import (
    ModelOpening,
    Release,
    ReleaseKeyChange,
    RolloutPause,
    RolloutRaise,
    RolloutResume,
    RolloutStart,
)
from gridweave.domain.firmware.outcomes import FirmwareOutcome
from gridweave.domain.firmware.roll import KnownDevice, Quorum
from gridweave.domain.firmware.rollout import RolloutState

__all__ = ["CONTRACT", "Firmwares"]


class Firmwares:
    """One registry's `book`. `wallets` are signers with code: what they said cannot be asked again later."""

    def __init__(self, registry: str, devices: Devices, wallets: Set[str], bench: Bench) -> None:
        self.book = FirmwareBook(_Known(devices.book))
        self.keys: dict[int, KeySet] = {}
        """By model, its present key set, of which the chain keeps the hash."""
        self._releases: dict[tuple[int, int], Release] = {}
        self._registry, self._devices, self._wallets, self._bench = registry, devices, wallets, bench
        self._receipts = Receipts(self.book, devices, bench)
        self._findings: Findings = bench.findings

    def apply(self, call: FirmwareCall, at: Moment, said: Sequence[Event]) -> list[Expected]:
        """The events that a call must leave, `said` being those that it left. Raises what the rules refuse it with."""
        now = rules.Moment(at.block, at.time)
        if isinstance(call, TellingReceipts):
            outcomes = self._receipts.tell_all(call, now, said)
        else:
            outcomes = self._apply(call, now)
        return [Expected(EVENTS[type(made).__name__], self._registry, vars(made)) for made in outcomes]

    def _apply(self, call: FirmwareCall, now: rules.Moment) -> list[FirmwareOutcome]:
        match call:
            case OpeningModel():
                return self._open(call, now)
            case ChangingKeys(model, following, deadline, quorum):
                said = ReleaseKeyChange(model, following.version, following.threshold, following.members, deadline)
                both = {*self._present(model).members, *following.members}
                by = tuple(sorted(both, key=lambda member: int(member, 16)))
                outcomes = self.book.change_keys(said, self._quorum(model, said, quorum, by=by), now)
                self.keys[model] = following
                return outcomes
            case ReleasingFirmware(release, quorum):
                outcomes = self.book.release(release, self._quorum(release.model, release, quorum), now)
                self._releases[release.model, release.counter] = release
                return outcomes
            case RevokingRelease(said_, quorum):
                return self.book.revoke(said_, self._quorum(said_.model, said_, quorum), now)
            case _:
                return self._step(call, now)

    def _open(self, call: OpeningModel, now: rules.Moment) -> list[FirmwareOutcome]:
        act, keys = call.maker, call.keys
        said = ModelOpening(call.model, act.signer, keys.threshold, keys.members, act.nonce, act.deadline)
        subject = Subject(model=call.model, account=act.signer)
        witness = DeviceWitness(
            self._bench, "openModel", subject, now.time, act, Kind.MAKER_SIGNATURE, contract=CONTRACT
        )
        first = self._quorum(call.model, said, call.quorum, keys)
        outcomes = self.book.open_model(call.model, act.signer, first)
        witness.require_consent(act.signer, said)
        witness.may(act.signer)
        self.keys[call.model] = keys
        return outcomes

    def _step(self, call: FirmwareCall, now: rules.Moment) -> list[FirmwareOutcome]:
        """What makes a rollout go on or stop."""
        match call:
            case SteppingRollout():
                return self._step(self._seen_from_outside(call), now)
            case BeginningRollout(release, start, quorum):
                return self.book.begin(release, start, self._quorum(release.model, start, quorum), now)
            case RaisingShare(model, counter, share_bp, deadline, quorum):
                raised = RolloutRaise(model, counter, share_bp, self._step_of(model, counter), deadline)
                return self.book.raise_share(raised, self._quorum(model, raised, quorum), now)
            case PausingRollout(model, counter, deadline, quorum, by):
                paused = RolloutPause(model, counter, self._step_of(model, counter), deadline)
                return self.book.pause(paused, self._quorum(model, paused, quorum, by=(by,)), now)
            case ResumingRollout(model, counter, deadline, quorum):
                resumed = RolloutResume(model, counter, self._step_of(model, counter), deadline)
                return self.book.resume(resumed, self._quorum(model, resumed, quorum), now)
            case _:
                return []

    def _seen_from_outside(self, call: SteppingRollout) -> FirmwareCall:
        model, counter = call.model, call.counter
        match self.book.state_of(model, counter):
            case RolloutState.PROPOSED:
                release = self._releases.get((model, counter))
                if release is None:
                    raise UnknownRelease(model, counter)
                return BeginningRollout(release, RolloutStart(model, counter, call.share_bp, FOREVER), None)
            case RolloutState.PAUSED:
                return ResumingRollout(model, counter, FOREVER, None)
            case _:
                return RaisingShare(model, counter, call.share_bp, FOREVER, None)

    def _step_of(self, model: int, counter: int) -> int:
        return self.book.rollout_of(model, counter).step

    # keys

    def _present(self, model: int) -> KeySet:
        return self.keys.get(model, KeySet(0, 0, ()))

    def _quorum(
        self,
        model: int,
        said: Message,
        seen: SeenQuorum | None,
        keys: KeySet | None = None,
        by: tuple[str, ...] | None = None,
    ) -> Quorum:
        """Who approved. Tells of a signature that is not its signer's, and takes it as the contract did.

        Of a call seen from outside it is `by`, of `keys`: without them all of the present keys.
        """
        if seen is None:
            keys = keys or self._present(model)
            self._findings.count(Checked.BY_CONTRACT_ONLY)
            return Quorum(keys, tuple(map(Approval, keys.members if by is None else by)))
        if self._findings.reviewing:
            for signer, signature in seen.approvals:
                self._check_approval(model, said, signer, signature)
        return Quorum(seen.keys, tuple(Approval(signer) for signer, _ in seen.approvals))

    def _check_approval(self, model: int, said: Message, signer: str, signature: bytes) -> None:
        holds = self._bench.proofs.is_release_key(said, signer, signature)
        wallet = not holds and signer in self._wallets
        self._findings.count(Checked.BY_CONTRACT_ONLY if wallet else Checked.APPROVALS)
        subject = Subject(model=model, account=signer, counter=getattr(said, "counter", None))
        self._findings.check(holds or wallet, Kind.RELEASE_KEY_SIGNATURE, subject, signer, "another signer")


class _Known(Mapping[str, KnownDevice]):
    """What the DeviceRegistry says of devices, by address in any spelling."""

    def __init__(self, roll: DeviceRoll) -> None:
        self._roll = roll

    def __getitem__(self, name: str) -> KnownDevice:
        device = self._roll.devices[checksum_address(name)]
        origin = self._roll.origin_of(device)
        return KnownDevice(origin.maker, origin.model, device.status)

    def __iter__(self) -> Iterator[str]:
        return iter(self._roll.devices)

    def __len__(self) -> int:
        return len(self._roll.devices)
