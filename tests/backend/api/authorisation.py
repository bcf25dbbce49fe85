"""The roles of the authorisation matrix, their things in a town, and per route who may do what to whose.

A row is needed for every route: what is not read by everybody names, for each thing, the roles that are obeyed and what
all others are told. Cells not named `obeyed` are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gridweave import artifacts
from gridweave.chain import Call
from gridweave.chain.contracts.authority import Role as ChainRole
from gridweave.domain.anchors import StreamMode, stream_id
from gridweave.domain.firmware.messages import Release
from gridweave.domain.maker_tree import leaf_of
from gridweave.domain.signatures import address_of
from tests.support.acts import Acts, Party, Posted, Signer, schema_of
from tests.support.firmware import FirmwareActs, key_set
from tests.support.town import FOREVER, MODEL, DeviceKeyPair, TestHome, Town, draw_home

__all__ = ["ADMISSION", "PUBLIC", "SIGNED", "Refusal", "Role", "Row", "Stage", "staged"]

Refusal = tuple[int, str]

WEEK = 7 * 86_400
STREAMS = tuple(f"{done}{turn}" for done in ("rekeyed", "granted", "measured") for turn in ("", "_again"))
"""Of each thing's device, by what is done to them, which is under way for good."""


class Role(StrEnum):
    """Whoever may knock."""

    STRANGER = "stranger"
    PROSUMER = "prosumer"
    NEIGHBOUR = "other prosumer"
    DELEGATE = "delegate of the prosumer"
    DEVICE = "the prosumer's device"
    OWNER = "owner of another device"
    MAKER = "maker"
    OPERATOR = "operator of the market"
    OTHER_OPERATOR = "operator of another market"
    UTILITY = "utility of the market"
    SPONSOR = "sponsor"
    RELAYER = "relayer's key"
    ADMIN = "admin"
    RELEASE_KEY = "release key of the model"
    WALLET = "smart wallet"


@dataclass(frozen=True)
class Stage:
    """The town with everybody in it.

    `things` are the homes that acts are about, `spare` is an enrolled device without a meter, `fresh` one not enrolled;
    `devices` are the prosumer's further ones by what stands before them, `root` is a batch of the one `unborn` of them;
    the homes' devices are of MODEL, whose keys are the release key and the wallet, one of them enough: release 1 is
    full, 2 proposed, 3 a canary, 4 paused; of model 8 the keys may change; nobody opened model 9;
    `slot` is open, `past` and the one before are over, `ahead` lies beyond the horizon; `turn` tells streams apart.
    """

    town: Town
    parties: Mapping[Role, Party]
    things: Mapping[str, TestHome]
    accounts: Mapping[str, str]
    spare: DeviceKeyPair
    fresh: DeviceKeyPair
    devices: Mapping[str, DeviceKeyPair]
    root: bytes
    slot: int
    past: int
    ahead: int
    turn: str = ""


Make = Callable[[Acts, Stage, str, Party], Posted]


@dataclass(frozen=True)
class Row:
    """One route: `make` the request about a thing by a party; who is `obeyed` by thing; what the others are told."""

    make: Make
    obeyed: Mapping[str, frozenset[Role]]
    refusal: Refusal
    told: Mapping[Role, Refusal] = field(default_factory=dict)


OPERATORS = frozenset({Role.OPERATOR, Role.OTHER_OPERATOR})
"""One role on chain: which market an operator serves is what a utility underwrites, not a right of its own."""

HOUSEHOLDS = {
    "prosumer": frozenset({Role.PROSUMER}),
    "neighbour": frozenset({Role.NEIGHBOUR}),
    "wallet": frozenset({Role.WALLET}),
}
TRADERS = HOUSEHOLDS | {"prosumer": frozenset({Role.PROSUMER, Role.DELEGATE})}
NOT_YOURS: Refusal = (403, "WrongSigner")
NO_ROLE: Refusal = (403, "SignerNotAllowed")
FORGED: Refusal = (403, "WrongSignature")


