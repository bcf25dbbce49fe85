"""`gridweave audit`: everything recomputed from the chain alone, and one payment walked back to its maker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from gridweave.audit import (
    AddressBook,
    AuditReport,
    BillUnreadable,
    ChainMoved,
    Difference,
    Doubts,
    NothingPaid,
    Walk,
    WrongChain,
    audit,
    walk,
)
from gridweave.audit.differences import Place
from gridweave.audit.telling import walk_json, walk_steps
from gridweave.chain import (
    BlockNotAvailable,
    Network,
    NetworkUnusable,
    Node,
    NodeError,
    NodeUnavailable,
    Reverted,
    find_network,
)
from gridweave.cli.terminal import AsJson, NetworksFile, emit, errors, fail, out, table
from gridweave.deployment import Deployment, DeploymentError

__all__ = [
    "DEFAULT_RECORD",
    "DEFAULT_RPC",
    "DIFFERENT",
    "Record",
    "Rpc",
    "book_of",
    "differences_table",
    "doubts_table",
    "recomputed_table",
    "register",
    "speaking_of_audits",
    "tell_walk",
]

DIFFERENT, NO_ANSWER = 1, 2

Rpc = Annotated[str, typer.Option("--rpc", envvar="GRIDWEAVE_RPC", help="The node's JSON-RPC address.")]
Record = Annotated[Path, typer.Option("--deployment", "-d", help="The deployment record.")]
NetworkName = Annotated[
    str | None,
    typer.Option(
        "--network",
        envvar="GRIDWEAVE_NETWORK",
        help="The network's name: only what is final on it is audited. [default: up to the newest block]",
    ),
]
DEFAULT_RPC, DEFAULT_RECORD = "http://127.0.0.1:8545", Path("deployment.json")


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    told = "Recompute prices, payments, telemetry and firmware from the chain alone."
    group = typer.Typer(help=told, invoke_without_command=True)
    group.callback()(audit_command)
    group.command("walk")(walk_command)
    app.add_typer(group, name="audit")


def audit_command(
    context: typer.Context,
    rpc: Rpc = DEFAULT_RPC,
    deployment: Record = DEFAULT_RECORD,
    since: Annotated[int | None, typer.Option("--from", help="First block whose differences count.")] = None,
    last: Annotated[
        int | None, typer.Option("--to", help="Last block. [default: the newest, or --network's newest final one]")
    ] = None,
    network: NetworkName = None,
    networks: NetworksFile = None,
    logs_only: Annotated[
        bool, typer.Option("--logs-only", help="Read only blocks with events; trust the node to hide none.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Replays orders, prices, fills, readings, payments, balances, devices, telemetry and firmware, and compares them
    with logs and storage.

    Exit code 0: no difference. 1: differences, each named. 2: wrong use, or the node cannot be audited.
    """
    context.obj = (rpc, deployment)
    if context.invoked_subcommand:
        return
    with speaking_of_audits(as_json):
        named = find_network(network, networks) if network else None
        report = asyncio.run(_audit(rpc, book_of(deployment), named, since, last, not logs_only, quiet=as_json))
    if as_json:
        emit(report.to_json())
    else:
        _print(report)
    if not report.clean:
        raise typer.Exit(DIFFERENT)


def walk_command(
    meter: Annotated[int, typer.Option("--meter", "-m", help="Number of the meter.")],
    slot: Annotated[int, typer.Option("--slot", "-s", help="Number of the slot.")],
    context: typer.Context,
    rpc: Annotated[str | None, typer.Option("--rpc", envvar="GRIDWEAVE_RPC", help="As for audit.")] = None,
    deployment: Annotated[Path | None, typer.Option("--deployment", "-d", help="As for audit.")] = None,
    as_json: AsJson = False,
) -> None:
    """Walks one payment back: payment, price, orders, reading, device key, maker."""
    url, record = rpc or context.obj[0], deployment or context.obj[1]
    with speaking_of_audits(as_json):
        way = asyncio.run(_walk(url, book_of(record), meter, slot))
    tell_walk(way, as_json=as_json)


def tell_walk(way: Walk, *, as_json: bool) -> None:
    """Prints a walk. Exit code 1 where a step does not hold."""
    if as_json:
        emit(walk_json(way))
    else:
        _print_walk(way)
    if not way.holds:
        raise typer.Exit(DIFFERENT)


def book_of(path: Path) -> AddressBook:
    """The addresses in a deployment record. Raises FileNotFoundError, DeploymentError, WrongChain."""
    record = Deployment.load(path)
    several = [name for name, versions in record.contracts.items() if len(versions) > 1]
    if several:
        raise WrongChain(f"the record lists several versions of {', '.join(several)}; audit one version at a time")
    return AddressBook(record.chain_id, record.addresses, record.block, record.genesis_hash)


