"""Rows say of streams what the contract says of them: whatever was anchored, and whatever of it was taken back."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import pytest

from gridweave.chain import Act, Call
from gridweave.chain.contracts import SignedBatch
from gridweave.chain.events import AccessGranted, BatchRefused, decode_logs
from gridweave.chain.hexes import from_hex, to_hex
from gridweave.domain.acts import KeyKind
from gridweave.domain.anchors import (
    NO_HEAD,
    PAGE_SIZE,
    Batch,
    StreamMode,
    Tip,
    batch_leaf,
    page_peaks,
    page_root,
    stream_id,
)
from gridweave.domain.eip712 import Message, digest
from gridweave.domain.hashing import keccak
from gridweave.domain.stream_acts import GrantAccess, NewEpoch, OpenStream
from gridweave.store.streams import StreamReads, span_of
from tests.backend.indexer.test_devices import follower, index_at
from tests.support.town import FOREVER, TestHome, Town, founded

pytestmark = [pytest.mark.chain, pytest.mark.slow]

ROUNDS, MOST_ROUNDS = 90, 300
WEIGHTS = {"anchor": 12, "many": 6, "epoch": 2, "grant": 2, "open": 1}
REFUSED, PAGES = "refused in anchorAll", "pages closed"
_nonces = itertools.count(8_000_000)


async def tip_of(reads: StreamReads, name: str) -> Tip:
    """As the rows have it."""
    row = await reads.stream(name)
    assert row is not None
    span = span_of(row)
    return Tip(
        span,
        from_hex(row["head"]) if row["head"] else NO_HEAD,
        page_peaks(await leaves_of(reads, name, span.number // PAGE_SIZE)),
    )


async def leaves_of(reads: StreamReads, name: str, page: int) -> list[bytes]:
    rows = await reads.page_of(name, page)
    return [batch_leaf(span_of(row), from_hex(row["root"]), row["block_number"], row["timestamp"]) for row in rows]


@dataclass
class Measurers:
    """Draws acts about streams of two homes, two of each home from the start, of both modes."""

    town: Town
    rng: random.Random
    reads: StreamReads
    streams: dict[str, tuple[TestHome, StreamMode]] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)

    async def begin(self) -> None:
        await self.town.send([self._open(home, mode, b"first") for home in self.town.homes for mode in StreamMode])

    async def live(self) -> None:
        """A block of one to three acts, of which some fail."""
        drawn = [await self._draw() for _ in range(self.rng.randint(1, 3))]
        receipts = await self.town.attempt([call for _, call in drawn])
        for (what, _), receipt in zip(drawn, receipts, strict=True):
            self.taken[what] += receipt.succeeded
            told = decode_logs(receipt.logs)
            self.taken[REFUSED] += sum(isinstance(event, BatchRefused) for event in told)

    async def _draw(self) -> tuple[str, Call]:
        what = self.rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        known = [name for name in self.streams if await self.reads.stream(name)]
        if what == "open" or not known:
            return "open", self._open(self.rng.choice(self.town.homes), self.rng.choice(list(StreamMode)))
        name = self.rng.choice(known[:4])
        home, _ = self.streams[name]
        anchors, tip = self.town.contracts.anchors, await tip_of(self.reads, name)
        match what:
            case "anchor":
                signed, body = await self._signed(name, tip)
                return what, anchors.anchor_with_body(signed, body)
            case "many":
                names = self.rng.sample(known[:4], min(len(known), self.rng.randint(2, 4)))
                brought = [await self._signed(each, await tip_of(self.reads, each)) for each in names]
                brought.append(self._spoilt(*brought[0]))
                return what, anchors.anchor_all(brought)
            case "epoch":
                said = NewEpoch(from_hex(name), tip.span.epoch + 1, next(_nonces), FOREVER)
                return what, anchors.new_epoch(said.stream, said.epoch, tip, self._act(home, said))
        windows, sealed = (5, 5 + self.rng.randrange(9)), self.rng.randbytes(64)
        to = self.rng.choice(self.town.homes).account
        granted = GrantAccess(from_hex(name), to, tip.span.epoch, *windows, keccak(sealed), next(_nonces), FOREVER)
        return what, anchors.grant(granted.stream, to, granted.epoch, windows, sealed, self._act(home, granted))

    def _open(self, home: TestHome, mode: StreamMode, schema: bytes = b"") -> Call:
        hash_ = sha256(schema or self.rng.randbytes(4)).digest()
        self.streams[to_hex(stream_id(home.key.device, mode, hash_))] = home, mode
        said = OpenStream(home.key.device, hash_, mode, next(_nonces), FOREVER)
        return self.town.contracts.anchors.open(said.device, hash_, mode, self._act(home, said))

    async def _signed(self, name: str, tip: Tip) -> tuple[SignedBatch, bytes]:
        """The batch that follows the tip, and what its call brings."""
        home, mode = self.streams[name]
        body, count = self.rng.randbytes(40), self.rng.randint(1, 600)
        ms = tip.span.last_ms or await self.town.now() * 1_000 - 10**6
        times, heads = (ms, ms + count), (tip.head, self.rng.randbytes(32), sha256(body).digest())
        batch = Batch(from_hex(name), tip.span.next_index, count, *times, tip.span.epoch, *heads)
        return SignedBatch(batch, tip, self._sign(home, batch)), body if mode is StreamMode.FULL else b""

    def _spoilt(self, signed: SignedBatch, body: bytes) -> tuple[SignedBatch, bytes]:
        """The same with a gap before it, which the contract refuses without refusing the others."""
        home, _ = self.streams[to_hex(signed.batch.stream)]
        batch = replace(signed.batch, first_index=signed.batch.first_index + 7)
        return SignedBatch(batch, signed.tip, self._sign(home, batch)), body

    def _sign(self, home: TestHome, batch: Batch) -> bytes:
        signature = home.key.sign(digest(self.town.domain("TelemetryAnchor"), batch))
        return signature + b"".join(home.key.point) if home.key.kind is KeyKind.P256 else signature

    def _act(self, home: TestHome, said: Message) -> Act:
        return self.town.act(home.secret, "TelemetryAnchor", said)


async def compare(measurers: Measurers) -> None:
    """With the contract's own answers about each stream that ever was, and with its logs of grants and refusals."""
    anchors, reads = measurers.town.contracts.anchors, measurers.reads
    for name in measurers.streams:
        row, keeper = await reads.stream(name), await anchors.keeper_of(from_hex(name))
        assert (row is None) == (keeper is None)
        if row is None or keeper is None:
            continue
        assert (row["owner"], row["epoch"]) == (keeper.owner, keeper.epoch)
        tip = await tip_of(reads, name)
        assert tip.hash == await anchors.tip_hash_of(from_hex(name))
        numbers = [batch["number"] for batch in await reads.batches(name, 0, 1_000)]
        assert numbers == list(range(1, tip.span.number + 1))
        for page in range(tip.span.number // PAGE_SIZE):
            root = page_root(await leaves_of(reads, name, page))
            assert root == await anchors.page_of(from_hex(name), page)
            measurers.taken[PAGES] += 1
    node = measurers.town.chain.node
    told = decode_logs(await node.logs(0, await node.block_number(), [anchors.address]))
    granted = [
        (to_hex(event.stream), event.to, to_hex(event.sealed_)) for event in told if isinstance(event, AccessGranted)
    ]
    rows = (await reads.grants(to=None, stream=None, cursor=None, limit=1_000)).rows
    assert [(row["stream"], row["to"], row["sealed"]) for row in rows] == granted


async def test_rows__after_random_acts_and_reorgs__are_what_the_contract_says(
    tmp_path: Path, rng: random.Random
) -> None:
    async with founded(tmp_path / "chain", homes=2) as town:
        store = await index_at(tmp_path / "index.db")
        measurers, follow = Measurers(town, rng, StreamReads(store.database)), follower(town, store)
        await measurers.begin()
        await follow.catch_up()
        wanted, reorgs = {*WEIGHTS, REFUSED, PAGES}, 0
        for number in range(MOST_ROUNDS):
            if number >= ROUNDS and {what for what, times in measurers.taken.items() if times} == wanted and reorgs > 3:
                break
            await measurers.live()
            await follow.catch_up()
            if number % 15 == 0:
                await compare(measurers)
            if rng.random() < 0.08 and number > 5:
                reorgs += 1
                await town.chain.node.request("anvil_reorg", rng.randint(1, 6), [])
                await follow.catch_up()
                await compare(measurers)
        await compare(measurers)

        assert {what for what, times in measurers.taken.items() if times} == wanted, "all of it happened"
        assert reorgs > 3
        anew = await index_at(tmp_path / "anew.db")
        await follower(town, anew).catch_up()
        assert await anew.digest() == await store.digest()
        await anew.database.close()
        await store.database.close()
