// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { ITelemetryAnchor } from "../../../contracts/interfaces/ITelemetryAnchor.sol";
import { RangePart, RangeProof } from "../../../contracts/types/Proof.sol";
import { vm } from "../support/Vm.sol";
import { Readings } from "./Readings.sol";
import { Trees } from "./Trees.sol";

/// A full page and an open one, thirteen readings a batch.
contract VerifyRangeTest is Readings {
    uint32 private constant COUNT = 13;

    function setUp() public override {
        super.setUp();
        _anchorReadings(stream, PAGE + 3, COUNT);
    }

    function test_verifyRange__given_no_reading__reverts() external {
        RangeProof memory proof = _rangeOf(stream, 2, 2, 15, 20);
        proof.parts[0].count = 0;
        _expectRefusal(proof, _sizeRefusal(0));
        proof.parts = new RangePart[](0);
        _expectRefusal(proof, _sizeRefusal(0));
    }

    function test_verifyRange__given_more_readings_than_a_call_may_prove__reverts() external {
        RangeProof memory proof = _rangeOf(stream, 2, 2, 15, 20);
        uint256 most = anchors.MAX_RANGE();
        proof.parts[0].count = uint32(most + 1);
        _expectRefusal(proof, _sizeRefusal(most + 1));
    }

    function test_verifyRange__given_more_batches_than_a_call_may_prove__reverts() external {
        RangeProof memory proof = _rangeOf(stream, 2, 2, 15, 20);
        uint256 most = anchors.MAX_PARTS();
        proof.parts = new RangePart[](most + 1);
        _expectRefusal(
            proof, abi.encodeWithSelector(ITelemetryAnchor.TooManyBatches.selector, most + 1, most)
        );
    }

    function test_verifyRange__given_a_batch_left_out__reverts() external {
        RangeProof memory proof = _rangeOf(stream, 2, 4, 15, 45);
        proof.parts[1] = proof.parts[2];
        _expectRefusal(
            proof, abi.encodeWithSelector(ITelemetryAnchor.RangeBroken.selector, uint64(39), uint64(26))
        );
    }

    function test_verifyRange__given_a_reading_left_out_between_batches__reverts() external {
        RangeProof memory proof = _rangeOf(stream, 2, 3, 15, 30);
        proof.parts[0] = _partOf(stream, 2, 15, 25);
        _expectRefusal(
            proof, abi.encodeWithSelector(ITelemetryAnchor.RangeBroken.selector, uint64(26), uint64(25))
        );
    }

    function test_verifyRange__given_a_reading_left_out_in_a_batch__reverts() external {
        RangeProof memory proof = _rangeOf(stream, 2, 2, 15, 20);
        RangePart memory part = proof.parts[0];
        (part.leaves, part.count) = ("", 4);
        for (uint64 i = 0; i < 4; ++i) {
            part.leaves = abi.encodePacked(part.leaves, _saltedOf(stream, part.span, i < 2 ? 15 + i : 16 + i));
        }
        _expectRefusal(
            proof, abi.encodeWithSelector(ITelemetryAnchor.RangeBroken.selector, uint64(18), uint64(17))
        );
    }

    function test_verifyRange__given_readings_that_another_batch_has__reverts() external {
        RangeProof memory proof = _rangeOf(stream, 2, 2, 15, 20);
        RangePart memory other = _partOf(stream, 3, 26, 27);
        RangePart memory part = proof.parts[0];
        (part.span, part.root, part.path) = (other.span, other.root, other.path);
        (part.blockNumber, part.anchoredAt) = (other.blockNumber, other.anchoredAt);
        _expectRefusal(
            proof,
            abi.encodeWithSelector(
                ITelemetryAnchor.ReadingOutsideBatch.selector, uint64(15), uint64(26), uint64(39)
            )
        );
    }

    function test_verifyRange__given_bytes_that_are_no_whole_readings__reverts() external {
        RangeProof memory proof = _rangeOf(stream, 2, 2, 15, 20);
        proof.parts[0].leaves = abi.encodePacked(proof.parts[0].leaves, uint8(0));
        _expectRefusal(proof, abi.encodeWithSelector(ITelemetryAnchor.ReadingMalformed.selector, uint256(261)));
    }

    function test_verifyRange__given_a_proof_of_another_size__reverts() external {
        RangeProof memory proof = _rangeOf(stream, 2, 2, 15, 20);
        bytes32[] memory hashes = proof.parts[0].hashes;
        proof.parts[0].hashes = Trees.join(hashes, bytes32(0));
        _expectRefusal(
            proof,
            abi.encodeWithSelector(
                ITelemetryAnchor.ProofSizeDiffers.selector, hashes.length + 1, hashes.length
            )
        );
    }

    /// forge-config: default.fuzz.runs = 300
    function test_verifyRange__given_any_byte_changed__reverts(uint256 seed) external {
        (RangeProof memory proof,,) = _drawn(seed);
        anchors.verifyRange(proof);
        RangePart memory part = proof.parts[(seed >> 128) % proof.parts.length];
        uint256 place = (seed >> 160) % 4096;
        bytes1 flip = bytes1(uint8(1 + (seed >> 192) % 255));
        bytes32 flipped = bytes32(flip) >> (8 * (place % 32));
        uint256 what = 1 + (seed >> 224) % 3;
        if (what == 1) part.leaves[place % part.leaves.length] ^= flip;
        if (what == 2) part.root ^= flipped;
        if (what == 3 && part.hashes.length == 0) return;
        if (what == 3) part.hashes[place % part.hashes.length] ^= flipped;
        (bool done, bytes memory fault) = address(anchors).staticcall(abi.encodeCall(anchors.verifyRange, (proof)));
        assertFalse(done, "refused");
        assertGe(fault.length, 4, "by name");
        assertTrue(bytes4(fault) != bytes4(keccak256("Panic(uint256)")), "by name of ours");
    }

    /// forge-config: default.fuzz.runs = 300
    function test_verifyRange__given_any_range__finds_it(uint256 seed) external view {
        (RangeProof memory proof, uint64 first, uint64 end) = _drawn(seed);
        ITelemetryAnchor.RangeFound memory found = anchors.verifyRange(proof);
        assertEq(found.device, device.id, "device");
        assertEq(found.firstIndex, first, "first index");
        assertEq(found.endIndex, end, "end");
        assertEq(found.firstMs, _msOf(first), "first time");
        assertEq(found.lastMs, _msOf(end - 1), "last time");
        assertEq(found.firstBlock, kept[stream][first / COUNT].blockNumber, "first block");
        assertEq(found.lastBlock, kept[stream][(end - 1) / COUNT].blockNumber, "last block");
        assertTrue(found.isTrusted, "trusted");
    }

    function test_verifyRange__given_a_part_that_is_in_doubt__is_not_trusted() external {
        RangeProof memory proof = _rangeOf(stream, 2, 4, 15, 45);
        assertTrue(anchors.verifyRange(proof).isTrusted, "before the notice");
        _noteCompromise(device.id, device, uint32(kept[stream][3].blockNumber), prosumer);
        assertFalse(anchors.verifyRange(proof).isTrusted, "its last batch is in doubt");
        assertTrue(anchors.verifyRange(_rangeOf(stream, 2, 3, 15, 30)).isTrusted, "what was before is not");
    }

    /// Up to five batches from anywhere, of either page.
    function _drawn(uint256 seed) private view returns (RangeProof memory proof, uint64 first, uint64 end) {
        uint64 all = uint64(kept[stream].length) * COUNT;
        first = uint64(seed % all);
        uint64 most = all - first < 60 ? all - first : 60;
        end = first + 1 + uint64((seed >> 64) % most);
        proof = _rangeOf(stream, first / COUNT + 1, (end - 1) / COUNT + 1, first, end);
    }

    function _msOf(uint64 index) private view returns (uint64) {
        bytes memory reading = _readingOf(kept[stream][index / COUNT].span, index);
        return uint64(uint256(bytes32(reading)) >> 128);
    }

    function _sizeRefusal(uint256 readings) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            ITelemetryAnchor.RangeSizeOutOfRange.selector, readings, anchors.MAX_RANGE()
        );
    }

    function _expectRefusal(RangeProof memory proof, bytes memory refusal) private {
        vm.expectRevert(refusal);
        anchors.verifyRange(proof);
    }
}
