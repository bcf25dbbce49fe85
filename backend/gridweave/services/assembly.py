"""The parts of a running service, each from the settings and the deployment."""

from __future__ import annotations

from dataclasses import replace

from gridweave.chain.keys import Signer, load_signer
from gridweave.chain.networks import NetworkUnusable, find_network
from gridweave.chain.node import Node
from gridweave.chain.profile import NetworkProfile
from gridweave.deployment.record import Deployment
from gridweave.domain.eip712 import Domain
from gridweave.domain.slots import SlotClock
from gridweave.outbox.gas_model import GasModel
from gridweave.outbox.queue import Lanes, Queue
from gridweave.outbox.recovery import Recovery
from gridweave.outbox.sender import Pace, Sender
from gridweave.services.belonging import identity_of
from gridweave.services.bodies import BODIES, BodyStore
from gridweave.services.books import Books
from gridweave.services.precompile import has_p256
from gridweave.services.purse import Purse
from gridweave.services.sessions import Sessions
from gridweave.services.settings import Settings, SettingsInvalid
from gridweave.services.sponsors import Sponsors
from gridweave.services.stores import Stores
from gridweave.services.terms import TermsBook
from gridweave.services.world import Heads, Reads, World
from gridweave.store.adoptions import Adoptions
from gridweave.store.database import Database
from gridweave.store.outbox import OutboxStore
from gridweave.store.proposals import Proposals
from gridweave.store.relayers import RelayerFacts
from gridweave.store.watch import OutboxWatch

__all__ = ["assemble", "profile_of", "recovery_of", "relayer_of"]


def recovery_of(deployment: Deployment, node: Node, relayer: Signer, outbox: Database) -> Recovery:
    """What looks, after a restore, for what was sent since."""
    addresses, chain_id = sorted(deployment.every_address), deployment.chain_id
    store, contracts, start = Adoptions(outbox), deployment.bundle(node), deployment.block
    return Recovery(node, store, contracts, relayer, chain_id=chain_id, addresses=addresses, start=start)


def relayer_of(settings: Settings) -> Signer:
    """The one key of the service. Raises KeyUnusable."""
    return load_signer(
        keystore=settings.relayer_keystore,
        password_file=settings.relayer_password_file,
        key_file=settings.relayer_key_file,
        variable=settings.relayer_key_variable,
    )


def profile_of(settings: Settings, deployment: Deployment) -> NetworkProfile:
    """The network's habits, changed by what is set. Raises SettingsInvalid if the deployment cannot be on it."""
    try:
        named = find_network(settings.network, settings.networks).profile(deployment.chain_id)
    except NetworkUnusable as error:
        raise SettingsInvalid(str(error)) from error
    return replace(
        named,
        finality_depth=settings.finality_depth,
        finality_file=settings.finality_file,
        fee_rule=settings.fee_rule,
        priority_fee=settings.priority_fee_wei,
        gas_price=settings.gas_price_wei,
    )


async def assemble(
    settings: Settings, deployment: Deployment, node: Node, relayer: Signer, stores: Stores
) -> tuple[World, Sender]:
    """What capabilities share, and who sends for them, once a restored outbox has looked for what was sent since.

    Raises StoreMismatch, SettingsInvalid, NodeUnavailable, StoreUnavailable.
    """
    outbox, contracts, lanes = OutboxStore(stores.outbox), deployment.bundle(node), Lanes()
    await outbox.belongs_to(identity_of(deployment) | {"relayer": relayer.address})
    profile = profile_of(settings, deployment)
    await recovery_of(deployment, node, relayer, stores.outbox).run()
    gas = GasModel(p256_in_code=not await has_p256(node), cap=profile.max_gas)
    sender = Sender(node, outbox, contracts, relayer, profile, lanes, gas=gas, pace=_pace_of(settings))
    watch, reads = OutboxWatch(stores.outbox), Reads.of(stores.index)
    books = Books(reads.devices, reads.meters, reads.orders, reads.accounts)
    registry = Domain.of("DeviceRegistry", deployment.chain_id, deployment.addresses["DeviceRegistry"])
    world = World(
        settings=settings,
        deployment=deployment,
        node=node,
        contracts=contracts,
        relayer=relayer,
        heads=Heads(profile),
        reads=reads,
        books=books,
        outbox=outbox,
        proposals=Proposals(stores.outbox),
        queue=Queue(outbox, lanes, sender.ring),
        lanes=lanes,
        terms=TermsBook(reads.markets),
        clock=SlotClock(deployment.slot_length),
        sessions=Sessions(registry, relayer.address, books.devices.get),
        sponsors=Sponsors(reads.bonds, relayer.address, deployment.compensation),
        purse=Purse(node, watch, relayer.address, profile, gas, settings.relayer_low_orders),
        bodies=BodyStore(settings.data_dir / BODIES),
        former_relayers=await RelayerFacts(stores.outbox).before(),
    )
    return world, sender


def _pace_of(settings: Settings) -> Pace:
    """How patient the sender is."""
    return Pace(
        window_ms=settings.batch_window_ms,
        poll_ms=settings.poll_ms,
        resend_ms=settings.resend_ms,
        most_open=settings.most_open_batches,
        most_fee_factor=settings.most_fee_factor,
    )