@contextmanager
def speaking_of_audits(as_json: bool) -> Iterator[None]:
    """Turns what keeps an audit from being made into one message and exit code 2."""
    try:
        yield
    except FileNotFoundError as fault:
        step = "name the record with --deployment; that of `gridweave up` is var/up/deployment.json"
        fail("NoDeployment", f"{fault.filename} does not exist; {step}", NO_ANSWER, as_json)
    except (DeploymentError, NetworkUnusable, WrongChain, NothingPaid, ChainMoved, BillUnreadable) as fault:
        fail(type(fault).__name__, str(fault), NO_ANSWER, as_json)
    except NodeUnavailable as fault:
        fail("NodeUnavailable", f"{fault}; name the node with --rpc", NO_ANSWER, as_json)
    except BlockNotAvailable as fault:
        step = "the node keeps no state of the audited block: ask one that keeps history, or leave --to out"
        fail("BlockNotAvailable", f"{fault}; {step}", NO_ANSWER, as_json)
    except (NodeError, Reverted) as fault:
        fail(type(fault).__name__, str(fault), NO_ANSWER, as_json)


def recomputed_table(report: AuditReport) -> Table:
    """What was recomputed, a line each."""
    rows = [(what, f"{count:,}") for what, count in report.recomputed.items()]
    title = f"Recomputed from blocks {report.first_block} to {report.last_block} of chain {report.chain_id}"
    return table(title, [("what", "left"), ("count", "right")], rows)


def differences_table(found: list[Difference]) -> Table:
    """Every difference with its kind, its subject and where it stands."""
    made = Table(title="Differences", title_justify="left", header_style="bold", box=None, pad_edge=False)
    for heading in ("kind", "what", "expected", "found", "block", "log"):
        made.add_column(heading, overflow="fold")
    for item in found:
        where = ["" if number is None else str(number) for number in (item.place.block, item.place.log_index)]
        made.add_row(item.kind.value, str(item.subject), item.expected, item.found, *where)
    return made


def doubts_table(doubts: Doubts) -> Table:
    """What rests on keys in doubt, by device: no differences, but nobody should rely on it unawares."""
    found: list[tuple[str, str, int, Place]] = [
        *((f"reading of meter {r.meter}, slot {r.slot}", r.device, r.since, r.place) for r in doubts.readings),
        *((f"state {s.state} of asset {s.asset}", s.device, s.since, s.place) for s in doubts.states),
        *((f"batch {b.number} of stream {b.stream}", b.device, b.since, b.place) for b in doubts.batches),
        *((f"receipt for release {r.counter} of model {r.model}", r.device, r.since, r.place) for r in doubts.receipts),
    ]
    made = Table(title="Rests on a key in doubt", title_justify="left", header_style="bold", box=None, pad_edge=False)
    for heading in ("what", "device", "in doubt since", "block", "log"):
        made.add_column(heading, overflow="fold")
    for what, device, since, place in found:
        made.add_row(what, device, str(since), str(place.block), str(place.log_index))
    return made


async def _audit(
    rpc: str,
    book: AddressBook,
    network: Network | None,
    since: int | None,
    last: int | None,
    every_block: bool,
    *,
    quiet: bool,
) -> AuditReport:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    profile = network.profile(book.chain_id) if network else None
    async with Node(rpc, timeout=60.0) as node:
        if profile is not None and last is None:
            last = profile.final_block(await node.block_number())
        with Progress(*columns, console=errors, disable=quiet, transient=True) as bar:
            task = bar.add_task("blocks", total=None)

            def show(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            return await audit(node, book, since=since, last=last, every_block=every_block, progress=show)


async def _walk(rpc: str, book: AddressBook, meter: int, slot: int) -> Walk:
    async with Node(rpc, timeout=60.0) as node:
        return await walk(node, book, meter, slot)


def _print(report: AuditReport) -> None:
    out.print(recomputed_table(report))
    if report.doubts:
        out.print(doubts_table(report.doubts))
    if report.clean:
        out.print(f"[green]No difference[/] in {report.milliseconds / 1000:.1f} s.", highlight=False)
        return
    out.print(differences_table(report.differences))
    for found in report.differences:
        out.print(found.sentence, markup=False, highlight=False, soft_wrap=True)


def _print_walk(way: Walk) -> None:
    for step in walk_steps(way):
        mark = "[green]holds[/]" if step.holds else "[bold red]does not hold[/]"
        out.print(f"[bold]{step.title}[/] {mark}", highlight=False)
        out.print(f"  {step.sentence}", markup=False, highlight=False, soft_wrap=True)
        rows: list[tuple[str, Any]] = list(step.facts)
        for name, value in rows:
            out.print(f"    {name}: {value}", markup=False, highlight=False, soft_wrap=True)
        out.print(f"    to check: {step.check}", markup=False, highlight=False, soft_wrap=True)
