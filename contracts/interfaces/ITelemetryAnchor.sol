// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Act } from "../types/Act.sol";
import { Batch, Tip } from "../types/Batch.sol";
import { RangeProof, ReadingProof } from "../types/Proof.sol";
import { Span } from "../types/Span.sol";
import { Mode, StreamId } from "../types/StreamId.sol";

/// @title Telemetry that nobody can change, lose or reorder
/// @notice A stream is what one device measures under one schema. Its readings are numbered from 0 on and sealed in batches; each
/// batch is signed by the device and follows the one before it without a gap. Who sends the transaction does not matter.
///
/// A reading's canonical bytes are, big endian: index 8 | time in milliseconds UTC 8 | firmware counter 4 | then 8 for each channel
/// of the schema, signed. A batch's root is that of an RFC 9162 tree with SHA-256 over one leaf for each reading in order: salt 16 .
/// canonical bytes. Its body is what was sealed, whatever that is; here it is known by its SHA-256.
///
/// The device signs, under EIP-712, Batch(bytes32 stream,uint64 firstIndex,uint32 count,uint64 firstMs,uint64 lastMs,uint32 epoch,bytes32
/// previousHead,bytes32 root,bytes32 bodyHash): nothing that is anchored comes from anybody else. Times are those of the first and
/// the last reading. A batch's head is the hash of that struct, without the domain; `previousHead` is the head of the batch before,
/// zero for the first. So one signature vouches for all that came before, and heads, being hashes of salted roots, can be public.
/// What a device signs between two batches, its Segments, is under this contract's domain too and travels in the body.
/// @dev The chain keeps one word of a stream's state: the hash of its Tip. Whoever anchors brings the tip, which the stream's last
/// BatchAnchored or EpochBegun and the batches of its open page say. A tip that is no longer the last is refused, so of two
/// transactions that anchor at the same time one must be sent again. Every 32 batches are a page, whose root is kept for ever.
/// A batch's leaf there is keccak256(span . root . (block << 64 | time)), a node keccak256(left . right).
interface ITelemetryAnchor {
    /// What is known of a reading that was proved.
    struct ReadingFound {
        address device;
        uint64 index;
        uint64 atMs;
        uint32 firmware; // counter of the release that the device ran
        uint64 blockNumber; // in which it was anchored
        uint64 anchoredAt; // time of that block
        bool isTrusted; // the registry's isTrustedAt of that block, as of now
    }

    /// What is known of readings that were proved to be all from `firstIndex` up to, and without, `endIndex`.
    struct RangeFound {
        address device;
        uint64 firstIndex;
        uint64 endIndex;
        uint64 firstMs;
        uint64 lastMs;
        uint64 firstBlock; // in which the first of them was anchored
        uint64 lastBlock;
        bool isTrusted; // at every block in which one of them was anchored
    }

    event StreamOpened(StreamId indexed stream, address indexed device, bytes32 schemaHash, Mode mode);
    /// @notice The stream's next batches are `owner`'s, under keys of this epoch. The heads and peaks of the stream's tip stay,
    /// its span is now `tip`.
    event EpochBegun(StreamId indexed stream, address indexed owner, uint32 epoch, Span tip);
    /// @notice The stream's tip is now this span, this head, and the peaks of its page with this batch.
    event BatchAnchored(StreamId indexed stream, Span span, bytes32 head, bytes32 root, bytes32 bodyHash);
    event BodyAnchored(StreamId indexed stream, uint32 indexed number, bytes body);
    /// @param reason the error that `anchor` gave
    event BatchRefused(StreamId indexed stream, Span span, bytes reason);
    /// @param to whose key opens `sealed_`
    /// @param firstWindow quarter hour of UTC: milliseconds / 900,000
    event AccessGranted(
        StreamId indexed stream, address indexed to, uint32 epoch, uint32 firstWindow, uint32 lastWindow, bytes sealed_
    );

