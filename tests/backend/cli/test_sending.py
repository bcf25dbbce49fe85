"""What a command says of the transaction that it sent itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gridweave.chain import Call, ChainError, NetworkProfile, NodeUnavailable, Reverted, Signer
from gridweave.cli.sending import recorded, send, speaking_of_nodes
from gridweave.cli.terminal import WrongUse
from gridweave.domain.errors import CommitmentNotDue
from tests.backend.chain.simulated import Answer, Refusal, SimulatedNode

PAYER = Signer(b"\7" * 32)
CLAIM = Call("0x" + "11" * 20, b"")
HASH = "0x" + "22" * 32
BLOCK = dict.fromkeys(("hash", "parentHash", "stateRoot"), HASH) | {
    **dict.fromkeys(("number", "timestamp", "gasLimit", "gasUsed"), "0x1"),
    "transactions": [],
}
RECEIPT = {
    "transactionHash": HASH,
    "blockNumber": "0x1",
    "blockHash": HASH,
    "transactionIndex": "0x0",
    "status": "0x1",
    "from": PAYER.address,
    "to": CLAIM.to,
    "contractAddress": None,
    "gasUsed": "0x5208",
    "effectiveGasPrice": "0x1",
    "logs": [],
}


def refused(*_: Any) -> None:
    data = CommitmentNotDue.selector() + (7).to_bytes(32)
    raise Refusal({"code": 3, "message": "execution reverted", "data": "0x" + data.hex()})


async def sent(*, balance: int = 1, status: str = "0x1", again: Answer = lambda *_: "0x") -> str:
    """The hash of a transaction whose receipt has that status; `again` answers the same call afterwards."""
    node = SimulatedNode(
        {
            "eth_getBlockByNumber": lambda *_: BLOCK,
            "eth_getBalance": lambda *_: hex(balance),
            "eth_getTransactionCount": lambda *_: "0x0",
            "eth_estimateGas": lambda *_: "0x5208",
            "eth_sendRawTransaction": lambda _: HASH,
            "eth_getTransactionReceipt": lambda _: RECEIPT | {"status": status},
            "eth_call": again,
        }
    ).node()
    receipt = await send(node, NetworkProfile(1), PAYER, CLAIM)
    return "0x" + receipt.transaction_hash.hex()


def test_recorded__given_no_record__says_where_up_keeps_its_own(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"name it with --deployment: that of `gridweave up` is"):
        recorded(tmp_path / "deployment.json")


def test_speaking_of_nodes__when_none_answers__says_to_start_or_name_one() -> None:
    with pytest.raises(WrongUse, match=r"connection refused; start one with `gridweave up`"), speaking_of_nodes():
        raise NodeUnavailable("http://127.0.0.1:1: connection refused")


async def test_send__given_a_payer_without_money__says_what_to_do() -> None:
    with pytest.raises(WrongUse, match="nothing to pay gas with"):
        await sent(balance=0)


async def test_send__given_a_call_that_somebody_was_quicker_to_make__gives_the_contract_s_reason() -> None:
    with pytest.raises(Reverted) as raised:
        await sent(status="0x0", again=refused)
    assert raised.value.name == "CommitmentNotDue"


async def test_send__given_a_failure_whose_reason_is_gone__names_the_transaction() -> None:
    with pytest.raises(ChainError, match=f"{HASH} failed after 21000 gas"):
        await sent(status="0x0")


async def test_send__given_success__is_its_receipt() -> None:
    assert await sent() == HASH
