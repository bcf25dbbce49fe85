"""From the compiler's output to artifacts: names, kinds, selectors, sizes."""

from __future__ import annotations

import pytest

import artifact


def _raw(code="6000", abi=(), references=None):
    return {
        "abi": list(abi),
        "storageLayout": {"storage": [], "types": None},
        "evm": {
            "bytecode": {"object": code, "linkReferences": references or {}},
            "deployedBytecode": {"object": code, "immutableReferences": {}},
        },
    }


def _output(contracts, nodes=()):
    return {"contracts": contracts, "sources": {"contracts/A.sol": {"ast": {"nodes": list(nodes)}}}}


def _error(name, *types):
    inputs = [{"name": f"x{at}", "type": kind} for at, kind in enumerate(types)]
    return {"type": "error", "name": name, "inputs": inputs}


def test_collect__two_contracts_of_one_name__stops():
    with pytest.raises(SystemExit, match="Vault is defined in"):
        artifact.collect(_output({"contracts/A.sol": {"Vault": _raw()}, "contracts/B.sol": {"Vault": _raw()}}))


def test_collect__a_contract_that_needs_linking__stops():
    with pytest.raises(SystemExit, match="linked library"):
        artifact.collect(_output({"contracts/A.sol": {"Vault": _raw(references={"L.sol": {}})}}))


def test_collect__folders__decide_the_kind():
    units = {
        "contracts/Vault.sol": {"Vault": _raw(), "Base": _raw(code="")},
        "contracts/interfaces/IVault.sol": {"IVault": _raw(code="")},
        "contracts/mocks/Thief.sol": {"Thief": _raw()},
        "contracts/libraries/Ladder.sol": {"Ladder": _raw()},
        "@openzeppelin/contracts/token/ERC20/ERC20.sol": {"ERC20": _raw()},
    }
    kinds = {name: entry["kind"] for name, entry in artifact.collect(_output(units)).items()}
    assert kinds == {"IVault": "interface", "Thief": "mock", "Vault": "deployable"}


def test_collect__immutables__are_named_by_contract_and_variable():
    contract = {
        "nodeType": "ContractDefinition",
        "name": "Vault",
        "nodes": [{"nodeType": "VariableDeclaration", "id": 7, "name": "_currency"}],
    }
    raw = _raw()
    raw["evm"]["deployedBytecode"]["immutableReferences"] = {"7": [{"start": 1, "length": 32}]}
    collected = artifact.collect(_output({"contracts/A.sol": {"Vault": raw}}, [contract]))
    assert collected["Vault"]["immutableReferences"] == {"Vault._currency": [{"start": 1, "length": 32}]}


def test_collect__storage_types__lose_their_node_ids_but_keep_array_lengths():
    raw = _raw()
    name = "t_array(t_struct(Word)123_storage)256_storage"
    raw["storageLayout"] = {
        "storage": [{"label": "ring", "slot": "3", "offset": 0, "type": name, "contract": "A", "astId": 9}],
        "types": {name: {"encoding": "inplace", "label": "struct Word[256]", "numberOfBytes": "8192"}},
    }
    layout = artifact.collect(_output({"contracts/A.sol": {"Vault": raw}}))["Vault"]["storageLayout"]
    plain = "t_array(t_struct(Word)_storage)256_storage"
    assert layout["storage"] == [{"label": "ring", "slot": 3, "offset": 0, "type": plain, "contract": "A"}]
    assert layout["types"][plain]["numberOfBytes"] == 8192


def test_oversized__at_the_limit__is_named():
    index = {
        "Large": {"kind": "deployable", "deployedBytes": 24_576},
        "Fits": {"kind": "deployable", "deployedBytes": 24_575},
        "Thief": {"kind": "mock", "deployedBytes": 30_000},
    }
    assert artifact.oversized(index) == ["Large is 24576 bytes of code; it must stay under 24576"]


def test_error_table__selectors_that_collide__stop():
    abi = [_error("many_msg_babbage", "bytes1"), _error("transfer", "address", "uint256")]
    with pytest.raises(SystemExit, match="share the selector 0xa9059cbb"):
        artifact.error_table({"Vault": {"kind": "deployable", "abi": abi}})


def test_error_table__the_same_error_in_two_contracts__lists_both_and_leaves_mocks_out():
    abi = [_error("InsufficientBalance", "uint256", "uint256")]
    kinds = {"IVault": "interface", "Vault": "deployable", "Thief": "mock"}
    table = artifact.error_table({name: {"kind": kind, "abi": abi} for name, kind in kinds.items()})
    assert table["0xcf479181"]["contracts"] == ["IVault", "Vault"]
    assert table["0xcf479181"]["signature"] == "InsufficientBalance(uint256,uint256)"


def test_canonical_type__nested_tuples__are_spelled_by_components():
    inner = {"type": "tuple", "components": [{"type": "uint8"}, {"type": "bytes32[2]"}]}
    assert artifact.canonical_type({"type": "tuple[]", "components": [{"type": "address"}, inner]}) == (
        "(address,(uint8,bytes32[2]))[]"
    )


def test_imports_of__every_form__is_resolved():
    text = """
import {A} from "./types/A.sol";
import {
    B,
    C
} from "../interfaces/B.sol";
import "@openzeppelin/contracts/utils/Math.sol";
// import {D} from "./never.sol";
"""
    assert list(artifact.imports_of("contracts/libraries/L.sol", text)) == [
        "contracts/libraries/types/A.sol",
        "contracts/interfaces/B.sol",
        "@openzeppelin/contracts/utils/Math.sol",
    ]


def test_differing_keys__nested_objects__name_the_child():
    left, right = {"abi": [], "immutables": {"a": 1, "b": 2}}, {"abi": [1], "immutables": {"a": 1, "b": 3}}
    assert artifact.differing_keys(left, right) == ["abi", "immutables.b"]
