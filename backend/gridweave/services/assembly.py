"""The parts of a running service, each from the settings and the deployment."""

from __future__ import annotations

from dataclasses import replace

from gridweave.chain.contracts import Contracts
from gridweave.chain.keys import Signer, load_signer
from gridweave.chain.networks import NetworkUnusable, find_network
from gridweave.chain.node import Node
from gridweave.chain.profile import NetworkProfile
from gridweave.deployment.record import Deployment
from gridweave.domain.slots import SlotClock
from gridweave.outbox.queue import Lanes, Queue
from gridweave.outbox.recovery import Recovery
from gridweave.outbox.sender import Pace, Sender
from gridweave.services.books import Books
from gridweave.services.purse import Purse
from gridweave.services.settings import Settings, SettingsInvalid
from gridweave.services.sponsors import Sponsors
from gridweave.services.terms import TermsBook
from gridweave.services.world import Heads, Reads, World
from gridweave.store.adoptions import Adoptions
from gridweave.store.database import Database
from gridweave.store.outbox import OutboxStore

__all__ = ["pace_of", "profile_of", "recovery_of", "relayer_of", "world_of"]


def recovery_of(
    deployment: Deployment, node: Node, contracts: Contracts, relayer: Signer, outbox: Database
) -> Recovery:
    """What looks, after a restore, for what was sent since."""
    addresses, chain_id = sorted(deployment.every_address), deployment.chain_id
    store, start = Adoptions(outbox), deployment.block
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


def pace_of(settings: Settings) -> Pace:
    """How patient the sender is."""
    return Pace(
        window_ms=settings.batch_window_ms,
        poll_ms=settings.poll_ms,
        resend_ms=settings.resend_ms,
        most_open=settings.most_open_batches,
        most_fee_factor=settings.most_fee_factor,
    )


def world_of(
    settings: Settings,
    deployment: Deployment,
    node: Node,
    contracts: Contracts,
    relayer: Signer,
    profile: NetworkProfile,
    index: Database,
    outbox: OutboxStore,
    lanes: Lanes,
    sender: Sender,
    purse: Purse,
    former: tuple[str, ...],
) -> World:
    """What capabilities share."""
    reads = Reads.of(index)
    return World(
        settings=settings,
        deployment=deployment,
        node=node,
        contracts=contracts,
        relayer=relayer,
        heads=Heads(profile),
        reads=reads,
        books=Books(reads.meters, reads.orders, reads.accounts),
        outbox=outbox,
        queue=Queue(outbox, lanes, sender.ring),
        lanes=lanes,
        terms=TermsBook(reads.markets),
        clock=SlotClock(deployment.slot_length),
        sponsors=Sponsors(reads.bonds, relayer.address, deployment.compensation),
        purse=purse,
        former_relayers=former,
    )
