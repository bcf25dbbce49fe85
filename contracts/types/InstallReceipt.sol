// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { structHash } for InstallReceipt global;

/// What a device says about its attempt to install a release.
struct InstallReceipt {
    address device;
    uint32 model;
    uint32 counter;
    uint16 failureCode; // 0: it runs; else the maker's number for what went wrong
    uint40 time; // by the device's clock
    bytes signature; // the device's, as isAuthentic takes it
}

/// What a device has told last, and what it runs, in one word.
struct Installation {
    uint32 told; // newest counter that it told of; 0: none
    uint16 failureCode; // of its last receipt of that one
    uint32 running; // newest counter that it told of with success; 0: none
    uint32 runningSince; // block of that
}

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
