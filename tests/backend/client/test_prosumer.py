from __future__ import annotations

from typing import Any

import pytest

from gridweave.client import AcknowledgementInvalid, GridweaveClient, Offer, Prosumer, ServiceError, Wallet
from gridweave.client.errors import RequestRejected
from gridweave.domain.orders import Side
from tests.backend.client.conftest import METER
from tests.backend.client.simulator import RELAYER_KEY, Simulator

SLOT, DEADLINE = 1_628_400, 1_465_511_000
OFFER = Offer(METER, SLOT, Side.BID, 1_500, 210_000)


def test_place__given_anothers_meter__raises_the_refusal_by_name(prosumer: Prosumer, service: Simulator) -> None:
    service.accounts[METER] = "0x" + "00" * 20
    with pytest.raises(ServiceError) as caught:
        prosumer.place(OFFER, DEADLINE)
    assert caught.value.name == "WrongSigner"


def test_place__when_the_relayers_signature_is_anothers__is_not_acknowledged(
    prosumer: Prosumer, service: Simulator
) -> None:
    service.relayer_key = b"\x08" * 32
    with pytest.raises(AcknowledgementInvalid, match="the relayer is"):
        prosumer.place(OFFER, DEADLINE)


@pytest.mark.parametrize(
    ("field", "value"),
    [("commitBefore", 1), ("id", "0x" + "ab" * 32), ("acknowledgement", None), ("acknowledgement", "0x12"), ("id", "")],
)
def test_place__when_the_acknowledgement_is_about_something_else__is_not_acknowledged(
    prosumer: Prosumer, service: Simulator, field: str, value: Any
) -> None:
    service.mangle = lambda answer: {**answer, field: value}
    with pytest.raises(AcknowledgementInvalid):
        prosumer.place(OFFER, DEADLINE)


def test_place__when_the_promise_is_for_a_time_after_the_order_closes__is_not_acknowledged(
    prosumer: Prosumer, service: Simulator
) -> None:
    service.chain_time = DEADLINE - 599
    assert prosumer.place(OFFER, DEADLINE).item.commit_before == DEADLINE + 1
    service.chain_time += 1
    with pytest.raises(AcknowledgementInvalid, match="closes at"):
        prosumer.place(OFFER, DEADLINE)


def test_place__given_an_offer__is_signed_acknowledged_and_first(prosumer: Prosumer) -> None:
    placed = prosumer.place(OFFER, DEADLINE)
    assert (placed.order.version, placed.order.energy_wh, placed.order.limit_price) == (1, 1_500, 210_000)
    assert placed.item.status == "accepted"


def test_replace__given_a_placed_order__takes_the_next_version(prosumer: Prosumer) -> None:
    again = prosumer.replace(prosumer.place(OFFER, DEADLINE), limit_price=220_000)
    assert (again.order.version, again.order.limit_price, again.order.energy_wh) == (2, 220_000, 1_500)


def test_cancel__after_placing__takes_the_next_version(prosumer: Prosumer, service: Simulator) -> None:
    prosumer.place(OFFER, DEADLINE)
    item = prosumer.cancel(METER, SLOT, DEADLINE)
    assert item.status == "accepted"
    assert '"version":2' in service.seen[-1]


def test_place__by_a_restarted_program__goes_on_from_what_the_service_knows(
    prosumer: Prosumer, client: GridweaveClient, wallet: Wallet
) -> None:
    prosumer.place(OFFER, DEADLINE)
    assert Prosumer(client, wallet, market=1).place(OFFER, DEADLINE).order.version == 2


def test_place_all__given_more_than_one_request_carries__answers_each(prosumer: Prosumer, service: Simulator) -> None:
    offers = [Offer(METER, SLOT + i, Side.ASK, 100, 90_000) for i in range(501)]
    placed = prosumer.place_all(offers, DEADLINE)
    posts = [body for body in service.seen if "signature" in body]
    assert [one.order.slot for one in placed] == [offer.slot for offer in offers]
    assert len(posts) == 2


def test_prosumer__whatever_it_sends__no_private_key_is_in_it(prosumer: Prosumer, service: Simulator) -> None:
    placed = prosumer.place(OFFER, DEADLINE)
    prosumer.replace(placed, energy_wh=900)
    prosumer.cancel(METER, SLOT, DEADLINE)
    sent = "".join(service.seen)
    assert "signature" in sent
    assert (b"\x11" * 32).hex() not in sent
    assert RELAYER_KEY.hex() not in sent


def test_wait__when_the_request_is_rejected__raises_its_reason(
    prosumer: Prosumer, client: GridweaveClient, service: Simulator
) -> None:
    placed = prosumer.place(OFFER, DEADLINE)
    service.requests[placed.item.id] |= {"status": "rejected", "reason": "GateClosed"}
    with pytest.raises(RequestRejected) as caught:
        client.wait(placed.item.id)
    assert caught.value.reason == "GateClosed"


def test_wait__while_the_request_is_on_its_way__times_out_and_says_that_it_stands(
    prosumer: Prosumer, client: GridweaveClient
) -> None:
    placed = prosumer.place(OFFER, DEADLINE)
    with pytest.raises(TimeoutError, match="stays accepted"):
        client.wait(placed.item.id, timeout_s=0.3)
