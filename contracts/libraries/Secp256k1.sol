// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title The curve of Ethereum's own keys
library Secp256k1 {
    uint256 private constant P = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f;

    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// Who signed `digest` with the ERC-2098 signature (r, vs); zero for nobody, and for the mirrored form of a signature.
    function recover(bytes32 digest, bytes32 r, bytes32 vs) internal pure returns (address) {
        uint256 s = uint256(vs) & type(uint256).max >> 1;
        if (s > HALF_ORDER) return address(0);
        return ecrecover(digest, vs == bytes32(s) ? 27 : 28, r, bytes32(s));
    }

    /// Whether (x, y) is a public key: y^2 = x^3 + 7 over the field. The point at infinity has no coordinates.
    function isValidPublicKey(bytes32 x, bytes32 y) internal pure returns (bool) {
        uint256 a = uint256(x);
        uint256 b = uint256(y);
        return a < P && b < P && mulmod(b, b, P) == addmod(mulmod(mulmod(a, a, P), a, P), 7, P);
    }
}
