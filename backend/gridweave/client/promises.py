"""What a signer keeps of each acknowledged order or schedule: enough to claim with, should it be left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gridweave.client.acknowledgement import acknowledgement_of, signer_of
from gridweave.client.wire import Deployment, Item, Json, bytes_of, hex_of
from gridweave.disk import write_through
from gridweave.domain.acknowledgements import Acknowledgement
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.bond import claims_close_at
from gridweave.domain.errors import DomainError
from gridweave.domain.orders import Order

__all__ = ["KeptPromise", "PromiseFolder", "PromiseMalformed"]

_NAME = re.compile(r"0x[0-9a-f]{64}")
_START = re.compile(r"0x[0-9a-f]{4,64}")


class PromiseMalformed(Exception):
    """A file that holds no acknowledgement."""


@dataclass(frozen=True)
class KeptPromise:
    """An acknowledgement with its relayer's signature, and what it is about: one order, or a schedule of an account.

    `bond` is the address of the contract that takes claims on it, `auction` of that in which its orders were to arrive.
    """

    said: Acknowledgement
    relayer: str
    signature: bytes
    orders: tuple[Order, ...]
    account: str | None
    chain_id: int
    bond: str
    auction: str

    @classmethod
    def of(
        cls, item: Item, signed: bytes, orders: tuple[Order, ...], account: str | None, deployment: Deployment
    ) -> KeptPromise:
        """From a checked answer to what was signed so; `account` of a schedule."""
        said = acknowledgement_of(item, signed)
        here = deployment.chain_id, deployment.contracts["RelayerBond"], deployment.contracts["EnergyAuction"]
        return cls(said, signer_of(item, signed, deployment), item.acknowledgement or b"", orders, account, *here)

    @property
    def id(self) -> str:
        """The request's digest, 0x hex."""
        return hex_of(self.said.request)

    @property
    def has_sponsor(self) -> bool:
        """Whether anybody answers for it."""
        return self.said.sponsor != ZERO_ADDRESS

    def to_json(self) -> Json:
        return {
            "request": self.id,
            "signatureHash": hex_of(self.said.signature_hash),
            "sponsor": self.said.sponsor,
            "commitBefore": self.said.commit_before,
            "relayer": self.relayer,
            "acknowledgement": hex_of(self.signature),
            "orders": [hex_of(order.pack()) for order in self.orders],
            "account": self.account,
            "chainId": self.chain_id,
            "bond": self.bond,
            "auction": self.auction,
        }

    @classmethod
    def from_json(cls, body: Json) -> KeptPromise:
        """Raises PromiseMalformed."""
        try:
            said = Acknowledgement(
                bytes_of(body["request"]), bytes_of(body["signatureHash"]), body["sponsor"], int(body["commitBefore"])
            )
            orders = tuple(Order.unpack(bytes_of(word)) for word in body["orders"])
            signature, account = bytes_of(body["acknowledgement"]), body["account"]
            here = int(body["chainId"]), body["bond"], body["auction"]
            return cls(said, body["relayer"], signature, orders, account, *here)
        except (KeyError, TypeError, ValueError, DomainError) as fault:
            raise PromiseMalformed("this is no acknowledgement that gridweave kept") from fault


class PromiseFolder:
    """One file per acknowledgement, named after its request."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, promise: KeptPromise) -> Path:
        """On disk when it returns. What somebody answers for gives way to no later promise for which nobody does."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(promise.id)
        if not promise.has_sponsor and self._is_sponsored(path):
            return path
        coming = path.with_suffix(".coming")
        with coming.open("w") as file:
            write_through(file, json.dumps(promise.to_json(), indent=2))
        coming.replace(path)
        return path

    def _is_sponsored(self, path: Path) -> bool:
        try:
            return self.read(path).has_sponsor
        except (FileNotFoundError, PromiseMalformed):
            return False

    def find(self, id_: str) -> KeptPromise:
        """By its id or as much of it as no other has. Raises FileNotFoundError, PromiseMalformed."""
        found = list(self.folder.glob(f"{id_}*.json")) if _START.fullmatch(id_) else []
        if len(found) != 1:
            raise FileNotFoundError(id_)
        return self.read(found[0])

    def all(self) -> Iterator[KeptPromise]:
        """All that are kept, in the order of their requests. Raises PromiseMalformed."""
        for path in sorted(self.folder.glob("0x*.json")):
            yield self.read(path)

    def forget(self, now: int, slot_length: int) -> None:
        """Drops what can be claimed no more at chain time `now`. Raises PromiseMalformed."""
        for promise in list(self.all()):
            if all(claims_close_at(order.slot, slot_length) <= now for order in promise.orders):
                self._path(promise.id).unlink(missing_ok=True)

    @staticmethod
    def read(path: Path) -> KeptPromise:
        """Raises FileNotFoundError, PromiseMalformed."""
        try:
            return KeptPromise.from_json(json.loads(path.read_text()))
        except ValueError as fault:
            raise PromiseMalformed(f"{path} holds no acknowledgement") from fault

    def _path(self, id_: str) -> Path:
        if not _NAME.fullmatch(id_):
            raise FileNotFoundError(id_)
        return self.folder / f"{id_}.json"
