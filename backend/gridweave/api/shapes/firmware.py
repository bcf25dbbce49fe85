"""Firmware as it is answered: models, releases, who has approved what, what devices run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from gridweave.api.fields import Id
from gridweave.api.shapes.base import LEFT_OUT, AccountId, Count, Hash, Paged, Shape
from gridweave.api.shapes.devices import DeviceState

__all__ = [
    "BundleOut",
    "DeviceFirmwareOut",
    "EligibilityOut",
    "GatheredOut",
    "InstallsOut",
    "KeySetsOut",
    "ModelOut",
    "ModelsOut",
    "ProposalsOut",
    "ReceiptsOut",
    "RefusedReceiptsOut",
    "ReleaseOut",
    "ReleasesOut",
]

StateName = Literal["proposed", "canary", "ramp", "full", "paused", "revoked", "superseded"]
ActName = Literal["opening", "keys", "release", "start", "raise", "pause", "resume", "revocation"]
BasisPoints = Annotated[int, Field(ge=0, le=10_000, description="basis points")]
Bytes = Annotated[str, Field(pattern=r"^0x([0-9a-f]{2})*$")]


class KeySetOut(Shape):
    """Who may speak for a model's firmware: `threshold` of `members`, ascending."""

    version: Count
    threshold: Count
    members: list[AccountId]


class ToldKeySetOut(KeySetOut):
    """And where it was told."""

    transaction: Hash
    block: Count
    final: bool


class KeySetsOut(Shape):
    """Every key set of a model, oldest first."""

    items: list[ToldKeySetOut]


class ListedModelOut(Shape):
    """A model: `latest` is the counter of its newest release, `full` the newest that ever was full, `floor` the counter
    below which devices are not to be trusted; 0 for none."""

    model: Id
    maker: AccountId
    latest: Count
    full: Count
    floor: Count
    keys: KeySetOut
    transaction: Hash
    block: Count
    final: bool


class ModelsOut(Paged):
    """A page of models."""

    items: list[ListedModelOut]


class RunningOut(Shape):
    """How many devices said that they run a release."""

    counter: Count
    devices: Count


class ModelOut(ListedModelOut):
    """A model and its devices: `enrolled` of them, of which each in `running` has told what it runs."""

    enrolled: Count
    running: list[RunningOut]


class ListedReleaseOut(Shape):
    """A release and how far it has come. `told` and `failures` are first words of the present step's devices;
    `failure_bp` is failures of 10,000 told, rounded down, null before anybody told."""

    model: Id
    counter: Count
    commitment: Hash
    floor: Count
    image_size: Count
    image_hash: Hash
    manifest_hash: Hash
    bom_hash: Hash
    source: str
    least_receipts: Count
    failure_limit_bp: BasisPoints
    deadline: Count
    state: StateName
    resumes_to: StateName | None
    share_bp: BasisPoints
    step: Count
    told: Count
    failures: Count
    failure_bp: BasisPoints | None
    revoked_since: Annotated[Count | None, Field(description="a block")]
    begun_at: Annotated[Count | None, Field(description="a block")]
    transaction: Hash
    block: Count
    final: bool


class ReleasesOut(Paged):
    """A page of releases."""

    items: list[ListedReleaseOut]


class StepOut(Shape):
    """A step of a rollout, and first words while it lasted; of a pause, those that it was paused with.

    `by` is the key that paused it, null where its own failures did.
    """

    state: StateName
    step: Count
    share_bp: BasisPoints | None
    by: AccountId | None
    by_failures: bool
    told: Count
    failures: Count
    transaction: Hash
    block: Count
    final: bool


class RevocationOut(Shape):
    """What was recorded under the release from `since_block` on is not to be relied upon."""

    since_block: Count
    transaction: Hash
    block: Count
    final: bool


class CodeOut(Shape):
    """How many devices told that code first; 0 for success."""

    code: Count
    devices: Count


class ReleaseOut(ListedReleaseOut):
    """A release with its whole history."""

    steps: list[StepOut]
    revocations: list[RevocationOut]
    codes: list[CodeOut]


class ReceiptOut(Shape):
    """A device's receipt that was taken; `time` by its own clock."""

    device: AccountId
    model: Id
    counter: Count
    failure_code: Count
    time: Count
    transaction: Hash
    block: Count
    final: bool


class ReceiptsOut(Paged):
    """A page of receipts."""

    items: list[ReceiptOut]


class RefusedReceiptOut(Shape):
    """A receipt that the contract refused within a batch."""

    device: AccountId
    reason: str
    transaction: Hash
    block: Count
    final: bool


class RefusedReceiptsOut(Paged):
    """A page of them."""

    items: list[RefusedReceiptOut]


class InstallOut(Shape):
    """What a device runs, as it told."""

    device: AccountId
    running: Count
    transaction: Hash
    block: Count
    final: bool


class InstallsOut(Paged):
    """A page of devices."""

    items: list[InstallOut]


class EligibilityOut(Shape):
    """Whether a device may install a release now. `refusal` is what the contract would say to its receipt.

    `position` is keccak256(device . model . counter) modulo 10,000: it is in the ramp if that is below the share.
    """

    device: AccountId
    model: Id
    counter: Count
    state: StateName
    share_bp: BasisPoints
    position: Count
    is_in_ramp: bool
    is_allowed: bool
    refusal: str | None


class DeviceFirmwareOut(Shape):
    """A device's firmware: what it told last and runs, what it should run, and every release that may become its next.

    `should_run` is null for a device that told of nothing and may install nothing yet.
    """

    device: AccountId
    model: Id
    status: DeviceState
    told: Count
    failure_code: Count
    running: Annotated[Count, Field(description="0: it has not told that anything runs")]
    running_since: Annotated[Count | None, Field(description="a block")]
    is_below_floor: bool
    should_run: Count | None
    releases: list[EligibilityOut]


class NeedOut(Shape):
    """A key set whose members must approve, `least` of them."""

    version: Count
    least: Count
    approved: list[AccountId]
    missing: list[AccountId]


class GatheredOut(Shape):
    """An act of release keys and who has signed it so far. `body` is its fields as they are posted and signed.

    `status` is `gathering`; `released` where a release that stands is approved by later keys, for bundles; `void` once
    the chain has gone on without it; else what became of it as a request of the same id.
    """

    id: Hash
    act: ActName
    model: Id
    counter: Count | None
    status: Literal["gathering", "released", "void", "accepted", "committed", "rejected"]
    body: dict[str, Any]
    maker: dict[str, Any] | None = LEFT_OUT
    deadline: Count
    needs: list[NeedOut]


class ProposalsOut(Shape):
    """What is being gathered, newest first."""

    items: list[GatheredOut]


class SignatureOut(Shape):
    """Who signed, and what."""

    signer: AccountId
    signature: Bytes


class HandedOverOut(Shape):
    """A change of keys, signed by both sets."""

    keys: KeySetOut
    deadline: Count
    signatures: list[SignatureOut]


class BundleOut(Shape):
    """All of a device's bundle but the manifest and the witnesses: docs/firmware.md, "The bundle".

    `keys` signed the release, `changes` followed. `header` is the block's, in RLP; `account` and `slots` are Merkle
    proofs against its state root: of the registry, and of the model's line, its key set, the release, its rollout.
    """

    block_number: Count
    release: dict[str, Any]
    approvals: list[SignatureOut]
    keys: KeySetOut
    changes: list[HandedOverOut]
    header: Bytes
    account: list[Bytes]
    slots: list[list[Bytes]]
