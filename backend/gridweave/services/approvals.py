"""What release keys sign: approvals are gathered until there are enough, then the act goes to the chain as every other.

The contract is asked about an act as soon as one key has signed it: what it refuses for anything but the number of its
signatures is refused at once, and nothing is gathered for it. An approval that was answered is on disk. Whoever sends
the last one that is needed is acknowledged; the others asked for nothing yet that could be promised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gridweave.chain.contracts import Act, SignedQuorum
from gridweave.chain.hexes import to_hex
from gridweave.chain.types import Call
from gridweave.domain.eip712 import digest
from gridweave.domain.errors import SignatureMalformed
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import (
    ModelOpening,
    Release,
    ReleaseKeyChange,
    ReleaseRevocation,
    RolloutPause,
    RolloutRaise,
    RolloutResume,
    RolloutStart,
)
from gridweave.domain.firmware.proposals import FirmwareAct, Need, act_json, name_of, needs_of
from gridweave.domain.signatures import recover, to_compact, to_rsv
from gridweave.outbox.kinds import Kind
from gridweave.services import firmware
from gridweave.services.acts import Consent, Plan, rehearse, submit_act
from gridweave.services.errors import (
    KeyChangeUnderWay,
    Refused,
    RequestInvalid,
    StepDiffers,
    TooManyUnderWay,
)
from gridweave.services.firmware_rows import key_set_of, release_of
from gridweave.services.intake import Answer
from gridweave.services.proposals import NOBODY, Gathered, gathered, maker_json
from gridweave.services.world import World
from gridweave.store.proposals import Proposal, TooManyProposals
from gridweave.store.reading import Row
from gridweave.timing import now_ms

__all__ = ["Approvals", "approve"]

_REGISTRY = "FirmwareRegistry"
_KINDS = {ModelOpening: Kind.MODEL, ReleaseKeyChange: Kind.RELEASE_KEYS, Release: Kind.RELEASE}
_TOO_FEW = "BelowThreshold"

Approvals = Mapping[str, bytes]
"""Signatures of 65 bytes, or a wallet's, by signer."""


async def approve(world: World, act: FirmwareAct, approvals: Approvals, maker: Act | None = None) -> Answer | Gathered:
    """Takes approvals of an act, and sends it once there are enough. Raises ServiceError, NodeUnavailable.

    `maker` consents to an opening. The same again has the same answer.
    """
    gathering = _Gathering(world, act, maker)
    approvals = gathering.spelt(approvals)
    known = await world.outbox.item(gathering.id)
    if isinstance(act, Release) and (again := await gathering.again(approvals)) is not None:
        return again
    if known is not None:
        await gathering.check_again(approvals)
        return Answer(gathering.id, known)
    return await gathering.take(approvals)


