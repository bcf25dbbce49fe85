"""Firmware: models, who may speak for them, their releases, how far each has come, what devices told of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, exists, func, or_, select

from gridweave.domain.firmware.rollout import RolloutState
from gridweave.store.device_tables import (
    devices,
    firmware_floors,
    firmware_installs,
    firmware_keys,
    firmware_models,
    firmware_refusals,
    firmware_releases,
    firmware_revocations,
    firmware_steps,
)
from gridweave.store.reading import Page, Reader, Row

__all__ = ["FirmwareReads"]

_S = RolloutState
_EARLIER = firmware_installs.alias("earlier")
_NEWER = firmware_installs.alias("newer")

_FIRST_WORD = ~exists().where(
    _EARLIER.c.device == firmware_installs.c.device,
    _EARLIER.c.counter >= firmware_installs.c.counter,
    or_(
        _EARLIER.c.block_number < firmware_installs.c.block_number,
        and_(
            _EARLIER.c.block_number == firmware_installs.c.block_number,
            _EARLIER.c.log_index < firmware_installs.c.log_index,
        ),
    ),
)
"""What a rollout is judged by: the device had told of neither this release nor a newer one."""

_RUNS = and_(
    firmware_installs.c.failure_code == 0,
    ~exists().where(
        _NEWER.c.device == firmware_installs.c.device,
        _NEWER.c.counter > firmware_installs.c.counter,
        _NEWER.c.failure_code == 0,
    ),
)
"""The receipts that say what a device runs: a device tells that a release runs once, and of newer ones only."""


class FirmwareReads(Reader):
    """What the chain says of firmware."""

    async def model(self, model: int) -> Row | None:
        """{model, maker, latest, full, floor, version, threshold, members}: `members` a tuple of addresses.

        The place is that of its opening.
        """
        row = await self._latest(firmware_models, model=model)
        return row and (await self._db.reading(partial(_with_lines, rows=[row])))[0]

    async def models(self, maker: str | None, cursor: str | None, limit: int) -> Page:
        """The same of each model, or of each of a maker's. Raises CursorInvalid."""
        of_maker = () if maker is None else (firmware_models.c.maker == maker,)
        page = await self._page(firmware_models, cursor, limit, *of_maker)
        return Page(await self._db.reading(partial(_with_lines, rows=page.rows)), page.next_cursor)

    async def key_sets(self, model: int) -> list[Row]:
        """{version, threshold, members} of each, oldest first."""
        query = select(firmware_keys).where(firmware_keys.c.model == model)
        return [_members(row) for row in await self._rows(query.order_by(*_place(firmware_keys)))]

    async def release(self, model: int, counter: int) -> Row | None:
        """A release, how its rollout stands (`standing`), `steps` that led there, each with its own tally
        (a pause with the one that it stopped), and `revocations`, oldest first.

        `standing` is {state, resumes_to, share_bp, step, told, failures, revoked_since, begun_at}; a release that is
        only proposed has no share and no step.
        """
        row = await self._latest(firmware_releases, model=model, counter=counter)
        if row is None:
            return None
        return await self._db.reading(partial(_whole, row=row))

    async def releases(self, model: int, cursor: str | None, limit: int) -> Page:
        """Releases of a model in the order of their counters, with `standing`. Raises CursorInvalid."""
        page = await self._page(firmware_releases, cursor, limit, firmware_releases.c.model == model)
        return Page(await self._db.reading(partial(_with_standing, model=model, rows=page.rows)), page.next_cursor)

    async def live(self, model: int) -> list[Row]:
        """Releases that are not superseded, with `standing`, newest first."""

        def read(connection: Connection) -> list[Row]:
            newest = _full(connection, [model]).get(model, 0)
            where = (firmware_releases.c.model == model, firmware_releases.c.counter >= newest)
            rows = _read(connection, select(firmware_releases).where(*where).order_by(*_place(firmware_releases)))
            return _with_standing(connection, model, rows)[::-1]

        return await self._db.reading(read)

    async def installs(self, model: int, counter: int, failed: bool | None, cursor: str | None, limit: int) -> Page:
        """Receipts of a release in chain order: all, those that failed, or those that run. Raises CursorInvalid."""
        of: list[Any] = [firmware_installs.c.model == model, firmware_installs.c.counter == counter]
        if failed is not None:
            of.append((firmware_installs.c.failure_code != 0) == failed)
        return await self._page(firmware_installs, cursor, limit, *of)

    async def refused(self, model: int, counter: int, cursor: str | None, limit: int) -> Page:
        """Receipts that the contract refused within a batch. Raises CursorInvalid."""
        of = (firmware_refusals.c.model == model, firmware_refusals.c.counter == counter)
        return await self._page(firmware_refusals, cursor, limit, *of)

    async def codes(self, model: int, counter: int) -> dict[int, int]:
        """How many devices told each code first, by code."""
        code = firmware_installs.c.failure_code
        of = (firmware_installs.c.model == model, firmware_installs.c.counter == counter, _FIRST_WORD)
        rows = await self._rows(select(code, func.count().label("devices")).where(*of).group_by(code).order_by(code))
        return {row["failure_code"]: row["devices"] for row in rows}

    async def running(self, model: int) -> dict[int, int]:
        """How many devices run each release, by counter."""
        counter = firmware_installs.c.counter
        query = select(counter, func.count().label("devices")).where(firmware_installs.c.model == model, _RUNS)
        return {row["counter"]: row["devices"] for row in await self._rows(query.group_by(counter).order_by(counter))}

    async def enrolled(self, model: int, maker: str) -> int:
        """How many devices of the model there are."""
        query = select(func.count().label("devices")).where(devices.c.model == model, devices.c.maker == maker)
        return int((await self._rows(query))[0]["devices"])

    async def devices_running(self, model: int, counter: int | None, cursor: str | None, limit: int) -> Page:
        """Receipts that say what each device runs, of one release or all. Raises CursorInvalid."""
        of: list[Any] = [firmware_installs.c.model == model, _RUNS]
        if counter is not None:
            of.append(firmware_installs.c.counter == counter)
        return await self._page(firmware_installs, cursor, limit, *of)

    async def installation(self, device: str) -> Row:
        """{model, told, failure_code, running, running_since}: zeros for a device that has told nothing."""
        query = select(firmware_installs).where(firmware_installs.c.device == device)
        rows = await self._rows(query.order_by(*_place(firmware_installs)))
        found: Row = {"model": 0, "told": 0, "failure_code": 0, "running": 0, "running_since": 0}
        for row in rows:
            found["model"] = row["model"]
            if row["counter"] >= found["told"]:
                found |= {"told": row["counter"], "failure_code": row["failure_code"]}
            if row["failure_code"] == 0:
                found |= {"running": row["counter"], "running_since": row["block_number"]}
        return found


