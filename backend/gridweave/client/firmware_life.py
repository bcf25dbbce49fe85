"""Firmware as a service knows it: whoever holds a release key signs here, devices report, everybody reads.

A release key signs what it has looked at: `ReleaseKeyHolder.approve` takes an act's fields, never a digest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from gridweave.client.acknowledgement import check_acknowledgement
from gridweave.client.device_key import DeviceKey
from gridweave.client.errors import ServiceError
from gridweave.client.firmware.bundle import Bundle, KeyChange, Signatures
from gridweave.client.firmware.making import made_bundle
from gridweave.client.nonces import fresh_nonce
from gridweave.client.service import GridweaveClient
from gridweave.client.wallet import Wallet
from gridweave.client.wire import Item, Json, Signed, SignedAct, bytes_of, hex_of
from gridweave.domain.addresses import checksum_address
from gridweave.domain.eip712 import Domain, digest
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import InstallReceipt, ModelOpening, Release, ReleaseKeyChange
from gridweave.domain.firmware.proposals import FirmwareAct, act_json, act_of, name_of

__all__ = ["FirmwareDesk", "Gathering", "InstallReporter", "Need", "ReleaseKeyHolder"]

_REGISTRY = "FirmwareRegistry"
_PATHS = {"opening": "", "keys": "/{model}/keys", "release": "/{model}/releases"}
_STEP_PATH = "/{model}/releases/{counter}/{name}"


@dataclass(frozen=True)
class Need:
    """`least` members of the key set of that version must approve."""

    version: int
    least: int
    approved: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Gathering:
    """An act that the service keeps until enough keys have approved it, or that it tells of. See GatheredOut."""

    id: str
    act: FirmwareAct
    status: str
    needs: tuple[Need, ...]
    maker: SignedAct | None

    @classmethod
    def from_json(cls, body: Json, domain: Domain) -> Self:
        """Raises ServiceError where the act is not what its id stands for."""
        needs = tuple(
            Need(int(each["version"]), int(each["least"]), tuple(each["approved"]), tuple(each["missing"]))
            for each in body["needs"]
        )
        act = act_of(body["act"], body["body"])
        if hex_of(digest(domain, act)) != body["id"]:
            raise ServiceError("AnswerNotUnderstood", "the act is not the one that its id stands for")
        return cls(body["id"], act, body["status"], needs, _act(body["maker"]) if body.get("maker") else None)


class FirmwareDesk:
    """What a service knows of firmware. Methods raise ServiceError (UnknownModel, ...), ServiceUnavailable."""

    def __init__(self, client: GridweaveClient) -> None:
        self.client = client

    def models(self, maker: str | None = None) -> list[Json]:
        return self._all("/v1/firmware/models", maker=maker)

    def model(self, model: int) -> Json:
        """A model, its keys, and how many devices run what."""
        return dict(self.client.get(f"/v1/firmware/models/{model}"))

    def key_set(self, model: int) -> KeySet:
        """The present one."""
        return _key_set(self.model(model)["keys"])

    def key_sets(self, model: int) -> list[Json]:
        return list(self.client.get(f"/v1/firmware/models/{model}/keys")["items"])

    def releases(self, model: int) -> list[Json]:
        """Oldest first."""
        return self._all(f"/v1/firmware/models/{model}/releases")

    def release(self, model: int, counter: int) -> Json:
        """A release with its whole history."""
        return dict(self.client.get(f"/v1/firmware/models/{model}/releases/{counter}"))

    def receipts(self, model: int, counter: int, *, failed: bool | None = None) -> list[Json]:
        said = None if failed is None else str(failed).lower()
        return self._all(f"/v1/firmware/models/{model}/releases/{counter}/receipts", failed=said)

    def devices(self, model: int, running: int | None = None) -> list[Json]:
        """What each device of a model runs, or those that run one release."""
        return self._all(f"/v1/firmware/models/{model}/devices", running=running)

    def device(self, device: str) -> Json:
        """What a device runs, and what it should run."""
        return dict(self.client.get(f"/v1/firmware/devices/{device}"))

    def eligibility(self, model: int, counter: int, device: str) -> Json:
        return dict(self.client.get(f"/v1/firmware/models/{model}/releases/{counter}/devices/{device}"))

    def proposals(self, model: int | None = None) -> list[Gathering]:
        """What is being gathered, newest first."""
        found = self.client.get("/v1/firmware/proposals", model=model)["items"]
        return [Gathering.from_json(each, self._domain) for each in found]

    def proposal(self, id_: str) -> Gathering:
        """Raises ServiceError (UnknownProposal)."""
        return Gathering.from_json(self.client.get(f"/v1/firmware/proposals/{id_}"), self._domain)

    def bundle(self, model: int, counter: int, envelope: bytes, witnesses: Sequence[Wallet] = ()) -> Bundle:
        """What devices check offline, as of now; `envelope` is the release's manifest, `witnesses` vouch for the block.

        Nothing in it rests on the service's word: a device checks all of it.
        """
        found = self.client.get(f"/v1/firmware/models/{model}/releases/{counter}/bundle")
        release = act_of("release", found["release"])
        assert isinstance(release, Release)
        return made_bundle(
            self._domain,
            envelope,
            release,
            _signatures(found["approvals"]),
            _key_set(found["keys"]),
            tuple(_key_change(each) for each in found["changes"]),
            header=bytes_of(found["header"]),
            account=tuple(map(bytes_of, found["account"])),
            slots=tuple(tuple(map(bytes_of, proof)) for proof in found["slots"]),
            witnesses=witnesses,
        )

    @property
    def _domain(self) -> Domain:
        return self.client.deployment.domain(_REGISTRY)

    def _all(self, path: str, **params: Any) -> list[Json]:
        found: list[Json] = []
        cursor: str | None = None
        while True:
            body = self.client.get(path, cursor=cursor, **params)
            found += body["items"]
            cursor = body["nextCursor"]
            if cursor is None:
                return found


class ReleaseKeyHolder:
    """A person's wallet in the life of firmware: a maker's, or one of a model's release keys."""

    def __init__(self, client: GridweaveClient, wallet: Wallet) -> None:
        self.client = client
        self.wallet = wallet

    def open_model(self, model: int, keys: KeySet, deadline: int, *, approves: bool = False) -> Item | Gathering:
        """Names a model's first release keys as its maker, who `approves` too if its key is among them.

        Raises ServiceError.
        """
        maker, nonce = self.wallet.address, fresh_nonce()
        said = ModelOpening(model, maker, keys.threshold, keys.members, nonce, deadline)
        consent = SignedAct(maker, nonce, deadline, self.wallet.sign_act(self._domain, said))
        return self._post(said, consent, signs=approves)

    def change_keys(self, model: int, following: KeySet, deadline: int) -> Item | Gathering:
        """Approves the next release keys, as one of the present or the next. Raises ServiceError."""
        said = ReleaseKeyChange(model, following.version, following.threshold, following.members, deadline)
        return self.approve(said)

    def approve(self, act: FirmwareAct, maker: SignedAct | None = None) -> Item | Gathering:
        """Signs an act: an Item once it is acknowledged, a Gathering while others must sign. Raises ServiceError.

        `maker` is its maker's consent, where a model is opened.
        """
        return self._post(act, maker, signs=True)

    def _post(self, act: FirmwareAct, maker: SignedAct | None, *, signs: bool) -> Item | Gathering:
        body = _body(act, maker)
        signature = self.wallet.sign_act(self._domain, act) if signs else b""
        body["approvals"] = [{"signer": self.wallet.address, "signature": hex_of(signature)}] if signs else []
        answer = self.client.post_plain(_path(act), body)
        if "acknowledgement" not in answer:
            return Gathering.from_json(answer, self._domain)
        item = Item.from_json(answer)
        check_acknowledgement(item, Signed(body, digest(self._domain, act)), self.client.deployment)
        return item

    @property
    def _domain(self) -> Domain:
        return self.client.deployment.domain(_REGISTRY)


