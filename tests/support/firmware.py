"""Acts of release keys and devices' receipts as they are posted, and the calls that carry the same to the contract."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gridweave.chain import Call, SignedQuorum, SignedReceipt
from gridweave.chain.contracts import Act
from gridweave.domain.acts import KeyKind
from gridweave.domain.eip712 import Domain, digest
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import (
    InstallReceipt,
    ModelOpening,
    Release,
    ReleaseKeyChange,
    ReleaseRevocation,
    RolloutPause,
    RolloutRaise,
    RolloutResume,
    RolloutStart,
)
from gridweave.domain.firmware.proposals import FirmwareAct, act_json
from gridweave.domain.firmware.rollout import ramp_position
from gridweave.domain.signatures import sign_compact, to_rsv
from tests.support.acts import Party, Posted, Signer
from tests.support.town import FOREVER, DeviceKeyPair, Town, draw_home

__all__ = ["FirmwareActs", "device_in_ramp", "key_set", "release_keys"]

_nonces = itertools.count(7_000_000)
_NOT_SIGNED = ("model", "counter")
"""What the path says."""


def release_keys(count: int, first: int = 9_000) -> list[Party]:
    """People who hold release keys, ascending by address."""
    drawn = [Party(f"release key {number}", draw_home(first + number)[0]) for number in range(count)]
    return sorted(drawn, key=lambda party: int(party.account, 16))


def key_set(people: Sequence[Party], threshold: int, version: int = 1) -> KeySet:
    """`threshold` of these."""
    return KeySet(version, threshold, tuple(person.account for person in people))


def device_in_ramp(model: int, counter: int, below: int, least: int = 0, first: int = 20_000) -> DeviceKeyPair:
    """A device at a position in [least, below) of that release's ramp."""
    drawn = (draw_home(number)[1] for number in itertools.count(first))
    return next(key for key in drawn if least <= ramp_position(key.device, model, counter) < below)


