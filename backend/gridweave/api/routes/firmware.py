"""Firmware: models, releases and their rollouts, what devices run and should run, and what they check offline."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from gridweave.api.answers import page, place_of
from gridweave.api.depends import AddressPath, CursorQuery, InWorld, LimitQuery
from gridweave.api.fields import Address, Id
from gridweave.api.shapes.errors import FINDS, PROVES, READS
from gridweave.api.shapes.firmware import (
    BundleOut,
    DeviceFirmwareOut,
    EligibilityOut,
    InstallsOut,
    KeySetsOut,
    ModelOut,
    ModelsOut,
    ReceiptsOut,
    RefusedReceiptsOut,
    ReleaseOut,
    ReleasesOut,
)
from gridweave.chain.hexes import to_hex
from gridweave.domain.acts import DeviceStatus
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.proposals import act_json
from gridweave.domain.firmware.rollout import RolloutState
from gridweave.services import firmware
from gridweave.services.firmware import Eligibility
from gridweave.services.firmware_evidence import evidence
from gridweave.services.firmware_rows import key_set_of, release_of
from gridweave.store.reading import Row

__all__ = ["CounterPath", "ModelPath", "router"]

router = APIRouter(tags=["firmware"])

_MOST_RELEASES = 100
"""Each comes with its tally."""

ModelPath = Annotated[Id, Path()]
CounterPath = Annotated[Id, Path()]


@router.get("/firmware/models", response_model=ModelsOut, responses=READS)
async def get_models(
    world: InWorld, maker: Address | None = None, cursor: CursorQuery = None, limit: LimitQuery = 1_000
) -> dict[str, Any]:
    """Models that were opened, or those of a maker."""
    return page(world, await world.reads.firmware.models(maker, cursor, limit), _model)


@router.get("/firmware/models/{model}", response_model=ModelOut, responses=FINDS)
async def get_model(world: InWorld, model: ModelPath) -> dict[str, Any]:
    """A model, its keys, and how many devices run what."""
    found = await firmware.view(world, model)
    running = [{"counter": counter, "devices": count} for counter, count in found.running.items()]
    return _model(found.row) | place_of(world, found.row) | {"enrolled": found.enrolled, "running": running}


@router.get("/firmware/models/{model}/keys", response_model=KeySetsOut, responses=FINDS)
async def get_key_sets(world: InWorld, model: ModelPath) -> dict[str, Any]:
    """Every set of release keys that a model had, oldest first."""
    await firmware.model(world, model)
    sets = await world.reads.firmware.key_sets(model)
    return {"items": [_keys(key_set_of(row)) | place_of(world, row) for row in sets]}


@router.get("/firmware/models/{model}/devices", response_model=InstallsOut, responses=FINDS)
async def get_devices(
    world: InWorld,
    model: ModelPath,
    running: Annotated[Id | None, Query(description="the counter that they run")] = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = 1_000,
) -> dict[str, Any]:
    """Devices of a model that told what they run."""
    found = await firmware.devices_running(world, model, running, cursor, limit)
    return page(world, found, lambda row: {"device": row["device"], "running": row["counter"]})


@router.get("/firmware/models/{model}/releases", response_model=ReleasesOut, responses=FINDS)
async def get_releases(
    world: InWorld,
    model: ModelPath,
    cursor: CursorQuery = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_RELEASES)] = _MOST_RELEASES,
) -> dict[str, Any]:
    """Releases of a model, oldest first, and how far each has come."""
    await firmware.model(world, model)
    return page(world, await world.reads.firmware.releases(model, cursor, limit), _release)


@router.get("/firmware/models/{model}/releases/{counter}", response_model=ReleaseOut, responses=FINDS)
async def get_release(world: InWorld, model: ModelPath, counter: CounterPath) -> dict[str, Any]:
    """A release with its whole history."""
    world = world.still()
    row = await firmware.release(world, model, counter)
    codes = await world.reads.firmware.codes(model, counter)
    more = {
        "steps": [_step(step) | place_of(world, step) for step in row["steps"]],
        "revocations": [{"sinceBlock": each["since_block"]} | place_of(world, each) for each in row["revocations"]],
        "codes": [{"code": code, "devices": count} for code, count in codes.items()],
    }
    return _release(row) | place_of(world, row) | more


@router.get("/firmware/models/{model}/releases/{counter}/receipts", response_model=ReceiptsOut, responses=FINDS)
async def get_receipts(
    world: InWorld,
    model: ModelPath,
    counter: CounterPath,
    failed: bool | None = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = 1_000,
) -> dict[str, Any]:
    """Receipts of a release: all, those that failed, or those that run."""
    await firmware.release(world, model, counter)
    return page(world, await world.reads.firmware.installs(model, counter, failed, cursor, limit), _receipt)


@router.get("/firmware/models/{model}/releases/{counter}/refusals", response_model=RefusedReceiptsOut, responses=FINDS)
async def get_refusals(
    world: InWorld, model: ModelPath, counter: CounterPath, cursor: CursorQuery = None, limit: LimitQuery = 1_000
) -> dict[str, Any]:
    """Receipts that the contract refused among others, whoever sent them."""
    await firmware.release(world, model, counter)
    found = await world.reads.firmware.refused(model, counter, cursor, limit)
    return page(world, found, lambda row: {"device": row["device"], "reason": row["reason"]})


@router.get(
    "/firmware/models/{model}/releases/{counter}/devices/{device}", response_model=EligibilityOut, responses=FINDS
)
async def get_eligibility(
    world: InWorld, model: ModelPath, counter: CounterPath, device: AddressPath
) -> dict[str, Any]:
    """Whether a device is in a release's ramp, and may install it now."""
    return _eligible(device, await firmware.eligibility(world, model, counter, device))


