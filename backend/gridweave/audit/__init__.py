"""Recomputes everything from the chain alone: no database, no trust in the service. Knows chain and domain only.

report = await audit(node, AddressBook(chain_id, addresses, first_block))
report.clean, report.recomputed, report.differences
checked = await check_bill(node, book, bill)           # the service's JSON of a bill, line by line
way = await walk(node, book, meter, slot)              # payment -> price -> orders -> reading -> device key -> maker
"""

from gridweave.audit.addresses import CONTRACTS, AddressBook, WrongChain
from gridweave.audit.auditor import Progress, audit
from gridweave.audit.billed import BillUnreadable
from gridweave.audit.bills import CheckedBill, check_bill
from gridweave.audit.differences import Difference, Kind, Place, Subject
from gridweave.audit.payments import PaymentUnclear, find_payment
from gridweave.audit.report import (
    AuditReport,
    Checked,
    Doubted,
    DoubtedBatch,
    DoubtedReceipt,
    DoubtedState,
    Doubts,
)
from gridweave.audit.stream import ChainMoved
from gridweave.audit.walk import NothingPaid, Walk, walk

__all__ = [
    "CONTRACTS",
    "AddressBook",
    "AuditReport",
    "BillUnreadable",
    "ChainMoved",
    "Checked",
    "CheckedBill",
    "Difference",
    "Doubted",
    "DoubtedBatch",
    "DoubtedReceipt",
    "DoubtedState",
    "Doubts",
    "Kind",
    "NothingPaid",
    "PaymentUnclear",
    "Place",
    "Progress",
    "Subject",
    "Walk",
    "WrongChain",
    "audit",
    "check_bill",
    "find_payment",
    "walk",
]