def _of_operators(make: Make) -> Row:
    return Row(make, {"prosumer": OPERATORS, "neighbour": OPERATORS}, NO_ROLE)


def _by_device(name: str, make: Callable[[Acts, Stage, DeviceKeyPair, Signer], Posted]) -> Row:
    """What the key of a device alone can say; its owner, its maker and operators as little as anybody else."""

    def made(acts: Acts, stage: Stage, thing: str, by: Party) -> Posted:
        key = stage.devices[name]
        return make(acts, stage, key, key if by.name == Role.DEVICE else by)

    return Row(made, {name: frozenset({Role.DEVICE})}, (403, "DeviceSignatureInvalid"))


def _firmware(acts: Acts, stage: Stage, model: int = MODEL) -> FirmwareActs:
    keys = key_set(_release_keys(stage.parties), 1)
    return FirmwareActs(acts.town, model, keys, elsewhere=acts.elsewhere, deadline=acts.deadline)


def _release_keys(parties: Mapping[Role, Party]) -> list[Party]:
    holders = (parties[Role.RELEASE_KEY], parties[Role.WALLET])
    return sorted(holders, key=lambda party: int(party.account, 16))


def _by_keys(make: Callable[[FirmwareActs, Party], Posted], model: int = MODEL) -> Row:
    """What release keys alone may say; the maker, who opened the model, as little as anybody else."""
    keys = frozenset({Role.RELEASE_KEY, Role.WALLET})
    return Row(
        lambda acts, stage, _, by: make(_firmware(acts, stage, model), by),
        {"model's": keys},
        (403, "UnknownReleaseKey"),
    )


def _transfer(acts: Acts, stage: Stage, by: Party) -> Posted:
    """With the device's word. Whoever is obeyed has a device of its own, since what is under way for one may change
    what the others are told of it."""
    key = stage.devices["offered" if by.name == Role.NEIGHBOUR else "offered too"]
    return acts.transfer(key.device, stage.accounts["prosumer"], by, key, 0)


