"""`gridweave telemetry verify`: what a proof shows, to somebody who holds no key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from gridweave.chain.contracts.telemetry_anchor import RangePart, ReadingProof
from gridweave.cli.telemetry_chain import ChainSource
from gridweave.cli.telemetry_common import DEFAULT_RECORD, Record, telling, time_of
from gridweave.cli.telemetry_output import quantities
from gridweave.cli.terminal import AsJson, WrongUse, at_time, emit, out
from gridweave.client.telemetry import Ledger, PlacedBatch, RangeEvidence, ReadingEvidence
from gridweave.client.telemetry.placed import decode_tip
from gridweave.client.telemetry.range_evidence import RangePiece
from gridweave.client.telemetry.refusals import KeyNotTheDevices, ProofFileMalformed, ProofOfOtherChain
from gridweave.domain.anchors import device_of
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.eip712 import Domain
from gridweave.domain.telemetry.readings import Reading, ReadingRun

__all__ = ["verify"]

_NO_RELEASE = bytes(32)
Json = dict[str, Any]


def verify(
    file: Annotated[Path, typer.Argument(metavar="PROOF", help="Made by `prove` or `prove-range`.")],
    rpc: Annotated[str, typer.Option("--rpc", envvar="GRIDWEAVE_RPC", help="The node.")] = "http://127.0.0.1:8545",
    deployment: Record = DEFAULT_RECORD,
    block: Annotated[
        str | None,
        typer.Option("--block", help="Without a node: hash of a block that you trust, which it was proved in."),
    ] = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="Its page has grown since: find its place again in the chain's logs.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check a proof: first its own bytes, then with the contract, which says whether it is anchored.

    It says as well whether the device's key is doubted since, and what became of the firmware. Exit code 0: it holds.
    1: it does not, for the reason named.

    Examples: gridweave telemetry verify reading.json --deployment deployment.json

    gridweave telemetry verify reading.json --block 0x…
    """
    with telling(as_json):
        proof = _proof_in(file)
        if isinstance(proof, ReadingEvidence):
            reading = proof.check() if not renew else None
            if block is not None:
                assert reading is not None
                _must_be_of(block, proof)
                _tell(_reading_json(proof, reading) | {"provedIn": block}, as_json)
                return
            with ChainSource(rpc, deployment) as chain:
                _tell(_verify_one(chain, _renewed(chain, proof) if renew else proof), as_json)
            return
        if block is not None:
            raise WrongUse("a range is verified with a node: leave --block away")
        with ChainSource(rpc, deployment) as chain:
            _tell(_verify_range(chain, _renewed_range(chain, proof) if renew else proof), as_json)


def _proof_in(file: Path) -> ReadingEvidence | RangeEvidence:
    try:
        raw = file.read_bytes()
    except OSError as fault:
        raise WrongUse(f"{file} cannot be read: {fault.strerror}") from fault
    if raw.startswith(b'{\n "gridweave": "range proof"'):
        return RangeEvidence.decode(raw)
    return ReadingEvidence.decode(raw)


def _must_be_of(block: str, proof: ReadingEvidence) -> None:
    """Raises ProofOfOtherChain, ProofFileMalformed."""
    if proof.state is None:
        raise ProofFileMalformed("a proof made with --offline, for a block's header to say that it is anchored")
    found = "0x" + proof.state.block().hash.hex()
    if found != block.lower():
        raise ProofOfOtherChain("block", found, block)


def _verify_one(chain: ChainSource, proof: ReadingEvidence) -> Json:
    reading = proof.check()
    _must_be_here(chain, proof.domain)
    _must_be_block_of(chain, proof)
    placed = proof.placed
    found = chain.run(
        chain.anchors.verify_reading(
            ReadingProof(
                stream=proof.stream,
                span=placed.span,
                root=placed.root,
                block_number=placed.block,
                anchored_at=placed.anchored_at,
                leaf=proof.proof.leaf,
                siblings=proof.proof.path,
                path=placed.path,
                tip=decode_tip(proof.tip),
            ),
            chain.block,
        )
    )
    device = device_of(proof.stream)
    if proof.key not in chain.device_keys(device, placed.block):
        raise KeyNotTheDevices(device, DevicePublicKey(proof.key.kind, proof.key.x, proof.key.y).name)
    told = _reading_json(proof, reading) | {"isTrusted": found.is_trusted}
    return told | {"release": _release(chain, device, reading.firmware, placed.block)}


