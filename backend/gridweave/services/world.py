"""What every capability works with: the chain, the stores, the outbox, and the chain's time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gridweave.chain.contracts import Contracts
from gridweave.chain.hexes import from_hex, to_hex
from gridweave.chain.keys import Signer
from gridweave.chain.node import Node
from gridweave.chain.profile import NetworkProfile
from gridweave.deployment.record import Deployment
from gridweave.domain.acknowledgements import Acknowledgement
from gridweave.domain.eip712 import Domain, digest
from gridweave.domain.slots import SlotClock
from gridweave.outbox.queue import Lanes, Queue
from gridweave.services.bodies import BodyStore
from gridweave.services.books import Books
from gridweave.services.purse import Purse
from gridweave.services.sessions import Sessions
from gridweave.services.settings import Settings
from gridweave.services.sponsors import Sponsors
from gridweave.services.terms import TermsBook
from gridweave.store.accounts import AccountReads
from gridweave.store.assets import AssetReads
from gridweave.store.bonds import BondReads
from gridweave.store.database import Database
from gridweave.store.devices import DeviceReads
from gridweave.store.events import EventReads
from gridweave.store.firmware import FirmwareReads
from gridweave.store.history import HistoryReads
from gridweave.store.index import IndexedBlock
from gridweave.store.markets import MarketReads
from gridweave.store.meters import MeterReads
from gridweave.store.orders import OrderReads
from gridweave.store.outbox import OutboxStore
from gridweave.store.proposals import Proposals
from gridweave.store.records import NewItem
from gridweave.store.statements import StatementReads
from gridweave.store.streams import StreamReads

__all__ = ["Heads", "Reads", "World"]


@dataclass
class Heads:
    """The newest block that the index stands on, and what is final there. `time` is chain time."""

    profile: NetworkProfile
    block: IndexedBlock | None = None

    @property
    def number(self) -> int:
        """The newest indexed block's number, -1 before there is one."""
        return self.block.number if self.block else -1

    @property
    def time(self) -> int:
        """The newest indexed block's time, seconds."""
        return self.block.timestamp if self.block else 0

    @property
    def final(self) -> int:
        """The newest block number that will not change any more."""
        return self.profile.final_block(max(self.number, 0))

    def is_final(self, block: int | None) -> bool:
        """Whether what stands in that block stays."""
        return block is not None and block <= self.final


@dataclass(frozen=True)
class Reads:
    """Readers of the projections, one a noun."""

    orders: OrderReads
    markets: MarketReads
    devices: DeviceReads
    meters: MeterReads
    assets: AssetReads
    firmware: FirmwareReads
    accounts: AccountReads
    events: EventReads
    bonds: BondReads
    history: HistoryReads
    statements: StatementReads
    streams: StreamReads

    @classmethod
    def of(cls, index: Database) -> Reads:
        """All readers over one index."""
        return cls(
            OrderReads(index),
            MarketReads(index),
            DeviceReads(index),
            MeterReads(index),
            AssetReads(index),
            FirmwareReads(index),
            AccountReads(index),
            EventReads(index),
            BondReads(index),
            HistoryReads(index),
            StatementReads(index),
            StreamReads(index),
        )


@dataclass(frozen=True)
class World:
    """Built once per running service; capabilities share it and keep no state of their own."""

    settings: Settings
    deployment: Deployment
    node: Node
    contracts: Contracts
    relayer: Signer
    heads: Heads
    reads: Reads
    books: Books
    outbox: OutboxStore
    proposals: Proposals
    queue: Queue
    lanes: Lanes
    terms: TermsBook
    clock: SlotClock
    sessions: Sessions
    sponsors: Sponsors
    purse: Purse
    bodies: BodyStore
    former_relayers: tuple[str, ...] = ()
    domains: dict[str, Domain] = field(default_factory=dict)

    def still(self) -> World:
        """This world with its heads as they are now: rows read from here on are of these blocks at least."""
        return replace(self, heads=replace(self.heads))

    def domain(self, contract: str) -> Domain:
        """The EIP-712 domain in which a contract reads signatures."""
        if contract not in self.domains:
            address = self.deployment.addresses[contract]
            self.domains[contract] = Domain.of(contract, self.deployment.chain_id, address)
        return self.domains[contract]

    def acknowledge(self, item: NewItem, signature: bytes, *, backed: bool = True) -> NewItem:
        """The item with the relayer's signature over its Acknowledgement, which names the present sponsor if `backed`.

        `signature` is what came with the request; acts have several, so for them it is empty.
        """
        sponsor = self.sponsors.current if backed else None
        promise = Acknowledgement.of(from_hex(item.id), signature, sponsor, item.commit_before)
        signed = self.relayer.sign_compact(digest(self.domain("RelayerBond"), promise))
        return replace(item, acknowledgement=to_hex(signed), sponsor=sponsor)
