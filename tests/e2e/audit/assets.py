"""What devices say of the assets behind their meters: alone, in a batch with forged and stale ones, through another
contract."""

from __future__ import annotations

from gridweave.domain.acts import AssetKind, AssetRegistration, AssetState, AssetStateReport
from gridweave.domain.eip712 import digest

from .street import FAR, Home, Street

__all__ = ["report_states"]

Signed = tuple[AssetStateReport, bytes]


async def report_states(street: Street) -> None:
    """The first home's roof (asset 1), and a battery of the second's (asset 2)."""
    one, two, *_ = street.homes
    meters, authority = street.contracts.meters, street.contracts.authority
    battery = AssetRegistration(two.meter, AssetKind.BATTERY, 5_000, 10_000, 1, street.nonce(), FAR)
    act = street.act("DERRegistry", battery, street.operator.secret, street.operator.address)
    await street.send(meters.register_asset(battery, act))
    start = street.time

    await street.send(meters.report_state(*said(street, one, 1, AssetState.COMMISSIONED, start - 9)))
    brought, signature = said(street, two, 2, AssetState.COMMISSIONED, start)
    await street.send(meters.report_states([(brought, signature + b"".join(two.key.point))]), at=start + 60)
    online = said(street, one, 1, AssetState.ONLINE, start + 20)
    await street.send(
        meters.report_states(
            [
                online,
                online,
                said(street, one, 2, AssetState.ONLINE, start + 20),
                said(street, two, 2, AssetState.ONLINE, start + 20),
                said(street, two, 2, AssetState.COMMISSIONED, start + 30),
                said(street, two, 2, AssetState.FAULT, FAR),
                said(street, two, 9, AssetState.ONLINE, start),
                (online[0], b""),
            ]
        )
    )
    wrapped = meters.report_state(*said(street, one, 1, AssetState.MAINTENANCE, start + 30))
    await street.send(authority.call("execute", meters.address, wrapped.data), street.admin)
    await street.send(meters.report_state(*said(street, one, 1, AssetState.ONLINE, start + 40)))


def said(street: Street, home: Home, asset: int, state: AssetState, since: int) -> Signed:
    """A report as the home's device signs it."""
    report = AssetStateReport(asset, state, since, FAR)
    return report, home.key.sign(digest(street.domain("DERRegistry"), report))