def _verify_range(chain: ChainSource, proof: RangeEvidence) -> Json:
    runs = proof.check()
    _must_be_here(chain, proof.domain)
    tip = decode_tip(proof.tip)
    trusted = True
    for call in proof.calls:
        parts = [_part(piece) for piece in call]
        opens = tip is not None and any(not _is_closed(chain, proof.stream, piece) for piece in call)
        found = chain.run(chain.anchors.verify_range(proof.stream, parts, tip if opens else None, chain.block))
        trusted = trusted and found.is_trusted
    device, blocks = device_of(proof.stream), _blocks_by_counter(proof, runs)
    return {
        "stream": "0x" + proof.stream.hex(),
        "device": device,
        "firstIndex": runs[0].first_index,
        "endIndex": runs[-1].end_index,
        "firstMs": runs[0].first_ms,
        "lastMs": runs[-1].last_ms,
        "completeFromMs": proof.times.from_ms if proof.times else None,
        "completeEndMs": proof.times.end_ms if proof.times else None,
        "block": proof.calls[-1][-1].placed.block,
        "isTrusted": trusted,
        "releases": [_release(chain, device, counter, *blocks[counter]) for counter in sorted(blocks)],
    }


def _blocks_by_counter(proof: RangeEvidence, runs: list[ReadingRun]) -> dict[int, list[int]]:
    """In which blocks readings of each firmware counter were anchored."""
    found: dict[int, list[int]] = {}
    pieces = (piece for call in proof.calls for piece in call)
    for piece, run in zip(pieces, runs, strict=True):
        for counter in set(run.columns[2]):
            found.setdefault(counter, []).append(piece.placed.block)
    return found


def _part(piece: RangePiece) -> RangePart:
    placed, proof = piece.placed, piece.proof
    where = placed.span, placed.root, placed.block, placed.anchored_at, placed.path
    return RangePart(*where, proof.leaves, proof.hashes)


def _is_closed(chain: ChainSource, stream: bytes, piece: RangePiece) -> bool:
    return any(chain.run(chain.anchors.page_of(stream, piece.placed.page, chain.block)))


def _must_be_here(chain: ChainSource, domain: Domain) -> None:
    here = chain.domain
    for field, said, expected in (
        ("chainId", str(domain.chain_id), str(here.chain_id)),
        ("anchor", domain.verifying_contract, here.verifying_contract),
    ):
        if said != expected:
            raise ProofOfOtherChain(field, said, expected)


def _must_be_block_of(chain: ChainSource, proof: ReadingEvidence) -> None:
    """The header that a proof brings is one of this chain."""
    if proof.state is None:
        return
    said = proof.state.block()
    block = chain.run(chain.node.block(said.number))
    if block is None or block.hash != said.hash:
        raise ProofOfOtherChain("block", "0x" + said.hash.hex(), "0x" + block.hash.hex() if block else "none")


def _renewed(chain: ChainSource, proof: ReadingEvidence) -> ReadingEvidence:
    """The same with the batch's place as of now. The batch must be the one that the proof names."""
    ledger = Ledger.check(chain, proof.stream)
    placed = _place_now(ledger, proof.placed)
    tip = ledger.tip_over(placed.span.number)
    return replace(proof, placed=placed, tip=tip.words if tip else (), state=None)