SIGNED: dict[str, Row] = {
    "POST /v1/orders": Row(lambda a, s, t, by: a.order(s.things[t], by, s.slot), TRADERS, NOT_YOURS),
    "POST /v1/cancels": Row(lambda a, s, t, by: a.cancel(s.things[t], by, s.slot + 1), TRADERS, NOT_YOURS),
    "POST /v1/schedules": Row(
        lambda a, s, t, by: a.schedule(s.things[t], by, s.slot + 2, s.accounts[t]), TRADERS, NOT_YOURS
    ),
    "POST /v1/cancel-schedules": Row(
        lambda a, s, t, by: a.cancel_schedule(s.things[t], by, s.slot + 3, s.accounts[t]), TRADERS, NOT_YOURS
    ),
    "POST /v1/delegations": Row(
        lambda a, s, t, by: a.delegation(s.accounts[t], by, s.parties[Role.DELEGATE].account), HOUSEHOLDS, NO_ROLE
    ),
    "POST /v1/readings": Row(
        lambda a, s, t, by: a.reading(s.things[t], by, s.past),
        {"prosumer": frozenset({Role.DEVICE}), "neighbour": frozenset()},
        (403, "DeviceSignatureInvalid"),
    ),
    "POST /v1/devices": Row(
        lambda a, s, t, by: a.enrolment(s.fresh, s.accounts[t], by),
        {"prosumer": frozenset({Role.MAKER})},
        (403, "NotAMaker"),
    ),
    "POST /v1/devices/{device}/status": Row(
        lambda a, s, t, by: a.status((s.spare if t == "owner" else s.things[t].key).device, by),
        {
            "owner": OPERATORS | {Role.OWNER},
            "prosumer": OPERATORS | {Role.PROSUMER},
            "neighbour": OPERATORS | {Role.NEIGHBOUR},
        },
        NO_ROLE,
    ),
    "POST /v1/device-batches": Row(
        lambda a, s, t, by: a.batch(b"\1" * 32, by), {"maker's": frozenset({Role.MAKER})}, (403, "NotAMaker")
    ),
    "POST /v1/device-batches/{root}/closing": Row(
        lambda a, s, t, by: a.closing(s.root, by), {"maker's": OPERATORS | {Role.MAKER}}, NO_ROLE
    ),
    "POST /v1/device-claims": _by_device(
        "unborn", lambda a, s, key, by: a.claim(key, s.accounts["prosumer"], s.root, signer=by)
    ),
    "POST /v1/devices/{device}/key": _by_device(
        "turning", lambda a, s, key, by: a.rotation(key.device, key, s.fresh, 0, signer=by)
    ),
    "POST /v1/devices/{device}/key-veto": _by_device(
        "vetoing", lambda a, s, key, by: a.veto(key.device, key, s.fresh.device, 0, signer=by)
    ),
    "POST /v1/devices/{device}/key-adoption": _by_device(
        "next", lambda a, s, key, by: a.adoption(s.devices["lost"].device, s.devices["lost"], key, 0, signer=by)
    ),
    "POST /v1/devices/{device}/key-proposal": Row(
        lambda a, s, t, by: a.proposal(s.things[t].key.device, s.fresh, by), HOUSEHOLDS, NO_ROLE
    ),
    "POST /v1/devices/{device}/compromise": Row(
        lambda a, s, t, by: a.compromise(s.things[t].key.device, s.things[t].key, by),
        {thing: OPERATORS | owners for thing, owners in HOUSEHOLDS.items()},
        NO_ROLE,
    ),
    "POST /v1/devices/{device}/offer": Row(
        lambda a, s, t, by: a.offer(s.things[t].key.device, s.accounts["prosumer"], by), HOUSEHOLDS, NO_ROLE
    ),
    "POST /v1/devices/{device}/transfer": Row(
        lambda a, s, t, by: _transfer(a, s, by), {"offered": frozenset({Role.NEIGHBOUR})}, (409, "TransferNotOffered")
    ),
    "POST /v1/meters": Row(
        lambda a, s, t, by: a.meter(s.spare.device, s.accounts[t], by), {"prosumer": OPERATORS}, NO_ROLE
    ),
    "POST /v1/meter-moves": _of_operators(
        lambda a, s, t, by: a.meter_move(s.things[t].key.device, s.accounts[t], by, s.ahead)
    ),
    "POST /v1/meters/{meter}/end": _of_operators(lambda a, s, t, by: a.meter_end(s.things[t].meter, by, s.ahead)),
    "POST /v1/asset-states": Row(
        lambda a, s, t, by: a.state(1, by, _now(s)),
        {"prosumer's": frozenset({Role.DEVICE})},
        (403, "DeviceSignatureInvalid"),
    ),
    "POST /v1/assets": _of_operators(lambda a, s, t, by: a.asset(s.things[t].meter, by)),
    "POST /v1/streams": Row(
        lambda a, s, t, by: a.stream(s.things[t].key.device, by, "fresh" + s.turn), HOUSEHOLDS, NO_ROLE
    ),
    "POST /v1/streams/{stream}/epochs": Row(
        lambda a, s, t, by: a.epoch(_stream(s, t, "rekeyed"), by), HOUSEHOLDS, NO_ROLE
    ),
    "POST /v1/streams/{stream}/grants": Row(
        lambda a, s, t, by: a.grant(_stream(s, t, "granted"), by, s.accounts["sponsor"]), HOUSEHOLDS, NO_ROLE
    ),
    "POST /v1/streams/{stream}/batches": Row(
        lambda a, s, t, by: a.anchored(_stream(s, t, "measured"), by),
        {"prosumer": frozenset({Role.DEVICE}), "neighbour": frozenset()},
        (403, "BatchNotAuthentic"),
    ),
    "POST /v1/markets": Row(
        lambda a, s, t, by: a.market(*_seats(s, t, by)),
        {"operator's": OPERATORS, "utility's": frozenset({Role.UTILITY})},
        NO_ROLE,
    ),
    "POST /v1/markets/{market}/terms": Row(
        lambda a, s, t, by: a.terms(1, *_seats(s, t, by), s.ahead),
        {"operator's": OPERATORS, "utility's": frozenset({Role.UTILITY})},
        NO_ROLE,
    ),
    "POST /v1/deposits": Row(
        lambda a, s, t, by: a.deposit(s.accounts[t], by, 1),
        HOUSEHOLDS | {"wallet": frozenset()},  # the token's permits are signed by keys
        (403, "ERC2612InvalidSigner"),
    ),
    "POST /v1/withdrawals": Row(lambda a, s, t, by: a.withdrawal(s.accounts[t], by), HOUSEHOLDS, FORGED),
    "POST /v1/firmware/models": Row(
        lambda a, s, t, by: _firmware(a, s, 9).opening(by, [s.parties[Role.RELEASE_KEY]]),
        {"nobody's": frozenset({Role.MAKER})},
        NO_ROLE,
    ),
    "POST /v1/firmware/models/{model}/keys": _by_keys(
        lambda a, by: a.key_change(replace(a.keys, version=2), [by]), model=8
    ),
    "POST /v1/firmware/models/{model}/releases": _by_keys(lambda a, by: a.release(a.release_of(5), [by])),
    "POST /v1/firmware/models/{model}/releases/{counter}/start": _by_keys(
        lambda a, by: a.start(_kept(a, 2), 1_000, [by])
    ),
    "POST /v1/firmware/models/{model}/releases/{counter}/raise": _by_keys(
        lambda a, by: a.raise_share(3, 2_000, 1, [by])
    ),
    "POST /v1/firmware/models/{model}/releases/{counter}/pause": _by_keys(lambda a, by: a.pause(1, 2, [by])),
    "POST /v1/firmware/models/{model}/releases/{counter}/resume": _by_keys(lambda a, by: a.resume(4, 2, [by])),
    "POST /v1/firmware/models/{model}/releases/{counter}/revocation": _by_keys(lambda a, by: a.revocation(3, 1, [by])),
    "POST /v1/firmware/receipts": Row(
        lambda a, s, t, by: _firmware(a, s).receipt(s.things["prosumer"].key, 1, _now(s), signer=by),
        {"prosumer's": frozenset({Role.DEVICE})},
        (403, "DeviceSignatureInvalid"),
    ),
    "POST /v1/bonds": Row(
        lambda a, s, t, by: a.bond(s.accounts[t], by, s.parties[Role.RELAYER].account),
        {
            "sponsor": frozenset({Role.SPONSOR}),
            "prosumer": frozenset({Role.PROSUMER}),
            "wallet": frozenset({Role.WALLET}),
        },
        FORGED,
    ),
    "POST /v1/bonds/unbond": Row(
        lambda a, s, t, by: a.unbond(s.accounts[t], by, s.parties[Role.RELAYER].account),
        {"sponsor": frozenset({Role.SPONSOR})},
        FORGED,
    ),
}
"""What is signed: obeyed for whose thing."""

