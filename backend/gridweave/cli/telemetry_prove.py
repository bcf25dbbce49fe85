"""`gridweave telemetry`: proofs of readings, made and verified."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from gridweave.chain import from_hex
from gridweave.chain.firmware_evidence import header_rlp
from gridweave.cli.telemetry_chain import ChainSource
from gridweave.cli.telemetry_common import (
    DEFAULT_RECORD,
    AsParty,
    Bodies,
    From,
    GrantFile,
    Record,
    Rpc,
    StreamKeysFile,
    StreamOption,
    Until,
    asking,
    key_file,
    ms_of,
    party_keys,
    reader_of,
    telling,
    time_of,
)
from gridweave.cli.terminal import (
    DEFAULT_URL,
    AsJson,
    KeystoreFolder,
    PasswordFile,
    ServiceUrl,
    WrongUse,
    emit,
    out,
)
from gridweave.client.telemetry import (
    OwnerKeys,
    PartyKeys,
    ReadingEvidence,
    StateWitness,
    prove_indexes,
    prove_one,
    prove_times,
    slot_of,
)

__all__ = ["prove", "prove_range"]

ProofOut = Annotated[Path, typer.Option("--out", "-o", help="Where to write the proof.")]


def prove(
    index: Annotated[int, typer.Argument(min=0, help="The reading's index, as `read` shows it.")],
    file: ProofOut,
    stream: StreamOption = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="--rpc: with the newest block's header, to be checked without a node.")
    ] = False,
    party: AsParty = None,
    grant: GrantFile = None,
    stream_keys: StreamKeysFile = None,
    url: ServiceUrl = DEFAULT_URL,
    rpc: Rpc = None,
    deployment: Record = DEFAULT_RECORD,
    bodies: Bodies = None,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Prove one reading: which one, when, by which key of which device, under which firmware. No neighbour is shown.

    Example: gridweave telemetry prove 1234 --out reading.json
    """
    with telling(as_json), asking(url, rpc, deployment, bodies) as asked:
        keys, parties = _opened_by(party, stream_keys, keystore, password_file)
        reader = reader_of(asked, stream, keys=keys, party=parties, grant=grant)
        evidence = prove_one(reader, index, asked.signature_of)
        if offline:
            if asked.chain is None:
                raise WrongUse("only a node gives a block's header: name one with --rpc")
            evidence = replace(evidence, state=_state(asked.chain, evidence))
        reading = evidence.check()
        file.write_bytes(evidence.encode())
        told = {"file": str(file), "index": index, "atMs": reading.at_ms, "firmware": reading.firmware}
        told |= {"pageIsOpen": bool(evidence.tip), "block": evidence.placed.block}
        if evidence.state is not None:
            told |= {"provedIn": "0x" + evidence.state.block().hash.hex()}
        if as_json:
            emit(told)
            return
        out.print(f"{file}: reading {index} of {time_of(reading.at_ms)}", highlight=False, soft_wrap=True)
        _tell_page(bool(evidence.tip))
        if evidence.state is not None:
            out.print(f"  proved in block {told['provedIn']}", highlight=False, soft_wrap=True)


def prove_range(
    file: ProofOut,
    stream: StreamOption = None,
    begin: From = None,
    until: Until = None,
    first: Annotated[int | None, typer.Option(min=0, help="First index, instead of times.")] = None,
    last: Annotated[int | None, typer.Option(min=0, help="Last index.")] = None,
    party: AsParty = None,
    grant: GrantFile = None,
    stream_keys: StreamKeysFile = None,
    url: ServiceUrl = DEFAULT_URL,
    rpc: Rpc = None,
    deployment: Record = DEFAULT_RECORD,
    bodies: Bodies = None,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Prove that these are all readings of a span of time, or from one index to another.

    A span of time is shown with the reading before it and the one behind it, so that nothing can be left out.

    Example: gridweave telemetry prove-range --from 2026-06-21T12:00 --until 2026-06-21T12:15 --out quarter.json
    """
    by_index = first is not None and last is not None
    by_time = begin is not None and until is not None
    with telling(as_json):
        if by_index == by_time:
            raise WrongUse("give --from and --until, or --first and --last")
        with asking(url, rpc, deployment, bodies) as asked:
            keys, parties = _opened_by(party, stream_keys, keystore, password_file)
            reader = reader_of(asked, stream, keys=keys, party=parties, grant=grant)
            if first is not None and last is not None:
                evidence = prove_indexes(reader, first, last + 1)
            else:
                evidence = prove_times(reader, ms_of(begin, 0), ms_of(until, 0))
        runs = evidence.check()
        file.write_bytes(evidence.encode())
        told: dict[str, Any] = {"file": str(file), "firstIndex": runs[0].first_index, "endIndex": runs[-1].end_index}
        told |= {"firstMs": runs[0].first_ms, "lastMs": runs[-1].last_ms, "pageIsOpen": bool(evidence.tip)}
        if as_json:
            emit(told)
            return
        count = told["endIndex"] - told["firstIndex"]
        span = f"{time_of(told['firstMs'])} to {time_of(told['lastMs'])}"
        out.print(f"{file}: {count:,} readings from {span}", highlight=False, soft_wrap=True)
        _tell_page(bool(evidence.tip))


def _opened_by(
    party: str | None, stream_keys: Path | None, keystore: Path | None, password_file: Path | None
) -> tuple[OwnerKeys | None, PartyKeys | None]:
    """The owner's keys, or the party's."""
    if party is not None:
        return None, party_keys(party, keystore, password_file)
    return key_file(stream_keys, keystore, password_file).read(), None


def _tell_page(is_open: bool) -> None:
    if is_open:
        out.print("  its page is open: after the next batch, verify it with --renew", highlight=False)


def _state(chain: ChainSource, evidence: ReadingEvidence) -> StateWitness:
    """What the contract keeps in the block as of which the stream was read."""
    slot = "0x" + slot_of(evidence.stream, None if evidence.tip else evidence.placed.page).hex()
    answer = chain.run(chain.node.request("eth_getProof", chain.anchors.address, [slot], hex(chain.block)))
    raw = chain.run(chain.node.request("eth_getBlockByNumber", hex(chain.block), False))
    account, words = answer["accountProof"], answer["storageProof"][0]["proof"]
    return StateWitness(header_rlp(raw), tuple(map(from_hex, account)), tuple(map(from_hex, words)))
