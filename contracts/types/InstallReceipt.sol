// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { structHash } for InstallReceipt global;
using { pack } for Installation global;
using { unpack } for InstallationWord global;

/// What a device says about its attempt to install a release.
struct InstallReceipt {
    address device;
    uint32 model;
    uint32 counter;
    uint16 failureCode; // 0: it runs; else the maker's number for what went wrong
    uint40 time; // by the device's clock
    bytes signature; // the device's, as isAuthentic takes it
}

/// What a device has told last, and what it runs.
struct Installation {
    uint32 model; // the device's, which never changes; known once it has told something
    uint32 told; // newest counter that it told of; 0: none
    uint16 failureCode; // of its last receipt of that one
    uint32 running; // newest counter that it told of with success; 0: none
    uint32 runningSince; // block of that
}

/// An Installation in one word, most significant bits first: zeros 112 | model 32 | told 32 | failureCode 16 | running 32 | runningSince 32.
type InstallationWord is uint256;

bytes32 constant INSTALL_RECEIPT_TYPEHASH =
    keccak256("InstallReceipt(address device,uint32 model,uint32 counter,uint16 failureCode,uint40 time)");

function structHash(InstallReceipt calldata receipt) pure returns (bytes32) {
    return keccak256(
        abi.encode(
            INSTALL_RECEIPT_TYPEHASH,
            receipt.device,
            receipt.model,
            receipt.counter,
            receipt.failureCode,
            receipt.time
        )
    );
}

function pack(Installation memory installation) pure returns (InstallationWord) {
    return InstallationWord.wrap(
        (uint256(installation.model) << 112) | (uint256(installation.told) << 80) | (uint256(installation.failureCode) << 64)
            | (uint256(installation.running) << 32) | installation.runningSince
    );
}

function unpack(InstallationWord packed) pure returns (Installation memory) {
    uint256 word = InstallationWord.unwrap(packed);
    return Installation(uint32(word >> 112), uint32(word >> 80), uint16(word >> 64), uint32(word >> 32), uint32(word));
}
