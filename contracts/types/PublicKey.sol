// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// A point on the curve of its owner's kind of key.
struct PublicKey {
    bytes32 x;
    bytes32 y;
}
