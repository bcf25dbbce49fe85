// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Span } from "./Span.sol";
import { StreamId } from "./StreamId.sol";

/// How far a stream has come. The chain keeps no more of it than its hash; all of it is in events.
struct Tip {
    Span span; // of the last batch, with the epoch that the next one must have
    bytes32 head; // of the last batch, zero before the first
    bytes32[] peaks; // of the open page: roots of its largest full subtrees, from the left
}

/// Readings in a row, sealed and signed by their device, and the tip that they follow.
struct Batch {
    StreamId stream;
    Span tip;
    Span span;
    bytes32 previousHead; // the tip's
    bytes32 root;
    bytes32 bodyHash;
    bytes32[] peaks; // the tip's
    bytes signature;
}

bytes32 constant BATCH_TYPEHASH = keccak256(
    "Batch(bytes32 stream,uint64 firstIndex,uint32 count,uint64 firstMs,uint64 lastMs,uint32 epoch,bytes32 previousHead,bytes32 root,bytes32 bodyHash)"
);
