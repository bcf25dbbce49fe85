// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Batch } from "../../../contracts/types/Batch.sol";
import { RangePart, RangeProof, ReadingProof } from "../../../contracts/types/Proof.sol";
import { StreamId } from "../../../contracts/types/StreamId.sol";
import { Span } from "../../../contracts/types/Span.sol";
import { vm } from "../support/Vm.sol";
import { Streams } from "./Streams.sol";
import { Trees } from "./Trees.sol";

/// Streams whose roots stand over readings, and proofs of these.
abstract contract Readings is Streams {
    uint32 internal constant FIRMWARE = 7;

    /// Readings one second apart, from that of `index` on; two channels.
    function _reading(uint64 index, uint64 atMs) internal pure returns (bytes memory) {
        int64 power = -int64(index) * 1_000;
        return abi.encodePacked(index, atMs, FIRMWARE, power, int64(230_000));
    }

    function _saltOf(StreamId id, uint64 index) internal pure returns (bytes16) {
        return bytes16(keccak256(abi.encode("salt", id, index)));
    }

    function _readingOf(Span span, uint64 index) internal pure returns (bytes memory) {
        bool isLast = index + 1 == span.nextIndex();
        return _reading(index, isLast ? span.lastMs() : span.firstMs() + (index - span.firstIndex()));
    }

    /// Salt and reading.
    function _saltedOf(StreamId id, Span span, uint64 index) internal pure returns (bytes memory) {
        return abi.encodePacked(_saltOf(id, index), _readingOf(span, index));
    }

    /// Hashes of the batch's leaves.
    function _leavesOf(StreamId id, Span span) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](span.count());
        for (uint64 i = 0; i < span.count(); ++i) {
            leaves[i] = _hashOf(_saltedOf(id, span, span.firstIndex() + i));
        }
    }

    function _hashOf(bytes memory leaf) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), leaf));
    }

    /// The stream's next batch, with the root of its readings.
    function _batchOfReadings(StreamId id, uint32 count) internal view returns (Batch memory batch) {
        batch = _draftBatch(id, count);
        batch.root = Trees.rootOf(Trees.Kind.Sha256, _leavesOf(id, batch.span));
        _signBatch(device, batch);
    }

    /// Anchors `batches` batches, a minute and a block apart.
    function _anchorReadings(StreamId id, uint256 batches, uint32 count) internal {
        for (uint256 i = 0; i < batches; ++i) {
            vm.warp(block.timestamp + 60);
            vm.roll(block.number + 5);
            _anchor(_batchOfReadings(id, count));
        }
    }

    /// Of reading `index`, which batch `number` has.
    function _proofOf(StreamId id, uint256 number, uint64 index) internal view returns (ReadingProof memory proof) {
        Kept memory batch = kept[id][number - 1];
        Span span = batch.span;
        proof.stream = id;
        (proof.span, proof.root) = (span, batch.root);
        (proof.blockNumber, proof.anchoredAt) = (batch.blockNumber, batch.anchoredAt);
        proof.path = _pathOf(id, number);
        if (_isOpen(id, number)) proof.tip = _tipWords(id);
        proof.leaf = _saltedOf(id, span, index);
        proof.siblings = Trees.pathOf(Trees.Kind.Sha256, _leavesOf(id, span), index - span.firstIndex());
    }

    function _isOpen(StreamId id, uint256 number) internal view returns (bool) {
        return (number - 1) / PAGE == kept[id].length / PAGE;
    }

    /// Of readings [first, end), which batches `low` to `high` have.
    function _rangeOf(StreamId id, uint256 low, uint256 high, uint64 first, uint64 end)
        internal
        view
        returns (RangeProof memory proof)
    {
        proof.stream = id;
        if (_isOpen(id, high)) proof.tip = _tipWords(id);
        proof.parts = new RangePart[](high - low + 1);
        for (uint256 number = low; number <= high; ++number) {
            Span span = kept[id][number - 1].span;
            uint64 from = span.firstIndex() > first ? span.firstIndex() : first;
            uint64 to = span.nextIndex() < end ? span.nextIndex() : end;
            proof.parts[number - low] = _partOf(id, number, from, to);
        }
    }

    function _partOf(StreamId id, uint256 number, uint64 first, uint64 end)
        internal
        view
        returns (RangePart memory part)
    {
        Kept memory batch = kept[id][number - 1];
        Span span = batch.span;
        (part.span, part.root) = (span, batch.root);
        (part.blockNumber, part.anchoredAt) = (batch.blockNumber, batch.anchoredAt);
        part.path = _pathOf(id, number);
        part.count = uint32(end - first);
        for (uint64 i = first; i < end; ++i) {
            part.leaves = abi.encodePacked(part.leaves, _saltedOf(id, span, i));
        }
        uint64 base = span.firstIndex();
        part.hashes = Trees.outsideOf(_leavesOf(id, span), 0, span.count(), first - base, end - base);
    }
}
