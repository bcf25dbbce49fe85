"""The example of docs/telemetry.md: what it gives, and what follows from that, by the same names as on the page."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

from gridweave.domain.eip712 import Domain, digest
from gridweave.domain.signatures import sign_compact
from gridweave.domain.telemetry.columns import pack
from gridweave.domain.telemetry.keytree import KeyNode, WindowKeys
from gridweave.domain.telemetry.opening import open_batch
from gridweave.domain.telemetry.proofs import prove_reading
from gridweave.domain.telemetry.readings import Reading, ReadingRun
from gridweave.domain.telemetry.salts import SaltedRun
from gridweave.domain.telemetry.schema import Channel, Schema
from gridweave.domain.telemetry.sealing import seal
from gridweave.domain.telemetry.segments import SignedRun, StreamTail

PAGE = Path(__file__).resolve().parents[2] / "docs" / "telemetry.md"
Row = dict[str, str]


def table(heading: str) -> list[Row]:
    """Rows of the table under a heading of the page, by column, without backquotes."""
    section = PAGE.read_text().split(f"### {heading}\n")[1].split("\n### ")[0]
    lines = [line.strip()[1:-1].split("|") for line in section.splitlines() if line.startswith("|")]
    cells = [[re.sub(r"[`\s]", "", cell) for cell in line] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


class Example:
    """The page's stream, from its tables "Given", "Channels" and "Readings"."""

    def __init__(self) -> None:
        given = {row["given"]: row["value"] for row in table("Given")}
        self.stream = bytes.fromhex(given["stream"])
        self.keys = WindowKeys(int(given["epoch"]), (KeyNode(0, 0, bytes.fromhex(given["epochsecret"])),))
        self.device = bytes.fromhex(given["devicekey"])
        self.seeds = [bytes.fromhex(given[f"seed{number}"]) for number in (1, 2)]
        self.domain = Domain.of("TelemetryAnchor", int(given["chainid"]), given["TelemetryAnchor"])
        self.schema = Schema(
            tuple(Channel(row["name"], row["unit"], int(row["scale"]), int(row["width"])) for row in table("Channels"))
        )
        names = [channel.name for channel in self.schema.channels]
        self.run = ReadingRun.of(
            Reading(int(row["index"]), int(row["ms"]), int(row["firmware"]), tuple(int(row[name]) for name in names))
            for row in table("Readings")
        )

    @cached_property
    def sent(self) -> list[SignedRun]:
        """The device's two segments, one in each window."""
        tail, sent = StreamTail.start(self.stream), []
        for seed, (_, run) in zip(self.seeds, self.run.by_window(), strict=True):
            salted = SaltedRun(run, seed)
            segment = tail.segment(salted)
            sent.append(SignedRun(salted, segment, sign_compact(self.device, digest(self.domain, segment))))
            tail = tail.after(segment)
        return sent

    def results(self) -> dict[str, str]:
        """What follows, by the names of the page's table "What follows"."""
        first, second = self.sent
        batch = seal(self.keys, self.schema, self.sent)
        sections = batch.sections()
        opened = open_batch(self.keys, self.schema, batch)
        windows = [window for window, _ in self.run.by_window()]
        grant = self.keys.covering(windows[0], windows[0] + 4)
        values = {
            "schema": self.schema.encode(),
            "schema hash": self.schema.hash,
            "reading 3": self.run.records[3],
            "leaf 3": second.salted.leaves[0],
            "leaf hash 3": second.salted.leaf_hashes[0],
            "head 0": first.segment.previous_head,
            "head 3": first.segment.head,
            "head 4": second.segment.head,
            "digest of segment 2": digest(self.domain, second.segment),
            "signature of segment 2": second.signature,
            "key of window 1979999": self.keys.key(windows[0]),
            "key of window 1980000": self.keys.key(windows[1]),
            "reading 3, packed": pack(second.run),
            "root": batch.header.root,
            "header": batch.header.encode(),
            "imprint of section 2": sections[1].imprint,
            "ciphertext of section 2": sections[1].ciphertext,
            "hashes of section 2": b"".join(sections[1].proof),
            "path of reading 1": b"".join(prove_reading(opened[0], 1).path),
        }
        nodes = {
            "nodes of a grant of an hour": " ".join(f"{node.depth}:{node.position}" for node in grant.nodes),
            "nodes left without window 1980000": str(len(self.keys.without(windows[1], windows[1] + 1).nodes)),
        }
        return {name: value.hex() for name, value in values.items()} | nodes
