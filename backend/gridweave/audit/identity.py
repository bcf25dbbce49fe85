"""Devices, their makers, keys and standing, and the meters and assets that they speak for."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from gridweave.audit.acts import Acts
from gridweave.audit.calls import EndingMeter, Enrolling, MovingMeter, RegisteringAsset, RegisteringMeter, SettingStatus
from gridweave.audit.differences import Kind, Subject
from gridweave.audit.findings import Findings
from gridweave.audit.matching import Expected
from gridweave.audit.proofs import Proofs
from gridweave.audit.report import Checked
from gridweave.chain import events as chain
from gridweave.domain.acts import DeviceStatus, KeyKind
from gridweave.domain.errors import DeviceNotMetered, DeviceRevoked, DeviceSuspended, UnknownDevice
from gridweave.domain.meters import Meter, MeterBinding
from gridweave.domain.outcomes import Reason
from gridweave.domain.registry import MeterBook
from gridweave.domain.signatures import device_id

__all__ = ["Device", "Identities", "Registration"]

_REASONS: dict[DeviceStatus, Reason] = {
    DeviceStatus.UNKNOWN: UnknownDevice,
    DeviceStatus.SUSPENDED: DeviceSuspended,
    DeviceStatus.REVOKED: DeviceRevoked,
}
_ALLOWED = {
    DeviceStatus.ACTIVE: (DeviceStatus.SUSPENDED, DeviceStatus.REVOKED),
    DeviceStatus.SUSPENDED: (DeviceStatus.ACTIVE, DeviceStatus.REVOKED),
}


@dataclass
class Device:
    """A device as the registry must hold it. `standings` are (since, status), oldest first; the last is in force."""

    owner: str
    maker: str
    key_kind: KeyKind
    x: bytes
    y: bytes
    key_version: int = 1
    standings: list[tuple[int, DeviceStatus]] = field(default_factory=list)

    @property
    def status(self) -> DeviceStatus:
        return self.standings[-1][1]

    def status_at(self, time: int) -> DeviceStatus:
        """The standing in which the device was at that time; changes at the same second count."""
        at = bisect_right(self.standings, time, key=lambda standing: standing[0])
        return self.standings[at - 1][1] if at else DeviceStatus.UNKNOWN


@dataclass(frozen=True)
class Registration:
    """A meter: its two words."""

    meter: Meter
    binding: MeterBinding

    @property
    def device(self) -> str:
        return self.binding.device


class Identities:
    """Replays DeviceRegistry and DERRegistry; each handler returns the events that its call must leave.

    `book` is the market's own list of meters, kept here.
    """

    def __init__(
        self, registry: str, meters: str, book: MeterBook, proofs: Proofs, acts: Acts, findings: Findings
    ) -> None:
        self._book = book
        self.devices: dict[str, Device] = {}
        self.meters: dict[int, Registration] = {}
        self.assets: dict[int, tuple[int, ...]] = {}
        self._registry, self._ders = registry, meters
        self._proofs, self._acts, self._findings = proofs, acts, findings

    # devices

    def enrol(self, call: Enrolling, now: int) -> list[Expected]:
        """A device with its maker's endorsement and its own proof of possession."""
        subject = Subject(device=call.device)
        expected_id = device_id(call.x, call.y)
        check = self._findings.check
        check(
            call.device == expected_id, Kind.DEVICE, subject, expected_id, call.device, "a device is named by its key"
        )
        check(call.device not in self.devices, Kind.DEVICE, subject, "a new device", "one enrolled before")
        endorsed = call.maker.signature is not None and self._proofs.is_endorsed(call)
        self._acts.check(call.maker, "DeviceRegistry", now, Kind.MAKER_SIGNATURE, subject, endorsed, "enrol")
        self._check_possession(call, subject)
        self._findings.count(Checked.DEVICES)
        standings = [(now, DeviceStatus.ACTIVE)]
        self.devices[call.device] = Device(call.owner, call.maker.signer, call.key_kind, call.x, call.y, 1, standings)
        names = {"device": call.device, "maker": call.maker.signer, "owner": call.owner}
        key = {"device": call.device, "key_version": 1, "key_kind": int(call.key_kind), "x": call.x, "y": call.y}
        return [
            Expected(chain.DeviceEnrolled, self._registry, names),
            Expected(chain.DeviceKeyChanged, self._registry, key),
        ]

    def _check_possession(self, call: Enrolling, subject: Subject) -> None:
        if call.maker.signature is None:
            self._findings.count(Checked.BY_CONTRACT_ONLY)
            return
        self._findings.count(Checked.ENDORSEMENTS)
        self._findings.count(Checked.POSSESSIONS)
        possessed = self._proofs.is_possessed(call)
        self._findings.check(possessed, Kind.DEVICE_SIGNATURE, subject, "the device's own key", "another key")

    def set_status(self, call: SettingStatus, now: int) -> list[Expected]:
        """A change of standing by the owner or an operator."""
        subject = Subject(device=call.device)
        device = self.devices.get(call.device)
        said = {"device": call.device, "status": int(call.status), "by": call.act.signer}
        expected = [Expected(chain.DeviceStatusChanged, self._registry, said)]
        if device is None:
            self._findings.differ(Kind.DEVICE, subject, "an enrolled device", "none")
            return expected
        allowed = call.status in _ALLOWED.get(device.status, ())
        self._findings.check(
            allowed, Kind.DEVICE, subject, f"a change that {device.status.name} allows", call.status.name
        )
        owner_may = call.act.signer == device.owner and call.status != DeviceStatus.ACTIVE
        kind = Kind.OWNER_SIGNATURE if owner_may else Kind.OPERATOR_SIGNATURE
        signed = call.act.signature is not None and self._proofs.is_status_signed(call)
        self._acts.check(call.act, "DeviceRegistry", now, kind, subject, signed, None if owner_may else "setStatus")
        device.standings.append((now, call.status))
        return expected

    def fault_of(self, device_of_meter: str, as_of: int) -> Reason | None:
        """Why the registry would not take this device's word about that time; None: it would."""
        device = self.devices.get(device_of_meter)
        status = device.status_at(as_of) if device else DeviceStatus.UNKNOWN
        return _REASONS.get(status)

    # meters and assets

    def register_meter(self, call: RegisteringMeter, now: int) -> list[Expected]:
        """A meter, with its account's mandate if that signed one. Raises DeviceAlreadyMetered."""
        signed = call.operator.signature is not None and self._proofs.is_registration_signed(call)
        self._book.require_free(call.device, now)
        return self._register(call, 0, now, signed, "registerMeter")

    def move_meter(self, call: MovingMeter, now: int) -> list[Expected]:
        """A device's next meter. Raises DeviceNotMetered, WithinHorizon, MeterEnds, MeterNotBegun."""
        to = call.registration
        signed = to.operator.signature is not None and self._proofs.is_move_signed(call)
        present = self._book.of_device(to.device)
        if present is None:
            raise DeviceNotMetered(to.device)
        ended = self._end(present, call.from_slot, now)
        begun = self._register(to, call.from_slot, now, signed, "moveMeter")
        said = {"device": to.device, "ended": present, "begun": len(self.meters), "from_slot": call.from_slot}
        return [*ended, *begun, Expected(chain.MeterMoved, self._ders, said)]

    def end_meter(self, call: EndingMeter, now: int) -> list[Expected]:
        """The end of a meter. Raises UnknownMeter, WithinHorizon, MeterEnds, MeterNotBegun."""
        signed = call.operator.signature is not None and self._proofs.is_end_signed(call)
        kind, subject = Kind.OPERATOR_SIGNATURE, Subject(meter=call.meter)
        self._acts.check(call.operator, "DERRegistry", now, kind, subject, signed, "endMeter")
        return self._end(call.meter, call.until_slot, now)

    def _end(self, meter: int, until_slot: int, now: int) -> list[Expected]:
        self._book.end(meter, until_slot, now)
        record = self._book.get(meter)
        if record is not None:
            self.meters[meter] = Registration(*record)
        self._findings.count(Checked.METER_ENDS)
        return [Expected(chain.MeterEnded, self._ders, {"meter": meter, "until_slot": until_slot})]

    def _register(
        self, call: RegisteringMeter, from_slot: int, now: int, signed: bool, function: str
    ) -> list[Expected]:
        number = len(self.meters) + 1
        subject = Subject(meter=number, account=call.account, device=call.device)
        self._check_registration(call, subject, now, signed, function)
        if self.fault_of(call.device, now) is not None:
            self._findings.differ(Kind.METER, subject, "an active device", "none")
        word = Meter(
            call.account,
            call.market,
            call.import_capacity_w,
            call.export_capacity_w,
            call.scale_wh,
            call.mandated,
            from_slot != 0,
        )
        return self._add_meter(number, Registration(word, MeterBinding(call.device, from_slot, 0, now)))

    def _check_registration(
        self, call: RegisteringMeter, subject: Subject, now: int, signed: bool, function: str
    ) -> None:
        self._acts.check(call.operator, "DERRegistry", now, Kind.OPERATOR_SIGNATURE, subject, signed, function)
        if not call.mandated:
            left_out = call.mandate.signature == b""
            self._findings.check(left_out, Kind.METER, subject, "no mandate, as the operator signed", "a mandate")
        else:
            mandated = call.mandate.signature is not None and self._proofs.is_mandated(call)
            self._acts.check(call.mandate, "DERRegistry", now, Kind.ACCOUNT_SIGNATURE, subject, mandated)

    def _add_meter(self, number: int, registration: Registration) -> list[Expected]:
        self.meters[number] = registration
        self._book.register(number, registration.meter, registration.binding)
        self._findings.count(Checked.METERS)
        word = registration.meter
        said = {
            "meter": number,
            "device": registration.device,
            "account": word.account,
            "market": word.market,
            "terms": int.from_bytes(word.pack(), "big"),
        }
        return [Expected(chain.MeterRegistered, self._ders, said)]

    def register_asset(self, call: RegisteringAsset, now: int) -> list[Expected]:
        """An asset behind a meter."""
        number = len(self.assets) + 1
        subject = Subject(asset=number, meter=call.meter)
        self._findings.check(call.meter in self.meters, Kind.ASSET, subject, "a registered meter", "none")
        signed = call.operator.signature is not None and self._proofs.is_asset_signed(call)
        kind = Kind.OPERATOR_SIGNATURE
        self._acts.check(call.operator, "DERRegistry", now, kind, subject, signed, "registerAsset")
        figures = (call.nameplate_w, call.storage_wh, call.feeder)
        self.assets[number] = (call.meter, int(call.kind), 0, *figures, now, 0)
        self._findings.count(Checked.ASSETS)
        said = {
            "asset": number,
            "meter": call.meter,
            "feeder": call.feeder,
            "kind": int(call.kind),
            "nameplate_w": call.nameplate_w,
            "storage_wh": call.storage_wh,
        }
        return [Expected(chain.AssetRegistered, self._ders, said)]