def _renewed_range(chain: ChainSource, proof: RangeEvidence) -> RangeEvidence:
    ledger = Ledger.check(chain, proof.stream)
    calls = tuple(
        tuple(replace(piece, placed=_place_now(ledger, piece.placed)) for piece in call) for call in proof.calls
    )
    opens = any(ledger.tip_over(piece.placed.span.number) for call in calls for piece in call)
    return replace(proof, calls=calls, tip=ledger.tip.words if opens else ())


def _place_now(ledger: Ledger, placed: PlacedBatch) -> PlacedBatch:
    """Where the chain has another batch in that place, the path will not lead from this one to what it keeps."""
    number = placed.span.number
    if not 1 <= number <= len(ledger.batches):
        return placed
    return replace(placed, path=ledger.path(number))


def _release(chain: ChainSource, device: str, counter: int, *blocks: int) -> Json:
    """What the FirmwareRegistry knows of the release that the device ran, recorded in these blocks."""
    found = chain.run(chain.devices.device_of(device, chain.block))
    told: Json = {"firmware": counter, "model": found.model if found else None, "state": None, "isReliable": None}
    if found is None:
        return told
    registry = chain.firmware
    if chain.run(registry.commitment_of(found.model, counter, chain.block)) == _NO_RELEASE:
        return told
    state = chain.run(registry.state_of(found.model, counter, chain.block))
    reliable = all(chain.run(registry.is_device_reliable_at(device, counter, block, chain.block)) for block in blocks)
    return told | {"state": state.name.lower(), "isReliable": reliable}


def _reading_json(proof: ReadingEvidence, reading: Reading) -> Json:
    key = DevicePublicKey(proof.key.kind, proof.key.x, proof.key.y)
    values = zip(proof.schema.channels, quantities(proof.schema, reading), strict=True)
    return {
        "stream": "0x" + proof.stream.hex(),
        "device": device_of(proof.stream),
        "index": reading.index,
        "atMs": reading.at_ms,
        "firmware": reading.firmware,
        "values": {channel.name: {"value": text or None, "unit": channel.unit} for channel, text in values},
        "key": key.name,
        "curve": proof.key.kind.label,
        "batchSignature": proof.consent is not None,
        "block": proof.placed.block,
        "anchoredAt": proof.placed.anchored_at,
    }


def _tell(told: Json, as_json: bool) -> None:
    if as_json:
        emit(told)
        return
    for line in _lines(told):
        out.print(line, highlight=False, soft_wrap=True)


def _lines(told: Json) -> list[str]:
    if "index" in told:
        values = ", ".join(f"{name} {each['value']} {each['unit']}" for name, each in told["values"].items())
        lines = [f"reading {told['index']} of {time_of(told['atMs'])}: [bold]{values}[/]"]
        lines.append(f"  device {told['device']}, by its key {told['key']} ({told['curve']})")
        lines.append(f"  anchored in block {told['block']}, {at_time(told['anchoredAt'])}")
    else:
        count = told["endIndex"] - told["firstIndex"]
        lines = [f"{count:,} readings from {time_of(told['firstMs'])} to {time_of(told['lastMs'])}, none left out"]
        if told["completeFromMs"] is not None:
            span = f"{time_of(told['completeFromMs'])} to {time_of(told['completeEndMs'])}"
            lines.append(f"  all that there is from {span}, and one beside it on each side")
        lines.append(f"  device {told['device']}")
    if "provedIn" in told:
        return [*lines, f"  as of block {told['provedIn']}; ask a node what is doubted since"]
    lines.append(
        "  the key is trusted" if told["isTrusted"] else "  [bold red]the device's key is doubted at that block[/]"
    )
    releases = [told["release"]] if "release" in told else told["releases"]
    return [*lines, *(_release_line(each) for each in releases)]


def _release_line(release: Json) -> str:
    if release["state"] is None:
        return f"  firmware {release['firmware']}: no release that the registry knows"
    reliable = "may be relied upon" if release["isReliable"] else "[bold red]must not be relied upon[/]"
    return f"  firmware {release['firmware']} of model {release['model']}: {release['state']}, {reliable}"
