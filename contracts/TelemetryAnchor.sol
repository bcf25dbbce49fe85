// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import { IDeviceRegistry } from "./interfaces/IDeviceRegistry.sol";
import { IERC1056 } from "./interfaces/IERC1056.sol";
import { ITelemetryAnchor } from "./interfaces/ITelemetryAnchor.sol";
import { BatchHashes } from "./libraries/BatchHashes.sol";
import { DeviceCalls } from "./libraries/DeviceCalls.sol";
import { OpenPage } from "./libraries/OpenPage.sol";
import { ReadingLeaf } from "./libraries/ReadingLeaf.sol";
import { Rfc9162 } from "./libraries/Rfc9162.sol";
import { SignedActs } from "./libraries/SignedActs.sol";
import { Act } from "./types/Act.sol";
import { Batch, Tip } from "./types/Batch.sol";
import { RangePart, RangeProof, ReadingProof } from "./types/Proof.sol";
import { Span, emptySpan } from "./types/Span.sol";
import { Mode, StreamId, streamIdOf } from "./types/StreamId.sol";

/// @title TelemetryAnchor
/// @notice See ITelemetryAnchor. Anchoring writes one word, and every 32nd batch of a stream another one.
contract TelemetryAnchor is ITelemetryAnchor, SignedActs {
    using BatchHashes for Batch;
    using DeviceCalls for IDeviceRegistry;

    struct Record {
        // slot 0
        bytes32 tipHash;
        // slot 1: read only when the device's nonce in the registry has moved since the last batch
        address keeper;
        uint32 epoch;
        // slot 2
        mapping(uint256 page => bytes32 root) pages;
    }

    bytes32 private constant OPEN_STREAM_TYPEHASH =
        keccak256("OpenStream(address device,bytes32 schemaHash,uint8 mode,uint256 nonce,uint256 deadline)");
    bytes32 private constant NEW_EPOCH_TYPEHASH =
        keccak256("NewEpoch(bytes32 stream,uint32 epoch,uint256 nonce,uint256 deadline)");
    bytes32 private constant GRANT_TYPEHASH = keccak256(
        "Grant(bytes32 stream,address to,uint32 epoch,uint32 firstWindow,uint32 lastWindow,bytes32 sealedHash,uint256 nonce,uint256 deadline)"
    );

    /// How far ahead of the present epoch the next one may be.
    uint256 private constant MAX_EPOCH_STEP = 256;
    /// How far a device's clock may be ahead of the block's.
    uint256 public constant CLOCK_TOLERANCE = 60 seconds;
    uint256 public constant MAX_BODY = 1 << 17;
    uint256 public constant MAX_BATCHES = 100;
    uint256 public constant MAX_SEALED = 1 << 14;
    /// Readings and batches of one call that proves a range.
    uint256 public constant MAX_RANGE = 1 << 10;
    uint256 public constant MAX_PARTS = 100;

    IDeviceRegistry private immutable _devices;

    mapping(StreamId stream => Record) private _records;

    constructor(address authority, IDeviceRegistry devices)
        EIP712("Gridweave TelemetryAnchor", "1")
        AccessManaged(authority)
    {
        _devices = devices;
    }

    // ------------------------------------------------------------------------------------------------------------ streams

    /// @inheritdoc ITelemetryAnchor
    function open(address device, bytes32 schemaHash, Mode mode, Act calldata owner)
        external
        returns (StreamId stream)
    {
        if (mode == Mode.None) revert StreamModeMissing();
        stream = streamIdOf(device, mode, schemaHash);
        Record storage record = _records[stream];
        if (record.tipHash != 0) revert StreamAlreadyOpen(stream);
        _consume(
            owner,
            keccak256(abi.encode(OPEN_STREAM_TYPEHASH, device, schemaHash, mode, owner.nonce, owner.deadline))
        );
        _requireOwner(device, owner.signer);

        emit StreamOpened(stream, device, schemaHash, mode);
        Span span = emptySpan(1, _devices.askNonce(device));
        record.tipHash = keccak256(abi.encode(span, bytes32(0)));
        _beginEpoch(stream, owner.signer, span);
    }

    /// @inheritdoc ITelemetryAnchor
    function newEpoch(StreamId stream, uint32 epoch, Tip calldata tip, Act calldata owner) external {
        Record storage record = _records[stream];
        if (record.tipHash == 0) revert StreamUnknown(stream);
        if (epoch <= record.epoch) revert EpochNotNewer(stream, epoch, record.epoch);
        uint256 most = uint256(record.epoch) + MAX_EPOCH_STEP;
        if (epoch > most) revert EpochTooFar(stream, epoch, most);
        _consume(
            owner, keccak256(abi.encode(NEW_EPOCH_TYPEHASH, stream, epoch, owner.nonce, owner.deadline))
        );
        address device = stream.device();
        _requireOwner(device, owner.signer);
        _requireTip(stream, record, OpenPage.commitmentOf(tip.span, tip.head, tip.peaks));

        Span span = tip.span.rekeyed(epoch, _devices.askNonce(device));
        record.tipHash = OpenPage.commitmentOf(span, tip.head, tip.peaks);
        _beginEpoch(stream, owner.signer, span);
    }

    function _beginEpoch(StreamId stream, address owner, Span span) private {
        Record storage record = _records[stream];
        record.keeper = owner;
        record.epoch = span.epoch();
        emit EpochBegun(stream, owner, span.epoch(), span);
    }

    function _requireOwner(address device, address signer) private view {
        if (_ownerOf(device) != signer) revert SignerNotAllowed(signer);
    }

    /// Of a device in service or not, zero if there is none.
    function _ownerOf(address device) private view returns (address) {
        return _devices.deviceOf(device).owner;
    }

    // ------------------------------------------------------------------------------------------------------------ batches

    /// @inheritdoc ITelemetryAnchor
    function anchor(Batch calldata batch) external {
        if (batch.stream.isFull()) revert BodyMissing(batch.stream);
        _anchor(batch);
    }

    /// @inheritdoc ITelemetryAnchor
    function anchorWithBody(Batch calldata batch, bytes calldata body) external {
        _requireBody(batch.stream, batch.bodyHash, body);
        uint32 number = _anchor(batch);
        if (body.length != 0) emit BodyAnchored(batch.stream, number, body);
    }

    /// @inheritdoc ITelemetryAnchor
    function anchorAll(Batch[] calldata batches, bytes[] calldata bodies) external {
        uint256 count = batches.length;
        if (count > MAX_BATCHES) revert TooManyBatches(count, MAX_BATCHES);
        if (bodies.length != count) revert BodyCountDiffers(bodies.length, count);
        for (uint256 i = 0; i < count; ++i) {
            // in a call of its own, so that what is refused leaves nothing behind
            try this.anchorWithBody(batches[i], bodies[i]) { }
            catch (bytes memory reason) {
                // whatever is refused is refused by name
                if (reason.length < 4) revert GasTooLowForBatch(i);
                emit BatchRefused(batches[i].stream, batches[i].span, reason);
            }
        }
    }

    function _anchor(Batch calldata batch) private returns (uint32 number) {
        StreamId stream = batch.stream;
        Record storage record = _records[stream];
        bytes32[] calldata peaks = batch.peaks;
        _requireTip(stream, record, OpenPage.commitmentOf(batch.tip, batch.previousHead, peaks));
        _requireNext(stream, batch.tip, batch.span);
        (bytes32 head, uint256 nonce) = _judge(stream, record, batch);

        number = batch.tip.number() + 1;
        Span span = batch.span.numbered(number, nonce);
        _append(record, span, head, batch.root, peaks);
        emit BatchAnchored(stream, span, head, batch.root, batch.bodyHash);
    }

    function _requireTip(StreamId stream, Record storage record, bytes32 tipHash) private view {
        bytes32 kept = record.tipHash;
        if (kept == tipHash) return;
        if (kept == 0) revert StreamUnknown(stream);
        revert TipDiffers(stream, tipHash, kept);
    }

    /// The readings continue the stream: in number, in time and in epoch.
    function _requireNext(StreamId stream, Span last, Span next) private view {
        if (next.count() == 0) revert BatchEmpty(stream);
        uint64 expected = last.nextIndex();
        if (next.firstIndex() != expected) {
            if (next.firstIndex() < expected) revert BatchOverlaps(stream, next.firstIndex(), expected);
            revert BatchLeavesGap(stream, next.firstIndex(), expected);
        }
        uint64 firstMs = next.firstMs();
        uint64 lastMs = next.lastMs();
        if (firstMs < last.lastMs()) revert BatchTimeRunsBack(stream, firstMs, last.lastMs());
        if (lastMs < firstMs) revert BatchTimeRunsBack(stream, lastMs, firstMs);
        if (lastMs > _latestMs()) revert BatchFromFuture(stream, lastMs, _latestMs());

        if (next.epoch() != last.epoch()) {
            if (next.epoch() < last.epoch()) revert EpochRunsBack(stream, next.epoch(), last.epoch());
            revert EpochNotBegun(stream, next.epoch(), last.epoch());
        }
    }

    function _latestMs() private view returns (uint256) {
        unchecked {
            // of a time
            return (block.timestamp + CLOCK_TOLERANCE) * 1_000;
        }
    }

    function _requireBody(StreamId stream, bytes32 bodyHash, bytes calldata body) private pure {
        uint256 length = body.length;
        if (!stream.isFull()) {
            if (length != 0) revert BodyUnwanted(stream);
            return;
        }
        if (length == 0) revert BodyMissing(stream);
        if (length > MAX_BODY) revert BodyTooLong(length, MAX_BODY);
        bytes32 computed = sha256(body);
        if (computed != bodyHash) revert BodyDiffers(bodyHash, computed);
    }

    /// The device signed the batch, and its owner is who began the epoch.
    /// @return head the batch's
    /// @return nonce the device's
    function _judge(StreamId stream, Record storage record, Batch calldata batch)
        private
        view
        returns (bytes32 head, uint256 nonce)
    {
        address device = stream.device();
        head = batch.headOf();
        if (!_devices.askAuthentic(device, _hashTypedDataV4(head), batch.signature)) {
            revert BatchNotAuthentic(stream, device);
        }
        nonce = _devices.askNonce(device);
        // as long as it stands still the owner is who it was; cheaper of an active device than all that deviceOf says
        if (nonce != batch.tip.deviceNonce()) {
            _requireKeeper(stream, record, IERC1056(address(_devices)).identityOwner(device));
        }
    }

    /// The present epoch is the device's owner's.
    function _requireKeeper(StreamId stream, Record storage record, address owner) private view {
        if (owner != record.keeper) revert EpochOfFormerOwner(stream, record.keeper, owner);
    }

    /// Puts a batch into its page, and the tip's hash in place of the last one.
    function _append(Record storage record, Span span, bytes32 head, bytes32 root, bytes32[] calldata peaks) private {
        bytes32 leaf = BatchHashes.leafOf(span, root, block.number, block.timestamp);
        uint256 before = span.number() - 1;
        (uint256 kept, bytes32 peak) = OpenPage.push(peaks, before % OpenPage.SIZE, leaf);
        if (span.number() % OpenPage.SIZE == 0) {
            record.pages[before / OpenPage.SIZE] = peak;
            record.tipHash = OpenPage.commitmentOf(span, head, peaks[:0]);
        } else {
            record.tipHash = OpenPage.commitmentOf(span, head, peaks, kept, peak);
        }
    }

    // ------------------------------------------------------------------------------------------------------------- grants

    /// @inheritdoc ITelemetryAnchor
    function grant(
        StreamId stream,
        address to,
        uint32 epoch,
        uint32 firstWindow,
        uint32 lastWindow,
        bytes calldata sealed_,
        Act calldata owner
    ) external {
        if (to == address(0)) revert GrantToNobody();
        if (firstWindow > lastWindow) revert GrantIsEmpty(firstWindow, lastWindow);
        if (sealed_.length > MAX_SEALED) revert GrantTooLong(sealed_.length, MAX_SEALED);
        bytes32 structHash = keccak256(
            abi.encode(
                GRANT_TYPEHASH,
                stream,
                to,
                epoch,
                firstWindow,
                lastWindow,
                keccak256(sealed_),
                owner.nonce,
                owner.deadline
            )
        );
        _requireGrantor(stream, epoch, owner.signer);
        _consume(owner, structHash);

        emit AccessGranted(stream, to, epoch, firstWindow, lastWindow, sealed_);
    }

    function _requireGrantor(StreamId stream, uint32 epoch, address signer) private view {
        Record storage record = _records[stream];
        if (record.tipHash == 0) revert StreamUnknown(stream);
        if (epoch > record.epoch) revert EpochNotBegun(stream, epoch, record.epoch);
        _requireKeeper(stream, record, _ownerOf(stream.device()));
        if (signer != record.keeper) revert SignerNotAllowed(signer);
    }

    // ------------------------------------------------------------------------------------------------------------- proofs

    /// @inheritdoc ITelemetryAnchor
    function verifyReading(ReadingProof calldata proof) external view returns (ReadingFound memory found) {
        StreamId stream = proof.stream;
        Span span = proof.span;
        bytes32 root = proof.root;
        uint64 blockNumber = proof.blockNumber;
        uint64 anchoredAt = proof.anchoredAt;
        bytes32 leaf = BatchHashes.leafOf(span, root, blockNumber, anchoredAt);
        _requireAnchored(stream, span.number(), leaf, proof.path, proof.tip);
        found.index = _requireReading(proof, span, root, found);

        address device = stream.device();
        found.device = device;
        found.blockNumber = blockNumber;
        found.anchoredAt = anchoredAt;
        found.isTrusted = _devices.askTrusted(device, blockNumber);
    }

    /// The reading stands in its batch. Notes what it says.
    function _requireReading(ReadingProof calldata proof, Span span, bytes32 root, ReadingFound memory found)
        private
        view
        returns (uint64 index)
    {
        bytes calldata leaf = proof.leaf;
        bytes32[] calldata siblings = proof.siblings;
        if (!ReadingLeaf.isWhole(leaf.length)) revert ReadingMalformed(leaf.length);
        (index, found.atMs, found.firmware) = ReadingLeaf.parts(leaf);
        uint256 place;
        unchecked {
            // of an earlier one it wraps around
            place = uint256(index) - span.firstIndex();
        }
        if (place >= span.count()) revert ReadingOutsideBatch(index, span.firstIndex(), span.nextIndex());
        (bytes32 computed, uint256 expected) =
            Rfc9162.rootOf(Rfc9162.hashOf(leaf), place, span.count(), siblings);
        if (siblings.length != expected) revert ProofSizeDiffers(siblings.length, expected);
        if (computed != root) revert ReadingNotProved(index);
    }

    /// @inheritdoc ITelemetryAnchor
    function verifyRange(RangeProof calldata proof) external view returns (RangeFound memory found) {
        if (proof.parts.length > MAX_PARTS) revert TooManyBatches(proof.parts.length, MAX_PARTS);
        found.device = proof.stream.device();
        found.isTrusted = true;
        uint256 readings = 0;
        for (uint256 i = 0; i < proof.parts.length; ++i) {
            RangePart calldata part = proof.parts[i];
            readings += part.count;
            if (part.count == 0 || readings > MAX_RANGE) revert RangeSizeOutOfRange(readings, MAX_RANGE);
            bytes32 leaf = BatchHashes.leafOf(part.span, part.root, part.blockNumber, part.anchoredAt);
            _requireAnchored(proof.stream, part.span.number(), leaf, part.path, proof.tip);
            _addPart(found, part, i == 0);
            found.isTrusted = found.isTrusted && _devices.askTrusted(found.device, part.blockNumber);
        }
        if (readings == 0) revert RangeSizeOutOfRange(0, MAX_RANGE);
    }

    /// Appends the readings of one batch to what was found in those before it.
    function _addPart(RangeFound memory found, RangePart calldata part, bool isFirst) private view {
        Span span = part.span;
        uint256 count = part.count;
        uint256 length = part.leaves.length / count;
        if (!ReadingLeaf.isWhole(length) || part.leaves.length % count != 0) {
            revert ReadingMalformed(part.leaves.length);
        }
        (uint64 first, uint64 atMs,) = ReadingLeaf.parts(part.leaves);
        if (!isFirst && first != found.endIndex) revert RangeBroken(first, found.endIndex);
        uint64 most = span.nextIndex();
        if (first < span.firstIndex() || first >= most || count > most - first) {
            revert ReadingOutsideBatch(first, span.firstIndex(), most);
        }
        if (isFirst) (found.firstIndex, found.firstMs, found.firstBlock) = (first, atMs, part.blockNumber);
        (found.endIndex, found.lastBlock) = (first + uint64(count), part.blockNumber);
        (, found.lastMs,) = ReadingLeaf.parts(part.leaves[(count - 1) * length:]);
        _requireRange(part, first, length);
    }

    function _requireRange(RangePart calldata part, uint64 first, uint256 length) private view {
        Span span = part.span;
        bytes32[] memory hashes = new bytes32[](part.count);
        for (uint256 i = 0; i < hashes.length; ++i) {
            bytes calldata leaf = part.leaves[i * length:(i + 1) * length];
            (uint64 index,,) = ReadingLeaf.parts(leaf);
            if (index != first + i) revert RangeBroken(index, first + uint64(i));
            hashes[i] = Rfc9162.hashOf(leaf);
        }
        uint256 place = first - span.firstIndex();
        Rfc9162.Cursor memory cursor = Rfc9162.Cursor(place, place + hashes.length, 0);
        uint256 expected = Rfc9162.outsideOf(0, span.count(), place, cursor.end);
        if (part.hashes.length != expected) revert ProofSizeDiffers(part.hashes.length, expected);
        if (Rfc9162.rootOf(0, span.count(), hashes, part.hashes, cursor) != part.root) {
            revert ReadingNotProved(first);
        }
    }

    /// The batch stands under its page's root or, if it is one of the page that the tip says is open, under the tip's peak over it.
    function _requireAnchored(
        StreamId stream,
        uint32 number,
        bytes32 leaf,
        bytes32[] calldata path,
        bytes32[] calldata tip
    ) private view {
        if (number == 0) revert BatchNotAnchored(stream, number);
        uint256 place = number - 1;
        uint256 page = place / OpenPage.SIZE;
        place %= OpenPage.SIZE;
        uint256 height = OpenPage.BITS;
        bytes32 root;
        if (tip.length > 1 && page == _numberOf(tip) / OpenPage.SIZE) {
            (root, height, place) = _peakOver(stream, number, tip);
        } else {
            root = _records[stream].pages[page];
        }
        if (path.length != height || OpenPage.rootOf(leaf, place, path) != root) {
            revert BatchNotAnchored(stream, number);
        }
    }

    function _peakOver(StreamId stream, uint32 number, bytes32[] calldata tip)
        private
        view
        returns (bytes32 peak, uint256 height, uint256 place)
    {
        _requireTip(stream, _records[stream], OpenPage.commitmentOf(tip));
        uint256 last = _numberOf(tip);
        if (number > last) revert BatchNotAnchored(stream, number);
        uint256 which;
        (which, height, place) = OpenPage.peakOver((number - 1) % OpenPage.SIZE, last % OpenPage.SIZE);
        peak = tip[2 + which];
    }

    function _numberOf(bytes32[] calldata tip) private pure returns (uint32) {
        return Span.wrap(uint256(tip[0])).number();
    }

    // ------------------------------------------------------------------------------------------------------------ getters

    /// @inheritdoc ITelemetryAnchor
    function streamOf(address device, bytes32 schemaHash, Mode mode) external pure returns (StreamId) {
        return streamIdOf(device, mode, schemaHash);
    }

    /// @inheritdoc ITelemetryAnchor
    function keeperOf(StreamId stream) external view returns (address owner, uint32 epoch) {
        return (_records[stream].keeper, _records[stream].epoch);
    }

    /// @inheritdoc ITelemetryAnchor
    function tipHashOf(StreamId stream) external view returns (bytes32) {
        return _records[stream].tipHash;
    }

    /// @inheritdoc ITelemetryAnchor
    function pageOf(StreamId stream, uint256 page) external view returns (bytes32) {
        return _records[stream].pages[page];
    }

    /// @inheritdoc ITelemetryAnchor
    function digestOf(Batch calldata batch) external view returns (bytes32) {
        return _hashTypedDataV4(batch.headOf());
    }
}
