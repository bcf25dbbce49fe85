"""What the device of a meter says about the assets behind it."""

from __future__ import annotations

from gridweave.client.device_key import DeviceKey
from gridweave.client.service import GridweaveClient
from gridweave.client.wire import Item, Signed, hex_of
from gridweave.domain.acts import AssetState, AssetStateReport
from gridweave.domain.eip712 import digest

__all__ = ["AssetDevice"]


class AssetDevice:
    """The device of a meter, by its present key."""

    def __init__(self, client: GridweaveClient, key: DeviceKey) -> None:
        self.client = client
        self.key = key

    def report(self, asset: int, state: AssetState, since: int, deadline: int) -> Item:
        """Says that the asset is in that state since a second of chain time, later than all before.

        Raises ServiceError.
        """
        domain = self.client.deployment.domain("DERRegistry")
        said = AssetStateReport(asset, state, since, deadline)
        body = {
            "asset": asset,
            "state": state.name.lower(),
            "since": since,
            "deadline": deadline,
            "signature": hex_of(self.key.sign(domain, said)),
        }
        return self.client.post("/v1/asset-states", Signed(body, digest(domain, said)))