class _Gathering:
    """One request's way: judged, kept, sent."""

    def __init__(self, world: World, act: FirmwareAct, maker: Act | None) -> None:
        self._world, self._act, self._maker = world, act, maker
        self._hash = digest(world.domain(_REGISTRY), act)
        self.id = to_hex(self._hash)

    def spelt(self, approvals: Approvals) -> Approvals:
        """Each as it is sent."""
        return {signer: _as_sent(self._hash, signer, said) for signer, said in approvals.items()}

    async def again(self, approvals: Approvals) -> Gathered | None:
        """Approvals by present keys of a release that stands, which bundles carry after a change of keys; None if it is
        not that. They are of use offline, so that only keys are heard."""
        assert isinstance(self._act, Release)
        reads = self._world.reads.firmware
        row = await reads.release(self._act.model, self._act.counter)
        if row is None or row["commitment"] != to_hex(self._act.commitment):
            return None
        sets = await reads.key_sets(self._act.model)
        if not sets or sets[-1]["block_number"] < row["block_number"]:
            return None
        needs = needs_of(self._act, key_set_of(sets[-1]))
        for signer, signature in approvals.items():
            _require_member(needs, signer)
            if not _is_key_s(self._hash, signer, signature):
                raise Refused("WrongSignature", {"signer": signer})
        return await gathered(self._world, await self._keep(approvals, kept=True))

    async def check_again(self, approvals: Approvals) -> None:
        """That an act that was sent already comes from keys that the model has or had. Raises Refused."""
        sets = await self._world.reads.firmware.key_sets(self._act.model)
        held = [key_set_of(row) for row in sets] or [NOBODY]
        needs = [need for keys in held for need in needs_of(self._act, keys)]
        for signer, signature in approvals.items():
            await self._check(tuple(needs), signer, signature)
        if self._maker is not None and not await self._may_have_signed(self._maker.signer, self._maker.signature):
            raise Refused("WrongSignature", {"signer": self._maker.signer})

    async def take(self, approvals: Approvals) -> Answer | Gathered:
        """Raises ServiceError."""
        act, row = self._act, None
        if not isinstance(act, ModelOpening):
            row = await firmware.model(self._world, act.model)
            await self._check_step()
        needs = needs_of(act, key_set_of(row) if row else NOBODY)
        for signer, signature in approvals.items():
            await self._check(needs, signer, signature)
        kept = await self._world.proposals.find(self.id)
        if kept is None and self._maker is None and not needs[0].approved(approvals):
            # a key of the next set alone proposes nothing
            raise Refused("UnknownReleaseKey", {"signer": min(approvals, key=_number)})
        before = dict(kept.signatures) if kept else {}
        while True:
            try:
                await self._judge(await self._call(row, _of_members(needs, before | dict(approvals))))
                break
            except Refused as refused:
                stale = str(refused.arguments.get("signer", ""))
                if stale in approvals or stale not in before:
                    raise
                await self._world.proposals.drop(self.id, [stale])  # a wallet that does not stand by it any more
                del before[stale]
        stored = await self._keep(approvals, kept=False)
        signatures = _of_members(needs, stored.signatures)  # others may have come meanwhile, who saw none of these
        if not all(need.is_met(signatures) for need in needs):
            return await gathered(self._world, stored)
        self._require_keys_at_rest()
        return await submit_act(self._world, self._plan(await self._call(row, signatures), row))

    async def _check(self, needs: tuple[Need, ...], signer: str, signature: bytes) -> None:
        """Raises Refused."""
        _require_member(needs, signer)
        if not await self._may_have_signed(signer, signature):
            raise Refused("WrongSignature", {"signer": signer})

    async def _may_have_signed(self, signer: str, signature: bytes) -> bool:
        """Whether a key did, or a wallet may have: the contract asks that."""
        return _is_key_s(self._hash, signer, signature) or bool(await self._world.node.code(signer))

    async def _check_step(self) -> None:
        """A step that has passed is told as such; the contract would call its signatures wrong. Raises ServiceError."""
        act = self._act
        if not isinstance(act, RolloutRaise | RolloutPause | RolloutResume) or self._is_busy():
            return
        standing = (await firmware.release(self._world, act.model, act.counter))["standing"]
        if act.step != standing["step"]:
            raise StepDiffers(act.step, standing["step"])

    async def _judge(self, call: Call) -> None:
        """Raises Refused for what the contract refuses, unless for too few signatures or while things are under way."""
        try:
            await rehearse(self._world, call)
        except Refused as refused:
            by_time = refused.name in ("WrongSignature", "SignerNotAllowed", "UnknownReleaseKey", "ActExpired")
            if refused.name != _TOO_FEW and (by_time or not self._is_busy()):
                raise

    def _is_busy(self) -> bool:
        return self._world.lanes.busy([_lane(self._act.model)])

    def _require_keys_at_rest(self) -> None:
        """What is sent brings the present keys, which must be the same when it arrives. Raises KeyChangeUnderWay."""
        if self._world.lanes.busy([_keys_lane(self._act.model)]):
            raise KeyChangeUnderWay(self._act.model)

    async def _keep(self, approvals: Approvals, *, kept: bool) -> Proposal:
        """Raises TooManyUnderWay."""
        act, most = self._act, self._world.settings.most_acts_under_way
        proposer = min(approvals, key=_number) if approvals else self._maker.signer if self._maker else ""
        made = Proposal(
            id=self.id,
            act=name_of(act),
            model=act.model,
            counter=getattr(act, "counter", None),
            message=act_json(act),
            deadline=act.deadline,
            proposer=proposer,
            created_at_ms=now_ms(),
            maker=maker_json(self._maker) if self._maker else None,
            kept=kept,
            signatures=approvals,
        )
        await self._world.proposals.sweep(self._world.heads.time)
        try:
            return await self._world.proposals.gather(made, most)
        except TooManyProposals as fault:
            raise TooManyUnderWay(proposer, most) from fault

    async def _call(self, row: Row | None, signatures: Approvals) -> Call:
        """Raises NotFound (UnknownRelease), RequestInvalid."""
        contract, act = self._world.contracts.firmware, self._act
        present = key_set_of(row) if row else NOBODY
        quorum = SignedQuorum(present, tuple(signatures.items()))
        match act:
            case ModelOpening():
                if self._maker is None:
                    raise RequestInvalid("RequestInvalid", "an opening carries its maker's consent")
                first = replace(quorum, keys=KeySet(1, act.threshold, act.keys))
                return contract.open_model(act.model, first, self._maker)
            case ReleaseKeyChange():
                return contract.change_keys(act, quorum)
            case Release():
                return contract.release(act, quorum)
            case RolloutStart():
                released = release_of(await firmware.release(self._world, act.model, act.counter))
                return contract.begin(released, act, quorum)
            case RolloutRaise():
                return contract.raise_share(act, quorum)
            case RolloutPause():
                return contract.pause(act, quorum)
            case RolloutResume():
                return contract.resume(act, quorum)
            case ReleaseRevocation():
                return contract.revoke(act, quorum)

    def _plan(self, call: Call, row: Row | None) -> Plan:
        act, keys = self._act, isinstance(self._act, ReleaseKeyChange)
        consents = (Consent(_REGISTRY, act, self._maker),) if self._maker is not None else ()
        return Plan(
            kind=_KINDS.get(type(act), Kind.ROLLOUT),
            call=call,
            consents=consents,
            lanes=(_lane(act.model), *((_keys_lane(act.model),) if keys else ())),
            deadline=act.deadline,
            request={"act": name_of(act)} | act_json(act),
            account=row["maker"] if row else None,
            id=self._hash,
            nonce_key=None if consents else f"{_REGISTRY}:{act.model}:{_turn(act)}",
        )


