"""One statement for many rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Insert, Table, Update, insert
from sqlalchemy.dialects import sqlite

__all__ = ["add_rows", "run_many"]

Row = Mapping[str, Any]
Bind = Callable[[Any], Any]

_SQLITE = sqlite.dialect()


def add_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Inserts rows, which name the same columns. IntegrityError if one is there already."""
    run_many(connection, _insert(table), rows)


def run_many(connection: Connection, statement: Insert | Update, rows: Sequence[Row]) -> None:
    """Executes the statement, one object for the length of the process, with each row; all name the same values.

    SQLite gets tuples for a prepared statement: SQLAlchemy would look at every value of every row.
    """
    if not rows:
        return
    if connection.dialect.name != _SQLITE.name:
        connection.execute(statement, [dict(row) for row in rows])
        return
    text, names, binds = _prepared(statement, tuple(rows[0]))
    columns = [map(itemgetter(name), rows) for name in names]
    for at, bind in binds:
        columns[at] = map(bind, columns[at])
    connection.exec_driver_sql(text, list(zip(*columns, strict=True)))


@cache
def _insert(table: Table) -> Insert:
    return insert(table)


@cache
def _prepared(
    statement: Insert | Update, names: tuple[str, ...]
) -> tuple[str, tuple[str, ...], tuple[tuple[int, Bind], ...]]:
    """For SQLite: its text, the names of two or more values in order, and by place what makes one the driver's."""
    compiled = statement.compile(dialect=_SQLITE, column_keys=list(names))
    order = tuple(compiled.positiontup or ())
    processors = [compiled.binds[name].type.dialect_impl(_SQLITE).bind_processor(_SQLITE) for name in order]
    return str(compiled), order, tuple((at, bind) for at, bind in enumerate(processors) if bind is not None)
