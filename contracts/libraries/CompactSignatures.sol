// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import { IEnergyAuction } from "../interfaces/IEnergyAuction.sol";

/// @title ERC-2098 signatures, and ERC-1271 wallets
library CompactSignatures {
    /// A wallet's own check may cost this much, so that none can burn the gas of a whole batch.
    uint256 internal constant WALLET_GAS = 100_000;
    /// What must be left so that the wallet gets all of that, a 64th being kept back.
    uint256 private constant GAS_FOR_WALLET = WALLET_GAS + WALLET_GAS / 63 + 5_000;

    /// Whose key signed; zero if nobody's.
    function signerOf(bytes32 digest, bytes32 r, bytes32 vs) internal pure returns (address signer) {
        (signer,,) = ECDSA.tryRecover(digest, r, vs);
    }

    /// Whether `account` is a contract that says that `signature` is its own.
    /// @dev It is asked by a static call, so it cannot come back and change anything.
    function isApprovedBy(address account, bytes32 digest, bytes memory signature) internal view returns (bool) {
        if (account.code.length == 0) return false;
        if (gasleft() < GAS_FOR_WALLET) revert IEnergyAuction.GasTooLowForWallet();

        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (digest, signature));
        bytes32 answer;
        // One word of the answer is copied: who answers at length would have the batch pay for it, each time more.
        assembly ("memory-safe") {
            let done := staticcall(WALLET_GAS, account, add(question, 0x20), mload(question), 0, 0x20)
            if and(done, gt(returndatasize(), 0x1f)) { answer := mload(0) }
        }
        return answer == bytes32(IERC1271.isValidSignature.selector);
    }
}
