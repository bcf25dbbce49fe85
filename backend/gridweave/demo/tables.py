"""The forms of the tables with which a demo's outcome is told."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from gridweave.demo.outcome import AuditSummary

__all__ = ["audit_row", "fact_table", "titled_table"]


def titled_table(title: str, *headings: str, numbers: Iterable[str], no_wrap: bool = False) -> Table:
    """Without rows yet; the columns of `numbers` stand to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", title_justify="left")
    table.title, right = title, frozenset(numbers)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left", no_wrap=no_wrap)
    return table


def fact_table(rows: Iterable[tuple[str, str]]) -> Table:
    """What each fact is called, in bold, and what there is to say of it."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for row in rows:
        table.add_row(*row)
    return table


def audit_row(audit: AuditSummary) -> tuple[str, str]:
    """The fact of what the audit found."""
    verdict = f"[red]{audit.differences} differences[/]" if audit.differences else "[green]no difference[/]"
    counts = ", ".join(f"{count:,} {name}" for name, count in audit.told.items())
    return "audit recomputed", f"{counts}: {verdict}"
