"""A device's way into its broker: a service that is away is asked again, not the end of the device's program."""

from __future__ import annotations

import pytest

from gridweave.client import DeviceKey, GridweaveClient, OwnDevice
from gridweave.client.measuring import by_session
from gridweave.domain.acts import KeyKind
from gridweave.localnet import free_port


async def test_by_session__while_the_service_is_away__is_what_the_link_asks_again_for() -> None:
    with GridweaveClient(f"http://127.0.0.1:{free_port()}", attempts=1) as client:
        knock = by_session(OwnDevice(client, DeviceKey.create(KeyKind.P256)))
        with pytest.raises(OSError, match="does not answer"):
            await knock()