def _turn(act: FirmwareAct) -> str:
    """What stands in for a nonce."""
    match act:
        case ReleaseKeyChange():
            return f"keys:{act.version}"
        case Release():
            return f"release:{act.counter}"
        case RolloutStart():
            return f"start:{act.counter}"
        case RolloutRaise() | RolloutPause() | RolloutResume():
            return f"step:{act.counter}:{act.step}"
        case ReleaseRevocation():
            return f"revocation:{act.counter}:{act.since_block}"
        case _:
            return f"opening:{act.maker}:{act.nonce}"


def _require_member(needs: tuple[Need, ...], signer: str) -> None:
    if not any(need.approved([signer]) for need in needs):
        raise Refused("UnknownReleaseKey", {"signer": signer})


def _of_members(needs: tuple[Need, ...], signatures: Approvals) -> dict[str, bytes]:
    """Without those of keys that are none any more."""
    return {signer: said for signer, said in signatures.items() if any(need.approved([signer]) for need in needs)}


def _as_sent(hash_: bytes, signer: str, signature: bytes) -> bytes:
    """A key's signature in its one form of 65 bytes, which bundles carry; a wallet's as it is."""
    return to_rsv(to_compact(signature)) if _is_key_s(hash_, signer, signature) else signature


def _is_key_s(hash_: bytes, signer: str, signature: bytes) -> bool:
    try:
        return recover(hash_, to_compact(signature)) == signer
    except SignatureMalformed:
        return False


def _number(signer: str) -> int:
    return int(signer, 16)


def _lane(model: int) -> str:
    return f"model:{model}"


def _keys_lane(model: int) -> str:
    return f"release-keys:{model}"
