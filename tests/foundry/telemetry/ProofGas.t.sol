// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { ITelemetryAnchor } from "../../../contracts/interfaces/ITelemetryAnchor.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Batch, Tip } from "../../../contracts/types/Batch.sol";
import { RangePart, RangeProof, ReadingProof } from "../../../contracts/types/Proof.sol";
import { Mode } from "../../../contracts/types/StreamId.sol";
import { Gas } from "../support/Gas.sol";
import { vm } from "../support/Vm.sol";
import { Readings } from "./Readings.sol";
import { Trees } from "./Trees.sol";

/// Whole transactions that prove one reading of 100,000 in a batch, of a stream with other batches around it.
abstract contract ProofGas is Readings, Gas {
    uint32 internal constant SIZE = 100_000;
    uint64 internal constant PLACE = 77_777;
    uint256 private constant BEFORE = 20;

    ReadingProof private _proof;

    function _after() internal pure virtual returns (uint256);

    function setUp() public override {
        super.setUp();
        _anchorReadings(stream, BEFORE, 600);
        vm.warp(block.timestamp + 2 days);
        Batch memory batch = _draftBatch(stream, SIZE);
        uint64 index = batch.span.firstIndex() + PLACE;
        _proof.stream = stream;
        _proof.leaf = _saltedOf(stream, batch.span, index);
        // the others' hashes may be any: 17 levels
        for (uint256 i = 0; i < 17; ++i) {
            _proof.siblings.push(keccak256(abi.encode("the others", i)));
        }
        batch.root = Trees.rootWith(Trees.Kind.Sha256, _hashOf(_proof.leaf), PLACE, SIZE, _proof.siblings);
        _signBatch(device, batch);
        _anchor(batch);
        _anchorReadings(stream, _after(), 10);
        vm.roll(block.number + 10_000_000);
        Kept memory kept_ = kept[stream][BEFORE];
        (_proof.span, _proof.root) = (kept_.span, kept_.root);
        (_proof.blockNumber, _proof.anchoredAt) = (kept_.blockNumber, kept_.anchoredAt);
        _proof.path = _pathOf(stream, BEFORE + 1);
        if (_isOpen(stream, BEFORE + 1)) _proof.tip = _tipWords(stream);
    }

    function _cost() internal returns (uint256) {
        ReadingProof memory proof = _proof;
        assertEq(anchors.verifyReading(proof).index, 12_000 + PLACE, "it is found");
        return _transactionGas(address(anchors), abi.encodeCall(anchors.verifyReading, (proof)));
    }
}

/// forge-config: default.isolate = true
contract ClosedProofGasTest is ProofGas {
    function _after() internal pure override returns (uint256) {
        return 40;
    }

    function test_gas__verifyReading__given_a_closed_page__costs_at_most_60_000() external {
        _snap("proving one of 100,000 readings in a closed page", _cost(), 60_000);
    }
}

/// forge-config: default.isolate = true
contract OpenProofGasTest is ProofGas {
    function _after() internal pure override returns (uint256) {
        return 9;
    }

    function test_gas__verifyReading__given_an_open_page__brings_the_tip_too() external {
        _snap("proving one of 100,000 readings in an open page", _cost(), 62_500);
    }
}

/// What else is done with a stream, and the most that one call can be asked to do.
/// forge-config: default.isolate = true
contract StreamGasTest is Readings, Gas {
    uint256 private constant TRANSACTION_CAP = 16_777_216;

    function setUp() public override {
        super.setUp();
        _anchorReadings(stream, 20, 10);
    }

    function test_gas__open() external {
        schemaHash = keccak256("another");
        Act memory act = _openAct(device.id, Mode.Hash, prosumer);
        bytes memory data = abi.encodeCall(anchors.open, (device.id, schemaHash, Mode.Hash, act));
        _snap("opening a stream, its owner's first act", _transactionGas(address(anchors), data), 140_000);
    }

    function test_gas__newEpoch() external {
        Act memory act = _epochAct(stream, 2, prosumer);
        Tip memory tip = _tipOf(stream);
        bytes memory data = abi.encodeCall(anchors.newEpoch, (stream, 2, tip, act));
        _snap("beginning an epoch", _transactionGas(address(anchors), data), 80_000);
    }

    /// X25519 with ML-KEM-768 and the keys of a day.
    function test_gas__grant() external {
        Grant memory grant_ = Grant(stream, stranger.addr, 1, 100, 195, _noise(1_500, 1));
        _snap("granting a day of a stream", _grantCost(grant_), 110_000);
    }

    /// forge-config: default.evm_version = "osaka"
    function test_grant__given_the_longest_one__fits_a_transaction() external {
        Grant memory grant_ = Grant(stream, stranger.addr, 1, 100, 195, _noise(anchors.MAX_SEALED(), 1));
        assertLe(_grantCost(grant_), TRANSACTION_CAP, "the longest grant");
    }

    function _grantCost(Grant memory grant_) private returns (uint256) {
        Act memory act = _grantAct(grant_, prosumer);
        bytes memory data = abi.encodeCall(
            anchors.grant,
            (stream, grant_.to, grant_.epoch, grant_.firstWindow, grant_.lastWindow, grant_.sealed_, act)
        );
        return _transactionGas(address(anchors), data);
    }

    /// forge-config: default.evm_version = "osaka"
    function test_anchorWithBody__given_the_longest_body__fits_a_transaction() external {
        uint256 most = anchors.MAX_BODY();
        bytes memory body = new bytes(most);
        for (uint256 i = 0; i < most; i += 32) {
            bytes32 word = keccak256(abi.encode(i));
            assembly ("memory-safe") {
                mstore(add(add(body, 0x20), i), word)
            }
        }
        Batch memory batch = _draftBatch(full, 600);
        batch.bodyHash = sha256(body);
        _signBatch(device, batch);
        bytes memory data = abi.encodeCall(anchors.anchorWithBody, (batch, body));
        assertLe(_transactionGas(address(anchors), data), TRANSACTION_CAP, "the longest body");
    }

    /// forge-config: default.evm_version = "osaka"
    function test_verifyRange__given_the_most_readings__fits_a_transaction() external {
        uint32 most = uint32(anchors.MAX_RANGE());
        vm.warp(block.timestamp + 3_600);
        uint64 first = tipSpans[stream].nextIndex();
        _anchor(_batchOfReadings(stream, most + 2));
        RangeProof memory proof;
        proof.stream = stream;
        proof.tip = _tipWords(stream);
        proof.parts = new RangePart[](1);
        proof.parts[0] = _partOf(stream, 21, first + 1, first + 1 + most);
        assertEq(anchors.verifyRange(proof).endIndex, first + 1 + most, "all are found");
        bytes memory data = abi.encodeCall(anchors.verifyRange, (proof));
        assertLe(_transactionGas(address(anchors), data), TRANSACTION_CAP, "the most readings");
    }
}