PUBLIC: dict[str, Callable[[Stage], str]] = {
    "GET /v1/version": lambda s: "/v1/version",
    "GET /v1/history": lambda s: "/v1/history",
    "GET /v1/history/export": lambda s: "/v1/history/export",
    "GET /v1/deployment": lambda s: "/v1/deployment",
    "GET /v1/operations": lambda s: "/v1/operations",
    "GET /v1/markets": lambda s: "/v1/markets",
    "GET /v1/markets/{market}": lambda s: "/v1/markets/1",
    "GET /v1/markets/{market}/slots/{slot}": lambda s: f"/v1/markets/1/slots/{s.slot}",
    "GET /v1/markets/{market}/slots/{slot}/book": lambda s: f"/v1/markets/1/slots/{s.slot}/book",
    "GET /v1/markets/{market}/prices": lambda s: "/v1/markets/1/prices",
    "GET /v1/markets/{market}/balance": lambda s: f"/v1/markets/1/balance?from={s.past}&to={s.slot}",
    "GET /v1/markets/{market}/arrears": lambda s: "/v1/markets/1/arrears",
    "GET /v1/orders": lambda s: f"/v1/orders?meter={s.things['prosumer'].meter}",
    "GET /v1/orders/{digest}": lambda s: f"/v1/orders/0x{'00' * 32}",
    "GET /v1/requests/{digest}": lambda s: f"/v1/requests/0x{'00' * 32}",
    "GET /v1/readings": lambda s: f"/v1/readings?meter={s.things['prosumer'].meter}",
    "GET /v1/devices/{device}": lambda s: f"/v1/devices/{s.spare.device}",
    "GET /v1/devices/{device}/did": lambda s: f"/v1/devices/{s.spare.device}/did",
    "GET /v1/device-batches/{root}": lambda s: f"/v1/device-batches/0x{s.root.hex()}",
    "GET /v1/streams": lambda s: "/v1/streams",
    "GET /v1/streams/{stream}": lambda s: f"/v1/streams/0x{_stream(s, 'prosumer', 'granted').hex()}",
    "GET /v1/streams/{stream}/batches": lambda s: f"/v1/streams/0x{_stream(s, 'prosumer', 'granted').hex()}/batches",
    "GET /v1/streams/{stream}/batches/{number}/proof": lambda s: f"/v1/streams/0x{'00' * 32}/batches/1/proof",
    "GET /v1/bodies/{body_hash}": lambda s: f"/v1/bodies/0x{'00' * 32}",
    "GET /v1/grants": lambda s: "/v1/grants",
    "GET /v1/assets": lambda s: "/v1/assets",
    "GET /v1/assets/{asset}": lambda s: "/v1/assets/1",
    "GET /v1/meters": lambda s: "/v1/meters",
    "GET /v1/meters/{meter}": lambda s: f"/v1/meters/{s.things['prosumer'].meter}",
    "GET /v1/accounts/{address}": lambda s: f"/v1/accounts/{s.accounts['prosumer']}",
    "GET /v1/accounts/{address}/delegations": lambda s: f"/v1/accounts/{s.accounts['prosumer']}/delegations",
    "GET /v1/accounts/{address}/moves": lambda s: f"/v1/accounts/{s.accounts['prosumer']}/moves",
    "GET /v1/accounts/{address}/bill": lambda s: (
        f"/v1/accounts/{s.accounts['prosumer']}/bill?from={s.past}&to={s.slot}"
    ),
    "GET /v1/accounts/{address}/bill/lines": lambda s: (
        f"/v1/accounts/{s.accounts['prosumer']}/bill/lines?from={s.past}&to={s.slot}"
    ),
    "GET /v1/firmware/models": lambda s: "/v1/firmware/models",
    "GET /v1/firmware/models/{model}": lambda s: f"/v1/firmware/models/{MODEL}",
    "GET /v1/firmware/models/{model}/keys": lambda s: f"/v1/firmware/models/{MODEL}/keys",
    "GET /v1/firmware/models/{model}/devices": lambda s: f"/v1/firmware/models/{MODEL}/devices",
    "GET /v1/firmware/models/{model}/releases": lambda s: f"/v1/firmware/models/{MODEL}/releases",
    "GET /v1/firmware/models/{model}/releases/{counter}": lambda s: f"/v1/firmware/models/{MODEL}/releases/1",
    "GET /v1/firmware/models/{model}/releases/{counter}/receipts": lambda s: (
        f"/v1/firmware/models/{MODEL}/releases/1/receipts"
    ),
    "GET /v1/firmware/models/{model}/releases/{counter}/refusals": lambda s: (
        f"/v1/firmware/models/{MODEL}/releases/1/refusals"
    ),
    "GET /v1/firmware/models/{model}/releases/{counter}/devices/{device}": lambda s: (
        f"/v1/firmware/models/{MODEL}/releases/1/devices/{s.spare.device}"
    ),
    "GET /v1/firmware/models/{model}/releases/{counter}/bundle": lambda s: (
        f"/v1/firmware/models/{MODEL}/releases/1/bundle"
    ),
    "GET /v1/firmware/devices/{device}": lambda s: f"/v1/firmware/devices/{s.spare.device}",
    "GET /v1/firmware/proposals": lambda s: "/v1/firmware/proposals",
    "GET /v1/firmware/proposals/{digest}": lambda s: f"/v1/firmware/proposals/0x{'00' * 32}",
    "GET /v1/bonds": lambda s: "/v1/bonds",
    "GET /v1/compensations": lambda s: "/v1/compensations",
    "GET /v1/events": lambda s: "/v1/events",
    "GET /healthz": lambda s: "/healthz",
    "GET /readyz": lambda s: "/readyz",
    "GET /metrics": lambda s: "/metrics",
}
"""What anybody may read, without saying who they are: it is on chain, or about the service itself."""

