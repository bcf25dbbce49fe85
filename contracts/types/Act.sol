// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// One person's consent to one act: an EIP-712 signature over the act's own type, which ends with `nonce` and `deadline`.
/// Nonces are unordered: any value that the signer has not used before in that contract. Anyone may relay an act.
struct Act {
    address signer;
    uint256 nonce;
    uint256 deadline;
    bytes signature;
}
