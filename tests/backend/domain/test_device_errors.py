"""Refusals of a device's acts carry the names, arguments and selectors of the registry's errors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gridweave.domain import device_errors
from gridweave.domain.errors import CallRefusal

ROOT = Path(__file__).resolve().parents[3]
KINDS: list[type[CallRefusal]] = [getattr(device_errors, name) for name in device_errors.__all__]
ALSO_OF_READINGS = {"UnknownDevice", "DeviceSuspended", "DeviceRevoked", "DeviceSignatureInvalid"}


def declared(*interfaces: str) -> dict[str, tuple[str, ...]]:
    sources = "".join((ROOT / "contracts" / "interfaces" / f"{name}.sol").read_text() for name in interfaces)
    found = re.findall(r"^    error (\w+)\(([^)]*)\);", sources, re.MULTILINE)
    plain = {name: parameters.replace("Status ", "uint8 ") for name, parameters in found}
    return {name: tuple(part.strip() for part in said.split(",") if part) for name, said in plain.items()}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_error__of_a_device_s_act__is_declared_there_alike(kind: type[CallRefusal]) -> None:
    assert declared("IDeviceRegistry", "ISignedActs")[kind.__name__] == kind.parameters


def test_errors__of_the_registry__all_stand_here() -> None:
    assert set(declared("IDeviceRegistry")) - ALSO_OF_READINGS <= {kind.__name__ for kind in KINDS}
