"""What a deployment is to be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gridweave.chain import Role, checksum_address
from gridweave.deployment.errors import DeploymentError
from gridweave.domain.slots import HORIZON, RING

__all__ = ["DeploymentSettings"]

_SLOT_LENGTH = 900
_COMPENSATION = 1_000_000


@dataclass(frozen=True)
class DeploymentSettings:
    """Who governs, who works with it, and the few numbers that can never change. Addresses in any spelling.

    `record` is the file that remembers the deployment, written after every step. `currency` is an ERC-20 of six
    decimals with ERC-2612 permits; None deploys a LocalCurrency. `hold_length` 0 takes the least that covers every
    correction window a market can have. `compensation`, millionths, is what a relayer's bond pays for each order that
    was acknowledged and left.
    """

    record: Path
    admin: str
    operators: tuple[str, ...] = ()
    makers: tuple[str, ...] = ()
    minters: tuple[str, ...] = ()
    currency: str | None = None
    slot_length: int = _SLOT_LENGTH
    hold_length: int = 0
    compensation: int = _COMPENSATION

    def __post_init__(self) -> None:
        for name in ("admin", "operators", "makers", "minters", "currency"):
            object.__setattr__(self, name, _checked(name, getattr(self, name)))
        if not 60 <= self.slot_length <= 86_400:
            raise DeploymentError(f"a slot lasts 60 to 86400 seconds, not {self.slot_length}")
        least = (RING - HORIZON) * self.slot_length
        object.__setattr__(self, "hold_length", self.hold_length or least)
        if self.hold_length < least:
            raise DeploymentError(f"holdLength {self.hold_length} is shorter than a correction window can be ({least})")
        if not 0 < self.compensation < 1 << 72:
            raise DeploymentError(f"compensation is more than 0 and what a Vault can hold, not {self.compensation}")
        if self.currency is not None and self.minters:
            raise DeploymentError("minters belong to a LocalCurrency; a currency that exists has its own")

    def members(self) -> dict[Role, tuple[str, ...]]:
        """The roles that people hold."""
        return {
            Role.ADMIN: (self.admin,),
            Role.OPERATOR: self.operators,
            Role.MAKER: self.makers,
            Role.MINTER: self.minters,
        }


def _checked(name: str, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return checksum_address(value)
        return tuple(dict.fromkeys(checksum_address(address) for address in value))
    except ValueError as error:
        raise DeploymentError(f"{name}: {value} is no address") from error
