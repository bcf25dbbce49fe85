"""Acts of as many release keys as there may be, and receipts by the hundred, stay within what their kinds are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridweave.domain.acts import KeyKind
from gridweave.domain.firmware.keys import MAX_KEYS
from gridweave.outbox.gas_model import GasModel
from gridweave.outbox.kinds import Kind
from tests.support.acts import Party, Posted
from tests.support.firmware import FirmwareActs, key_set, release_keys
from tests.support.town import MODEL, draw_home, founded

pytestmark = [pytest.mark.chain, pytest.mark.slow]

RECEIPTS = 100


async def test_limit__of_the_dearest_acts__is_enough_and_not_twice_as_much_as_needed(tmp_path: Path) -> None:
    model, people = GasModel(), release_keys(2 * MAX_KEYS)
    first, later = people[::2], people[1::2]
    keys, following = key_set(first, MAX_KEYS), key_set(later, MAX_KEYS, version=2)
    source = "https://firmware.example/" + "a" * 2_000
    async with founded(tmp_path / "chain", homes=0) as town:
        acts, next_acts = FirmwareActs(town, MODEL, keys), FirmwareActs(town, MODEL, following)
        maker, owner = Party("maker", town.keys["maker"].secret), town.keys["operator"].address
        said = next_acts.release_of(1, floor=1, source=source)
        devices = [draw_home(50_000 + number)[1] for number in range(RECEIPTS)]
        assert sum(key.kind is KeyKind.P256 for key in devices) == RECEIPTS // 2
        await town.send([town.enrol_call(key, owner) for key in devices])

        async def used(kind: Kind, posted: Posted) -> int:
            assert posted.call is not None
            (receipt,) = await town.send([posted.call], gas=model.limit(kind, 1))
            return receipt.gas_used

        taken = {
            Kind.MODEL: [await used(Kind.MODEL, acts.opening(maker, first))],
            Kind.RELEASE_KEYS: [await used(Kind.RELEASE_KEYS, acts.key_change(following, people))],
            Kind.RELEASE: [await used(Kind.RELEASE, next_acts.release(said, later))],
            Kind.ROLLOUT: [
                await used(Kind.ROLLOUT, next_acts.start(said, 1_000, later)),
                await used(Kind.ROLLOUT, next_acts.raise_share(1, 10_000, 1, later)),
                await used(Kind.ROLLOUT, next_acts.pause(1, 2, later)),
                await used(Kind.ROLLOUT, next_acts.resume(1, 3, later)),
            ],
        }
        now = await town.now()
        receipts = [next_acts.signed_receipt(key, 1, now) for key in devices]
        limit = model.limit(Kind.RECEIPT, RECEIPTS)
        (told,) = await town.send([town.contracts.firmware.tell_many(receipts)], gas=limit)
        assert (await town.contracts.firmware.rollout_of(MODEL, 1)).told == RECEIPTS
        taken[Kind.ROLLOUT].append(await used(Kind.ROLLOUT, next_acts.revocation(1, 1, later)))

    print({kind.value: max(figures) for kind, figures in taken.items()}, "receipts", told.gas_used, "of", limit)
    for kind, figures in taken.items():
        assert model.limit(kind, 1) // 4 < max(figures) < model.limit(kind, 1)
    assert limit // 2 < told.gas_used
    assert told.gas_used + 500_000 < limit, "the contract keeps so much back for the last of them"
