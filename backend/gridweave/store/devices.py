"""Devices: whose they are, by which keys they speak, how they stand."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Table, select

from gridweave.domain.acts import DeviceStatus
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.store.index_tables import (
    blocks,
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
from gridweave.store.reading import Reader, Row

__all__ = ["DeviceReads"]

_CHUNK = 400
_PLACE = frozenset({"block_number", "log_index", "tx_hash", "device"})
_TOLD = (device_owners, device_keys, device_statuses)


class DeviceReads(Reader):
    """What the chain says of devices."""

    async def device(self, device: str) -> Row | None:
        """All of `devices`, and {nonce, key_version, compromised_since, proposal, offer} as they stand."""
        row = (await self.devices([device])).get(device)
        if row is None:
            return None
        told = {table.name: await self._told(table, [device]) for table in (*_TOLD, *_ACTS)}
        keys, owners = told["device_keys"], told["device_owners"]
        gained = [key for key in keys if key["counts"]]
        passed = [owner for owner in owners if owner["owner"] != ZERO_ADDRESS]
        acts = [*gained[1:], *passed[1:], *told["device_vetoes"]]
        last_act = max(map(_place, acts), default=_place(row | {"log_index": -1}))
        last_key = _place(gained[-1])
        doubts = [doubt["since_block"] for doubt in told["device_doubts"] if _place(doubt) > last_key]
        return row | {
            "nonce": len(acts),
            "key_version": len(gained),
            "compromised_since": min(doubts, default=None),
            "proposal": _standing(told["device_proposals"], last_act),
            "offer": _standing(
                [offer for offer in told["device_offers"][-1:] if offer["to"] != ZERO_ADDRESS], _place(passed[-1])
            ),
        }

    async def devices(self, names: Sequence[str]) -> dict[str, Row]:
        """{device, maker, model, batch, owner, status, status_since, key_kind, x, y} by device; the unknown left out.

        `block_number` and `tx_hash` are those of the newest of what was told; a revoked device keeps its last owner.
        """
        found: dict[str, Row] = {}
        for start in range(0, len(names), _CHUNK):
            chunk = names[start : start + _CHUNK]
            enrolled = {row["device"]: row for row in await self._told(devices, chunk)}
            owners, keys, statuses = [await self._told(table, chunk) for table in _TOLD]
            newest = dict(enrolled)
            for row in sorted((*owners, *keys, *statuses), key=_place):
                newest[row["device"]] = row
            status = {row["device"]: row for row in statuses}
            since = await self._times({(status.get(name) or row)["block_number"] for name, row in enrolled.items()})
            owner = {row["device"]: row for row in owners if row["owner"] != ZERO_ADDRESS}
            key = {row["device"]: row for row in keys if row["counts"]}
            for name, row in enrolled.items():
                standing = status.get(name) or row | {"status": DeviceStatus.ACTIVE}
                found[name] = row | _said(owner.get(name, {})) | _said(key.get(name, {}))
                found[name] |= {"status": standing["status"], "status_since": since.get(standing["block_number"], 0)}
                found[name] |= {name: newest[row["device"]][name] for name in ("block_number", "tx_hash")}
        return found

    async def statuses(self, names: Sequence[str]) -> dict[str, DeviceStatus]:
        """The newest status of each of these devices, enrolled ones as active."""
        found = dict.fromkeys(names, DeviceStatus.ACTIVE)
        for start in range(0, len(names), _CHUNK):
            for row in await self._told(device_statuses, names[start : start + _CHUNK]):
                found[row["device"]] = DeviceStatus(row["status"])
        return found

    async def told(self, device: str) -> dict[str, list[Row]]:
        """Everything that changed a device's document, oldest first, each with its block's `timestamp`.

        By table: device_owners, device_keys, device_statuses, device_doubts.
        """
        found = {table.name: await self._told(table, [device]) for table in (*_TOLD, device_doubts)}
        times = await self._times({row["block_number"] for rows in found.values() for row in rows})
        for rows in found.values():
            for row in rows:
                row["timestamp"] = times.get(row["block_number"], 0)
        return found

    async def batch(self, root: str) -> Row | None:
        """{root, maker, model, size, is_closed, claimed}: how many of it have claimed themselves."""
        row = await self._latest(device_batches, root=root)
        if row is None:
            return None
        closed = await self._latest(device_batch_closings, root=root)
        claimed = await self._rows(select(devices.c.device).where(devices.c.batch == root))
        return row | {"is_closed": closed is not None, "claimed": len(claimed)}

    async def _told(self, table: Table, names: Sequence[str]) -> list[Row]:
        """Rows about these devices, oldest first."""
        order = (table.c.block_number, table.c.log_index)
        return await self._rows(select(table).where(table.c.device.in_(names)).order_by(*order))

    async def _times(self, numbers: Collection[int]) -> dict[int, int]:
        rows = await self._rows(select(blocks.c.number, blocks.c.timestamp).where(blocks.c.number.in_(numbers)))
        return {row["number"]: row["timestamp"] for row in rows}


_ACTS = (device_doubts, device_proposals, device_vetoes, device_offers)


def _place(row: Row) -> tuple[int, int]:
    return row["block_number"], row["log_index"]


def _said(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in _PLACE}


def _standing(rows: Sequence[Row], since: tuple[int, int]) -> Row | None:
    """The last of them, if nothing that came later undid it."""
    return rows[-1] if rows and _place(rows[-1]) > since else None
