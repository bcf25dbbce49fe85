// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Act } from "../../../contracts/types/Act.sol";
import { vm } from "./Vm.sol";

/// A party with its key.
struct Party {
    address addr;
    uint256 key;
}

/// EIP-712 as a wallet does it, written a second time so that the contracts' own hashing is not its own judge.
library Signing {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    uint256 private constant P256_N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;
    uint256 internal constant SECP256K1_N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    function party(string memory name) internal pure returns (Party memory) {
        uint256 key = uint256(keccak256(bytes(name))) >> 8;
        return Party(vm.addr(key), key);
    }

    function digest(string memory name, address verifier, uint256 chain, bytes32 structHash)
        internal
        pure
        returns (bytes32)
    {
        bytes32 domain =
            keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256(bytes(name)), keccak256("1"), chain, verifier));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    /// 65 bytes: r, s, v.
    function sign(uint256 key, bytes32 digest_) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest_);
        return abi.encodePacked(r, s, v);
    }

    /// The other signature that plain ecrecover would take for the same: s mirrored, v flipped.
    function mirrored(bytes memory signature) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = abi.decode(signature, (bytes32, bytes32));
        uint8 v = uint8(signature[64]) == 27 ? 28 : 27;
        return abi.encodePacked(r, bytes32(SECP256K1_N - uint256(s)), v);
    }

    /// P-256 with s in the lower half.
    function signP256Low(uint256 key, bytes32 digest_) internal pure returns (bytes32 r, bytes32 s) {
        (r, s) = vm.signP256(key, digest_);
        if (uint256(s) > P256_N / 2) s = bytes32(P256_N - uint256(s));
    }

    function mirroredP256(bytes32 s) internal pure returns (bytes32) {
        return bytes32(P256_N - uint256(s));
    }

    function none() internal pure returns (Act memory act) { }
}