UNSIGNED = {"POST /v1/bonds/redeem", "POST /v1/devices/{device}/kept-key", "POST /v1/readings/verify"}
"""What anybody may set off: it pays whom it is due to; it keeps a key that is known; it asks a contract."""

ADMISSION = {"POST /v1/device-challenges", "POST /v1/device-sessions", "GET /v1/device-sessions/current"}
"""By which a device is let in, and nobody else: it answers with its key, and shows what it was given."""


def _stream(stage: Stage, thing: str, of: str) -> bytes:
    """The stream of a thing's device that is there for this."""
    return stream_id(stage.things[thing].key.device, StreamMode.FULL, schema_of(of + stage.turn).hash)


def _seats(stage: Stage, seat: str, by: Party) -> tuple[Party, Party]:
    """(operator, utility) with the party in one of the two seats."""
    if seat == "operator's":
        return by, stage.parties[Role.UTILITY]
    return stage.parties[Role.OPERATOR], by


def _now(stage: Stage) -> int:
    """Chain time since the stage stands, which is the end of its `past`, in seconds."""
    return stage.town.clock.end(stage.ahead - 200)


def _kept(acts: FirmwareActs, counter: int) -> Release:
    """A release as the stage has it, however long the act about it holds."""
    return acts.release_of(counter, deadline=FOREVER)


