"""Units and their decimal forms: prices in millionths of the currency per kWh, energy in Wh, cash in millionths.

Everything is an int. A price (micro per kWh) times an energy (Wh) is a thousand times the cash (micro).
"""

from __future__ import annotations

import re

from gridweave.domain.errors import NumberMalformed

MICRO = 1_000_000
"""Millionths in one unit of the currency."""

WH_PER_KWH = 1_000

_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)


def floor_div(numerator: int, denominator: int) -> int:
    """numerator / denominator, rounded toward minus infinity. Raises ZeroDivisionError."""
    return numerator // denominator


def mul_div_down(a: int, b: int, denominator: int) -> int:
    """floor(a x b / denominator). Raises ZeroDivisionError."""
    return a * b // denominator


def mul_div_up(a: int, b: int, denominator: int) -> int:
    """ceil(a x b / denominator). Raises ZeroDivisionError."""
    return -(-a * b // denominator)


def parse_energy_wh(kwh: str) -> int:
    """A decimal string of kWh as whole Wh: "1.5" -> 1500. Raises NumberMalformed."""
    return _parse(kwh, WH_PER_KWH, "energy is a decimal number of kWh, in whole Wh")


def parse_price_micro(price: str) -> int:
    """A decimal string of currency per kWh as micro per kWh: "0.21" -> 210000. Raises NumberMalformed."""
    return _parse(price, MICRO, "a price is a decimal number per kWh, in whole millionths")


def parse_amount_micro(amount: str) -> int:
    """A decimal string of the currency as millionths: "12.5" -> 12500000. Raises NumberMalformed."""
    return _parse(amount, MICRO, "an amount is a decimal number, in whole millionths")


def format_energy_kwh(energy_wh: int) -> str:
    """Wh as the shortest decimal string of kWh: 1500 -> "1.5"."""
    return _format(energy_wh, WH_PER_KWH)


def format_price(price_micro_per_kwh: int) -> str:
    """Micro per kWh as the shortest decimal string of currency per kWh: 210000 -> "0.21"."""
    return _format(price_micro_per_kwh, MICRO)


def format_amount(amount_micro: int) -> str:
    """Millionths as the shortest decimal string of the currency: -1500000 -> "-1.5"."""
    return _format(amount_micro, MICRO)


def _parse(text: str, scale: int, rule: str) -> int:
    if not _DECIMAL.fullmatch(text) or len(text) > 40:
        raise NumberMalformed(text[:40], rule)
    whole, _, fraction = text.partition(".")
    digits = len(str(scale)) - 1
    fraction = fraction.rstrip("0")
    if len(fraction) > digits:
        raise NumberMalformed(text, rule)
    return int(whole) * scale + int(fraction.ljust(digits, "0") or "0")


def _format(value: int, scale: int) -> str:
    whole, rest = divmod(abs(value), scale)
    digits = len(str(scale)) - 1
    fraction = str(rest).zfill(digits).rstrip("0")
    return f"{'-' if value < 0 else ''}{whole}{'.' if fraction else ''}{fraction}"
