from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gridweave.client import Offer, Prosumer
from gridweave.client.promises import KeptPromise, PromiseFolder, PromiseMalformed
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.eip712 import digest
from gridweave.domain.orders import Side
from gridweave.domain.signatures import recover
from tests.backend.client.conftest import METER
from tests.backend.client.simulator import SPONSOR

SLOT, DEADLINE = 1_628_400, 1_465_511_000
OFFER = Offer(METER, SLOT, Side.BID, 1_500, 210_000)


def kept(prosumer: Prosumer) -> KeptPromise:
    placed = prosumer.place(OFFER, DEADLINE)
    return KeptPromise.of(placed.item, placed.signature, (placed.order,), None, prosumer.client.deployment)


def test_keep__then_find__gives_what_the_relayer_signed(prosumer: Prosumer, tmp_path: Path) -> None:
    folder, promise = PromiseFolder(tmp_path / "promises"), kept(prosumer)
    folder.keep(promise)
    found = folder.find(promise.id)
    assert found == folder.find(promise.id[:10]) == promise
    assert (found.said.sponsor.lower(), found.has_sponsor) == (SPONSOR.lower(), True)
    domain = prosumer.client.deployment.domain("RelayerBond")
    assert recover(digest(domain, found.said), found.signature) == prosumer.client.deployment.relayer


def test_keep__of_what_nobody_answers_for__leaves_what_somebody_does(prosumer: Prosumer, tmp_path: Path) -> None:
    folder, promise = PromiseFolder(tmp_path), kept(prosumer)
    empty = replace(promise, said=replace(promise.said, sponsor=ZERO_ADDRESS))
    for each in (empty, promise, empty):
        folder.keep(each)
    assert list(folder.all()) == [promise]


def test_forget__given_several__drops_what_can_be_claimed_no_more(prosumer: Prosumer, tmp_path: Path) -> None:
    folder, first = PromiseFolder(tmp_path), kept(prosumer)
    second = replace(first, said=replace(first.said, request=bytes(32)))
    for promise in (first, second):
        folder.keep(promise)
    assert list(folder.all()) == sorted((first, second), key=lambda promise: promise.id)
    second = replace(second, orders=(replace(second.orders[0], slot=SLOT + 1),))
    folder.keep(second)
    folder.forget((SLOT + 64) * 900 - 1, 900)
    assert len(list(folder.all())) == 2
    folder.forget((SLOT + 64) * 900, 900)
    assert list(folder.all()) == [second]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"request": "0x12"}', "not json"])
def test_read__given_another_file__says_so(text: str, tmp_path: Path) -> None:
    (tmp_path / "file.json").write_text(text)
    with pytest.raises(PromiseMalformed):
        PromiseFolder.read(tmp_path / "file.json")


@pytest.mark.parametrize("name", ["0x12", "../../etc/passwd", "0x" + "ab" * 32])
def test_find__given_what_is_not_kept__is_not_found(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PromiseFolder(tmp_path).find(name)