async def _release_firmware(town: Town, parties: Mapping[Role, Party]) -> None:
    by, maker = [parties[Role.RELEASE_KEY]], parties[Role.MAKER]
    acts, other = (FirmwareActs(town, model, key_set(_release_keys(parties), 1)) for model in (MODEL, 8))
    posted = [acts.opening(maker, by), other.opening(maker, by)]
    for counter in (1, 2, 3, 4):
        posted.append(acts.release(acts.release_of(counter), by))
    posted += [acts.start(acts.release_of(counter), 1_000, by) for counter in (1, 3, 4)]
    posted += [acts.raise_share(1, 10_000, 1, by), acts.pause(4, 1, by)]
    await town.send([each.call for each in posted if each.call is not None])


async def staged(town: Town) -> Stage:
    """Everybody comes to live in a town of two homes or more."""
    parties = await _parties(town)
    spare, fresh, of_wallet = (draw_home(number)[1] for number in (800, 802, 804))
    operator, wallet, delegate = (parties[role] for role in (Role.OPERATOR, Role.WALLET, Role.DELEGATE))
    prosumer, neighbour, *_ = town.homes
    acts, relayer = Acts(town), parties[Role.RELAYER].account
    await town.send([town.enrol_call(spare, parties[Role.OWNER].account), town.enrol_call(of_wallet, wallet.account)])
    devices = await _born(town, acts, parties)
    await _release_firmware(town, parties)
    root = leaf_of(devices["unborn"].device, devices["unborn"].kind)
    calls = [
        acts.batch(root, parties[Role.MAKER]).call,
        acts.asset(prosumer.meter, operator).call,
        acts.meter(of_wallet.device, wallet.account, operator).call,
        acts.delegation(prosumer.account, parties[Role.PROSUMER], delegate.account).call,
        acts.bond(parties[Role.SPONSOR].account, parties[Role.SPONSOR], relayer).call,
    ]
    await town.send([call for call in calls if call is not None])
    meter = await town.contracts.meters.meter_of_device(of_wallet.device)
    assert meter is not None
    things = {"prosumer": prosumer, "neighbour": neighbour, "wallet": TestHome(wallet.secret, of_wallet, meter)}
    for thing, role in (("prosumer", Role.PROSUMER), ("neighbour", Role.NEIGHBOUR), ("wallet", Role.WALLET)):
        opened = [acts.stream(things[thing].key.device, parties[role], of) for of in STREAMS]
        await town.send([each.call for each in opened if each.call is not None])
    past = town.clock.slot_at(await town.now()) + 1
    await town.chain.mine(town.clock.end(past))
    return Stage(
        town=town,
        parties=parties,
        things=things,
        accounts={
            "prosumer": prosumer.account,
            "neighbour": neighbour.account,
            "wallet": wallet.account,
            "sponsor": parties[Role.SPONSOR].account,
        },
        spare=spare,
        fresh=fresh,
        devices=devices,
        root=root,
        slot=await town.open_slot(),
        past=past,
        ahead=past + 200,
    )


