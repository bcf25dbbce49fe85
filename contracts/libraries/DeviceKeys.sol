// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { P256 } from "@openzeppelin/contracts/utils/cryptography/P256.sol";

import { PublicKey } from "../types/PublicKey.sol";
import { Secp256k1 } from "./Secp256k1.sol";

/// @title Keys of devices, on either curve
/// @notice What is kept of a key is its name, the last 20 bytes of keccak256(x . y): an address's worth, as Ethereum's own.
library DeviceKeys {
    uint8 internal constant SECP256K1 = 1;
    uint8 internal constant P256_KEY = 2;

    /// ERC-1056 names of the attribute that says "this key verifies what the device signs".
    bytes32 private constant SECP256K1_ATTRIBUTE = "did/pub/Secp256k1/veriKey/hex";
    bytes32 private constant P256_ATTRIBUTE = "did/pub/P256/veriKey/hex";

    function nameOf(PublicKey memory key) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode(key.x, key.y)))));
    }

    function isOnCurve(PublicKey memory key, uint8 kind) internal pure returns (bool) {
        if (kind == SECP256K1) return Secp256k1.isValidPublicKey(key.x, key.y);
        return kind == P256_KEY && P256.isValidPublicKey(key.x, key.y);
    }

    function attributeOf(uint8 kind) internal pure returns (bytes32) {
        return kind == P256_KEY ? P256_ATTRIBUTE : SECP256K1_ATTRIBUTE;
    }

    /// SEC 1's compressed form: the parity of y, then x.
    function compressed(PublicKey memory key) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(2 + (uint256(key.y) & 1)), key.x);
    }

    /// Whether the key, which is on its curve, signed `digest`.
    function hasSigned(PublicKey memory key, uint8 kind, bytes32 digest, bytes32 r, bytes32 s)
        internal
        view
        returns (bool)
    {
        if (kind == P256_KEY) return P256.verify(digest, r, s, key.x, key.y);
        return nameOf(key) == Secp256k1.recover(digest, r, s);
    }
}
