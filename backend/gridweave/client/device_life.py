"""A device's life after it is made: claim, keys, owners. What it signs itself, and what people sign about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from gridweave.client.device_key import DeviceKey
from gridweave.client.nonces import fresh_nonce
from gridweave.client.service import GridweaveClient
from gridweave.client.wallet import Wallet
from gridweave.client.wire import Item, Json, Signed, SignedAct, bytes_of, hex_of
from gridweave.domain.acts import KeyKind
from gridweave.domain.addresses import checksum_address
from gridweave.domain.device_acts import (
    BatchClosing,
    BatchRegistration,
    Claim,
    CompromiseNotice,
    DeviceSession,
    Handover,
    KeyAdoption,
    KeyProposal,
    KeyRotation,
    RotationVeto,
    TransferAcceptance,
    TransferOffer,
)
from gridweave.domain.eip712 import Message, digest
from gridweave.domain.maker_tree import Batch

__all__ = ["DeviceHolder", "DeviceToken", "HandoverWord", "MakersList", "OwnDevice"]

_REGISTRY = "DeviceRegistry"


@dataclass(frozen=True)
class MakersList:
    """What a maker hands out with a batch: its root, and each device's proof. Nothing in it is secret."""

    root: bytes
    model: int
    proofs: Mapping[str, tuple[bytes, ...]]

    @classmethod
    def of(cls, model: int, devices: Sequence[tuple[str, KeyKind]]) -> Self:
        """The list of these devices. ValueError for none."""
        batch = Batch(tuple(devices))
        return cls(batch.root, model, {checksum_address(device): batch.proof(device) for device, _ in devices})

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Raises KeyError, TypeError, ValueError for what is no such list."""
        proofs = {checksum_address(device): tuple(map(bytes_of, proof)) for device, proof in body["proofs"].items()}
        return cls(bytes_of(body["root"]), int(body["model"]), proofs)

    def to_json(self) -> Json:
        """{root, model, proofs: {device: [sibling, ...]}}."""
        proofs = {device: [hex_of(sibling) for sibling in proof] for device, proof in self.proofs.items()}
        return {"root": hex_of(self.root), "model": self.model, "proofs": proofs}


@dataclass(frozen=True)
class HandoverWord:
    """A device's own agreement to pass from `owner` to `to`, for the next owner. Nothing in it is secret."""

    device: str
    owner: str
    to: str
    deadline: int
    signature: bytes

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Raises KeyError, TypeError, ValueError for what is none."""
        who = (body["device"], body["owner"], body["to"])
        return cls(*who, int(body["deadline"]), bytes_of(body["signature"]))

    def to_json(self) -> Json:
        """{device, owner, to, deadline, signature}."""
        who = {"device": self.device, "owner": self.owner, "to": self.to}
        return who | {"deadline": self.deadline, "signature": hex_of(self.signature)}


@dataclass(frozen=True)
class DeviceToken:
    """What stands for a device's session until `expires_at` (wall clock, seconds): secret. `mqtt`: its broker."""

    token: str = field(repr=False)
    expires_at: int
    mqtt: Json | None = None


