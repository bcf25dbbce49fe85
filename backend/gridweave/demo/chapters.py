"""The demo's chapters: what is lived in each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gridweave.demo.founding import Plan
from gridweave.demo.hood_data import load_neighbourhood
from gridweave.demo.mishaps import Mishaps
from gridweave.demo.neighbourhood import STRATEGIES, hood_mishaps, hood_plans
from gridweave.demo.profiles import StreetDay, load_street
from gridweave.demo.street import street_plans

__all__ = ["Chapter", "neighbourhood", "street"]


@dataclass(frozen=True)
class Chapter:
    """`name` is what is typed, and the word for the homes together."""

    name: str
    day: StreetDay
    plans: Sequence[Plan]
    mishaps: Mishaps
    strategies: tuple[str, ...] = ()


Chapters = dict[str, Callable[[int], Chapter]]


def street(seed: int) -> Chapter:
    """Twelve homes of the grid that sign order by order."""
    day = load_street()
    return Chapter("street", day, street_plans(day, seed), Mishaps())


def neighbourhood(seed: int, homes: int | None = None) -> Chapter:
    """Every connection of the grid, or some of each kind, `homes` in all. Raises ValueError for too few."""
    day = load_neighbourhood()
    day = day if homes is None else day.sample(homes)
    return Chapter("neighbourhood", day, hood_plans(day, seed), hood_mishaps(day), STRATEGIES)
