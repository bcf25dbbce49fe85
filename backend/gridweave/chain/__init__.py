"""The chain as the program sees it: a typed node client, one facade per contract, events and errors with names.

    async with Node(url) as node:
        contracts = Contracts.at(node, deployment.addresses)
        head = await node.block_number()
        balance = await contracts.vault.account_of(account, block=head)
        call = contracts.auction.place(signed_words([(order, signature)]))   # unsent
        gas = await node.gas(call, sender=signer.address)
        fees = profile.fees((await node.head()).base_fee)
        signed = signer.sign(call, nonce=nonce, gas=gas, fees=fees, chain_id=profile.chain_id)
        await node.send_raw(signed.raw)

Hashes and words are bytes, addresses EIP-55 text, money and energy ints. Errors: `NodeUnavailable` is worth a retry,
`NodeError` is the node's refusal, `Reverted` a contract's, by name.
"""

from gridweave.chain.contracts import (
    NO_ACT,
    Act,
    Asset,
    Authority,
    Balance,
    Contract,
    Contracts,
    DERRegistry,
    Device,
    DeviceCheck,
    DeviceRegistry,
    EnergyAuction,
    FirmwareRegistry,
    LocalCurrency,
    MeterLedger,
    PositionState,
    Promise,
    RelayerBond,
    Role,
    SignedBatch,
    SignedQuorum,
    SignedReceipt,
    SignedWord,
    SlotClearing,
    SlotState,
    TelemetryAnchor,
    Vault,
    signed_word,
    signed_words,
)
from gridweave.chain.errors import (
    AnswerTooLarge,
    BlockNotAvailable,
    ChainError,
    GasAboveCap,
    NodeError,
    NodeUnavailable,
    NotThatContract,
    Reverted,
    error_name,
    reverted,
)
from gridweave.chain.events import EVENTS, Event, decode_log, decode_logs, topics_of
from gridweave.chain.hexes import from_hex, to_hex
from gridweave.chain.keys import KeyUnusable, SignedTransaction, Signer, load_signer
from gridweave.chain.networks import EvmLevel, Network, NetworkUnusable, find_network, list_networks
from gridweave.chain.node import Node
from gridweave.chain.profile import MAX_TRANSACTION_GAS, FeeRule, Fees, NetworkProfile
from gridweave.chain.types import Block, Call, Log, Receipt, Transaction
from gridweave.domain.addresses import address_bytes, checksum_address

__all__ = [
    "EVENTS",
    "MAX_TRANSACTION_GAS",
    "NO_ACT",
    "Act",
    "AnswerTooLarge",
    "Asset",
    "Authority",
    "Balance",
    "Block",
    "BlockNotAvailable",
    "Call",
    "ChainError",
    "Contract",
    "Contracts",
    "DERRegistry",
    "Device",
    "DeviceCheck",
    "DeviceRegistry",
    "EnergyAuction",
    "Event",
    "EvmLevel",
    "FeeRule",
    "Fees",
    "FirmwareRegistry",
    "GasAboveCap",
    "KeyUnusable",
    "LocalCurrency",
    "Log",
    "MeterLedger",
    "Network",
    "NetworkProfile",
    "NetworkUnusable",
    "Node",
    "NodeError",
    "NodeUnavailable",
    "NotThatContract",
    "PositionState",
    "Promise",
    "Receipt",
    "RelayerBond",
    "Reverted",
    "Role",
    "SignedBatch",
    "SignedQuorum",
    "SignedReceipt",
    "SignedTransaction",
    "SignedWord",
    "Signer",
    "SlotClearing",
    "SlotState",
    "TelemetryAnchor",
    "Transaction",
    "Vault",
    "address_bytes",
    "checksum_address",
    "decode_log",
    "decode_logs",
    "error_name",
    "find_network",
    "from_hex",
    "list_networks",
    "load_signer",
    "reverted",
    "signed_word",
    "signed_words",
    "to_hex",
    "topics_of",
]