class InstallReporter:
    """A device's own program after an update: `key` is its present key, `device` its id, by default that of the key."""

    def __init__(self, client: GridweaveClient, key: DeviceKey, device: str | None = None) -> None:
        self.client = client
        self.key = key
        self.device = device or key.device

    def tell(self, model: int, counter: int, failure_code: int, time: int) -> Item:
        """Says what came of a release: code 0 if it runs. `time` is the device's clock. Raises ServiceError."""
        said = InstallReceipt(self.device, model, counter, failure_code, time)
        domain = self.client.deployment.domain(_REGISTRY)
        signature = self.key.sign(domain, said)
        body = {"device": self.device, "model": model, "counter": counter, "failureCode": failure_code, "time": time}
        signed = Signed(body | {"signature": hex_of(signature)}, digest(domain, said), signature)
        return self.client.post("/v1/firmware/receipts", signed)


def _path(act: FirmwareAct) -> str:
    name = name_of(act)
    path = _PATHS.get(name, _STEP_PATH)
    return "/v1/firmware/models" + path.format(model=act.model, counter=getattr(act, "counter", 0), name=name)


def _body(act: FirmwareAct, maker: SignedAct | None) -> Json:
    """The act's fields without those that the path or the maker's consent says."""
    if isinstance(act, ModelOpening):
        shown = {"model": act.model, "threshold": act.threshold, "keys": list(act.keys)}
        return shown | {"maker": maker.to_json() if maker else None}
    hidden = {"model"} if isinstance(act, Release) else {"model", "counter"}
    return {name: value for name, value in act_json(act).items() if name not in hidden}


def _act(body: Mapping[str, Any]) -> SignedAct:
    return SignedAct(body["signer"], int(body["nonce"]), int(body["deadline"]), bytes_of(body["signature"]))


def _key_set(body: Json) -> KeySet:
    members = tuple(map(checksum_address, body["members"]))
    return KeySet(int(body["version"]), int(body["threshold"]), members)


def _key_change(body: Json) -> KeyChange:
    return KeyChange(_key_set(body["keys"]), int(body["deadline"]), _signatures(body["signatures"]))


def _signatures(pairs: Sequence[Json]) -> Signatures:
    return tuple((checksum_address(each["signer"]), bytes_of(each["signature"])) for each in pairs)
