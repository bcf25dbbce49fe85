"""What devices say of the assets behind their meters. Checked with the key that the index knows; the contract judges
again.
"""

from __future__ import annotations

from gridweave.chain.hexes import to_hex
from gridweave.domain.acts import AssetState, AssetStateReport, KeyKind
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.eip712 import digest
from gridweave.outbox.kinds import Kind
from gridweave.services.acts import Plan, submit_act
from gridweave.services.device_rows import key_of
from gridweave.services.errors import NotFound, Refused
from gridweave.services.intake import Answer
from gridweave.services.world import World
from gridweave.store.reading import Row

__all__ = ["report_state"]

_REGISTRY = "DERRegistry"


async def report_state(world: World, report: AssetStateReport, signature: bytes) -> Answer:
    """An asset's device says in which state it is; `signature` is 64 bytes. Raises ServiceError."""
    meter = await _meter_of(world, report.asset)
    key = await _key_of(world, meter["device"])
    hash_ = digest(world.domain(_REGISTRY), report)
    if not key.verifies(hash_, signature):
        raise Refused("DeviceSignatureInvalid", {"device": meter["device"]})
    # A P-256 key may not be kept on chain, and bringing it costs less than reading it there.
    brought = signature + key.x + key.y if key.kind == KeyKind.P256 else signature
    said = {"asset": report.asset, "state": AssetState(report.state).name.lower(), "since": report.since}
    return await submit_act(
        world,
        Plan(
            kind=Kind.STATE,
            call=world.contracts.meters.report_state(report, brought),
            consents=(),
            lanes=(f"asset:{report.asset}",),
            depends_on=(f"device:{meter['device']}", f"meter:{meter['meter']}"),
            deadline=report.deadline,
            request=said | {"digest": to_hex(hash_)},
            meter=meter["meter"],
            account=meter["account"],
            id=hash_,
            nonce_key=f"{_REGISTRY}:asset:{report.asset}:{report.since}",
        ),
    )


async def _meter_of(world: World, asset: int) -> Row:
    row = await world.reads.assets.asset(asset)
    meter = row and await world.reads.meters.meter(row["meter"])
    if not meter:
        raise NotFound("UnknownAsset", "no such asset is registered", {"asset": asset})
    return meter


async def _key_of(world: World, device: str) -> DevicePublicKey:
    row = (await world.reads.devices.devices([device]))[device]
    return key_of(row)
