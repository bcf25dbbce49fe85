"""The figures that follow from the gas snapshot: exact, the same on every machine.

A figure is the gas of whole transactions (base cost, every byte of the call, execution on cold storage) over their
items: batches of 100, random prices over more than 64 ticks, funded accounts.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchmark.figures import Figure

__all__ = ["IN_CODE", "gas_figures"]

SLOTS_OF_WORD = 8
BLOCK_GAS, BLOCK_SECONDS, SLOT_SECONDS = 30_000_000, 5, 900

_FRESH = "an order of a batch of 100 on fresh storage"
_REUSED = "an order of a batch of 100 in reused words"
_LINE = "a line of a schedule of 5 meters over 20 slots in reused words"
_CLEAR = {
    "gas.clear.10": "clearing 10 orders",
    "gas.clear.100": "clearing 100 orders",
    "gas.clear.200": "clearing 200 orders",
    "gas.clear.1000": "clearing 1,000 orders",
    "gas.clear.10000": "clearing 10,000 orders",
    "gas.clear.worst": "clearing the worst book that the search found",
}
IN_CODE = 35
"""Readings that the service puts into a transaction where P-256 is computed in Solidity."""

_SETTLE = {
    "gas.settle.secp256k1.batch100": (100, "secp256k1", "keys on secp256k1"),
    "gas.settle.p256.batch100": (100, "P-256", "keys on P-256, on a chain with the precompile at 0x100"),
    "gas.settle.p256.code": (IN_CODE, "P-256 in code", "keys on P-256, on a chain without the precompile"),
}

_ACT, _READING = "gas an act", "gas a reading"
_DEVICES = {
    "gas.claim": ("claiming one of 131,072 devices, secp256k1", _ACT),
    "gas.claim.p256": ("claiming one of 131,072 devices, P-256", _ACT),
    "gas.rotate": ("rotating a key, secp256k1", _ACT),
    "gas.rotate.p256": ("rotating a key, P-256", _ACT),
    "gas.revoke": ("revoking a device, sent by its owner", _ACT),
    "gas.revoke.relayed": ("revoking a device, relayed", _ACT),
    "gas.anchor.head": ("anchoring a batch of an open page, secp256k1", "gas a batch"),
    "gas.anchor.head.p256": ("anchoring a batch of an open page, P-256 key brought", "gas a batch"),
    "gas.verify.reading": ("proving one of 100,000 readings in an open page", "gas a proof"),
    "gas.firmware.release.3of5": ("releasing firmware by 3 of 5 keys, whole transaction", _ACT),
}
_RESPONSE = {
    "gas.dr.enrol": ("enrolling an asset, whole transaction", _ACT),
    "gas.dr.announce": ("announcing an event, whole transaction", _ACT),
    "gas.dr.trigger": ("triggering an event by two readings, whole transaction", _ACT),
    "gas.dr.dispatch.per_asset": (
        "calling and dispatching an asset of a meter that was called before, in 100",
        "gas an asset",
    ),
    "gas.dr.settle.10of10": (
        "settling a meter by 10-of-10 with adjustment over 4 slots, whole transaction",
        "gas a meter",
    ),
    "gas.dr.settle.10of10.batch8": (
        "settling a meter by 10-of-10 with adjustment over 4 slots, in 8",
        "gas a meter",
    ),
}
_FULL = "FullAnchor, anchoring a reading of 600 with 5 bytes each, paris, an item"
_HASH = "UsualAnchor, anchoring 1,000 readings of 100,000, mode Hash, an item"


def gas_figures(snapshot: Mapping[str, int]) -> dict[str, Figure]:
    """Figures by name. KeyError for a sentence that the snapshot lacks."""
    settle = {name: _settle(snapshot, size, keys) for name, (size, keys, _) in _SETTLE.items()}
    share = snapshot[_CLEAR["gas.clear.100"]] / 100
    fresh, reused = (snapshot[place] + share + settle["gas.settle.secp256k1.batch100"] for place in (_FRESH, _REUSED))
    homes = BLOCK_GAS * SLOT_SECONDS // BLOCK_SECONDS // reused
    life = "place, a hundredth of a clearing of 100, and settle (secp256k1)"
    full = "anchoring a reading with its ciphertext, 600 in a batch, 5 bytes each"
    return {
        **{name: _gas(snapshot[said], unit, said) for name, (said, unit) in (_DEVICES | _RESPONSE).items()},
        "gas.anchor.full.per_reading": _gas(snapshot[_FULL], _READING, full),
        "gas.anchor.hash.per_reading": Figure(
            value=snapshot[_HASH] / 1_000, unit=_READING, note="anchoring a reading by hash, 100,000 in a batch"
        ),
        "gas.place.batch100": _gas(snapshot[_FRESH], "gas an order", "batch of 100, no storage word written before"),
        "gas.place.batch100.reused": _gas(snapshot[_REUSED], "gas an order", "batch of 100, the ring's words reused"),
        "gas.schedule.line.reused": _gas(snapshot[_LINE], "gas a line", _LINE),
        **{name: _gas(snapshot[sentence], "gas a slot", sentence) for name, sentence in _CLEAR.items()},
        **{
            name: _gas(
                settle[name],
                "gas a reading",
                f"read, verify and pay: batches of {size}, {words}; mean over the 8 slots of a word",
            )
            for name, (size, _, words) in _SETTLE.items()
        },
        "gas.life.n100": _gas(fresh, "gas an order", f"{life}; no word written before"),
        "gas.life.n100.reused": _gas(reused, "gas an order", f"{life}; the ring's words reused"),
        "homes.per_chain": Figure(
            value=int(homes), unit="homes", note="lives in reused words that fit a quarter hour of 30M gas every 5 s"
        ),
    }


def _settle(snapshot: Mapping[str, int], size: int, keys: str) -> float:
    batch = f"a reading of a batch of {size}"
    later = snapshot[f"{batch}, a later one of its word, {keys}"]
    return (snapshot[f"{batch}, the first of its word, {keys}"] + (SLOTS_OF_WORD - 1) * later) / SLOTS_OF_WORD


def _gas(value: float, unit: str, note: str) -> Figure:
    return Figure(value=round(value), unit=unit, note=note)