def _whole(connection: Connection, row: Row) -> Row:
    model, counter = row["model"], row["counter"]
    steps = _steps(connection, model, [counter]).get(counter, [])
    bounds = [*(_at(step) for step in steps), None][1:]
    tallied = [
        step if step["state"] == _S.PAUSED else step | _tally(connection, model, counter, _at(step), until)
        for step, until in zip(steps, bounds, strict=True)
    ]
    (found,) = _with_standing(connection, model, [row])
    revocations = _of_releases(connection, firmware_revocations, model, [counter])
    return found | {"steps": tallied, "revocations": revocations}


def _with_standing(connection: Connection, model: int, rows: Sequence[Row]) -> list[Row]:
    counters = [row["counter"] for row in rows]
    steps, revoked = _steps(connection, model, counters), _revoked(connection, model, counters)
    full = _full(connection, [model]).get(model, 0)
    found = []
    for row in rows:
        taken = steps.get(row["counter"], [])
        standing = _standing(taken, revoked.get(row["counter"], 0), superseded=row["counter"] < full)
        since = next((_at(step) for step in reversed(taken) if step["state"] != _S.PAUSED), None)
        tally = {"told": 0, "failures": 0}
        if since is not None:
            tally = _tally(connection, model, row["counter"], since, None)
        found.append(row | {"standing": standing | tally})
    return found


