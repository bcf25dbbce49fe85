"""Telemetry's speed on one core, no service and no chain: taking in and sealing readings, trees, proofs, grants."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from hashlib import sha256
from time import perf_counter

from benchmark.figures import Figure
from gridweave.domain.acts import KeyKind
from gridweave.domain.telemetry.grants import grant
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.merkle import MerkleTree, verify_inclusion
from gridweave.domain.telemetry.opening import open_batch
from gridweave.domain.telemetry.parties import PartySecret, PartySuite
from gridweave.domain.telemetry.readings import ReadingRun
from gridweave.domain.telemetry.salts import SALT_LENGTH, SaltedRun
from gridweave.domain.telemetry.sealing import seal
from gridweave.domain.telemetry.segments import Segment, SignedRun, StreamTail
from gridweave.domain.telemetry.verifying import DeviceKey, verify_segment
from gridweave.domain.telemetry.windows import window_at
from tests.support.telemetry import DOMAIN, SCHEMA, START_MS, STREAM, Device, home_seconds, signed_segments

__all__ = ["telemetry_figures"]

SEED = 20_160_621
BATCH = 600
LEAVES = 100_000
CHANNELS = len(SCHEMA.channels)
Received = Sequence[tuple[bytes, bytes, Segment, bytes]]  # readings, seed, segment, signature


def telemetry_figures(*, quick: bool) -> dict[str, Figure]:
    """Figures by name. A rate is the best of some rounds: what the machine can do, not what else ran on it."""
    rounds = 2 if quick else 7
    run = home_seconds(random.Random(SEED), BATCH * (3 if quick else 15), start_ms=START_MS)
    return {
        "gateway.readings_per_s.signed100": _taken_in(run, 100, rounds),
        "gateway.readings_per_s.signed1": _taken_in(run.cut(0, BATCH), 1, rounds),
        "telemetry.opened_per_s": _opened(run, rounds),
        "telemetry.bytes_per_reading": _bytes(run),
        **_trees(rounds),
        **_grants(200 if quick else 1_000),
    }


def _taken_in(run: ReadingRun, every: int, rounds: int) -> Figure:
    device, keys = Device(KeyKind.SECP256K1), WindowKeys.fresh(1)
    sent = signed_segments(device, run, every)
    received = [(part.run.raw, part.salted.seed, part.segment, part.signature) for part in sent]
    key = device.key
    seconds = _best(lambda: _take_in(received, key, keys), rounds)
    least = _best(lambda: _hash_and_verify(run, received, key), rounds)
    note = f"verified, chained, sealed {BATCH} a batch, a secp256k1 signature per {every}; limit: hashes and signatures"
    return Figure.beside(len(run) / seconds, "readings/s", len(run) / least, note)


def _take_in(received: Received, key: DeviceKey, keys: WindowKeys) -> None:
    tail, waiting, count = StreamTail.start(STREAM), [], 0
    for raw, seed, segment, signature in received:
        part = SignedRun(SaltedRun(ReadingRun.decode(raw, CHANNELS), seed), segment, signature)
        tail = verify_segment(tail, SCHEMA, part, key, DOMAIN)
        waiting.append(part)
        count += len(part.run)
        if count >= BATCH:
            seal(keys, SCHEMA, waiting)
            waiting, count = [], 0


def _hash_and_verify(run: ReadingRun, received: Received, key: DeviceKey) -> None:
    """What cannot be left out: for each reading a link of the chain, a leaf and a node, and each signature."""
    record = run.records[0]
    link, leaf, node = bytes(65), bytes(1 + SALT_LENGTH) + record, bytes(65)
    for _ in range(len(run)):
        sha256(link).digest()
        sha256(leaf).digest()
        sha256(node).digest()
    for _, _, segment, signature in received:
        key.signed(segment.head, signature)


def _opened(run: ReadingRun, rounds: int) -> Figure:
    keys = WindowKeys.fresh(1)
    batch = seal(keys, SCHEMA, signed_segments(Device(KeyKind.SECP256K1), run.cut(0, BATCH), 100))
    seconds = _best(lambda: open_batch(keys, SCHEMA, batch), rounds)
    note = f"decrypted, unpacked, checked against the root, {BATCH} a batch"
    return Figure(value=round(BATCH / seconds), unit="readings/s", note=note)


def _bytes(run: ReadingRun) -> Figure:
    keys, device = WindowKeys.fresh(1), Device(KeyKind.SECP256K1)
    batch = seal(keys, SCHEMA, signed_segments(device, run.cut(0, BATCH), BATCH))
    note = f"body of a batch of {BATCH} with one signature; {CHANNELS} channels, {len(run.records[0])} bytes as signed"
    return Figure(value=round(len(batch.body) / BATCH, 2), unit="bytes", note=note)


def _trees(rounds: int) -> dict[str, Figure]:
    rng = random.Random(SEED)
    leaves = [rng.randbytes(SALT_LENGTH + 44) for _ in range(LEAVES)]
    nodes = [rng.randbytes(64) for _ in range(LEAVES - 1)]
    tree = MerkleTree.of(leaves)
    raw = _best(lambda: [sha256(text).digest() for texts in (leaves, nodes) for text in texts], rounds)
    places = [rng.randrange(LEAVES) for _ in range(2_000)]
    proofs = [(place, tree.prove(place)) for place in places]
    made = _best(lambda: [tree.prove(place) for place in places], rounds)
    checked = _best(lambda: _check(tree.root, leaves, proofs), rounds)
    return {
        "telemetry.tree_ms": Figure.ms(
            _best(lambda: MerkleTree.of(leaves), rounds),
            raw,
            f"{LEAVES:,} leaves; limit: SHA-256 of as many texts alone",
        ),
        "telemetry.proofs_per_s": Figure(
            value=round(len(places) / made), unit="proofs/s", note=f"made, one reading of {LEAVES:,}"
        ),
        "telemetry.proofs_checked_per_s": Figure(
            value=round(len(places) / checked), unit="proofs/s", note=f"checked, one reading of {LEAVES:,}"
        ),
    }


def _check(root: bytes, leaves: Sequence[bytes], proofs: Sequence[tuple[int, tuple[bytes, ...]]]) -> None:
    for place, path in proofs:
        verify_inclusion(root, LEAVES, place, leaves[place], path)


def _grants(count: int) -> dict[str, Figure]:
    keys, first = WindowKeys.fresh(1), window_at(START_MS)
    figures = {}
    for suite in PartySuite:
        party = PartySecret.fresh(suite)
        public = party.public
        sealed = grant(keys, STREAM, first + 3, first + 99, public)
        made = _best(lambda: [grant(keys, STREAM, first + 3, first + 99, public) for _ in range(count)], 2)  # noqa: B023
        opened = _best(lambda: [sealed.open(party) for _ in range(count)], 2)  # noqa: B023
        name = f"telemetry.grants_per_s.{suite.name.lower()}"
        size = f"of a day, {len(sealed.encode()):,} bytes"
        figures[name] = Figure(value=round(count / made), unit="grants/s", note=f"sealed, {size}")
        figures[f"{name}.opened"] = Figure(value=round(count / opened), unit="grants/s", note=f"opened, {size}")
    return figures


def _best(work: Callable[[], object], rounds: int) -> float:
    """Seconds of the quickest round."""
    seconds = []
    for _ in range(rounds):
        started = perf_counter()
        work()
        seconds.append(perf_counter() - started)
    return min(seconds)
