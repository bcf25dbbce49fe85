// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { ITelemetryAnchor } from "../../../contracts/interfaces/ITelemetryAnchor.sol";
import { ReadingProof } from "../../../contracts/types/Proof.sol";
import { StreamId } from "../../../contracts/types/StreamId.sol";
import { Span } from "../../../contracts/types/Span.sol";
import { vm } from "../support/Vm.sol";
import { Readings } from "./Readings.sol";
import { Trees } from "./Trees.sol";

/// One full page and an open one of five batches, of eleven readings each.
contract VerifyReadingTest is Readings {
    uint32 private constant COUNT = 11;

    function setUp() public override {
        super.setUp();
        _anchorReadings(stream, PAGE + 5, COUNT);
    }

    // -------------------------------------------------------------------------------------------------------- refusals

    function test_verifyReading__given_a_batch_that_was_not_anchored__reverts() external {
        ReadingProof memory proof = _at(3);
        proof.root = ~proof.root;
        _expectNotAnchored(proof);
        proof = _at(3);
        proof.blockNumber += 1;
        _expectNotAnchored(proof);
        proof = _at(3);
        proof.anchoredAt -= 1;
        _expectNotAnchored(proof);
    }

    function test_verifyReading__given_another_stream__reverts() external {
        _anchorReadings(full, 4, COUNT);
        ReadingProof memory proof = _at(3);
        proof.stream = full;
        vm.expectRevert(abi.encodeWithSelector(ITelemetryAnchor.BatchNotAnchored.selector, full, uint32(3)));
        anchors.verifyReading(proof);
        proof.tip = _tipWords(full);
        vm.expectRevert(abi.encodeWithSelector(ITelemetryAnchor.BatchNotAnchored.selector, full, uint32(3)));
        anchors.verifyReading(proof);
        proof = _at(PAGE + 3);
        proof.stream = full;
        vm.expectPartialRevert(ITelemetryAnchor.TipDiffers.selector);
        anchors.verifyReading(proof);
        proof.stream = StreamId.wrap(bytes32(uint256(1)));
        vm.expectRevert(abi.encodeWithSelector(ITelemetryAnchor.StreamUnknown.selector, proof.stream));
        anchors.verifyReading(proof);
    }

    function test_verifyReading__given_an_open_page_and_no_tip__reverts() external {
        ReadingProof memory proof = _at(PAGE + 3);
        proof.tip = new bytes32[](0);
        vm.expectRevert(
            abi.encodeWithSelector(ITelemetryAnchor.BatchNotAnchored.selector, stream, uint32(PAGE + 3))
        );
        anchors.verifyReading(proof);
    }

    /// Which page is open is the tip's to say, and a tip is checked against the stream.
    function test_verifyReading__given_a_tip_that_calls_a_closed_page_open__reverts() external {
        ReadingProof memory proof = _at(3);
        proof.tip = _tipWords(stream);
        proof.tip[0] = bytes32(uint256(5 << 16));
        vm.expectPartialRevert(ITelemetryAnchor.TipDiffers.selector);
        anchors.verifyReading(proof);
    }

    function test_verifyReading__given_batch_zero__reverts() external {
        ReadingProof memory proof = _at(3);
        proof.span = Span.wrap(1 << 48);
        vm.expectRevert(abi.encodeWithSelector(ITelemetryAnchor.BatchNotAnchored.selector, stream, uint32(0)));
        anchors.verifyReading(proof);
    }

    function test_verifyReading__given_a_batch_to_come__reverts() external {
        ReadingProof memory proof = _at(PAGE + 5);
        proof.span = Span.wrap(Span.unwrap(proof.span) + (1 << 16));
        vm.expectRevert(
            abi.encodeWithSelector(ITelemetryAnchor.BatchNotAnchored.selector, stream, uint32(PAGE + 6))
        );
        anchors.verifyReading(proof);
    }

    function test_verifyReading__given_a_path_of_another_length__reverts() external {
        ReadingProof memory proof = _at(3);
        proof.path = Trees.join(proof.path, bytes32(0));
        _expectNotAnchored(proof);
        proof.path = new bytes32[](0);
        _expectNotAnchored(proof);
    }

    function test_verifyReading__given_an_open_page_and_a_tip_that_moved__reverts() external {
        ReadingProof memory proof = _at(PAGE + 2);
        anchors.verifyReading(proof);
        _anchorReadings(stream, 1, COUNT);
        vm.expectPartialRevert(ITelemetryAnchor.TipDiffers.selector);
        anchors.verifyReading(proof);
    }

    function test_verifyReading__given_a_reading_of_another_length__reverts() external {
        ReadingProof memory proof = _at(3);
        uint16[5] memory lengths = [0, 16, 36, 51, 36 + 8 * 33];
        for (uint256 i = 0; i < lengths.length; ++i) {
            proof.leaf = new bytes(lengths[i]);
            vm.expectRevert(
                abi.encodeWithSelector(ITelemetryAnchor.ReadingMalformed.selector, uint256(lengths[i]))
            );
            anchors.verifyReading(proof);
        }
    }

    function test_verifyReading__given_an_index_that_the_batch_has_not__reverts() external {
        ReadingProof memory proof = _at(3);
        uint64 first = proof.span.firstIndex();
        _expectOutside(proof, first - 1);
        _expectOutside(proof, first + COUNT);
        _expectOutside(proof, type(uint64).max);
    }

    function test_verifyReading__given_a_proof_of_another_size__reverts() external {
        ReadingProof memory proof = _at(3);
        bytes32[] memory siblings = proof.siblings;
        proof.siblings = Trees.join(siblings, siblings[0]);
        _expectProofSize(proof, siblings.length);
        proof.siblings = new bytes32[](siblings.length - 1);
        _expectProofSize(proof, siblings.length);
        proof.siblings = new bytes32[](0);
        _expectProofSize(proof, siblings.length);
    }

    /// The proof of a neighbour, or of the same place in a tree of another size.
    function test_verifyReading__given_swapped_leaves__reverts() external {
        for (uint64 index = 2 * COUNT; index < 3 * COUNT - 1; ++index) {
            ReadingProof memory proof = _proofOf(stream, 3, index);
            ReadingProof memory other = _proofOf(stream, 3, index + 1);
            proof.siblings = other.siblings;
            vm.expectRevert();
            anchors.verifyReading(proof);
        }
    }

    function test_verifyReading__given_a_node_for_a_leaf__reverts() external {
        ReadingProof memory proof = _proofOf(stream, 3, 2 * COUNT);
        bytes32[] memory leaves = _leavesOf(stream, kept[stream][2].span);
        // a node's 65 bytes are no leaf's 52, whatever they are
        proof.leaf = abi.encodePacked(bytes16(leaves[0]), uint64(2 * COUNT), leaves[1], bytes12(0));
        _expectNotProved(proof);
    }

    /// forge-config: default.fuzz.runs = 500
    function test_verifyReading__given_any_byte_changed__reverts(uint256 seed) external {
        uint256 number = 1 + seed % (PAGE + 5);
        uint64 index = kept[stream][number - 1].span.firstIndex() + uint64((seed >> 16) % COUNT);
        ReadingProof memory proof = _proofOf(stream, number, index);
        anchors.verifyReading(proof);

        uint256 place = (seed >> 32) % 4096;
        bytes1 flip = bytes1(uint8(1 + (seed >> 64) % 255));
        bytes32 flipped = bytes32(flip) >> (8 * (place % 32));
        uint256 what = 1 + (seed >> 48) % 5;
        if (what == 1) proof.leaf[place % proof.leaf.length] ^= flip;
        if (what == 2) proof.siblings[place % proof.siblings.length] ^= flipped;
        if (what == 3) proof.root ^= flipped;
        if (what == 4) proof.span = Span.wrap(Span.unwrap(proof.span) ^ uint256(flipped));
        if (what == 5 && proof.path.length == 0) return;
        if (what == 5) proof.path[place % proof.path.length] ^= flipped;
        (bool done, bytes memory fault) =
            address(anchors).staticcall(abi.encodeCall(anchors.verifyReading, (proof)));
        assertFalse(done, "refused");
        assertGe(fault.length, 4, "by name");
        assertTrue(bytes4(fault) != bytes4(keccak256("Panic(uint256)")), "by name of ours");
    }

    // --------------------------------------------------------------------------------------------------------- success

    function test_verifyReading__given_each_batch_of_both_pages__finds_it() external view {
        for (uint256 number = 1; number <= PAGE + 5; ++number) {
            Span span = kept[stream][number - 1].span;
            uint64 index = span.firstIndex() + uint64(number % COUNT);
            ITelemetryAnchor.ReadingFound memory found = anchors.verifyReading(_proofOf(stream, number, index));
            assertEq(found.device, device.id, "device");
            assertEq(found.index, index, "index");
            assertEq(found.firmware, FIRMWARE, "firmware");
            assertEq(found.blockNumber, kept[stream][number - 1].blockNumber, "block");
            assertEq(found.anchoredAt, kept[stream][number - 1].anchoredAt, "time of the block");
            assertTrue(found.isTrusted, "trusted");
        }
    }

    function test_verifyReading__given_each_reading_of_a_batch__finds_it() external view {
        Span span = kept[stream][PAGE].span;
        for (uint64 i = 0; i < COUNT; ++i) {
            uint64 index = span.firstIndex() + i;
            ITelemetryAnchor.ReadingFound memory found = anchors.verifyReading(_proofOf(stream, PAGE + 1, index));
            assertEq(found.index, index, "index");
            assertEq(found.atMs, i + 1 == COUNT ? span.lastMs() : span.firstMs() + i, "time");
        }
    }

    function test_verifyReading__given_a_closed_page__stays_provable_as_the_stream_goes_on() external {
        ReadingProof memory proof = _at(7);
        _anchorReadings(stream, 3, COUNT);
        _newEpoch(stream, 9, prosumer);
        anchors.verifyReading(proof);
    }

    function test_verifyReading__given_a_page_that_closed__is_provable_from_its_root() external {
        _anchorReadings(stream, PAGE - 5, COUNT);
        for (uint256 number = PAGE + 1; number <= 2 * PAGE; number += 7) {
            anchors.verifyReading(_at(number));
        }
    }

    function test_verifyReading__given_a_compromise__tells_what_was_anchored_since() external {
        uint64 before = kept[stream][9].blockNumber;
        _noteCompromise(device.id, device, uint32(before + 1), prosumer);
        assertTrue(anchors.verifyReading(_at(10)).isTrusted, "before it");
        assertFalse(anchors.verifyReading(_at(11)).isTrusted, "since then");
    }

    function test_verifyReading__given_a_device_that_was_rotated_and_revoked__stands() external {
        ReadingProof memory proof = _at(4);
        _rotate(device.id, device, _secpDevice(2));
        vm.prank(prosumer.addr);
        devices.revoke(device.id);
        assertTrue(anchors.verifyReading(proof).isTrusted, "history stays");
    }

    // --------------------------------------------------------------------------------------------------------- helpers

    /// Of the fifth reading of a batch.
    function _at(uint256 number) private view returns (ReadingProof memory) {
        return _proofOf(stream, number, kept[stream][number - 1].span.firstIndex() + 4);
    }

    function _expectNotAnchored(ReadingProof memory proof) private {
        vm.expectRevert(abi.encodeWithSelector(ITelemetryAnchor.BatchNotAnchored.selector, stream, uint32(3)));
        anchors.verifyReading(proof);
    }

    function _expectOutside(ReadingProof memory proof, uint64 index) private {
        for (uint256 i = 0; i < 8; ++i) {
            proof.leaf[16 + i] = bytes8(index)[i];
        }
        uint64 first = proof.span.firstIndex();
        vm.expectRevert(
            abi.encodeWithSelector(
                ITelemetryAnchor.ReadingOutsideBatch.selector, index, first, first + COUNT
            )
        );
        anchors.verifyReading(proof);
    }

    function _expectProofSize(ReadingProof memory proof, uint256 expected) private {
        vm.expectRevert(
            abi.encodeWithSelector(ITelemetryAnchor.ProofSizeDiffers.selector, proof.siblings.length, expected)
        );
        anchors.verifyReading(proof);
    }

    function _expectNotProved(ReadingProof memory proof) private {
        vm.expectRevert(
            abi.encodeWithSelector(ITelemetryAnchor.ReadingNotProved.selector, uint64(2 * COUNT))
        );
        anchors.verifyReading(proof);
    }
}
