// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { IAccessManager } from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { BitMaps } from "@openzeppelin/contracts/utils/structs/BitMaps.sol";

import { ISignedActs } from "../interfaces/ISignedActs.sol";
import { Act } from "../types/Act.sol";

/// @title Acts by signature
/// @notice Whoever sends the transaction, only the signer's word counts: here it is checked, once, for one chain and contract.
abstract contract SignedActs is ISignedActs, EIP712, AccessManaged {
    using BitMaps for BitMaps.BitMap;

    mapping(address signer => BitMaps.BitMap) private _usedNonces;

    /// @inheritdoc ISignedActs
    function isNonceUsed(address signer, uint256 nonce) external view returns (bool) {
        return _usedNonces[signer].get(nonce);
    }

    /// Takes `act` as its signer's consent to what `structHash` says, which must itself contain the act's nonce and deadline.
    function _consume(Act calldata act, bytes32 structHash) internal {
        address signer = act.signer;
        if (block.timestamp > act.deadline) revert ActExpired(act.deadline);
        if (_usedNonces[signer].get(act.nonce)) revert NonceUsed(signer, act.nonce);

        _usedNonces[signer].set(act.nonce);

        if (!SignatureChecker.isValidSignatureNow(signer, _hashTypedDataV4(structHash), act.signature)) {
            revert WrongSignature(signer);
        }
    }

    /// The signer must hold the role that the authority asks for the function that the transaction called, without a delay:
    /// a signed act cannot be scheduled.
    function _requireRole(address signer) internal view {
        if (!_hasRole(signer)) revert SignerNotAllowed(signer);
    }

    function _hasRole(address signer) internal view returns (bool immediate) {
        (immediate,) = IAccessManager(authority()).canCall(signer, address(this), msg.sig);
    }
}
