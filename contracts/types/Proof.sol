// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Span } from "./Span.sol";
import { StreamId } from "./StreamId.sol";

/// That a reading stands in a stream.
struct ReadingProof {
    StreamId stream;
    Span span; // of its batch, as anchored
    bytes32 root; // of its batch
    uint64 blockNumber; // in which the batch was anchored
    uint64 anchoredAt; // time of that block
    bytes leaf; // salt and canonical bytes of the reading
    bytes32[] siblings; // from the leaf up to the batch's root (RFC 9162)
    bytes32[] path; // from the batch's leaf up to its page's root, of the open page to the tip's peak
    bytes32[] tip; // span, head and peaks of the stream's present tip if the page is open, else nothing
}

/// That readings stand in a stream one after the other, with nothing between them.
struct RangeProof {
    StreamId stream;
    bytes32[] tip; // as in ReadingProof, if any page is open
    RangePart[] parts; // one for each batch, in order
}

/// The readings of a range that one batch has. What has the same name is as in ReadingProof.
struct RangePart {
    Span span;
    bytes32 root;
    uint64 blockNumber;
    uint64 anchoredAt;
    bytes32[] path;
    uint32 count; // of the readings
    bytes leaves; // salts and canonical bytes, one after the other
    bytes32[] hashes; // roots of the largest subtrees without a reading of the range, from the left
}