async def _born(town: Town, acts: Acts, parties: Mapping[Role, Party]) -> dict[str, DeviceKeyPair]:
    """Devices of the prosumer's, both curves among them: keys proposed a week ago, offers to the neighbour."""
    names = ("unborn", "turning", "vetoing", "lost", "next", "offered", "offered too", "claimed")
    devices = {name: draw_home(810 + number)[1] for number, name in enumerate(names)}
    owner, neighbour, fresh = parties[Role.PROSUMER], parties[Role.NEIGHBOUR].account, draw_home(802)[1]
    enrolled = [key for name, key in devices.items() if name not in ("unborn", "next", "claimed")]
    await town.send([town.enrol_call(key, owner.account) for key in enrolled])
    claimed = devices["claimed"]
    root = leaf_of(claimed.device, claimed.kind)
    posted = [
        acts.batch(root, parties[Role.MAKER]),
        acts.claim(claimed, owner.account, root),
        acts.proposal(devices["vetoing"].device, fresh, owner),
        acts.proposal(devices["lost"].device, devices["next"], owner),
        acts.offer(devices["offered"].device, neighbour, owner),
        acts.offer(devices["offered too"].device, neighbour, owner),
    ]
    await town.send([each.call for each in posted if each.call is not None])
    await town.chain.mine(await town.now() + WEEK)
    return devices


async def _parties(town: Town) -> dict[Role, Party]:
    """Everybody's key, on chain what they need: a role, a wallet's code, money."""
    prosumer, neighbour, *_ = town.homes
    drawn = {role: draw_home(900 + number)[0] for number, role in enumerate(Role)}
    kept = {role: town.keys[role.name.lower()].secret for role in Role if role.name.lower() in town.keys.addresses}
    homes = {Role.PROSUMER: prosumer.secret, Role.NEIGHBOUR: neighbour.secret}
    secrets = drawn | kept | homes | {Role.DEVICE: prosumer.key.secret.to_bytes(32, "big")}
    keeper = address_of(secrets[Role.WALLET])
    code = artifacts.load("SmartWallet").bytecode + bytes.fromhex(keeper[2:]).rjust(32, b"\0")
    admin, vault, currency = town.keys["admin"].address, town.contracts.vault, town.contracts.currency
    other = address_of(secrets[Role.OTHER_OPERATOR])
    (receipt, *_) = await town.send([Call(None, code), town.contracts.authority.grant_role(ChainRole.OPERATOR, other)])
    wallet = str(receipt.created)
    await town.send([currency.mint(home.account, 100) for home in town.homes])
    money = [currency.mint(admin, 10**8), currency.approve(vault.address, 10**8)]
    await town.send([*money, *(vault.deposit(who, 10**7) for who in (wallet, address_of(secrets[Role.SPONSOR])))])
    return {role: Party(role, secrets[role], wallet if role is Role.WALLET else "") for role in Role}
