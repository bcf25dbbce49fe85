// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title What every contract that takes signed acts refuses alike
interface ISignedActs {
    /// @notice `deadline` has passed. Sign the act again with a later one.
    error ActExpired(uint256 deadline);
    /// @notice `signer` has used `nonce` in this contract before.
    error NonceUsed(address signer, uint256 nonce);
    /// @notice The signature is not `signer`'s over exactly this act, chain and contract.
    error WrongSignature(address signer);
    /// @notice `signer` holds no role that allows this act now.
    error SignerNotAllowed(address signer);

    /// @notice Whether `signer` has used `nonce` here.
    function isNonceUsed(address signer, uint256 nonce) external view returns (bool);
}
