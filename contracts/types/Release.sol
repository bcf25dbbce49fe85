// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { structHash } for Release global;

/// One version of a model's firmware, as its release keys approve it. Only its hash is stored; the rest is in the event.
struct Release {
    uint32 model;
    uint32 counter; // strictly increasing per model
    uint32 floor; // once the release is full, devices below this counter are not to be trusted
    uint64 imageSize; // bytes
    bytes32 imageHash; // SHA-256 of the image
    bytes32 manifestHash; // SHA-256 of the SUIT manifest
    bytes32 bomHash; // SHA-256 of the bill of materials; zero: none
    string source; // where it was built from: a URI, or a hash in words
    uint32 leastReceipts; // so many receipts of a step before its failures count
    uint16 failureLimitBp; // more failures than this, of 10,000 receipts, pause it
    uint256 deadline; // time until which it may be released
}

bytes32 constant RELEASE_TYPEHASH = keccak256(
    "FirmwareRelease(uint32 model,uint32 counter,uint32 floor,uint64 imageSize,bytes32 imageHash,bytes32 manifestHash,bytes32 bomHash,string source,uint32 leastReceipts,uint16 failureLimitBp,uint256 deadline)"
);

/// What is stored of a release, and what its keys sign under the contract's domain.
function structHash(Release calldata release) pure returns (bytes32) {
    return keccak256(
        abi.encode(
            RELEASE_TYPEHASH,
            release.model,
            release.counter,
            release.floor,
            release.imageSize,
            release.imageHash,
            release.manifestHash,
            release.bomHash,
            keccak256(bytes(release.source)),
            release.leastReceipts,
            release.failureLimitBp,
            release.deadline
        )
    );
}
