"""A sixth chapter of the street's day: its devices' firmware, from a model's first keys to a revoked release."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from gridweave.chain import Call, SignedQuorum, SignedReceipt
from gridweave.domain.eip712 import Message, digest
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
from gridweave.domain.signatures import sign_compact, to_rsv

from .people import DeviceKey, Party
from .street import FAR, Street

MODEL = 9
KEYS = sorted((Party.of(f"release key {n}") for n in range(5)), key=lambda party: int(party.address, 16))


class Works:
    """Whoever holds the release keys of the street's model, and the devices that claimed themselves from its batch."""

    def __init__(self, street: Street) -> None:
        self.street, self.registry = street, street.contracts.firmware
        self.signers = KEYS[:3]
        self.keys = KeySet(1, 2, tuple(party.address for party in self.signers))
        self.steps: dict[int, int] = {}

    def quorum(self, said: Message, signers: Sequence[Party] = ()) -> SignedQuorum:
        said_ = digest(self.street.domain("FirmwareRegistry"), said)
        chosen = signers or self.signers[: self.keys.threshold]
        return SignedQuorum(self.keys, tuple((p.address, to_rsv(sign_compact(p.secret, said_))) for p in chosen))

    def opening(self, threshold: int = 2) -> Call:
        maker = self.street.maker
        said = ModelOpening(MODEL, maker.address, threshold, self.keys.members, self.street.nonce(), FAR)
        act = self.street.act("FirmwareRegistry", said, maker.secret, maker.address)
        return self.registry.open_model(MODEL, self.quorum(said), act)

    def changing(self, signers: Sequence[Party], threshold: int) -> Call:
        members = tuple(party.address for party in signers)
        said = ReleaseKeyChange(MODEL, self.keys.version + 1, threshold, members, FAR)
        both = [party for party in KEYS if party in signers or party in self.signers]
        call = self.registry.change_keys(said, self.quorum(said, both))
        self.signers, self.keys = list(signers), KeySet(said.version, threshold, members)
        return call

    def release(self, counter: int, floor: int = 0, least: int = 2) -> Release:
        image, manifest, bom = (sha256(f"{name} {counter}".encode()).digest() for name in ("image", "manifest", "bom"))
        source = f"https://example.org/firmware/{counter}"
        return Release(MODEL, counter, floor, 4_096 + counter, image, manifest, bom, source, least, 4_000, FAR)

    def releasing(self, release: Release) -> Call:
        return self.registry.release(release, self.quorum(release))

    def beginning(self, release: Release, share: int = 1_000) -> Call:
        start = RolloutStart(MODEL, release.counter, share, FAR)
        self.steps[release.counter] = 1
        return self.registry.begin(release, start, self.quorum(start))

    def raising(self, counter: int, share: int) -> Call:
        said = RolloutRaise(MODEL, counter, share, self._step(counter), FAR)
        return self.registry.raise_share(said, self.quorum(said))

    def pausing(self, counter: int, by: Party | None = None) -> Call:
        said = RolloutPause(MODEL, counter, self._step(counter), FAR)
        return self.registry.pause(said, self.quorum(said, [by or self.signers[-1]]))

    def resuming(self, counter: int) -> Call:
        said = RolloutResume(MODEL, counter, self._step(counter), FAR)
        return self.registry.resume(said, self.quorum(said))

    def revoking(self, counter: int, since: int) -> Call:
        said = ReleaseRevocation(MODEL, counter, since, FAR)
        return self.registry.revoke(said, self.quorum(said))

    def receipt(self, key: DeviceKey, counter: int, code: int = 0, by: DeviceKey | None = None) -> SignedReceipt:
        """Of the device whose first key that is."""
        said = InstallReceipt(key.device, MODEL, counter, code, self.street.time)
        signer = by or key
        signature = signer.sign(digest(self.street.domain("FirmwareRegistry"), said))
        return SignedReceipt(said, signature + b"".join(signer.point))

    def _step(self, counter: int) -> int:
        """How many steps there were, one of which is to follow."""
        self.steps[counter] += 1
        return self.steps[counter] - 1


async def maintain(street: Street, devices: Sequence[DeviceKey]) -> None:
    """`devices`: four of the model, by their keys. Releases 1 to 4:

    1 becomes full and raises the floor; 2 pauses by a key, goes on, and is revoked; 3 stops itself; 4 is proposed.
    """
    works, send = Works(street), street.send
    registry, authority = works.registry, street.contracts.authority
    a, b, c, d = devices
    await send(works.opening())
    one = works.release(1, floor=1)
    await send(works.releasing(one))
    await send(works.beginning(one))
    await send(works.raising(1, 10_000))
    await send(registry.tell(works.receipt(a, 1)))
    await send(registry.tell_many([works.receipt(b, 1), works.receipt(c, 1)]))

    await send(works.changing([*KEYS[1:3], *KEYS[3:5]], 3))
    two = works.release(2, floor=1)
    await send(works.releasing(two))
    await send(works.beginning(two, 100))
    await send(works.raising(2, 5_000))
    await send(works.pausing(2))
    await send(works.resuming(2))
    await send(works.raising(2, 9_999))
    block = (await send(registry.tell(works.receipt(a, 2)))).block_number
    # refused: told before, another's signature, another model's, a release that nobody may have, one that is none
    three = works.release(3, floor=2)
    await send(works.releasing(three))
    strange = street.homes[2].first_key or street.homes[2].key
    await send(
        registry.tell_many(
            [
                works.receipt(a, 2),
                works.receipt(b, 2, by=c),
                works.receipt(strange, 2),
                works.receipt(b, 3),
                works.receipt(b, 8),
                works.receipt(b, 2),
            ]
        )
    )
    await send(works.revoking(2, block))
    await send(works.revoking(2, block - 1))

    # a ramp that stops itself: the second of two has failed, and the third is refused
    await send(works.beginning(three))
    await send(works.raising(3, 9_999))
    await send(registry.tell_many([works.receipt(a, 3, 7), works.receipt(b, 3), works.receipt(c, 3)]))

    # by other hands
    four = works.release(4, floor=2)
    for call in (works.releasing(four), works.beginning(four, 500), works.pausing(4), works.resuming(4)):
        await send(authority.call("execute", registry.address, call.data), street.admin)
    wrapped = [works.raising(4, 10_000), registry.tell(works.receipt(d, 4)), works.revoking(1, block)]
    datas = [authority.call("execute", registry.address, call.data).data for call in wrapped]
    await send(authority.call("multicall", datas), street.admin)
    five = works.release(5, floor=3)
    await send(works.releasing(five))
    street.works = works
