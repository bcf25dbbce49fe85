"""A small street on the real contracts, lived through the chain's facades alone: no service, no database.

Four homes, two of whose meters hold secp256k1 keys and two P-256; home 4 signed no mandate. A fifth, whose account is a
wallet contract, comes late. Every event that the
contracts can log is logged at least once on the day of `live`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gridweave import artifacts
from gridweave.audit import AddressBook
from gridweave.chain import Call, Node, Receipt, Role, Signer, to_hex
from gridweave.chain.contracts import NO_ACT, Act, Contracts, SignedWord, signed_word
from gridweave.chain.profile import Fees
from gridweave.domain.acts import (
    AssetKind,
    AssetRegistration,
    CreateMarket,
    DeviceStatus,
    Endorsement,
    KeyKind,
    Mandate,
    MeterRegistration,
    Permit,
    Possession,
    StatusChange,
    Underwrite,
    Withdrawal,
)
from gridweave.domain.eip712 import Domain, Message, digest
from gridweave.domain.orders import Cancel, Order, Side
from gridweave.domain.readings import Reading
from gridweave.domain.signatures import (
    sign_compact,
    to_rsv,
)
from gridweave.domain.slots import RING
from gridweave.domain.terms import MarketTerms
from gridweave.localnet import Localnet

from .people import DeviceKey, Home, Party

if TYPE_CHECKING:
    from .firmware import Works
    from .measurements import Stream

SLOT = 900
FAR = 2**40 - 1
EUR = 1_000_000
GAS = 16_000_000


class Street:
    """The contracts, the people and the clock. Every `send_*` is one transaction in a block of its own."""

    def __init__(self, chain: Localnet, contracts: Contracts, book: AddressBook) -> None:
        self.chain, self.contracts, self.book = chain, contracts, book
        self.node: Node = chain.node
        self.relayer = chain.keys["relayer"]
        self.admin = chain.keys["admin"]
        self.operator, self.maker = chain.keys["operator"], chain.keys["maker"]
        self.utility = chain.keys["utility"]
        self.homes = [
            Home(Party.of("home 1"), DeviceKey.of("1", KeyKind.SECP256K1)),
            Home(Party.of("home 2"), DeviceKey.of("2", KeyKind.P256)),
            Home(Party.of("home 3"), DeviceKey.of("3", KeyKind.SECP256K1)),
            Home(Party.of("home 4"), DeviceKey.of("4", KeyKind.P256), mandated=False),
        ]
        self.sixth = self.homes[0]
        """A home whose device claimed itself, once it has."""
        self.measured: list[Home] = []
        """Homes whose devices measure, once they do; `streams` what, `works` who makes their firmware."""
        self.streams: list[Stream] = []
        self.works: Works
        self.market = 0
        self.answers: dict[str, str] = {}
        """What the node said of the finished day, for liars to change."""
        self._nonce = 100
        self.time = 0
        self.first = 0
        """The day's first slot."""

    @classmethod
    async def build(cls, chain: Localnet) -> Street:
        deployment = await chain.deploy(slot_length=SLOT)
        book = AddressBook(deployment.chain_id, deployment.addresses, deployment.block, deployment.genesis_hash)
        return cls(chain, deployment.bundle(chain.node), book)

    # sending

    async def send(self, call: Call, signer: Signer | None = None, at: int | None = None) -> Receipt:
        """Sends and mines one call; asserts that it succeeds."""
        signer = signer or self.relayer
        if at is not None:
            self.time = at
        nonce = await self.node.nonce(signer.address)
        fees = Fees(3_000_000_000, 1_000_000_000)
        signed = signer.sign(call, nonce=nonce, gas=GAS, fees=fees, chain_id=self.chain.chain_id)
        await self.node.send_raw(signed.raw)
        self.time = (await self.chain.mine(self.time or None)).timestamp + 1
        receipt = await self.node.receipt(signed.hash)
        assert receipt is not None
        if not receipt.succeeded:
            await self.node.call(call, sender=signer.address, block=receipt.block_number)
        assert receipt.succeeded, f"{to_hex(call.data[:4])} failed"
        return receipt

    def nonce(self) -> int:
        self._nonce += 1
        return self._nonce

    def domain(self, name: str) -> Domain:
        return Domain.of(name, self.book.chain_id, self.book.addresses[name])

    def act(self, contract: str, message: Message, secret: bytes, signer: str) -> Act:
        signature = to_rsv(sign_compact(secret, digest(self.domain(contract), message)))
        return Act(signer, message.nonce, message.deadline, signature)  # type: ignore[attr-defined]

    # setting up

    async def open(self) -> None:
        """Money, devices, a market, meters and assets."""
        money = self.contracts.currency
        for party in (*(home.party.address for home in self.homes), self.relayer.address):
            await self.send(money.mint(party, 200 * EUR), self.admin)
        await self.send(money.mint(self.utility.address, 500 * EUR), self.admin)
        for home in self.homes[:2]:
            await self.deposit_by_permit(home.party, 50 * EUR)
        await self.send(money.approve(self.contracts.vault.address, 200 * EUR))
        await self.send(self.contracts.vault.deposit(self.homes[2].party.address, 50 * EUR))
        await self.send(self.contracts.vault.deposit(self.homes[3].party.address, 3 * EUR))
        await self.send(money.approve(self.contracts.vault.address, 500 * EUR), self.utility)
        await self.send(self.contracts.vault.deposit(self.utility.address, 30_000), self.utility)
        for home in self.homes:
            await self.enrol(home)
        await self.create_market()
        for home in self.homes:
            await self.register(home)
        asset = AssetRegistration(1, AssetKind.PHOTOVOLTAIC, 9_800, 0, 1, self.nonce(), FAR)
        act = self.act("DERRegistry", asset, self.operator.secret, self.operator.address)
        await self.send(self.contracts.meters.register_asset(asset, act))

    async def make_wallet(self, home: Home) -> str:
        """An ERC-1271 wallet that the home's key signs for."""
        code = artifacts.load("SmartWallet").bytecode + bytes.fromhex(home.party.address[2:]).rjust(32, b"\0")
        receipt = await self.send(Call(None, code))
        assert receipt.created is not None
        return receipt.created

    async def deposit_by_permit(self, party: Party, amount: int) -> None:
        nonce = await self.contracts.currency.permit_nonce(party.address)
        permit = Permit(party.address, self.contracts.vault.address, amount, nonce, FAR)
        signature = to_rsv(sign_compact(party.secret, digest(self.domain("LocalCurrency"), permit)))
        await self.send(self.contracts.vault.deposit_with_permit(party.address, amount, FAR, signature))

    async def enrol(self, home: Home) -> None:
        await self.send(self.enrolling(home))

    def enrolling(self, home: Home) -> Call:
        x, y = home.key.point
        said = Endorsement(
            home.device,
            self.maker.address,
            home.party.address,
            7,
            home.key.kind,
            x,
            y,
            self.nonce(),
            FAR,
        )
        endorsed = to_rsv(sign_compact(self.maker.secret, digest(self.domain("DeviceRegistry"), said)))
        possession = Possession(said.device, said.maker, said.owner, FAR)
        possessed = home.key.sign(digest(self.domain("DeviceRegistry"), possession))
        return self.contracts.devices.enrol(said, endorsed, possessed)

    def terms(self) -> MarketTerms:
        return MarketTerms(
            min_price=80_000,
            tick_size=10_000,
            tick_count=23,
            grid_fee=20_000,
            feed_in_price=80_000,
            retail_price=340_000,
            min_energy_wh=10,
            utility=self.utility.address,
            gate_lead=300,
            reading_window=1_800,
            correction_window=5_400,
            operator=self.operator.address,
            default_wh=250,
            from_slot=0,
        )

    async def create_market(self) -> None:
        terms = self.terms()
        opened, underwritten = CreateMarket(terms, self.nonce(), FAR), Underwrite(terms, self.nonce(), FAR)
        operator = self.act("EnergyAuction", opened, self.operator.secret, self.operator.address)
        utility = self.act("EnergyAuction", underwritten, self.utility.secret, self.utility.address)
        await self.send(self.contracts.auction.create_market(terms, operator, utility))
        self.market = await self.contracts.auction.market_count()

    async def register(self, home: Home) -> None:
        said = MeterRegistration(
            home.device, self.market, home.account, 20_000, 20_000, 1, home.mandated, self.nonce(), FAR
        )
        operator = self.act("DERRegistry", said, self.operator.secret, self.operator.address)
        mandate = NO_ACT
        if home.mandated:
            consent = Mandate(said.device, said.market, said.account, self.nonce(), FAR)
            mandate = self.act("DERRegistry", consent, home.party.secret, home.account)
        await self.send(self.contracts.meters.register_meter(said, operator, mandate))
        home.meter = await self.contracts.meters.meter_count()

    # trading

    def order(self, home: Home, slot: int, side: Side, energy_wh: int, limit: int, **changes: int) -> SignedWord:
        order = Order(self.market, slot, home.meter, home.next_version(slot), FAR, side, energy_wh, limit)
        order = replace(order, **changes)
        return self.sign_word("EnergyAuction", order, home.party.secret)

    def bid(self, home: Home, slot: int, energy_wh: int, limit: int, **changes: int) -> SignedWord:
        return self.order(home, slot, Side.BID, energy_wh, limit, **changes)

    def ask(self, home: Home, slot: int, energy_wh: int, limit: int, **changes: int) -> SignedWord:
        return self.order(home, slot, Side.ASK, energy_wh, limit, **changes)

    def cancelling(self, home: Home, slot: int) -> SignedWord:
        cancel = Cancel(self.market, slot, home.meter, home.next_version(slot), FAR)
        return self.sign_word("EnergyAuction", cancel, home.party.secret)

    def sign_word(self, contract: str, item: Order | Cancel, secret: bytes) -> SignedWord:
        return signed_word(item.pack(), sign_compact(secret, digest(self.domain(contract), item)))

    def reading(
        self, home: Home, slot: int, import_wh: int, export_wh: int, version: int = 1, key: DeviceKey | None = None
    ) -> SignedWord:
        said = Reading(home.meter, slot, version, import_wh, export_wh)
        return signed_word(said.pack(), (key or home.key).sign(digest(self.domain("MeterLedger"), said)))

    async def place(self, *orders: SignedWord, at: int | None = None) -> Receipt:
        return await self.send(self.contracts.auction.place(orders), at=at)

    async def settle(self, slot: int, *readings: SignedWord, at: int | None = None) -> Receipt:
        return await self.send(self.contracts.auction.settle(self.market, slot, readings), at=at)

    async def set_status(self, home: Home, status: DeviceStatus, by: Signer | Party) -> None:
        said = StatusChange(home.device, status, self.nonce(), FAR)
        act = self.act("DeviceRegistry", said, by.secret, by.address)
        await self.send(self.contracts.devices.set_status(said.device, status, act))

    async def withdraw(self, party: Party, to: str, amount: int) -> None:
        said = Withdrawal(party.address, to, amount, self.nonce(), FAR)
        act = self.act("Vault", said, party.secret, party.address)
        await self.send(self.contracts.vault.withdraw_by_sig(to, amount, act))