class FirmwareActs:
    """Makes requests about a model. `keys` are its present ones, which calls bring; `elsewhere` and `deadline` as in
    `Acts`."""

    def __init__(self, town: Town, model: int, keys: KeySet, *, elsewhere: Any = None, deadline: int = FOREVER) -> None:
        self.town, self.model, self.keys, self.deadline = town, model, keys, deadline
        self._elsewhere = elsewhere or (lambda domain: domain)
        self._registry = town.contracts.firmware

    def opening(self, maker: Party, by: Sequence[Party], nonce: int | None = None) -> Posted:
        said = ModelOpening(
            self.model,
            maker.account,
            self.keys.threshold,
            self.keys.members,
            next(_nonces) if nonce is None else nonce,
            self.deadline,
        )
        act = Act.of(said, maker.account, self._rsv(maker, said))
        body = {"model": self.model, "threshold": said.threshold, "keys": list(said.keys), "maker": _consent(act)}
        call = self._registry.open_model(self.model, self._quorum(said, by), act)
        return Posted("firmware/models", body | {"approvals": self._approvals(said, by)}, call)

    def key_change(self, following: KeySet, by: Sequence[Party]) -> Posted:
        said = ReleaseKeyChange(self.model, following.version, following.threshold, following.members, self.deadline)
        return self._posted("keys", said, by, self._registry.change_keys(said, self._quorum(said, by)))

    def release_of(self, counter: int, **changes: Any) -> Release:
        """A release that the contract takes."""
        hashes = (bytes([counter]) * 32, bytes([counter + 1]) * 32, bytes(32))
        plain = Release(
            *(self.model, counter, 0, 4_096, *hashes, f"https://firmware.example/{counter}", 4, 2_500, self.deadline)
        )
        return replace(plain, **changes)

    def release(self, said: Release, by: Sequence[Party]) -> Posted:
        return self._posted("releases", said, by, self._registry.release(said, self._quorum(said, by)))

    def start(self, released: Release, share: int, by: Sequence[Party]) -> Posted:
        said = RolloutStart(self.model, released.counter, share, self.deadline)
        return self._posted("start", said, by, self._registry.begin(released, said, self._quorum(said, by)))

    def raise_share(self, counter: int, share: int, step: int, by: Sequence[Party]) -> Posted:
        said = RolloutRaise(self.model, counter, share, step, self.deadline)
        return self._posted("raise", said, by, self._registry.raise_share(said, self._quorum(said, by)))

    def pause(self, counter: int, step: int, by: Sequence[Party]) -> Posted:
        said = RolloutPause(self.model, counter, step, self.deadline)
        return self._posted("pause", said, by, self._registry.pause(said, self._quorum(said, by)))

    def resume(self, counter: int, step: int, by: Sequence[Party]) -> Posted:
        said = RolloutResume(self.model, counter, step, self.deadline)
        return self._posted("resume", said, by, self._registry.resume(said, self._quorum(said, by)))

    def revocation(self, counter: int, since_block: int, by: Sequence[Party]) -> Posted:
        said = ReleaseRevocation(self.model, counter, since_block, self.deadline)
        return self._posted("revocation", said, by, self._registry.revoke(said, self._quorum(said, by)))

    def receipt(
        self, key: DeviceKeyPair, counter: int, time: int, code: int = 0, signer: Signer | None = None, model: int = 0
    ) -> Posted:
        """`signer` is the key that speaks for the device."""
        signed = self.signed_receipt(key, counter, time, code, signer, model)
        said = signed.receipt
        body = {"device": said.device, "model": said.model, "counter": counter, "failureCode": code, "time": time}
        shown = body | {"signature": "0x" + signed.signature[:64].hex()}
        return Posted("firmware/receipts", shown, self._registry.tell(signed))

    def signed_receipt(
        self, key: DeviceKeyPair, counter: int, time: int, code: int = 0, signer: Signer | None = None, model: int = 0
    ) -> SignedReceipt:
        """As the contract takes it."""
        said = InstallReceipt(key.device, model or self.model, counter, code, time)
        hash_ = digest(self._domain(), said)
        by = signer or key
        signature = by.sign(hash_) if isinstance(by, DeviceKeyPair) else sign_compact(by.secret, hash_)
        x, y = key.point
        return SignedReceipt(said, signature + x + y if key.kind is KeyKind.P256 else signature)

    def id_of(self, said: FirmwareAct) -> str:
        """The digest of an act."""
        return "0x" + digest(self._domain(), said).hex()

    def _posted(self, where: str, said: Any, by: Sequence[Party], call: Call) -> Posted:
        path = f"firmware/models/{self.model}"
        if where not in ("keys", "releases"):
            path += f"/releases/{said.counter}"
        signed = act_json(said)
        hidden = _NOT_SIGNED[:1] if where == "releases" else _NOT_SIGNED
        body = {name: value for name, value in signed.items() if name not in hidden}
        return Posted(f"{path}/{where}", body | {"approvals": self._approvals(said, by)}, call)

    def _approvals(self, said: FirmwareAct, by: Sequence[Party]) -> list[dict[str, str]]:
        return [{"signer": each.account, "signature": "0x" + self._rsv(each, said).hex()} for each in by]

    def _quorum(self, said: FirmwareAct, by: Sequence[Party]) -> SignedQuorum:
        return SignedQuorum(self.keys, tuple((each.account, self._rsv(each, said)) for each in by))

    def _rsv(self, by: Party, said: FirmwareAct) -> bytes:
        return to_rsv(sign_compact(by.secret, digest(self._domain(), said)))

    def _domain(self) -> Domain:
        domain: Domain = self._elsewhere(self.town.domain("FirmwareRegistry"))
        return domain


def _consent(act: Act) -> dict[str, Any]:
    said = {"signer": act.signer, "nonce": act.nonce, "deadline": act.deadline}
    return said | {"signature": "0x" + act.signature.hex()}
