// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { structHash } for Acknowledgement global;

/// A relayer's promise that a request, with exactly the signature that came with it, is executed or refused on chain before a
/// time, for which a sponsor's bond answers.
struct Acknowledgement {
    address relayer; // whose key signed it
    address sponsor; // zero: nobody answers for it
    bytes32 signatureHash; // keccak256 of the request's signature, of a key in its compact form of 64 bytes
    uint40 commitBefore; // seconds
    bytes32 r;
    bytes32 vs;
}

bytes32 constant ACKNOWLEDGEMENT_TYPEHASH =
    keccak256("Acknowledgement(bytes32 request,bytes32 signatureHash,address sponsor,uint40 commitBefore)");

/// @param request the EIP-712 digest of the order, or of the schedule
function structHash(Acknowledgement calldata promise_, bytes32 request) pure returns (bytes32) {
    return keccak256(
        abi.encode(
            ACKNOWLEDGEMENT_TYPEHASH, request, promise_.signatureHash, promise_.sponsor, promise_.commitBefore
        )
    );
}
