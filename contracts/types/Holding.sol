// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// Whose a device is and where it came from, in one word.
struct Holding {
    address owner;
    uint32 origin; // number of its Origin
    uint32 enrolledAt; // time
    uint32 compromisedSince; // block; 0: its key is not known to be compromised
}

/// Who made a device, and which model it is. Devices of one batch share theirs.
struct Origin {
    address maker;
    uint32 model;
}
