"""What `gridweave bill --check` does: the bill computed again from node and addresses, the differences told."""

from __future__ import annotations

import asyncio
from typing import Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gridweave.audit import AddressBook, CheckedBill, check_bill
from gridweave.chain import Node
from gridweave.cli.audit import DIFFERENT, differences_table
from gridweave.cli.terminal import errors, out

__all__ = ["checked", "tell_check"]


def checked(rpc: str, book: AddressBook, bill: dict[str, Any], *, quiet: bool) -> CheckedBill:
    """Shows how far it is, unless `quiet`. Raises as `check_bill` does."""
    return asyncio.run(_check(rpc, book, bill, quiet=quiet))


def tell_check(found: CheckedBill, *, quiet: bool) -> None:
    """Prints what was found, unless `quiet`. Exit code 1 for a difference."""
    if not quiet:
        _print(found)
    if found.differences:
        raise typer.Exit(DIFFERENT)


def _print(found: CheckedBill) -> None:
    asof = f"as of block {found.block}" + (f", {found.behind:,} before the node's newest" if found.behind else "")
    if not found.differences:
        out.print(f"{_lines(found)} recomputed, [green]no difference[/], {asof}", highlight=False)
        return
    out.print(differences_table(list(found.differences)))
    count = len(found.differences)
    many = "difference" if count == 1 else "differences"
    out.print(f"{_lines(found)} recomputed, [bold red]{count:,} {many}[/], {asof}", highlight=False)


def _lines(found: CheckedBill) -> str:
    return f"{found.lines:,} {'line' if found.lines == 1 else 'lines'}"


async def _check(rpc: str, book: AddressBook, bill: dict[str, Any], *, quiet: bool) -> CheckedBill:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with Node(rpc, timeout=60.0) as node:
        with Progress(*columns, console=errors, disable=quiet, transient=True) as bar:
            task = bar.add_task("lines", total=None)
            return await check_bill(node, book, bill, lambda done, total: bar.update(task, completed=done, total=total))
