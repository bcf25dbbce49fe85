"""A street's telemetry on the real contracts: what owners do goes through `gridweave telemetry`, batches straight on.

Times are quarter hours from START on, which is one. The chain's own clock is hours ahead of all that is measured.

    quarter  0 1 2 3 4 5 6 7 | 8 9 | 10 11        stream `full`: three batches a quarter, 30 readings each
    epoch    1               | 2   | 3, the buyer's
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from gridweave import artifacts
from gridweave.chain import Authority, DeviceRegistry, FirmwareRegistry, Role, TelemetryAnchor
from gridweave.chain.abi import abi_of
from gridweave.chain.contracts.acts import Act
from gridweave.chain.contracts.telemetry_anchor import SignedBatch
from gridweave.chain.types import Call
from gridweave.cli import app
from gridweave.client import DeviceKey, Wallet
from gridweave.deployment import Deployment
from gridweave.deployment.record import ContractVersion
from gridweave.domain.acts import Endorsement, KeyKind, Possession
from gridweave.domain.addresses import checksum_address
from gridweave.domain.anchors import Batch, StreamMode, Tip, stream_id
from gridweave.domain.device_acts import Handover, TransferAcceptance, TransferOffer
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.eip712 import Domain
from gridweave.domain.telemetry.batches import SealedBatch
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.readings import Reading, ReadingRun
from gridweave.domain.telemetry.salts import SaltedRun
from gridweave.domain.telemetry.schema import Channel, Schema
from gridweave.domain.telemetry.sealing import seal
from gridweave.domain.telemetry.segments import SignedRun, StreamTail
from gridweave.domain.telemetry.windows import WINDOW_MS
from tests.e2e.differential.chain import Chain

START = 1_800_000_000
"""Seconds: the first of quarter hour 2,000,000."""
WINDOW = START // 900
START_MS = START * 1_000
NOW = START + 5 * 3_600
FAR = 2**40 - 1
MODEL = 7
PASSWORD = "secret of a test"
SCHEMA = Schema((Channel("power", "W", -1, 4), Channel("temperature", "Cel", -2, 2)))
STEP_MS = 10_000
EACH = 30
"""Readings of a batch: five minutes."""
_MOST = 8  # batches to a block


@dataclass
class Meter:
    """A device with a stream, and what it has measured."""

    key: DeviceKey
    mode: StreamMode
    tail: StreamTail
    tip: Tip
    gateway: WindowKeys | None = None
    measured: list[bytes] = field(default_factory=list)
    sealed: list[SealedBatch] = field(default_factory=list)
    signatures: list[bytes] = field(default_factory=list)

    @property
    def stream(self) -> bytes:
        return self.tail.stream

    @property
    def name(self) -> str:
        return "0x" + self.stream.hex()

    @property
    def raw(self) -> bytes:
        """Canonical bytes of all that it measured."""
        return b"".join(self.measured)

    def readings(self) -> list[Reading]:
        return list(ReadingRun.decode(self.raw, len(SCHEMA.channels)))

    def records(self, windows: Sequence[int]) -> list[bytes]:
        """Canonical bytes of what it measured in these quarters, counted from START's."""
        return [each.pack() for each in self.readings() if each.at_ms // WINDOW_MS - WINDOW in windows]


class World:
    """One chain, its contracts, a folder of keys; `run` is the command line."""

    def __init__(self, chain: Chain, rng: random.Random, home: Path) -> None:
        self.chain, self.rng, self.home, self.nonces = chain, rng, home, count(1)
        self.at = self._deploy()
        nobody: Any = None
        self.devices = DeviceRegistry(nobody, self.at["DeviceRegistry"])
        self.anchors = TelemetryAnchor(nobody, self.at["TelemetryAnchor"])
        self.firmware = FirmwareRegistry(nobody, self.at["FirmwareRegistry"])
        self.wallets = {name: Wallet(rng.randbytes(32)) for name in ("maker", "owner", "buyer", "stranger")}
        for name, wallet in self.wallets.items():
            wallet.save(home / "keys" / f"{name}.json", PASSWORD)
            chain.rpc("anvil_setBalance", wallet.address, hex(10**24))
        self._found()
        self._record()
        (home / "schema.json").write_text(json.dumps([vars(channel) for channel in SCHEMA.channels]))

    # the contracts

    def _deploy(self) -> dict[str, str]:
        at: dict[str, str] = {}
        for name, arguments in (
            ("Authority", lambda: (self.chain.sender,)),
            ("DeviceRegistry", lambda: (at["Authority"],)),
            ("TelemetryAnchor", lambda: (at["Authority"], at["DeviceRegistry"])),
            ("FirmwareRegistry", lambda: (at["Authority"], at["DeviceRegistry"])),
        ):
            code = artifacts.load(name).bytecode + abi_of(name).creation_arguments(*arguments())
            at[name] = checksum_address(self.chain.create(code))
        return at

    def _found(self) -> None:
        nobody: Any = None
        authority = Authority(nobody, self.at["Authority"])
        places = (("DeviceRegistry", "enrol"), ("FirmwareRegistry", "openModel"))
        roles = [
            authority.set_function_role(self.at[name], [abi_of(name).selector(function)], Role.MAKER)
            for name, function in places
        ]
        self.chain.must([*roles, authority.grant_role(Role.MAKER, self.wallets["maker"].address)])

    def _record(self) -> None:
        record = Deployment(
            self.chain.chain_id, "0x" + "00" * 32, self.chain.sender, 900, 604_800, 1, own_currency=True, block=0
        )
        for name, address in self.at.items():
            record = record.with_contract(name, ContractVersion(address, 0, ""))
        record.save(self.home / "deployment.json")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.chain._port}"

    def domain(self, contract: str = "TelemetryAnchor") -> Domain:
        return Domain.of(contract, self.chain.chain_id, self.at[contract])

    def act(self, who: str, message: Any, contract: str = "TelemetryAnchor") -> Act:
        wallet = self.wallets[who]
        return Act.of(message, wallet.address, wallet.sign_act(self.domain(contract), message))

    # the command line

    def run(self, *words: object, keys: str = "owner", rpc: bool = True) -> Result:
        """`gridweave telemetry ...`, with the key file of that owner; asks the node alone."""
        environment = {
            "GRIDWEAVE_PASSWORD": PASSWORD,
            "GRIDWEAVE_KEYSTORE": str(self.home / "keys"),
            "GRIDWEAVE_STREAM_KEYS": str(self.home / f"{keys}.streams"),
            "GRIDWEAVE_RPC": self.url if rpc else None,
        }
        return CliRunner().invoke(app, ["telemetry", *map(str, words)], env=environment)

    def must(self, *words: object, keys: str = "owner") -> Any:
        """Its --json answer."""
        done = self.run(*words, "--json", keys=keys)
        assert done.exit_code == 0, done.output + done.stderr
        return json.loads(done.stdout)

    def act_by(self, *words: object, key: str, keys: str = "owner") -> Any:
        """The same for what ends in a transaction, which the chain makes a block of at once."""
        self.chain.rpc("evm_setAutomine", True)
        try:
            return self.must(*words, "--key", key, *self.chain_options, keys=keys)
        finally:
            self.chain.rpc("evm_setAutomine", False)
            self.chain.now = int(self.chain.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    @property
    def chain_options(self) -> tuple[str, ...]:
        return "--deployment", str(self.home / "deployment.json")

    # devices

    def enrol(self, kind: KeyKind, owner: str = "owner") -> DeviceKey:
        key, space = DeviceKey.create(kind), self.domain("DeviceRegistry")
        parties = key.device, self.wallets["maker"].address, self.wallets[owner].address
        said = Endorsement(*parties, MODEL, kind, key.x, key.y, next(self.nonces), FAR)
        consent = self.act("maker", said, "DeviceRegistry").signature
        self.chain.must([self.devices.enrol(said, consent, key.sign(space, Possession(*parties, FAR)))])
        return key

    def open(self, key: DeviceKey, mode: StreamMode, owner: str = "owner") -> Meter:
        """A stream, opened by the command line."""
        words = "open-stream", key.device, "--schema", self.home / "schema.json", "--mode", mode.name.lower()
        told = self.act_by(*words, key=owner, keys=owner)
        stream = stream_id(key.device, mode, SCHEMA.hash)
        assert told["stream"] == "0x" + stream.hex()
        return Meter(key, mode, StreamTail.start(stream), Tip.start(0))

    def give_keys(self, meter: Meter, windows: tuple[int, int], owner: str = "owner") -> None:
        """The gateway's keys, as the owner exports them."""
        first, end = (START_MS + at * WINDOW_MS for at in windows)
        words = "gateway-keys", "--stream", meter.name, "--from", first, "--until", end, "--out", self.home / "gateway"
        meter.gateway = WindowKeys.decode(Path(self.must(*words, keys=owner)["file"]).read_bytes())

    def begin_epoch(self, meter: Meter, epoch: int, owner: str = "owner") -> None:
        told = self.act_by("epoch", "--stream", meter.name, *self._schema_of(owner), key=owner, keys=owner)
        assert told["epoch"] == epoch
        meter.tip = meter.tip.rekeyed(epoch, self._nonce(meter))

    def _schema_of(self, owner: str) -> tuple[object, ...]:
        return ("--schema", self.home / "schema.json") if owner != "owner" else ()

    def sell(self, meter: Meter, seller: str, buyer: str) -> None:
        """The device passes to another owner."""
        device, space = meter.key.device, self.domain("DeviceRegistry")
        old, new = (self.wallets[name].address for name in (seller, buyer))
        offer = TransferOffer(device, new, FAR, next(self.nonces), FAR)
        accept = TransferAcceptance(device, old, next(self.nonces), FAR)
        word = meter.key.sign(space, Handover(device, old, new, self._nonce(meter), FAR))
        public = DevicePublicKey(meter.key.kind, meter.key.x, meter.key.y)
        self.chain.must(
            [
                self.devices.offer_transfer(device, new, FAR, self.act(seller, offer, "DeviceRegistry")),
                self.devices.accept_transfer(device, public, self.act(buyer, accept, "DeviceRegistry"), word),
            ]
        )

    def _nonce(self, meter: Meter) -> int:
        (answer,) = self.chain.view([self.devices.call("nonce", meter.key.device)])
        return int.from_bytes(answer, "big")

    # readings

    def measure(self, meter: Meter, quarters: Sequence[int], per_quarter: int = 3, firmware: int = 3) -> None:
        """`per_quarter` batches of EACH readings in each of these quarters, anchored."""
        for quarter in quarters:
            for part in range(per_quarter):
                at = START_MS + quarter * WINDOW_MS + part * EACH * STEP_MS
                self.anchor(meter, [self.segment(meter, at, firmware, EACH)])

    def segment(self, meter: Meter, start_ms: int, firmware: int, size: int, step_ms: int = STEP_MS) -> SignedRun:
        """What the device sends of readings from a time on. The last but one reading of each has no temperature."""
        first = meter.tail.next_index
        run = ReadingRun.of(
            Reading(first + at, start_ms + at * step_ms + self.rng.randrange(3), firmware, self._values(at == size - 2))
            for at in range(size)
        )
        salted = SaltedRun(run, self.rng.randbytes(32))
        segment = meter.tail.segment(salted)
        sent = SignedRun(salted, segment, meter.key.sign(self.domain(), segment))
        meter.tail = meter.tail.after(segment)
        meter.measured.append(run.raw)
        return sent

    def _values(self, missing: bool) -> tuple[int, int]:
        return self.rng.randrange(500, 30_000), SCHEMA.channels[1].not_measured if missing else 2_000

    def anchor(self, meter: Meter, sent: Sequence[SignedRun]) -> None:
        """Seals what was sent as a gateway does, has the device sign the batch, and anchors it."""
        assert meter.gateway is not None
        batch = seal(meter.gateway, SCHEMA, sent)
        signed = self.signed(meter, batch)
        body = batch.body if meter.mode is StreamMode.FULL else b""
        (mined,) = self.chain.must([self._anchoring(signed, body)])
        meter.sealed.append(batch)
        meter.signatures.append(signed.signature)
        if meter.mode is StreamMode.HASH:
            (self.home / "bodies").mkdir(exist_ok=True)
            (self.home / "bodies" / batch.body_hash.hex()).write_bytes(batch.body)
        block = mined.logs[0].block_number
        meter.tip = meter.tip.after(signed.batch, block, self.chain.now, self._nonce(meter))

    def _anchoring(self, signed: SignedBatch, body: bytes) -> Call:
        """One of the three ways, in turn."""
        if body and next(self.nonces) % 2:
            return self.anchors.anchor_all([(signed, body)])
        return self.anchors.anchor_with_body(signed, body) if body else self.anchors.anchor(signed)

    def signed(self, meter: Meter, sealed: SealedBatch) -> SignedBatch:
        """As the device signs it. On P-256 it brings its key, which the registry does not keep."""
        header = sealed.header
        places = header.first_index, header.count, header.first_ms, header.last_ms, header.epoch
        batch = Batch(header.stream, *places, meter.tip.head, header.root, sealed.body_hash)
        signature = meter.key.sign(self.domain(), batch)
        return SignedBatch(batch, meter.tip, signature + meter.key.x + meter.key.y)

    @property
    def bodies(self) -> tuple[object, ...]:
        return "--bodies", self.home / "bodies"
