// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title ERC-2098 signatures, and ERC-1271 wallets that take 64 bytes
library CompactSignatures {
    /// A wallet's own check may cost this much, so that none can burn the gas of a whole batch.
    uint256 internal constant WALLET_GAS = 100_000;

    /// Whether `account` says `digest`: by its key, or, if it is a contract, by its own isValidSignature.
    /// @dev A wallet is only asked once no key matched. It is asked by a static call, so it cannot come back and change anything.
    function isSignedBy(address account, bytes32 digest, bytes32 r, bytes32 vs) internal view returns (bool) {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, r, vs);
        if (failure == ECDSA.RecoverError.NoError && signer == account) return true;
        if (account.code.length == 0) return false;

        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (digest, abi.encodePacked(r, vs)));
        bytes32 answer;
        // One word of the answer is copied: who answers at length would have the batch pay for it, each time more.
        assembly ("memory-safe") {
            let done := staticcall(WALLET_GAS, account, add(question, 0x20), mload(question), 0, 0x20)
            if and(done, gt(returndatasize(), 0x1f)) { answer := mload(0) }
        }
        return answer == bytes32(IERC1271.isValidSignature.selector);
    }
}
