// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { TelemetryAnchor } from "../../../contracts/TelemetryAnchor.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Batch, Tip } from "../../../contracts/types/Batch.sol";
import { Span } from "../../../contracts/types/Span.sol";
import { Mode, StreamId } from "../../../contracts/types/StreamId.sol";
import { Life } from "../support/Life.sol";
import { Party, Signing } from "../support/Signing.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";
import { Trees } from "./Trees.sol";

/// A device with two streams, one of each mode, and what a client keeps of them. All is packed, hashed and signed here as the
/// interface says, without the contract's help.
abstract contract Streams is Life {
    string internal constant ANCHOR = "Gridweave TelemetryAnchor";
    uint256 internal constant PAGE = 32;
    uint64 internal constant START_MS = uint64(START * 1_000);

    bytes32 private constant OPEN_STREAM_TYPEHASH =
        keccak256("OpenStream(address device,bytes32 schemaHash,uint8 mode,uint256 nonce,uint256 deadline)");
    bytes32 private constant NEW_EPOCH_TYPEHASH =
        keccak256("NewEpoch(bytes32 stream,uint32 epoch,uint256 nonce,uint256 deadline)");
    bytes32 private constant BATCH_TYPEHASH = keccak256(
        "Batch(bytes32 stream,uint64 firstIndex,uint32 count,uint64 firstMs,uint64 lastMs,uint32 epoch,bytes32 previousHead,bytes32 root,bytes32 bodyHash)"
    );
    bytes32 private constant GRANT_TYPEHASH = keccak256(
        "Grant(bytes32 stream,address to,uint32 epoch,uint32 firstWindow,uint32 lastWindow,bytes32 sealedHash,uint256 nonce,uint256 deadline)"
    );

    /// A grant as its owner means it.
    struct Grant {
        StreamId stream;
        address to;
        uint32 epoch;
        uint32 firstWindow;
        uint32 lastWindow;
        bytes sealed_;
    }

    /// What a client keeps of an anchored batch.
    struct Kept {
        Span span;
        bytes32 head;
        bytes32 root;
        bytes32 bodyHash;
        uint64 blockNumber;
        uint64 anchoredAt;
    }

    TelemetryAnchor internal anchors;
    DeviceKey internal device;
    StreamId internal stream; // mode Hash
    StreamId internal full; // mode Full
    bytes32 internal schemaHash = sha256("power, volts");

    mapping(StreamId stream => Kept[]) internal kept;
    mapping(StreamId stream => Span) internal tipSpans;
    mapping(StreamId stream => bytes32) internal tipHeads;

    function setUp() public virtual override {
        super.setUp();
        anchors = new TelemetryAnchor(address(authority), devices);
        device = _newDevice();
        _enrol(device, prosumer.addr);
        stream = _open(device.id, Mode.Hash, prosumer);
        full = _open(device.id, Mode.Full, prosumer);
        vm.warp(START + 1 days);
    }

    function _newDevice() internal virtual returns (DeviceKey memory) {
        return _secpDevice(1);
    }

    // ------------------------------------------------------------------------------------------------------------- owners

    function _openAct(address device_, Mode mode, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        _signAct(by, act, abi.encode(OPEN_STREAM_TYPEHASH, device_, schemaHash, mode, act.nonce, act.deadline));
    }

    function _open(address device_, Mode mode, Party memory by) internal returns (StreamId opened) {
        opened = anchors.open(device_, schemaHash, mode, _openAct(device_, mode, by));
        tipSpans[opened] = Span.wrap((1 << 48) | devices.nonce(device_));
    }

    function _openHash(address device_) internal returns (StreamId) {
        return _open(device_, Mode.Hash, prosumer);
    }

    function _epochAct(StreamId id, uint32 epoch, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        _signAct(by, act, abi.encode(NEW_EPOCH_TYPEHASH, id, epoch, act.nonce, act.deadline));
    }

    function _newEpoch(StreamId id, uint32 epoch, Party memory by) internal {
        anchors.newEpoch(id, epoch, _tipOf(id), _epochAct(id, epoch, by));
        tipSpans[id] = _rekeyed(id, epoch);
    }

    /// The tip's span once `epoch` has begun.
    function _rekeyed(StreamId id, uint32 epoch) internal view returns (Span) {
        uint256 span = Span.unwrap(tipSpans[id]);
        uint256 number = (span >> 16) & type(uint32).max;
        return Span.wrap(
            ((span >> 80) << 80) | (uint256(epoch) << 48) | (number << 16) | devices.nonce(id.device())
        );
    }

    function _grantAct(Grant memory grant_, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        bytes memory message = abi.encode(
            GRANT_TYPEHASH,
            grant_.stream,
            grant_.to,
            grant_.epoch,
            grant_.firstWindow,
            grant_.lastWindow,
            keccak256(grant_.sealed_),
            act.nonce,
            act.deadline
        );
        _signAct(by, act, message);
    }

    function _grantAccess(Grant memory grant_, Act memory act) internal {
        anchors.grant(
            grant_.stream, grant_.to, grant_.epoch, grant_.firstWindow, grant_.lastWindow, grant_.sealed_, act
        );
    }

    function _signAct(Party memory by, Act memory act, bytes memory message) private view {
        act.signature = Signing.sign(by.key, _digest(ANCHOR, address(anchors), keccak256(message)));
    }

    // ------------------------------------------------------------------------------------------------------------ batches

    function _span(uint256 firstIndex, uint256 count, uint256 firstMs, uint256 lastMs, uint256 epoch)
        internal
        pure
        returns (Span)
    {
        return Span.wrap((firstIndex << 208) | (count << 176) | (firstMs << 128) | (lastMs << 80) | (epoch << 48));
    }

    /// The stream's next batch: `count` readings, one a second, the last of them now. Not signed.
    function _draftBatch(StreamId id, uint32 count) internal view returns (Batch memory batch) {
        Span last = tipSpans[id];
        uint256 number = last.number();
        uint256 nowMs = block.timestamp * 1_000;
        uint256 firstMs = last.lastMs() + 1_000 > nowMs ? nowMs : last.lastMs() + 1_000;
        batch.stream = id;
        batch.span = _span(last.nextIndex(), count, firstMs, nowMs, last.epoch());
        Tip memory tip = _tipOf(id);
        (batch.tip, batch.previousHead, batch.peaks) = (tip.span, tip.head, tip.peaks);
        batch.root = keccak256(abi.encode("root", id, number, count));
        batch.bodyHash = _isFull(id) ? sha256(_bodyOf(batch)) : keccak256(abi.encode("body", id, number, count));
    }

    function _isFull(StreamId id) internal pure returns (bool) {
        return (uint256(StreamId.unwrap(id)) >> 88) & type(uint8).max == 1;
    }

    /// What was sealed, in mode Full: five bytes for each reading.
    function _bodyOf(Batch memory batch) internal pure returns (bytes memory) {
        return _noise(5 * batch.span.count(), batch.span.firstIndex());
    }

    /// Bytes as ciphertext has them.
    function _noise(uint256 length, uint256 seed) internal pure returns (bytes memory noise) {
        noise = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            noise[i] = bytes1(keccak256(abi.encode(seed, i)));
        }
    }

    function _signedBatch(StreamId id, uint32 count) internal view returns (Batch memory batch) {
        batch = _draftBatch(id, count);
        _signBatch(device, batch);
    }

    function _batchDigest(Batch memory batch) internal view returns (bytes32) {
        return _digest(ANCHOR, address(anchors), _headOf(batch));
    }

    function _headOf(Batch memory batch) internal pure returns (bytes32) {
        Span span = batch.span;
        bytes memory message = abi.encode(
            BATCH_TYPEHASH,
            batch.stream,
            Span.unwrap(span) >> 208,
            (Span.unwrap(span) >> 176) & type(uint32).max,
            (Span.unwrap(span) >> 128) & type(uint48).max,
            (Span.unwrap(span) >> 80) & type(uint48).max,
            (Span.unwrap(span) >> 48) & type(uint32).max,
            batch.previousHead,
            batch.root,
            batch.bodyHash
        );
        return keccak256(message);
    }

    /// 64 bytes; a P-256 key is not kept, so 128.
    function _signBatch(DeviceKey memory by, Batch memory batch) internal view virtual {
        (bytes32 r, bytes32 s) = _signAs(by, _batchDigest(batch));
        batch.signature = abi.encodePacked(r, s);
        if (by.x != device.x || _isKept()) return;
        batch.signature = abi.encodePacked(r, s, by.x, by.y);
    }

    /// Whether the registry has the device's key, so that signatures do without.
    function _isKept() internal view virtual returns (bool) {
        return true;
    }

    function _anchor(Batch memory batch) internal {
        if (_isFull(batch.stream)) anchors.anchorWithBody(batch, _bodyOf(batch));
        else anchors.anchor(batch);
        _keep(batch);
    }

    function _anchorNext(StreamId id, uint32 count) internal {
        _anchor(_signedBatch(id, count));
    }

    /// What a client keeps once the batch is anchored.
    function _keep(Batch memory batch) internal {
        Span span = _numbered(batch);
        kept[batch.stream].push(
            Kept(
                span, _headOf(batch), batch.root, batch.bodyHash, uint64(block.number), uint64(block.timestamp)
            )
        );
        tipSpans[batch.stream] = span;
        tipHeads[batch.stream] = _headOf(batch);
    }

    /// The batch's span as the contract completes it.
    function _numbered(Batch memory batch) internal view returns (Span) {
        uint256 number = kept[batch.stream].length + 1;
        uint256 nonce = devices.nonce(batch.stream.device());
        return Span.wrap(((Span.unwrap(batch.span) >> 48) << 48) | (number << 16) | nonce);
    }

    // -------------------------------------------------------------------------------------------------------------- pages

    function _tipOf(StreamId id) internal view returns (Tip memory) {
        return Tip(tipSpans[id], tipHeads[id], _peaksOf(_openLeaves(id)));
    }

    function _tipHashOf(StreamId id) internal view returns (bytes32) {
        Tip memory tip = _tipOf(id);
        return keccak256(abi.encodePacked(tip.span, tip.head, tip.peaks));
    }

    /// Of the page that is still open, none if the last one is full.
    function _openLeaves(StreamId id) internal view returns (bytes32[] memory) {
        uint256 count = kept[id].length;
        return _leavesOf(id, count - count % PAGE, count);
    }

    /// Of batches [low, high), counted from 0.
    function _leavesOf(StreamId id, uint256 low, uint256 high) internal view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](high - low);
        for (uint256 i = low; i < high; ++i) {
            leaves[i - low] = _leafOf(kept[id][i]);
        }
    }

    function _leafOf(Kept memory one) internal pure returns (bytes32) {
        uint256 when = (uint256(one.blockNumber) << 64) | one.anchoredAt;
        return keccak256(abi.encode(one.span, one.root, when));
    }

    function _peaksOf(bytes32[] memory leaves) internal pure returns (bytes32[] memory peaks) {
        uint256 low = 0;
        for (uint256 size = PAGE; size != 0; size >>= 1) {
            if (leaves.length & size == 0) continue;
            peaks = Trees.join(peaks, Trees.rootOf(Trees.Kind.Keccak256, leaves, low, low + size));
            low += size;
        }
    }

    /// The way from the batch with `number` up, as of now.
    function _pathOf(StreamId id, uint256 number) internal view returns (bytes32[] memory) {
        uint256 first = (number - 1) - (number - 1) % PAGE;
        uint256 end = kept[id].length < first + PAGE ? kept[id].length : first + PAGE;
        // below the peak that is over it
        uint256 low = first;
        uint256 size = PAGE;
        while ((end - first) & size == 0 || number - 1 >= low + size) {
            if ((end - first) & size != 0) low += size;
            size >>= 1;
        }
        return Trees.pathOf(Trees.Kind.Keccak256, _leavesOf(id, low, low + size), number - 1 - low);
    }

    /// The tip as words.
    function _tipWords(StreamId id) internal view returns (bytes32[] memory words) {
        Tip memory tip = _tipOf(id);
        words = Trees.join(Trees.join(new bytes32[](0), bytes32(Span.unwrap(tip.span))), tip.head);
        for (uint256 i = 0; i < tip.peaks.length; ++i) {
            words = Trees.join(words, tip.peaks[i]);
        }
    }
}
