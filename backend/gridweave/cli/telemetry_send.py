"""What a stream's owner signs, on its way: by the service, or in a transaction of the owner's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from gridweave.chain import Act, Call, Network, Signer, to_hex
from gridweave.chain.networks import GENERIC
from gridweave.cli.sending import network_of, payer_of, send
from gridweave.cli.telemetry_common import Asked
from gridweave.cli.terminal import emit, finish, out
from gridweave.client.telemetry import Handover, Ledger, StreamOwner
from gridweave.client.wallet import Wallet
from gridweave.domain.eip712 import digest
from gridweave.domain.stream_acts import GrantAccess, NewEpoch, OpenStream
from gridweave.domain.telemetry.schema import Schema

__all__ = ["GENERIC", "GasKey", "Way", "way_of"]

GasKey = Annotated[
    str | None, typer.Option(help="--rpc: key that pays the gas of your own transaction. [default: --key]")
]


@dataclass(frozen=True)
class Way:
    """How acts are sent. Without `payer` the service sends them."""

    asked: Asked
    wallet: Wallet
    payer: Signer | None
    network: Network | None
    wait: bool
    as_json: bool

    def deadline(self, valid_for: int) -> int:
        """That many seconds of chain time from now."""
        if self.asked.chain is not None:
            return self.asked.chain.run(self.asked.chain.node.head()).timestamp + valid_for
        assert self.asked.client is not None
        return self.asked.client.chain_time() + valid_for

    def open(self, said: OpenStream, schema: Schema, what: str, told: dict[str, Any]) -> None:
        """Opens a stream."""
        if self.asked.chain is None:
            self._posted(self._owner().open_stream(said, schema).id, what, told)
            return
        anchors = self.asked.chain.anchors
        self._sent(anchors.open(said.device, said.schema_hash, said.mode, self._act(said)), said, what, told)

    def new_epoch(self, said: NewEpoch, ledger: Ledger, what: str, told: dict[str, Any]) -> None:
        """Begins an epoch."""
        if self.asked.chain is None:
            self._posted(self._owner().begin_epoch(said).id, what, told)
            return
        anchors = self.asked.chain.anchors
        self._sent(anchors.new_epoch(said.stream, said.epoch, ledger.tip, self._act(said)), said, what, told)

    def grant(self, said: GrantAccess, given: Handover, what: str, told: dict[str, Any]) -> None:
        """Puts a grant on chain."""
        if self.asked.chain is None:
            self._posted(self._owner().grant(said, given).id, what, told)
            return
        windows = said.first_window, said.last_window
        anchors, sealed = self.asked.chain.anchors, given.encode()
        call = anchors.grant(said.stream, said.to, said.epoch, windows, sealed, self._act(said))
        self._sent(call, said, what, told)

    def _owner(self) -> StreamOwner:
        assert self.asked.client is not None
        return StreamOwner(self.asked.client, self.wallet)

    def _act(self, said: OpenStream | NewEpoch | GrantAccess) -> Act:
        return Act.of(said, self.wallet.address, self.wallet.sign_act(self.asked.domain, said))

    def _posted(self, id_: str, what: str, told: dict[str, Any]) -> None:
        assert self.asked.client is not None
        if not self.as_json:
            _tell(told)
            finish(self.asked.client, id_, what, wait=self.wait, as_json=False)
            return
        state = self.asked.client.wait(id_) if self.wait else self.asked.client.request(id_)
        emit(told | state)

    def _sent(self, call: Call, said: Any, what: str, told: dict[str, Any]) -> None:
        chain = self.asked.chain
        assert chain is not None
        assert self.payer is not None
        assert self.network is not None
        profile = self.network.profile(chain.deployment.chain_id)
        receipt = chain.run(send(chain.node, profile, self.payer, call))
        place = {"transaction": to_hex(receipt.transaction_hash), "block": receipt.block_number}
        if self.as_json:
            emit(told | {"id": to_hex(digest(self.asked.domain, said)), "status": "committed", **place})
            return
        _tell(told)
        out.print(f"{what}: [bold]committed[/] in block {place['block']}", highlight=False)
        out.print(f"  transaction {place['transaction']}", highlight=False)


def way_of(
    asked: Asked,
    wallet: Wallet,
    *,
    payer: str,
    keystore: Path | None,
    password_file: Path | None,
    network: str,
    networks: Path | None,
    wait: bool,
    as_json: bool,
) -> Way:
    """By the service if it is what is asked, else in a transaction that the key `payer` pays for."""
    if asked.chain is None:
        return Way(asked, wallet, None, None, wait, as_json)
    signer = payer_of(payer, keystore, password_file)
    return Way(asked, wallet, signer, network_of(network, networks), wait, as_json)


def _tell(told: dict[str, Any]) -> None:
    for name, value in told.items():
        out.print(f"{name}  [bold]{value}[/]", highlight=False, soft_wrap=True)