async def live(street: Street) -> None:
    """One day of the street.

    slot     first        +1           +2            +3             +4           +5
    orders   trade, dust  bids' dust   nobody trades one cancelled  wrapped      no orders
    settled  by readings  by readings  by default    released       corrected    cleared only
    """
    one, two, three, four = street.homes
    contracts, auction = street.contracts, street.contracts.auction
    first = street.first = street.time // SLOT + 3
    a, b, c, d, e, f = range(first, first + 6)

    # before the gates: asks rationed in a, bids in b, no match in c, a cancel in d
    await street.place(
        street.ask(one, a, 1_001, 140_000),
        street.ask(two, a, 1_000, 140_000),
        street.bid(three, a, 1_100, 200_000),
        street.bid(four, a, 400, 190_000),
    )
    await street.place(street.ask(one, a, 1_003, 140_000), street.bid(three, a, 1_000, 220_000))
    await street.place(
        street.ask(one, b, 500, 120_000),
        street.bid(three, b, 333, 180_000),
        street.bid(four, b, 334, 180_000),
        street.bid(two, b, 335, 180_000),
    )
    await street.place(street.ask(one, c, 700, 300_000), street.bid(three, c, 500, 120_000))
    await street.place(street.ask(one, d, 600, 130_000), street.ask(two, d, 900, 130_000))
    await street.place(street.bid(three, d, 700, 250_000), street.bid(four, d, 100, 110_000))
    await street.send(auction.cancel([street.cancelling(two, d)]))

    # refused, each with its reason
    stale = street.sign_word(
        "EnergyAuction", Order(street.market, d, two.meter, 1, FAR, Side.ASK, 100, 130_000), two.party.secret
    )
    stranger = street.sign_word(
        "EnergyAuction", Order(street.market, d, one.meter, 9, FAR, Side.ASK, 100, 130_000), two.party.secret
    )
    sideless = bytearray(street.ask(two, e, 50, 140_000)[0])
    sideless[19] = 7
    await street.place(
        stale,
        stranger,
        street.ask(two, e, 100, 135_001),
        street.ask(two, e, 5, 140_000),
        street.bid(four, e, 60_000, 300_000),
        street.bid(four, e, 50, 300_000, deadline=1),
        street.bid(four, e + 500, 50, 300_000),
        (bytes(sideless), bytes(32), bytes(32)),
    )
    unchanged = street.sign_word("EnergyAuction", Cancel(street.market, d, two.meter, 1, FAR), two.party.secret)
    await street.send(auction.cancel([unchanged]))

    # another contract relays: the Authority may call what is public
    wrapped = auction.place([street.ask(one, e, 800, 150_000), street.bid(three, e, 800, 260_000)])
    authority = contracts.authority
    await street.send(authority.call("execute", auction.address, wrapped.data))

    # prices and readings; the last reading of a slot closes it
    gate = a * SLOT - 300
    await street.send(auction.clear(street.market, a), at=gate)
    forged = street.reading(four, a, 300, 0, key=three.key)
    await street.settle(a, street.reading(three, a, 1_200, 0), forged, at=(a + 1) * SLOT)
    await street.settle(a, street.reading(one, a, 0, 2_500), street.reading(two, a, 100, 700))
    await street.settle(a, street.reading(four, a, 3_000, 0), street.reading(one, a, 0, 2_500))
    await street.settle(b, street.reading(one, b, 0, 520), at=(b + 1) * SLOT)
    await street.settle(
        b,
        street.reading(two, b, 180, 0),
        street.reading(three, b, 100, 0),
        street.reading(four, b, 4_000, 0),
        street.reading(three, b, 4_800, 0, version=2),
    )
    above = street.reading(three, b, 5_001, 0)
    await street.settle(b, above)

    # silence: c by default, then a late reading; d released before it is settled
    await street.send(auction.clear(street.market, c))
    await street.send(auction.clear(street.market, d), at=d * SLOT)
    await street.send(auction.release(street.market, d, [four.meter, four.meter, one.meter, three.meter]))
    late = (d + 1) * SLOT + 1_800
    await street.send(
        auction.settle_by_default(street.market, c, [one.meter, two.meter, three.meter, one.meter]), at=late
    )
    await street.settle(c, street.reading(three, c, 480, 0), street.reading(one, c, 0, 4_900))
    await street.settle(d, street.reading(one, d, 0, 610), street.reading(three, d, 700, 0))
    await street.settle(
        d, street.reading(four, d, 90, 0), street.reading(two, d, 50, 0), street.reading(three, d, 750, 0, version=2)
    )
    await street.settle(e, street.reading(one, e, 0, 4_950), street.reading(three, e, 790, 0))
    await street.settle(e, street.reading(one, e, 0, 4_000, version=2))
    await street.settle(e, street.reading(one, e, 0, 4_500, version=3))
    await street.send(auction.clear(street.market, f))

    # debts are paid by what comes in, the rest by whoever asks for it
    await street.send(contracts.vault.deposit(street.utility.address, 100_000), street.utility)
    await street.send(auction.collect(street.market, one.party.address))
    await street.send(contracts.vault.deposit(street.utility.address, 40 * EUR), street.utility)
    await street.send(auction.collect(street.market, one.party.address))
    await street.deposit_by_permit(four.party, 10 * EUR)

    # money leaves; what came by bare transfer is skimmed
    await street.withdraw(two.party, two.party.address, 5 * EUR)
    await street.send(contracts.vault.withdraw(street.utility.address, 1 * EUR), street.utility)
    await street.send(contracts.currency.transfer(contracts.vault.address, 77))
    await street.send(contracts.vault.skim(street.admin.address), street.admin)

    from .assets import report_states

    await report_states(street)

    # devices and roles
    await street.set_status(four, DeviceStatus.SUSPENDED, four.party)
    await street.set_status(four, DeviceStatus.ACTIVE, street.operator)
    await street.send(authority.grant_role(Role.MAKER, one.party.address, 60), street.admin)
    await street.send(authority.grant_role(Role.MAKER, two.party.address), street.admin)
    await street.send(authority.revoke_role(Role.MAKER, two.party.address), street.admin)
    await street.send(authority.call("setRoleAdmin", Role.MAKER, Role.OPERATOR), street.admin)
    await street.send(authority.call("setRoleGuardian", Role.MAKER, Role.OPERATOR), street.admin)
    await street.send(authority.call("setTargetAdminDelay", contracts.vault.address, 5), street.admin)
    await street.send(authority.set_closed(contracts.devices.address, closed=False), street.admin)

    from .promises import promise, redeem

    await promise(street)

    # three turns of the ring later another slot takes the first one's place
    again = first + 3 * RING
    await street.place(
        street.ask(one, again, 500, 120_000), street.bid(two, again, 450, 180_000), at=(again - 2) * SLOT
    )
    await street.settle(
        again, street.reading(one, again, 0, 500), street.reading(two, again, 450, 0), at=(again + 1) * SLOT
    )

    # a wallet contract trades as anybody does, and its wrong signature is refused
    five = Home(Party.of("home 5"), DeviceKey.of("5", KeyKind.SECP256K1))
    five.wallet = await street.make_wallet(five)
    await street.send(contracts.vault.deposit(five.wallet, 10 * EUR))
    await street.enrol(five)
    await street.register(five)
    later = street.time // SLOT + 4
    await street.place(street.bid(five, later, 300, 200_000))
    wrong = Order(street.market, later, five.meter, 7, FAR, Side.BID, 300, 200_000)
    await street.place(street.sign_word("EnergyAuction", wrong, one.party.secret))
    leaving = Withdrawal(five.wallet, five.party.address, EUR, street.nonce(), FAR)
    act = street.act("Vault", leaving, five.party.secret, five.wallet)
    await street.send(contracts.vault.withdraw_by_sig(five.party.address, EUR, act))

    await redeem(street)

    from .lives import live_long

    await live_long(street)

    from .changes import change

    await change(street, five)

    from .measurements import measure

    await measure(street)
    later = street.time // SLOT + 4

    # the day ends with a slot still open and a role's name
    await street.send(authority.label_role(Role.MAKER, "maker"), street.admin)
    await street.place(street.bid(two, later, 400, 210_000), street.bid(three, later, 1, 210_000))
    await street.chain.mine(street.time + 10)


async def open_street(chain: Localnet) -> Street:
    """A street with its market open."""
    street = await Street.build(chain)
    street.time = (await chain.node.head()).timestamp + 1
    await street.open()
    return street


def folder_of(path: Path) -> Path:
    """Where a test's chain lives."""
    return path / "chain"
