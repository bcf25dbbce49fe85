// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { DelegationWord } from "../types/Delegation.sol";
import { Order } from "../types/Order.sol";
import { Markets } from "../types/Slot.sol";
import { CompactSignatures } from "./CompactSignatures.sol";

/// @title Who may speak for an account
/// @notice Its own key, a key to which it delegated, or, if it is a contract, itself. A wallet is asked once no key has the right.
library Consents {
    /// What the signature of a schedule says. Without a schedule each order brings a signature of its own.
    struct Consent {
        bool isSchedule;
        address account; // for whose meters the schedule is
        address signer; // whose key signed it
        bool isWhole; // the account itself did
    }

    uint256 private constant COMPACT_LENGTH = 64;

    /// @param signature 64 bytes of a key, or what a wallet takes
    function ofSchedule(address account, bytes32 digest, bytes calldata signature)
        internal
        view
        returns (Consent memory consent)
    {
        consent.isSchedule = true;
        consent.account = account;
        if (signature.length == COMPACT_LENGTH) {
            consent.signer =
                CompactSignatures.signerOf(digest, bytes32(signature[:32]), bytes32(signature[32:]));
        }
        consent.isWhole =
            consent.signer == account || CompactSignatures.isApprovedBy(account, digest, signature);
    }

    /// Whether the schedule's signature speaks for a line of it.
    function coversLine(
        Consent memory consent,
        Markets storage markets,
        address account,
        Order order,
        bool cancelling
    ) internal view returns (bool) {
        if (consent.account != account) return false;
        return consent.isWhole || _isDelegated(markets, account, consent.signer, order, cancelling);
    }

    /// Whether the account stands behind an order that was signed for itself.
    function covers(
        Markets storage markets,
        address account,
        Order order,
        bool cancelling,
        bytes32 digest,
        bytes32 r,
        bytes32 vs
    ) internal view returns (bool) {
        address signer = CompactSignatures.signerOf(digest, r, vs);
        if (signer == account) return true;
        if (signer != address(0) && _isDelegated(markets, account, signer, order, cancelling)) return true;
        return CompactSignatures.isApprovedBy(account, digest, abi.encodePacked(r, vs));
    }

    function _isDelegated(
        Markets storage markets,
        address account,
        address delegate,
        Order order,
        bool cancelling
    ) private view returns (bool) {
        mapping(uint256 meter => DelegationWord) storage scopes = markets.delegations[account][delegate];
        DelegationWord scope = scopes[order.meter()];
        // what is said of the meter comes before what is said of all
        if (DelegationWord.unwrap(scope) == 0) scope = scopes[0];
        return scope.covers(order, cancelling);
    }
}