class OwnDevice:
    """A device's own program: `key` is its present key, `device` its id, by default that of the key."""

    def __init__(self, client: GridweaveClient, key: DeviceKey, device: str | None = None) -> None:
        self.client = client
        self.key = key
        self.device = device or key.device

    def claim(self, maker: MakersList, owner: str, deadline: int) -> Item:
        """Enrols itself from its maker's batch and names its first owner. Raises KeyError, ServiceError."""
        said = Claim(self.device, maker.root, owner, deadline)
        body = {
            "batch": hex_of(maker.root),
            "owner": owner,
            **_key_json(self.key),
            "deadline": deadline,
            "proof": [hex_of(sibling) for sibling in maker.proofs[self.device]],
        }
        return self._post("/v1/device-claims", body, said)

    def rotate(self, following: DeviceKey, deadline: int) -> Item:
        """Takes another key. Keep the present one until this is final. Raises ServiceError."""
        said = KeyRotation(self.device, following.kind, following.x, following.y, self._nonce(), deadline)
        body = {**_key_json(following), "nonce": said.nonce, "deadline": deadline}
        return self._post(f"/v1/devices/{self.device}/key", body, said)

    def adopt(self, deadline: int) -> Item:
        """Takes over, being the key that the owner proposed seven days ago. Raises ServiceError."""
        said = KeyAdoption(self.device, self.key.kind, self.key.x, self.key.y, self._nonce(), deadline)
        body = {**_key_json(self.key), "nonce": said.nonce, "deadline": deadline}
        return self._post(f"/v1/devices/{self.device}/key-adoption", body, said)

    def veto(self, proposed: str, deadline: int) -> Item:
        """Refuses the key of that name. Raises ServiceError."""
        said = RotationVeto(self.device, proposed, self._nonce(), deadline)
        body = {"key": proposed, "nonce": said.nonce, "deadline": deadline}
        return self._post(f"/v1/devices/{self.device}/key-veto", body, said)

    def hand_over(self, to: str, deadline: int) -> HandoverWord:
        """Agrees to pass from its present owner to another. Raises ServiceError."""
        state = self.client.device(self.device)
        said = Handover(self.device, state["owner"], to, int(state["nonce"]), deadline)
        return HandoverWord(self.device, said.owner, to, deadline, self._sign(said))

    def knock(self) -> DeviceToken:
        """Answers the service's challenge: a short session, by the present key. Raises ServiceError."""
        given = self.client.post_plain("/v1/device-challenges", {"device": self.device})
        said = DeviceSession(self.device, given["service"], bytes_of(given["challenge"]), int(given["expiresAt"]))
        answer = {"device": self.device, "challenge": given["challenge"], "expiresAt": said.expires_at}
        opened = self.client.post_plain("/v1/device-sessions", answer | {"signature": hex_of(self._sign(said))})
        return DeviceToken(opened["token"], int(opened["expiresAt"]), opened["mqtt"])

    def _nonce(self) -> int:
        return int(self.client.device(self.device)["nonce"])

    def _sign(self, said: Message) -> bytes:
        return self.key.sign(self.client.deployment.domain(_REGISTRY), said)

    def _post(self, path: str, body: Json, said: Message) -> Item:
        signed = body | {"signature": hex_of(self._sign(said))}
        return self.client.post(path, Signed(signed, digest(self.client.deployment.domain(_REGISTRY), said)))


class DeviceHolder:
    """A person's wallet in the life of devices: their maker's, their owner's or an operator's."""

    def __init__(self, client: GridweaveClient, wallet: Wallet) -> None:
        self.client = client
        self.wallet = wallet

    def register_batch(self, maker: MakersList, deadline: int) -> Item:
        """Lets each device of the list claim itself, as their maker. Raises ServiceError (NotAMaker, ...)."""
        said = BatchRegistration(maker.root, maker.model, len(maker.proofs), fresh_nonce(), deadline)
        body = {"root": hex_of(said.root), "model": said.model, "size": said.size}
        return self._post("/v1/device-batches", body, said, "maker")

    def close_batch(self, root: bytes, deadline: int) -> Item:
        """Ends a batch, as its maker or an operator. Raises ServiceError."""
        said = BatchClosing(root, fresh_nonce(), deadline)
        return self._post(f"/v1/device-batches/{hex_of(root)}/closing", {}, said)

    def propose_key(self, device: str, key: DeviceKey, deadline: int) -> Item:
        """Proposes a key for a device that lost its own, as its owner. Raises ServiceError."""
        said = KeyProposal(device, key.kind, key.x, key.y, fresh_nonce(), deadline)
        return self._post(f"/v1/devices/{device}/key-proposal", _key_json(key), said)

    def note_compromise(self, device: str, since_block: int, deadline: int) -> Item:
        """Says that a device's key is in doubt from a block on, as its owner or an operator. Raises ServiceError."""
        said = CompromiseNotice(device, since_block, fresh_nonce(), deadline)
        return self._post(f"/v1/devices/{device}/compromise", {"sinceBlock": since_block}, said)

    def offer(self, device: str, to: str, until: int, deadline: int) -> Item:
        """Offers a device, as its owner; to the zero address: takes the offer back. Raises ServiceError."""
        said = TransferOffer(device, to, until, fresh_nonce(), deadline)
        return self._post(f"/v1/devices/{device}/offer", {"to": to, "until": until}, said)

    def accept(self, word: HandoverWord) -> Item:
        """Takes a device over, as its next owner. Raises ServiceError."""
        said = TransferAcceptance(word.device, word.owner, fresh_nonce(), word.deadline)
        body = {"owner": word.owner, "handover": hex_of(word.signature)}
        return self._post(f"/v1/devices/{word.device}/transfer", body, said)

    def _post(self, path: str, body: Json, said: Any, signer: str = "act") -> Item:
        domain = self.client.deployment.domain(_REGISTRY)
        signature = self.wallet.sign_act(domain, said)
        act = SignedAct(self.wallet.address, said.nonce, said.deadline, signature)
        return self.client.post(path, Signed(body | {signer: act.to_json()}, digest(domain, said)))


def _key_json(key: DeviceKey) -> Json:
    return {"keyKind": key.kind.label, "x": hex_of(key.x), "y": hex_of(key.y)}
