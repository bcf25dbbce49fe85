// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { hash, membersHash } for KeySet global;

/// Who may speak for a model's firmware, and how many of them must. Only its hash is stored: whoever acts brings it along.
struct KeySet {
    uint32 version; // 1 for the first, then one more with each change
    uint8 threshold;
    address[] members; // ascending; keys, or wallets that sign by ERC-1271
}

struct Approval {
    address signer;
    bytes signature;
}

/// A model's present keys, and the signatures of some of them, ascending by signer.
struct Quorum {
    KeySet keys;
    Approval[] approvals;
}

/// EIP-712's hash of an array of addresses.
function membersHash(KeySet calldata keys) pure returns (bytes32) {
    return keccak256(abi.encodePacked(keys.members));
}

function hash(KeySet calldata keys) pure returns (bytes32) {
    return keccak256(abi.encode(keys.version, keys.threshold, keys.membersHash()));
}
