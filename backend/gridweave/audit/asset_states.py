"""States of assets replayed: what their devices reported, and what of that the DERRegistry had to refuse."""

from __future__ import annotations

from collections.abc import Sequence

from gridweave.audit.calls import ReportingStates, SignedReport
from gridweave.audit.differences import Kind, Subject
from gridweave.audit.findings import Findings
from gridweave.audit.identity import Identities, Registration
from gridweave.audit.matching import Expected
from gridweave.audit.proofs import Proofs
from gridweave.audit.report import Checked
from gridweave.chain import events as chain
from gridweave.chain.events import Event
from gridweave.domain.acts import AssetState, AssetStateReport, DeviceStatus
from gridweave.domain.asset_states import AssetStatus, reported
from gridweave.domain.devices import Device
from gridweave.domain.errors import DeviceRevoked, DeviceSignatureInvalid, DeviceSuspended, DomainError
from gridweave.domain.slots import SlotClock

__all__ = ["AssetStates"]

Told = chain.AssetStateChanged | chain.AssetStateRefused

_BARE, _BROUGHT = 64, 128
"""Bytes of a signature alone, and with the public key behind it."""


class AssetStates:
    """Keeps the states of the assets that `identities` lists."""

    def __init__(
        self, identities: Identities, registry: str, clock: SlotClock, proofs: Proofs, findings: Findings
    ) -> None:
        self._identities = identities
        self._registry = registry
        self._clock, self._proofs, self._findings = clock, proofs, findings

    def report(self, call: ReportingStates, now: int, said: Sequence[Event]) -> list[Expected]:
        """The events that a call must leave, `said` being those that it left. Alone, raises what refuses a report."""
        expected: list[Expected] = []
        for item, told in zip(call.items, _each(call, said), strict=True):
            try:
                expected.append(self._take(item, now, told))
            except DomainError as refusal:
                if not call.in_batch:
                    raise
                values = _values(item.report) | {"reason": refusal.selector()}
                expected.append(Expected(chain.AssetStateRefused, self._registry, values))
        return expected

    def _take(self, item: SignedReport, now: int, told: Told | None) -> Expected:
        report = item.report
        asset = self._identities.assets.get(report.asset)
        meter = asset and self._identities.meters.get(asset[0])
        status = AssetStatus(asset[0], asset[6], AssetState(asset[2]), asset[7]) if asset else None
        after = reported(status, report, (meter.meter, meter.binding) if meter else None, now, self._clock)
        if asset and meter:
            self._check_device(item, meter, told)
            self._identities.assets[report.asset] = (*asset[:2], int(after.state), *asset[3:7], after.since)
        return Expected(chain.AssetStateChanged, self._registry, _values(report))

    def _check_device(self, item: SignedReport, meter: Registration, told: Told | None) -> None:
        name = meter.device
        device = self._identities.devices.device(name)
        if device is None:
            raise DeviceSignatureInvalid(name)
        if device.status is DeviceStatus.SUSPENDED:
            raise DeviceSuspended(name)
        if device.status is DeviceStatus.REVOKED:
            raise DeviceRevoked(name)
        if item.signature is None or not self._findings.reviewing:
            self._findings.count(Checked.BY_CONTRACT_ONLY, item.signature is None)
            if isinstance(told, chain.AssetStateRefused):
                raise DeviceSignatureInvalid(name)
            return
        if len(item.signature) == _BARE and device.judging_key is None and isinstance(told, chain.AssetStateChanged):
            self._identities.devices.keep_unseen(name)
        if self._is_authentic(item, self._identities.devices.book.devices[name]):
            return
        if not isinstance(told, chain.AssetStateChanged):
            raise DeviceSignatureInvalid(name)
        subject = Subject(asset=item.report.asset, device=name)
        self._findings.differ(Kind.STATE_SIGNATURE, subject, "the device's current key", "another key")

    def _is_authentic(self, item: SignedReport, device: Device) -> bool:
        """As IDeviceRegistry.isAuthentic says of an active device."""
        signature = item.signature or b""
        if len(signature) == _BROUGHT:
            key = device.key if signature[_BARE:] == device.key.x + device.key.y else None
        else:
            key = device.judging_key if len(signature) == _BARE else None
        self._findings.count(Checked.DEVICE_ACTS)
        return key is not None and self._proofs.is_state_of(item.report, signature[:_BARE], key)


def _values(report: AssetStateReport) -> dict[str, int | bytes]:
    return {"asset": report.asset, "state": report.state, "since": report.since}


def _each(call: ReportingStates, said: Sequence[Event]) -> Sequence[Told | None]:
    """What was said of each report of a call, which leaves an event each, in their order."""
    told = [event for event in said if isinstance(event, chain.AssetStateChanged | chain.AssetStateRefused)]
    return told if len(told) == len(call.items) else [None] * len(call.items)
