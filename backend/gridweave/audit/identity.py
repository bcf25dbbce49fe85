"""Meters and assets, and the devices that speak for them."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.audit.acts import Acts
from gridweave.audit.calls import EndingMeter, MovingMeter, RegisteringAsset, RegisteringMeter
from gridweave.audit.devices import Devices
from gridweave.audit.differences import Kind, Subject
from gridweave.audit.findings import Findings
from gridweave.audit.matching import Expected
from gridweave.audit.proofs import Proofs
from gridweave.audit.report import Checked
from gridweave.chain import events as chain
from gridweave.domain.errors import DeviceNotMetered
from gridweave.domain.meters import Meter, MeterBinding
from gridweave.domain.registry import MeterBook

__all__ = ["Identities", "Registration"]


@dataclass(frozen=True)
class Registration:
    """A meter: its two words."""

    meter: Meter
    binding: MeterBinding

    @property
    def device(self) -> str:
        return self.binding.device


class Identities:
    """Replays the DERRegistry; each handler returns the events that its call must leave.

    `devices` are the DeviceRegistry's, `book` is the market's own list of meters, kept here.
    """

    def __init__(
        self, devices: Devices, meters: str, book: MeterBook, proofs: Proofs, acts: Acts, findings: Findings
    ) -> None:
        self._book = book
        self.devices = devices
        self.meters: dict[int, Registration] = {}
        self.assets: dict[int, tuple[int, ...]] = {}
        self._ders = meters
        self._proofs, self._acts, self._findings = proofs, acts, findings

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
        if self.devices.fault_of(call.device, now) is not None:
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
