"""Where the contracts under audit stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gridweave.chain.hexes import to_hex
from gridweave.chain.node import Node

__all__ = ["CONTRACTS", "AddressBook", "WrongChain"]

CONTRACTS = (
    "Authority",
    "LocalCurrency",
    "Vault",
    "DeviceRegistry",
    "DERRegistry",
    "MeterLedger",
    "EnergyAuction",
    "RelayerBond",
    "TelemetryAnchor",
    "FirmwareRegistry",
    "DayCalendar",
    "DemandResponse",
)


class WrongChain(Exception):
    """The node does not serve the chain that the addresses belong to, or the addresses are incomplete."""


@dataclass(frozen=True)
class AddressBook:
    """One deployment: chain id, address of each contract by name, and the block in which the first of them was made.

    `genesis_hash` as 0x hex, empty: not known.
    """

    chain_id: int
    addresses: Mapping[str, str]
    first_block: int = 0
    genesis_hash: str = ""

    def __post_init__(self) -> None:
        missing = [name for name in CONTRACTS if name not in self.addresses]
        if missing:
            raise WrongChain(f"no address of {', '.join(missing)}")

    @property
    def names(self) -> dict[str, str]:
        """Contract name by address."""
        return {address: name for name, address in self.addresses.items()}

    async def require(self, node: Node) -> None:
        """Raises WrongChain if the node serves another chain, or NodeUnavailable."""
        chain_id = await node.chain_id()
        if chain_id != self.chain_id:
            raise WrongChain(f"the addresses are of chain {self.chain_id}, the node serves {chain_id}")
        if self.genesis_hash and to_hex(await node.genesis_hash()) != self.genesis_hash.lower():
            raise WrongChain(f"the node serves another chain {chain_id}: its first block differs")
