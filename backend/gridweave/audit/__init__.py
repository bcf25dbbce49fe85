"""Recomputes everything from the chain alone: no database, no trust in the service. Knows chain and domain only.

report = await audit(node, AddressBook(chain_id, addresses, first_block))
report.clean, report.recomputed, report.differences
way = await walk(node, book, meter, slot)              # payment -> price -> orders -> reading -> device key -> maker
"""

from gridweave.audit.addresses import CONTRACTS, AddressBook, WrongChain
from gridweave.audit.auditor import Progress, audit
from gridweave.audit.differences import Difference, Kind, Place, Subject
from gridweave.audit.payments import PaymentUnclear, find_payment
from gridweave.audit.report import AuditReport, Checked
from gridweave.audit.stream import ChainMoved
from gridweave.audit.walk import NothingPaid, Walk, walk

__all__ = [
    "CONTRACTS",
    "AddressBook",
    "AuditReport",
    "ChainMoved",
    "Checked",
    "Difference",
    "Kind",
    "NothingPaid",
    "PaymentUnclear",
    "Place",
    "Progress",
    "Subject",
    "Walk",
    "WrongChain",
    "audit",
    "find_payment",
    "walk",
]
