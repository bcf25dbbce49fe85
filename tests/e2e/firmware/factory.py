"""A maker's release line on a real chain, and bundles of it as a device would get them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from gridweave.chain import FirmwareRegistry, Node
from gridweave.cli.firmware_bundle import bundle_of
from gridweave.client import Wallet
from gridweave.client.firmware import Bundle, DeviceState, ImageFile, Manifest, Trust, Verdict, check_bundle
from gridweave.client.firmware.manifest import class_id, vendor_id
from gridweave.domain.eip712 import Message
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import (
    Release,
    ReleaseKeyChange,
    ReleaseRevocation,
    RolloutPause,
    RolloutRaise,
    RolloutStart,
)
from gridweave.domain.firmware.rollout import ramp_position
from gridweave.domain.signatures import to_rsv
from tests.e2e.differential.chain import Chain
from tests.e2e.differential.fleet import MODEL, Fleet, FleetAct
from tests.e2e.differential.town import FAR, Person

IMAGE = random.Random(7).randbytes(4_096)
WITNESSES = [Wallet(bytes([n]) * 32) for n in (21, 22, 23)]
MAX_AGE = 3_600


def image_of(data: bytes = IMAGE) -> ImageFile:
    """What a device measures of an image."""
    return ImageFile(len(data), sha256(data).digest())


class Factory:
    """Three of five release keys; every act goes through the contract. `now` is the chain's time."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.fleet = Fleet(chain, random.Random("factory"))
        self.signers = self.fleet.people[:5]
        self.fleet.keys = KeySet(1, 3, tuple(person.address for person in self.signers))
        self._run(self.fleet.opening(MODEL, self.fleet.maker, self.signers))
        self.registry = self.fleet.registry
        self.releases: dict[int, Release] = {}
        self.envelopes: dict[int, bytes] = {}

    @property
    def now(self) -> int:
        return self.chain.now

    # on chain

    def release(self, counter: int, floor: int = 0, manifest: Manifest | None = None, source: str = "v1") -> Release:
        """Released, not begun."""
        self.envelopes[counter] = (manifest or self.manifest(counter)).envelope("https://example.org/image")
        release = Release(
            *(MODEL, counter, floor, len(IMAGE), sha256(IMAGE).digest(), Manifest.read(self.envelopes[counter])[1]),
            *(bytes(32), source, 4, 2_500, FAR),
        )
        self._must(self.registry.release(release, self._signed(release)))
        self.releases[counter] = release
        return release

    def manifest(self, counter: int) -> Manifest:
        """What the release's manifest must say."""
        place = self.chain.chain_id, self.fleet.maker.address
        return Manifest(counter, vendor_id(*place), class_id(*place, MODEL), len(IMAGE), sha256(IMAGE).digest())

    def begin(self, counter: int, share: int = 1_000) -> None:
        start = RolloutStart(MODEL, counter, share, FAR)
        self._must(self.registry.begin(self.releases[counter], start, self._signed(start)))

    def raise_share(self, counter: int, share: int = 10_000) -> None:
        step = RolloutRaise(MODEL, counter, share, self._step(counter), FAR)
        self._must(self.registry.raise_share(step, self._signed(step)))

    def full(self, counter: int, floor: int = 0) -> None:
        """Released and rolled out to all."""
        self.release(counter, floor)
        self.begin(counter)
        self.raise_share(counter)

    def pause(self, counter: int) -> None:
        step = RolloutPause(MODEL, counter, self._step(counter), FAR)
        self._must(self.registry.pause(step, self._signed(step, self.signers[:1])))

    def revoke(self, counter: int) -> None:
        said = ReleaseRevocation(MODEL, counter, 1, FAR)
        self._must(self.registry.revoke(said, self._signed(said)))

    def change_keys(self, signers: Sequence[Person], threshold: int) -> KeySet:
        """To other signers; the present ones all sign, and so do the next ones."""
        members = tuple(person.address for person in signers)
        following = KeySet(self.fleet.keys.version + 1, threshold, members)
        said = ReleaseKeyChange(MODEL, following.version, threshold, members, FAR)
        both = [person for person in self.fleet.people if person in self.signers or person in signers]
        self._must(self.registry.change_keys(said, self._signed(said, both)))
        self.signers, self.fleet.keys = list(signers), following
        return following

    def _step(self, counter: int) -> int:
        async def asked() -> int:
            async with self._node() as node:
                return (await FirmwareRegistry(node, self.registry.address).rollout_of(MODEL, counter)).step

        return asyncio.run(asked())

    def _signed(self, message: Message, signers: Sequence[Person] | None = None):
        chosen = self.signers[: self.fleet.keys.threshold] if signers is None else signers
        return self.fleet.signed(message, chosen).sent

    def approvals(self, message: Message, signers: Sequence[Person]) -> tuple[tuple[str, bytes], ...]:
        """As a bundle carries them."""
        space = self.fleet.domain()
        return tuple((person.address, to_rsv(person.sign(space, message))) for person in signers)

    def _run(self, act: FleetAct) -> None:
        self._must(act.call)

    def _must(self, call) -> None:
        self.chain.must([call])

    # for devices

    def _node(self) -> Node:
        return Node(f"http://127.0.0.1:{self.chain._port}")

    def bundle(self, counter: int, *, witnesses: int = 2, more=()) -> Bundle:
        """As it is made from the newest block."""

        async def made() -> Bundle:
            async with self._node() as node:
                registry = FirmwareRegistry(node, self.registry.address)
                envelope = self.envelopes[counter]
                return await bundle_of(registry, MODEL, counter, envelope, witnesses=WITNESSES[:witnesses], more=more)

        return asyncio.run(made())

    def trust(self, keys: KeySet | None = None) -> Trust:
        """Two of three witnesses; the present keys, or older ones."""
        return Trust(
            *(self.chain.chain_id, self.registry.address, keys or self.fleet.keys),
            witnesses=frozenset(wallet.address for wallet in WITNESSES),
            threshold=2,
            max_age=MAX_AGE,
        )

    def device(self, counter: int, running: int = 0, below: int = 1_000, least: int = 0) -> DeviceState:
        """A device of the model at a position in [least, below) of that release's ramp."""
        for n in range(1, 100_000):
            device = f"0x{n:040x}"
            if least <= ramp_position(device, MODEL, counter) < below:
                return DeviceState(device, MODEL, running)
        raise AssertionError("no such position")

    def check(self, bundle: Bundle, **changes) -> Verdict:
        """As a device in the ramp that has all that it needs."""
        given = {
            "image": image_of(),
            "device": self.device(bundle.release.counter),
            "trust": self.trust(),
            "now": self.now,
            **changes,
        }
        return check_bundle(bundle, **given)


def with_release(bundle: Bundle, **changes) -> Bundle:
    """The bundle with another release than was approved."""
    return replace(bundle, release=replace(bundle.release, **changes))