def _standing(steps: Sequence[Row], revoked_since: int, *, superseded: bool) -> Row:
    """As `rolloutOf` has it, but for the tally and what the release itself says."""
    found: Row = {"state": _S.PROPOSED, "resumes_to": _S.UNKNOWN, "share_bp": 0, "step": 0}
    for step in steps:
        paused = step["state"] == _S.PAUSED
        found["resumes_to"] = found["state"] if paused else _S.UNKNOWN
        found |= {"state": RolloutState(step["state"]), "step": step["step"]}
        found["share_bp"] = found["share_bp"] if paused else step["share_bp"]
    if revoked_since:
        found["state"] = _S.REVOKED
    elif superseded:
        found["state"] = _S.SUPERSEDED
    return found | {"revoked_since": revoked_since, "begun_at": steps[0]["block_number"] if steps else 0}


def _tally(
    connection: Connection, model: int, counter: int, since: tuple[int, int], until: tuple[int, int] | None
) -> dict[str, int]:
    """First words about a release between two places: {told, failures}."""
    failed = func.count().filter(firmware_installs.c.failure_code != 0)
    of: list[Any] = [firmware_installs.c.model == model, firmware_installs.c.counter == counter, _FIRST_WORD]
    of.append(_behind(firmware_installs, since))
    if until is not None:
        of.append(~_behind(firmware_installs, until))
    told, failures = connection.execute(select(func.count(), failed).where(*of)).one()
    return {"told": int(told), "failures": int(failures)}


def _steps(connection: Connection, model: int, counters: Collection[int]) -> dict[int, list[Row]]:
    """Steps by counter, oldest first."""
    found: dict[int, list[Row]] = {}
    for row in _of_releases(connection, firmware_steps, model, counters):
        found.setdefault(row["counter"], []).append(row)
    return found


def _revoked(connection: Connection, model: int, counters: Collection[int]) -> dict[int, int]:
    """Since which block, by counter: the newest word, which is the earliest block."""
    rows = _of_releases(connection, firmware_revocations, model, counters)
    return {row["counter"]: row["since_block"] for row in rows}


def _of_releases(connection: Connection, table: Table, model: int, counters: Collection[int]) -> list[Row]:
    where = (table.c.model == model, table.c.counter.in_(counters))
    return _read(connection, select(table).where(*where).order_by(*_place(table)))


def _with_lines(connection: Connection, rows: Sequence[Row]) -> list[Row]:
    models = [row["model"] for row in rows]
    latest = _most(connection, firmware_releases, "counter", models)
    full, floor = _full(connection, models), _most(connection, firmware_floors, "floor", models)
    query = select(firmware_keys).where(firmware_keys.c.model.in_(models)).order_by(*_place(firmware_keys))
    keys = {row["model"]: _members(row) for row in _read(connection, query)}
    return [
        row
        | {name: found.get(row["model"], 0) for name, found in (("latest", latest), ("full", full), ("floor", floor))}
        | {name: keys[row["model"]][name] for name in ("version", "threshold", "members")}
        for row in rows
    ]


def _full(connection: Connection, models: Collection[int]) -> dict[int, int]:
    """The newest counter that ever was full, by model."""
    return _most(connection, firmware_steps, "counter", models, firmware_steps.c.state == _S.FULL)


def _most(
    connection: Connection, table: Table, column: str, models: Collection[int], *where: ColumnElement[bool]
) -> dict[int, int]:
    query = select(table.c.model, func.max(table.c[column])).where(table.c.model.in_(models), *where)
    return {row[0]: row[1] for row in connection.execute(query.group_by(table.c.model))}


def _members(row: Row) -> Row:
    return row | {"members": tuple(row["members"].split(","))}


def _read(connection: Connection, query: Select[Any]) -> list[Row]:
    return [dict(row) for row in connection.execute(query).mappings()]


def _place(table: Table) -> tuple[Any, Any]:
    return table.c.block_number, table.c.log_index


def _at(row: Row) -> tuple[int, int]:
    return row["block_number"], row["log_index"]


def _behind(table: Table, place: tuple[int, int]) -> ColumnElement[bool]:
    block, log = _place(table)
    return or_(block > place[0], and_(block == place[0], log > place[1]))
