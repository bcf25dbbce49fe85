"""Devices: whose they are, by which keys they speak, how they stand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from sqlalchemy import Connection, Table, func, select

from gridweave.domain.acts import DeviceStatus
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.store.device_tables import (
    device_batch_closings,
    device_batches,
    device_doubts,
    device_keys,
    device_offers,
    device_owners,
    device_proposals,
    device_statuses,
    device_vetoes,
    devices,
)
from gridweave.store.event_tables import blocks
from gridweave.store.reading import Reader, Row

__all__ = ["DeviceReads"]

_CHUNK = 400
_PLACE = frozenset({"block_number", "log_index", "tx_hash", "device"})
_STANDING = (device_owners, device_keys, device_statuses)
_TOLD = (*_STANDING, device_doubts)
_NOWHERE = (-1, -1)


class DeviceReads(Reader):
    """What the chain says of devices."""

    async def device(self, device: str) -> Row | None:
        """All of `devices`, and {nonce, key_version, compromised_since, proposal, offer} as they stand."""
        return await self._db.reading(partial(_whole, device=device))

    async def devices(self, names: Sequence[str]) -> dict[str, Row]:
        """{device, maker, model, batch, owner, status, status_since, key_kind, x, y} by device; the unknown left out.

        `block_number` and `tx_hash` are those of the newest of what was told; a revoked device keeps its last owner.
        """
        found: dict[str, Row] = {}
        for start in range(0, len(names), _CHUNK):
            chunk = names[start : start + _CHUNK]
            found |= await self._db.reading(partial(_standing, names=chunk))
        return found

    async def statuses(self, names: Sequence[str]) -> dict[str, DeviceStatus]:
        """The newest status of each of these devices, enrolled ones as active."""
        found = dict.fromkeys(names, DeviceStatus.ACTIVE)
        for start in range(0, len(names), _CHUNK):
            chunk = names[start : start + _CHUNK]
            order = (device_statuses.c.block_number, device_statuses.c.log_index)
            query = select(device_statuses).where(device_statuses.c.device.in_(chunk)).order_by(*order)
            found |= {row["device"]: DeviceStatus(row["status"]) for row in await self._rows(query)}
        return found

    async def told(self, device: str) -> dict[str, list[Row]]:
        """Everything that changed a device's document, oldest first, each with its block's `timestamp`.

        By table: device_owners, device_keys, device_statuses, device_doubts.
        """

        def read(connection: Connection) -> dict[str, list[Row]]:
            found = {table.name: _told(connection, table, [device]) for table in _TOLD}
            times = _times(connection, {row["block_number"] for rows in found.values() for row in rows})
            return {
                name: [row | {"timestamp": times.get(row["block_number"], 0)} for row in rows]
                for name, rows in found.items()
            }

        return await self._db.reading(read)

    async def batch(self, root: str) -> Row | None:
        """{root, maker, model, size, is_closed, claimed}: how many of it have claimed themselves."""
        row = await self._latest(device_batches, root=root)
        if row is None:
            return None
        closed = await self._latest(device_batch_closings, root=root)
        (count,) = await self._rows(select(func.count().label("claimed")).where(devices.c.batch == root))
        return row | {"is_closed": closed is not None} | count


def _whole(connection: Connection, device: str) -> Row | None:
    row = _standing(connection, [device]).get(device)
    if row is None:
        return None
    owners, keys, _ = [_told(connection, table, [device]) for table in _STANDING]
    vetoes = _told(connection, device_vetoes, [device])
    doubts = _told(connection, device_doubts, [device])
    proposals = _told(connection, device_proposals, [device])
    offers = [offer for offer in _told(connection, device_offers, [device])[-1:] if offer["to"] != ZERO_ADDRESS]
    gained = [key for key in keys if key["counts"]]
    passed = [owner for owner in owners if owner["owner"] != ZERO_ADDRESS]
    acts = [*gained[1:], *passed[1:], *vetoes]  # each took a nonce, and undid what stood proposed
    since = [doubt["since_block"] for doubt in doubts if _place(doubt) > _place(gained[-1])]
    is_over = row["status"] == DeviceStatus.REVOKED
    return row | {
        "nonce": len(acts),
        "key_version": len(gained),
        "compromised_since": min(since, default=None),
        "proposal": None if is_over else _left(proposals, max(map(_place, acts), default=_NOWHERE)),
        "offer": None if is_over else _left(offers, _place(passed[-1])),
    }


def _standing(connection: Connection, names: Sequence[str]) -> dict[str, Row]:
    """As in `DeviceReads.devices`, of one chunk."""
    enrolled = {row["device"]: row for row in _told(connection, devices, names)}
    owners, keys, statuses = [_told(connection, table, names) for table in _STANDING]
    newest = enrolled | {row["device"]: row for row in sorted((*owners, *keys, *statuses), key=_place)}
    status = {row["device"]: row for row in statuses}
    since = _times(connection, {(status.get(name) or row)["block_number"] for name, row in enrolled.items()})
    owner = {row["device"]: row for row in owners if row["owner"] != ZERO_ADDRESS}
    key = {row["device"]: row for row in keys if row["counts"]}
    found: dict[str, Row] = {}
    for name, row in enrolled.items():
        standing = status.get(name) or row | {"status": DeviceStatus.ACTIVE}
        found[name] = row | _said(owner.get(name, {})) | _said(key.get(name, {}))
        found[name] |= {"status": standing["status"], "status_since": since.get(standing["block_number"], 0)}
        found[name] |= {column: newest[name][column] for column in ("block_number", "log_index", "tx_hash")}
    return found


def _told(connection: Connection, table: Table, names: Sequence[str]) -> list[Row]:
    """Rows about these devices, oldest first."""
    query = select(table).where(table.c.device.in_(names)).order_by(table.c.block_number, table.c.log_index)
    return [dict(row) for row in connection.execute(query).mappings()]


def _times(connection: Connection, numbers: Collection[int]) -> dict[int, int]:
    query = select(blocks.c.number, blocks.c.timestamp).where(blocks.c.number.in_(numbers))
    return {row.number: row.timestamp for row in connection.execute(query)}


def _place(row: Row) -> tuple[int, int]:
    return row["block_number"], row["log_index"]


def _said(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in _PLACE}


def _left(rows: Sequence[Row], since: tuple[int, int]) -> Row | None:
    """The last of them, if nothing that came later undid it."""
    return rows[-1] if rows and _place(rows[-1]) > since else None
