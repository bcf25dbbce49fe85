// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// A wallet that takes its owner's compact signature; without an owner it burns all gas that it gets.
contract Wallet is IERC1271 {
    address private immutable _owner;

    constructor(address owner) {
        _owner = owner;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (_owner == address(0)) {
            for (uint256 i = 0; i < type(uint256).max; ++i) { }
        }
        (bytes32 r, bytes32 vs) = abi.decode(signature, (bytes32, bytes32));
        return ECDSA.recover(hash, r, vs) == _owner ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
