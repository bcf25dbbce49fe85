"""Meters and energy assets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from gridweave.chain.contracts.acts import NO_ACT, Act
from gridweave.chain.contracts.base import Contract
from gridweave.chain.types import Call
from gridweave.domain.acts import (
    AssetKind,
    AssetRegistration,
    AssetState,
    AssetStateReport,
    MeterEnd,
    MeterMove,
    MeterRegistration,
)
from gridweave.domain.meters import Meter, MeterBinding

__all__ = ["Asset", "DERRegistry"]


@dataclass(frozen=True)
class Asset:
    """What stands behind a meter: W and Wh; times are chain time, `state_since` 0 before the first report."""

    meter: int
    kind: AssetKind
    state: AssetState
    nameplate_w: int
    storage_wh: int
    feeder: int
    registered_at: int
    state_since: int


class DERRegistry(Contract):
    """A meter belongs to one market and one account for all its life."""

    NAME: ClassVar[str] = "DERRegistry"

    async def meters_of(self, ids: Sequence[int], block: int | None = None) -> list[Meter | None]:
        """Registrations by id, None where there is no such meter."""
        return [_meter(word) for word in await self._result("metersOf", list(ids), block=block)]

    async def metering_of(
        self, ids: Sequence[int], block: int | None = None
    ) -> list[tuple[Meter, MeterBinding] | None]:
        """The same with each meter's device."""
        meters, bindings = await self._results("meteringOf", list(ids), block=block)
        return [
            (Meter.unpack(meter.to_bytes(32)), MeterBinding.unpack(binding.to_bytes(32))) if meter else None
            for meter, binding in zip(meters, bindings, strict=True)
        ]

    async def meter_of_device(self, device: str, block: int | None = None) -> int | None:
        """The id of the device's newest meter, which may not have begun; None if it has none."""
        return int(await self._result("meterOfDevice", device, block=block)) or None

    async def asset_of(self, asset: int, block: int | None = None) -> Asset | None:
        meter, kind, state, *rest = await self._result("assetOf", asset, block=block)
        return Asset(meter, AssetKind(kind), AssetState(state), *rest) if kind else None

    async def meter_count(self, block: int | None = None) -> int:
        return int(await self._result("meterCount", block=block))

    async def asset_count(self, block: int | None = None) -> int:
        return int(await self._result("assetCount", block=block))

    async def slot_length(self, block: int | None = None) -> int:
        """Seconds per slot."""
        return int(await self._result("slotLength", block=block))

    async def is_nonce_used(self, signer: str, nonce: int, block: int | None = None) -> bool:
        return bool(await self._result("isNonceUsed", signer, nonce, block=block))

    def register_meter(self, registration: MeterRegistration, operator: Act, mandate: Act = NO_ACT) -> Call:
        """`operator` signs `registration`, the account its Mandate if that is `mandated`. Anyone may send it."""
        return self.call("registerMeter", _fields(registration), operator.abi(), mandate.abi())

    def move_meter(self, move: MeterMove, operator: Act, mandate: Act = NO_ACT) -> Call:
        """`operator` signs `move`, the new account its Mandate if that is `mandated`. Anyone may send it."""
        return self.call("moveMeter", _fields(move), move.from_slot, operator.abi(), mandate.abi())

    def end_meter(self, end: MeterEnd, operator: Act) -> Call:
        """`operator` signs `end`. Anyone may send it."""
        return self.call("endMeter", end.meter, end.until_slot, operator.abi())

    def register_asset(self, registration: AssetRegistration, operator: Act) -> Call:
        """`operator` signs `registration`. Anyone may send it."""
        figures = (registration.nameplate_w, registration.storage_wh, registration.feeder)
        return self.call("registerAsset", (registration.meter, registration.kind, *figures), operator.abi())

    def report_state(self, report: AssetStateReport, signature: bytes) -> Call:
        """`signature` is that of the asset's device: 64 bytes, or 128 with its P-256 key behind. Anyone may send it."""
        return self.call("reportState", _report(report, signature))

    def report_states(self, reports: Iterable[tuple[AssetStateReport, bytes]]) -> Call:
        """Many of them at once: what is refused leaves an AssetStateRefused."""
        return self.call("reportStates", [_report(report, signature) for report, signature in reports])


def _fields(registration: MeterRegistration | MeterMove) -> tuple[str | int | bool, ...]:
    return (
        registration.device,
        registration.market,
        registration.account,
        registration.import_capacity_w,
        registration.export_capacity_w,
        registration.scale_wh,
        registration.mandated,
    )


def _report(report: AssetStateReport, signature: bytes) -> tuple[int, int, int, int, bytes]:
    return report.asset, report.state, report.since, report.deadline, signature


def _meter(word: int) -> Meter | None:
    return Meter.unpack(word.to_bytes(32)) if word else None