    error StreamModeMissing();
    error StreamAlreadyOpen(StreamId stream);
    error StreamUnknown(StreamId stream);
    /// @notice Span, head and peaks are not those of the stream's tip, of which the chain keeps the hash: another batch came first, or
    /// the device's chain continues from another head than the stream's.
    error TipDiffers(StreamId stream, bytes32 tipHash, bytes32 kept);
    error BatchEmpty(StreamId stream);
    /// @notice Readings are missing before it.
    error BatchLeavesGap(StreamId stream, uint64 firstIndex, uint64 expected);
    /// @notice It begins with readings that the stream has.
    error BatchOverlaps(StreamId stream, uint64 firstIndex, uint64 expected);
    /// @notice It begins before the stream's last reading, or ends before it begins.
    error BatchTimeRunsBack(StreamId stream, uint64 atMs, uint64 previousMs);
    error BatchFromFuture(StreamId stream, uint64 lastMs, uint256 latestMs);
    /// @notice The owner has begun a later epoch: seal the readings under that.
    error EpochRunsBack(StreamId stream, uint32 epoch, uint32 current);
    error EpochNotBegun(StreamId stream, uint32 epoch, uint32 current);
    /// @notice The device is `owner`'s now, who has begun no epoch yet.
    error EpochOfFormerOwner(StreamId stream, address former, address owner);
    /// @notice The stream's mode is Full: bring what was sealed.
    error BodyMissing(StreamId stream);
    /// @notice The stream's mode is Hash: leave away what was sealed.
    error BodyUnwanted(StreamId stream);
    error BodyTooLong(uint256 length, uint256 most);
    error BodyDiffers(bytes32 said, bytes32 computed);
    /// @notice The device's current key did not sign this batch, or the device is not active.
    error BatchNotAuthentic(StreamId stream, address device);
    error TooManyBatches(uint256 count, uint256 most);
    /// @notice One body for each batch.
    error BodyCountDiffers(uint256 bodies, uint256 batches);
    /// @notice A batch could not be judged, for too little gas is left. Nothing was refused.
    error GasTooLowForBatch(uint256 index);
    error EpochNotNewer(StreamId stream, uint32 epoch, uint32 current);
    /// @notice An epoch is at most 256 ahead of the present one: else a seller could leave none to the buyer.
    error EpochTooFar(StreamId stream, uint32 epoch, uint256 most);
    error GrantToNobody();
    error GrantIsEmpty(uint32 firstWindow, uint32 lastWindow);
    error GrantTooLong(uint256 length, uint256 most);
    /// @notice The proof does not lead from this batch to its page's root or, if it is of the open page, to the peak of the tip, which
    /// must be brought for it.
    error BatchNotAnchored(StreamId stream, uint32 number);
    /// @notice Salt and reading are 36 bytes and 8 for each of 1 to 32 channels.
    error ReadingMalformed(uint256 length);
    error ReadingOutsideBatch(uint64 index, uint64 first, uint64 end);
    error ProofSizeDiffers(uint256 hashes, uint256 expected);
    /// @notice Leaf and proof lead to another root than the batch's.
    error ReadingNotProved(uint64 index);
    error RangeSizeOutOfRange(uint256 readings, uint256 most);
    /// @notice A reading of a range does not follow the one before it.
    error RangeBroken(uint64 index, uint64 expected);

    // Streams

    /// @notice OpenStream(address device,bytes32 schemaHash,uint8 mode,uint256 nonce,uint256 deadline) by the device's owner. Begins
    /// epoch 1.
    function open(address device, bytes32 schemaHash, Mode mode, Act calldata owner) external returns (StreamId stream);
    /// @notice NewEpoch(bytes32 stream,uint32 epoch,uint256 nonce,uint256 deadline) by the device's owner: batches must be sealed under
    /// keys of this epoch from now on. A device's new owner begins one before anything more is anchored.
    /// Warning: what was sealed under the former epoch and not yet anchored must be sealed and signed again.
    /// @param tip the stream's present one; not signed, for it may move before the act arrives
    function newEpoch(StreamId stream, uint32 epoch, Tip calldata tip, Act calldata owner) external;

    // Batches

    /// @notice Anchors one batch of a stream in mode Hash. `batch.signature` is 64 bytes, or 128, as in IDeviceRegistry.isAuthentic.
    function anchor(Batch calldata batch) external;
    /// @notice Anchors one batch of any stream. In mode Full `body` is what was sealed, in mode Hash it is empty.
    function anchorWithBody(Batch calldata batch, bytes calldata body) external;
    /// @notice Anchors batches one after the other. Each that `anchorWithBody` would refuse is refused by an event and the others
    /// stand; batches of one stream may follow each other, each with the tip that the one before leaves.
    function anchorAll(Batch[] calldata batches, bytes[] calldata bodies) external;

    // Grants

    /// @notice Grant(bytes32 stream,address to,uint32 epoch,uint32 firstWindow,uint32 lastWindow,bytes32 sealedHash,uint256 nonce,uint256
    /// deadline) by the device's owner, who has begun the present epoch; `sealedHash` is keccak256 of `sealed_`, which opens what was
    /// measured in these windows, the last included, under keys of that epoch, with the key of `to` alone.
    function grant(
        StreamId stream,
        address to,
        uint32 epoch,
        uint32 firstWindow,
        uint32 lastWindow,
        bytes calldata sealed_,
        Act calldata owner
    ) external;

    // Proofs

    /// @notice Reverts unless the reading stands in the stream, at the index that its bytes say. Neither its neighbours nor the
    /// batch's body are needed.
    /// Warning: a proof from a page that is still open fails as soon as the stream's next batch comes. One from a closed page stays.
    function verifyReading(ReadingProof calldata proof) external view returns (ReadingFound memory);
    /// @notice Reverts unless these are all readings of the stream from the first to the last one. To show that they are all of
    /// a span of time, let them begin with the last before it and end with the first behind it.
    function verifyRange(RangeProof calldata proof) external view returns (RangeFound memory);

    // Getters

    /// @notice The name that the stream has, or would have.
    function streamOf(address device, bytes32 schemaHash, Mode mode) external pure returns (StreamId);
    /// @notice Who began the stream's present epoch. Zero: there is no such stream.
    function keeperOf(StreamId stream) external view returns (address owner, uint32 epoch);
    /// @notice keccak256(span . head . peaks) of the stream's tip. Zero: there is no such stream.
    function tipHashOf(StreamId stream) external view returns (bytes32);
    /// @notice Root of the batches numbered 32 * page + 1 to 32 * page + 32. Zero: the page is open.
    function pageOf(StreamId stream, uint256 page) external view returns (bytes32);
    /// @notice The EIP-712 digest that the device signs.
    function digestOf(Batch calldata batch) external view returns (bytes32);
}
