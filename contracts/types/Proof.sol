// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { AnchoredBatch, Tip } from "./Batch.sol";
import { StreamId } from "./StreamId.sol";

/// That a reading stands in a stream.
struct ReadingProof {
    StreamId stream;
    Tip tip; // the stream's present one; left empty if the batch's page is closed
    AnchoredBatch batch;
    bytes16 salt;
    bytes reading; // canonical bytes
    bytes32[] siblings; // inclusion proof (RFC 9162), from the leaf up
}

/// That readings stand in a stream one after the other, with nothing between them.
struct RangeProof {
    StreamId stream;
    Tip tip;
    RangePart[] parts; // one for each batch, in order
}

/// The readings of a range that one batch has.
struct RangePart {
    AnchoredBatch batch;
    bytes16[] salts; // one for each reading
    bytes readings; // canonical bytes, one after the other, all of the same length
    bytes32[] hashes; // roots of the largest subtrees without a reading of the range, from the left
}
