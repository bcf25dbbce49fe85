// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title What ERC-1056 tools read
/// @notice A device is the identity, its owner the identity's owner, each of its keys an attribute named
/// did/pub/Secp256k1/veriKey/hex or did/pub/P256/veriKey/hex whose value is the compressed key (SEC 1, 33 bytes). A key that
/// counts is valid for ever, one that does no longer is said again with `validTo` 0. A revoked device has no owner.
interface IERC1056 {
    event DIDOwnerChanged(address indexed identity, address owner, uint256 previousChange);
    event DIDAttributeChanged(
        address indexed identity, bytes32 name, bytes value, uint256 validTo, uint256 previousChange
    );

    /// @notice The owner of a device, zero if it is revoked. Whatever is no device is, as there, its own owner.
    function identityOwner(address identity) external view returns (address);
    /// @notice The block of the last of these events about `identity`, each of which names the one before. Zero: none.
    function changed(address identity) external view returns (uint256);
    /// @notice What the device's next signed act must carry.
    function nonce(address identity) external view returns (uint256);
}