@router.get("/firmware/models/{model}/releases/{counter}/bundle", response_model=BundleOut, responses=PROVES)
async def get_bundle(world: InWorld, model: ModelPath, counter: CounterPath) -> dict[str, Any]:
    """What a device needs to check a release offline, as of now: all but its maker's manifest and the witnesses."""
    proved = await evidence(world, model, counter)
    found = proved.evidence
    changes = [
        {"keys": _keys(each.keys), "deadline": each.deadline, "signatures": _signatures(each.signatures)}
        for each in found.changes
    ]
    return {
        "blockNumber": proved.block,
        "release": act_json(found.release),
        "approvals": _signatures(found.signatures),
        "keys": _keys(found.keys),
        "changes": changes,
        "header": to_hex(found.header),
        "account": [to_hex(node) for node in found.account],
        "slots": [[to_hex(node) for node in proof] for proof in found.slots],
    }


@router.get("/firmware/devices/{device}", response_model=DeviceFirmwareOut, responses=FINDS)
async def get_device_firmware(world: InWorld, device: AddressPath) -> dict[str, Any]:
    """What a device runs, what it should run, and which releases it may install."""
    found = await firmware.device_firmware(world, device)
    told = found.installation
    return {
        "device": device,
        "model": found.device["model"],
        "status": DeviceStatus(found.device["status"]).name.lower(),
        "told": told["told"],
        "failureCode": told["failure_code"],
        "running": told["running"],
        "runningSince": told["running_since"] or None,
        "isBelowFloor": told["running"] < found.floor,
        "shouldRun": found.should_run,
        "releases": [_eligible(device, choice) for choice in found.choices],
    }


def _model(row: Row) -> dict[str, Any]:
    shown = {name: row[name] for name in ("model", "maker", "latest", "full", "floor")}
    return shown | {"keys": _keys(key_set_of(row))}


def _keys(keys: KeySet) -> dict[str, Any]:
    return {"version": keys.version, "threshold": keys.threshold, "members": list(keys.members)}


def _release(row: Row) -> dict[str, Any]:
    standing = row["standing"]
    told, failures = standing["told"], standing["failures"]
    resumes_to = RolloutState(standing["resumes_to"])
    return {
        **act_json(release_of(row)),
        "commitment": row["commitment"],
        "state": _name(standing["state"]),
        "resumesTo": _name(resumes_to) if resumes_to else None,
        "shareBp": standing["share_bp"],
        "step": standing["step"],
        "told": told,
        "failures": failures,
        "failureBp": 10_000 * failures // told if told else None,
        "revokedSince": standing["revoked_since"] or None,
        "begunAt": standing["begun_at"] or None,
    }


def _step(row: Row) -> dict[str, Any]:
    by = row["by"]
    return {
        "state": _name(row["state"]),
        "step": row["step"],
        "shareBp": row["share_bp"],
        "by": None if by == ZERO_ADDRESS else by,
        "byFailures": by == ZERO_ADDRESS,
        "told": row["told"],
        "failures": row["failures"],
    }


def _receipt(row: Row) -> dict[str, Any]:
    shown = {name: row[name] for name in ("device", "model", "counter", "time")}
    return shown | {"failureCode": row["failure_code"]}


def _eligible(device: str, found: Eligibility) -> dict[str, Any]:
    standing = found.release["standing"]
    return {
        "device": device,
        "model": found.release["model"],
        "counter": found.release["counter"],
        "state": _name(standing["state"]),
        "shareBp": standing["share_bp"],
        "position": found.position,
        "isInRamp": found.is_in_ramp,
        "isAllowed": found.refusal is None,
        "refusal": found.refusal,
    }


def _signatures(pairs: Iterable[tuple[str, bytes]]) -> list[dict[str, str]]:
    return [{"signer": signer, "signature": to_hex(signature)} for signer, signature in pairs]


def _name(state: int) -> str:
    return RolloutState(state).name.lower()
