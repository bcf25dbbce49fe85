"""Events of the Vault, as typed records. Amounts are micro, `available` what the account has available after it."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.chain.event import Event

__all__ = [
    "Balanced",
    "DebtChanged",
    "DebtPaid",
    "Deposited",
    "Locked",
    "Paid",
    "Skimmed",
    "Withdrawn",
]


@dataclass(frozen=True, slots=True)
class Deposited(Event):
    """`payer` put tokens down for the account."""

    account: str
    payer: str
    amount: int
    available: int


@dataclass(frozen=True, slots=True)
class Withdrawn(Event):
    """The account's tokens went to `to`."""

    account: str
    to: str
    amount: int
    available: int


@dataclass(frozen=True, slots=True)
class Locked(Event):
    """A module took `amount` into its pot, or gave it back (negative)."""

    account: str
    module: str
    ref: bytes
    amount: int
    available: int


@dataclass(frozen=True, slots=True)
class Paid(Event):
    """A settlement paid the account out of the pot and by the utility (both may be negative)."""

    account: str
    module: str
    ref: bytes
    from_pot: int
    from_utility: int
    hold: int
    available: int


@dataclass(frozen=True, slots=True)
class Balanced(Event):
    """What a settlement moved besides its legs, and how it left utility and operator."""

    module: str
    utility: str
    operator: str
    to_operator: int
    pot_to_utility: int
    pot_to_operator: int
    utility_available: int
    operator_available: int


@dataclass(frozen=True, slots=True)
class DebtPaid(Event):
    """The debtor paid the creditor what it owed."""

    debtor: str
    creditor: str
    amount: int
    debtor_available: int
    creditor_available: int


@dataclass(frozen=True, slots=True)
class DebtChanged(Event):
    """The debtor owes the creditor `owed` from now on."""

    debtor: str
    creditor: str
    owed: int


@dataclass(frozen=True, slots=True)
class Skimmed(Event):
    """Tokens that came by bare transfer went to `to`."""

    to: str
    amount: int
