"""What a stream's owner signs: to open it, to begin an epoch, to open windows of it to a party."""

from __future__ import annotations

from gridweave.client.nonces import fresh_nonce
from gridweave.client.service import GridweaveClient
from gridweave.client.telemetry.handover import Handover
from gridweave.client.wallet import Wallet
from gridweave.client.wire import Item, Json, Signed, SignedAct, hex_of
from gridweave.domain.anchors import StreamMode
from gridweave.domain.eip712 import digest
from gridweave.domain.hashing import keccak
from gridweave.domain.stream_acts import GrantAccess, NewEpoch, OpenStream
from gridweave.domain.telemetry.schema import Schema

__all__ = ["StreamAct", "StreamOwner", "epoch_act", "grant_act", "opening_act"]

_ANCHOR = "TelemetryAnchor"
StreamAct = OpenStream | NewEpoch | GrantAccess


def opening_act(device: str, schema: Schema, mode: StreamMode, deadline: int) -> OpenStream:
    """To be signed by the device's owner. Begins epoch 1, whose keys must be on disk before."""
    return OpenStream(device, schema.hash, mode, fresh_nonce(), deadline)


def epoch_act(stream: bytes, epoch: int, deadline: int) -> NewEpoch:
    """To be signed by the device's owner. The epoch's keys must be on disk before."""
    return NewEpoch(stream, epoch, fresh_nonce(), deadline)


def grant_act(given: Handover, to: str, deadline: int) -> GrantAccess:
    """To be signed by who began the present epoch."""
    sealed = given.sealed
    windows = sealed.first, sealed.end - 1
    return GrantAccess(sealed.stream, to, sealed.epoch, *windows, keccak(given.encode()), fresh_nonce(), deadline)


class StreamOwner:
    """An owner's wallet at a service, which sends what it signs. Methods raise ServiceError."""

    def __init__(self, client: GridweaveClient, wallet: Wallet) -> None:
        self.client = client
        self.wallet = wallet

    def open_stream(self, said: OpenStream, schema: Schema) -> Item:
        """Opens a stream of a device."""
        body = {"device": said.device, "schema": hex_of(schema.encode()), "mode": said.mode.name.lower()}
        return self._post("/v1/streams", body, said)

    def begin_epoch(self, said: NewEpoch) -> Item:
        """Begins an epoch; the service brings the stream's tip."""
        return self._post(f"/v1/streams/{hex_of(said.stream)}/epochs", {"epoch": said.epoch}, said)

    def grant(self, said: GrantAccess, given: Handover) -> Item:
        """Puts a grant on chain."""
        body = {
            "to": said.to,
            "epoch": said.epoch,
            "firstWindow": said.first_window,
            "lastWindow": said.last_window,
            "sealed": hex_of(given.encode()),
        }
        return self._post(f"/v1/streams/{hex_of(said.stream)}/grants", body, said)

    def _post(self, path: str, body: Json, said: StreamAct) -> Item:
        domain = self.client.deployment.domain(_ANCHOR)
        act = SignedAct(self.wallet.address, said.nonce, said.deadline, self.wallet.sign_act(domain, said))
        return self.client.post(path, Signed(body | {"owner": act.to_json()}, digest(domain, said)))
