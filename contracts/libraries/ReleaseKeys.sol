// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import { IFirmwareRegistry } from "../interfaces/IFirmwareRegistry.sol";
import { ISignedActs } from "../interfaces/ISignedActs.sol";
import { Approval, KeySet, Quorum } from "../types/KeySet.sol";

/// @title M of N keys
/// @notice Members and signers both ascend, so that nobody counts twice and one walk over both is enough.
library ReleaseKeys {
    uint256 internal constant MAX_KEYS = 32;

    function requireSound(KeySet calldata keys, uint32 version) internal pure {
        if (keys.version != version) revert IFirmwareRegistry.WrongKeySetVersion(keys.version, version);
        uint256 count = keys.members.length;
        if (keys.threshold == 0 || keys.threshold > count || count > MAX_KEYS) {
            revert IFirmwareRegistry.ThresholdOutOfRange(keys.threshold, count);
        }
        address last = address(0);
        for (uint256 i = 0; i < count; ++i) {
            if (keys.members[i] <= last) revert IFirmwareRegistry.KeysNotAscending(keys.members[i]);
            last = keys.members[i];
        }
    }

    /// `least` of the members signed `digest`, and nobody else did.
    function requireApproved(Quorum calldata quorum, bytes32 digest, uint256 least) internal view {
        Approval[] calldata approvals = quorum.approvals;
        requireSigned(approvals, digest);
        uint256 index = 0;
        for (uint256 i = 0; i < approvals.length; ++i) {
            address signer = approvals[i].signer;
            index = _indexFrom(quorum.keys, signer, index);
            if (!_isAt(quorum.keys, signer, index)) revert IFirmwareRegistry.UnknownReleaseKey(signer);
        }
        _requireEnough(approvals.length, least);
    }

    /// The thresholds of both sets are reached, and each signer is a member of one of them.
    function requireHandedOver(Quorum calldata present, KeySet calldata next, bytes32 digest) internal view {
        Approval[] calldata approvals = present.approvals;
        requireSigned(approvals, digest);
        uint256 atPresent = 0;
        uint256 atNext = 0;
        uint256 byPresent = 0;
        uint256 byNext = 0;
        for (uint256 i = 0; i < approvals.length; ++i) {
            address signer = approvals[i].signer;
            atPresent = _indexFrom(present.keys, signer, atPresent);
            atNext = _indexFrom(next, signer, atNext);
            bool isPresent = _isAt(present.keys, signer, atPresent);
            bool isNext = _isAt(next, signer, atNext);
            if (!isPresent && !isNext) revert IFirmwareRegistry.UnknownReleaseKey(signer);
            if (isPresent) ++byPresent;
            if (isNext) ++byNext;
        }
        _requireEnough(byPresent, present.keys.threshold);
        _requireEnough(byNext, next.threshold);
    }

    function requireSigned(Approval[] calldata approvals, bytes32 digest) internal view {
        address last = address(0);
        for (uint256 i = 0; i < approvals.length; ++i) {
            address signer = approvals[i].signer;
            if (signer <= last) revert IFirmwareRegistry.SignersNotAscending(signer);
            last = signer;
            if (!_hasSigned(signer, digest, approvals[i].signature)) revert ISignedActs.WrongSignature(signer);
        }
    }

    /// By key first: it saves looking whether there is code at each signer.
    function _hasSigned(address signer, bytes32 digest, bytes calldata signature) private view returns (bool) {
        (address recovered, ECDSA.RecoverError fault,) = ECDSA.tryRecover(digest, signature);
        if (fault == ECDSA.RecoverError.NoError && recovered == signer) return true;
        return signer.code.length != 0 && SignatureChecker.isValidERC1271SignatureNow(signer, digest, signature);
    }

    function _requireEnough(uint256 approvals, uint256 threshold) private pure {
        if (approvals < threshold) revert IFirmwareRegistry.BelowThreshold(approvals, threshold);
    }

    /// Of the first member, from `index` on, that is not below `signer`.
    function _indexFrom(KeySet calldata keys, address signer, uint256 index) private pure returns (uint256) {
        while (index < keys.members.length && keys.members[index] < signer) ++index;
        return index;
    }

    function _isAt(KeySet calldata keys, address signer, uint256 index) private pure returns (bool) {
        return index < keys.members.length && keys.members[index] == signer;
    }
}
