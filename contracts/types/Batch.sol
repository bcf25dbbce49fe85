// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Span } from "./Span.sol";
import { StreamId } from "./StreamId.sol";

using { structHash } for Batch global;
using { leafOf } for AnchoredBatch global;

/// How far a stream has come. The chain keeps no more of it than its hash; all of it is in events.
struct Tip {
    Span span; // of the last batch, with the epoch that the next one must have
    bytes32 head; // of the last batch
    bytes32[] peaks; // of the open page: roots of its largest full subtrees, from the left
}

/// Readings in a row, sealed: what the device signed of them.
struct Batch {
    StreamId stream;
    Span span;
    bytes32 previousHead;
    bytes32 head;
    bytes32 root;
    bytes32 ciphertextHash;
    bytes signature;
    bytes ciphertext;
}

/// A batch as it stands in the chain, with the way from it to its page's root or, as long as the page is open, to its peak.
struct AnchoredBatch {
    Span span;
    bytes32 head;
    bytes32 root;
    bytes32 ciphertextHash;
    uint64 blockNumber;
    uint64 anchoredAt; // time of that block
    bytes32[] path; // siblings from the leaf up
}

bytes32 constant BATCH_TYPEHASH = keccak256(
    "Batch(bytes32 stream,uint64 firstIndex,uint32 count,uint64 firstMs,uint64 lastMs,uint32 epoch,bytes32 previousHead,bytes32 head,bytes32 root,bytes32 ciphertextHash)"
);

function structHash(Batch calldata batch) pure returns (bytes32) {
    Span span = batch.span;
    return keccak256(
        abi.encode(
            BATCH_TYPEHASH,
            batch.stream,
            span.firstIndex(),
            span.count(),
            span.firstMs(),
            span.lastMs(),
            span.epoch(),
            batch.previousHead,
            batch.head,
            batch.root,
            batch.ciphertextHash
        )
    );
}

/// The leaf of a batch in its page.
function leafOf(AnchoredBatch calldata batch) pure returns (bytes32) {
    return batchLeaf(
        batch.span, batch.head, batch.root, batch.ciphertextHash, batch.blockNumber, batch.anchoredAt
    );
}

/// Five words, so that no leaf can be taken for a node, which is two.
function batchLeaf(
    Span span,
    bytes32 head,
    bytes32 root,
    bytes32 ciphertextHash,
    uint256 blockNumber,
    uint256 anchoredAt
) pure returns (bytes32) {
    return keccak256(abi.encode(span, head, root, ciphertextHash, (blockNumber << 64) | anchoredAt));
}
