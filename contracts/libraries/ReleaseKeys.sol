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
        address[] calldata members = keys.members;
        uint256 count = members.length;
        if (keys.threshold == 0 || keys.threshold > count || count > MAX_KEYS) {
            revert IFirmwareRegistry.ThresholdOutOfRange(keys.threshold, count);
        }
        address last = address(0);
        for (uint256 i = 0; i < count; ++i) {
            if (members[i] <= last) revert IFirmwareRegistry.KeysNotAscending(members[i]);
            last = members[i];
        }
    }

    /// `least` of the members signed `digest`, and nobody else did.
    function requireApproved(Quorum calldata quorum, bytes32 digest, uint256 least) internal view {
        Approval[] calldata approvals = quorum.approvals;
        address[] calldata members = quorum.keys.members;
        uint256 count = approvals.length;
        uint256 index = 0;
        address last = address(0);
        for (uint256 i = 0; i < count; ++i) {
            last = _nextSigner(approvals[i], last, digest);
            index = _indexFrom(members, last, index);
            if (!_isAt(members, last, index)) revert IFirmwareRegistry.UnknownReleaseKey(last);
        }
        _requireEnough(count, least);
    }

    /// The thresholds of both sets are reached, and each signer is a member of one of them.
    function requireHandedOver(Quorum calldata present, KeySet calldata next, bytes32 digest) internal view {
        Approval[] calldata approvals = present.approvals;
        address last = address(0);
        uint256 byPresent = 0;
        uint256 byNext = 0;
        for (uint256 i = 0; i < approvals.length; ++i) {
            last = _nextSigner(approvals[i], last, digest);
            bool isPresent = _isMember(present.keys.members, last);
            bool isNext = _isMember(next.members, last);
            if (!isPresent && !isNext) revert IFirmwareRegistry.UnknownReleaseKey(last);
            if (isPresent) ++byPresent;
            if (isNext) ++byNext;
        }
        _requireEnough(byPresent, present.keys.threshold);
        _requireEnough(byNext, next.threshold);
    }

    function _nextSigner(Approval calldata approval, address last, bytes32 digest) private view returns (address signer) {
        signer = approval.signer;
        if (signer <= last) revert IFirmwareRegistry.SignersNotAscending(signer);
        if (!_hasSigned(signer, digest, approval.signature)) revert ISignedActs.WrongSignature(signer);
    }

    /// By key first: it saves looking whether there is code at each signer.
    function _hasSigned(address signer, bytes32 digest, bytes calldata signature) private view returns (bool) {
        if (signature.length == 65) {
            (bytes32 r, bytes32 s) = (bytes32(signature[:32]), bytes32(signature[32:64]));
            (address recovered,,) = ECDSA.tryRecover(digest, uint8(signature[64]), r, s);
            // a fault recovers zero, and no signer is zero
            if (recovered == signer) return true;
        }
        return signer.code.length != 0 && SignatureChecker.isValidERC1271SignatureNow(signer, digest, signature);
    }

    function _requireEnough(uint256 approvals, uint256 threshold) private pure {
        if (approvals < threshold) revert IFirmwareRegistry.BelowThreshold(approvals, threshold);
    }

    function _isMember(address[] calldata members, address signer) private pure returns (bool) {
        return _isAt(members, signer, _indexFrom(members, signer, 0));
    }

    /// Of the first member, from `index` on, that is not below `signer`.
    function _indexFrom(address[] calldata members, address signer, uint256 index) private pure returns (uint256) {
        while (index < members.length && members[index] < signer) ++index;
        return index;
    }

    function _isAt(address[] calldata members, address signer, uint256 index) private pure returns (bool) {
        return index < members.length && members[index] == signer;
    }
}
