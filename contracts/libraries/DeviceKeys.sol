// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { P256 } from "@openzeppelin/contracts/utils/cryptography/P256.sol";

import { IERC1056 } from "../interfaces/IERC1056.sol";
import { PublicKey } from "../types/PublicKey.sol";
import { Secp256k1 } from "./Secp256k1.sol";

/// @title Keys of devices, on either curve
/// @notice What is kept of a key is its name, the last 20 bytes of keccak256(x . y): an address's worth, as Ethereum's own.
library DeviceKeys {
    uint8 internal constant SECP256K1 = 1;
    uint8 internal constant P256_KEY = 2;

    bytes32 private constant SECP256K1_ATTRIBUTE = "did/pub/Secp256k1/veriKey/hex";
    bytes32 private constant P256_ATTRIBUTE = "did/pub/P256/veriKey/hex";
    uint256 private constant COMPRESSED_LENGTH = 33;

    function nameOf(PublicKey memory key) internal pure returns (address name) {
        assembly ("memory-safe") {
            name := shr(96, shl(96, keccak256(key, 0x40)))
        }
    }

    function isOnCurve(PublicKey memory key, uint8 kind) internal pure returns (bool) {
        if (kind == SECP256K1) return Secp256k1.isValidPublicKey(key.x, key.y);
        return kind == P256_KEY && P256.isValidPublicKey(key.x, key.y);
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

    /// Emits IERC1056.DIDAttributeChanged with the key in SEC 1's compressed form: the parity of y, then x.
    function tell(PublicKey memory key, address device, uint8 kind, uint256 validTo, uint256 previousChange) internal {
        bytes32 topic = IERC1056.DIDAttributeChanged.selector;
        bytes32 name = kind == P256_KEY ? P256_ATTRIBUTE : SECP256K1_ATTRIBUTE;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, name)
            mstore(add(data, 0x20), 0x80)
            mstore(add(data, 0x40), validTo)
            mstore(add(data, 0x60), previousChange)
            mstore(add(data, 0x80), COMPRESSED_LENGTH)
            mstore(add(data, 0xc0), 0)
            mstore8(add(data, 0xa0), or(2, and(mload(add(key, 0x20)), 1)))
            mstore(add(data, 0xa1), mload(key))
            log2(data, 0xe0, topic, device)
        }
    }
}
