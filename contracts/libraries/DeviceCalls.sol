// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IDeviceRegistry } from "../interfaces/IDeviceRegistry.sol";
import { IERC1056 } from "../interfaces/IERC1056.sol";

/// @title Questions to the registry of devices, laid out once in scratch memory
/// @dev A device's address must come clean, as it does from a decoded argument and from a stream's id.
library DeviceCalls {
    /// IDeviceRegistry.isAuthentic.
    function askAuthentic(IDeviceRegistry devices, address device, bytes32 digest, bytes calldata signature)
        internal
        view
        returns (bool answer)
    {
        bytes4 selector = IDeviceRegistry.isAuthentic.selector;
        assembly ("memory-safe") {
            let place := mload(0x40)
            mstore(place, selector)
            mstore(add(place, 0x04), device)
            mstore(add(place, 0x24), digest)
            mstore(add(place, 0x44), 0x60)
            mstore(add(place, 0x64), signature.length)
            calldatacopy(add(place, 0x84), signature.offset, signature.length)
            if iszero(staticcall(gas(), devices, place, add(0x84, signature.length), 0x00, 0x20)) {
                returndatacopy(place, 0x00, returndatasize())
                revert(place, returndatasize())
            }
            answer := and(eq(mload(0x00), 1), gt(returndatasize(), 0x1f))
        }
    }

    /// IERC1056.nonce.
    function askNonce(IDeviceRegistry devices, address device) internal view returns (uint256 nonce) {
        bytes4 selector = IERC1056.nonce.selector;
        assembly ("memory-safe") {
            mstore(0x00, selector)
            mstore(0x04, device)
            if iszero(and(gt(returndatasize(), 0x1f), staticcall(gas(), devices, 0x00, 0x24, 0x00, 0x20))) {
                revert(0x00, 0x00)
            }
            nonce := mload(0x00)
        }
    }

    /// IDeviceRegistry.isTrustedAt.
    function askTrusted(IDeviceRegistry devices, address device, uint256 blockNumber)
        internal
        view
        returns (bool answer)
    {
        bytes4 selector = IDeviceRegistry.isTrustedAt.selector;
        assembly ("memory-safe") {
            let place := mload(0x40)
            mstore(place, selector)
            mstore(add(place, 0x04), device)
            mstore(add(place, 0x24), blockNumber)
            if iszero(and(gt(returndatasize(), 0x1f), staticcall(gas(), devices, place, 0x44, 0x00, 0x20))) {
                revert(0x00, 0x00)
            }
            answer := eq(mload(0x00), 1)
        }
    }
}
