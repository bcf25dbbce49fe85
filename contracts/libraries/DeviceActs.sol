// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IDeviceRegistry } from "../interfaces/IDeviceRegistry.sol";
import { Act } from "../types/Act.sol";
import { PublicKey } from "../types/PublicKey.sol";

/// @title What is signed about devices
/// @notice EIP-712 struct hashes of the DeviceRegistry, each of a type of its own that binds every argument.
library DeviceActs {
    bytes32 private constant ENDORSEMENT_TYPEHASH = keccak256(
        "Endorsement(address device,address maker,address owner,uint32 model,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant POSSESSION_TYPEHASH =
        keccak256("Possession(address device,address maker,address owner,uint256 deadline)");
    bytes32 private constant BATCH_REGISTRATION_TYPEHASH =
        keccak256("BatchRegistration(bytes32 root,uint32 model,uint32 size,uint256 nonce,uint256 deadline)");
    bytes32 private constant BATCH_CLOSING_TYPEHASH =
        keccak256("BatchClosing(bytes32 root,uint256 nonce,uint256 deadline)");
    bytes32 private constant CLAIM_TYPEHASH =
        keccak256("Claim(address device,bytes32 batch,address owner,uint256 deadline)");
    bytes32 private constant KEY_ROTATION_TYPEHASH =
        keccak256("KeyRotation(address device,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256 deadline)");
    bytes32 private constant KEY_PROPOSAL_TYPEHASH =
        keccak256("KeyProposal(address device,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256 deadline)");
    bytes32 private constant KEY_ADOPTION_TYPEHASH =
        keccak256("KeyAdoption(address device,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256 deadline)");
    bytes32 private constant ROTATION_VETO_TYPEHASH =
        keccak256("RotationVeto(address device,address key,uint256 nonce,uint256 deadline)");
    bytes32 private constant STATUS_CHANGE_TYPEHASH =
        keccak256("StatusChange(address device,uint8 status,uint256 nonce,uint256 deadline)");
    bytes32 private constant COMPROMISE_NOTICE_TYPEHASH =
        keccak256("CompromiseNotice(address device,uint32 sinceBlock,uint256 nonce,uint256 deadline)");
    bytes32 private constant TRANSFER_OFFER_TYPEHASH =
        keccak256("TransferOffer(address device,address to,uint40 until,uint256 nonce,uint256 deadline)");
    bytes32 private constant TRANSFER_ACCEPTANCE_TYPEHASH =
        keccak256("TransferAcceptance(address device,address owner,uint256 nonce,uint256 deadline)");
    bytes32 private constant HANDOVER_TYPEHASH =
        keccak256("Handover(address device,address owner,address to,uint256 nonce,uint256 deadline)");

    function endorsement(IDeviceRegistry.Enrolment calldata enrolment, Act calldata maker)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                ENDORSEMENT_TYPEHASH,
                enrolment.device,
                maker.signer,
                enrolment.owner,
                enrolment.model,
                enrolment.keyKind,
                enrolment.x,
                enrolment.y,
                maker.nonce,
                maker.deadline
            )
        );
    }

    function possession(address device, address maker, address owner, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(POSSESSION_TYPEHASH, device, maker, owner, deadline));
    }

    function batchRegistration(bytes32 root, uint32 model, uint32 size, Act calldata act)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(BATCH_REGISTRATION_TYPEHASH, root, model, size, act.nonce, act.deadline));
    }

    function batchClosing(bytes32 root, Act calldata act) internal pure returns (bytes32) {
        return keccak256(abi.encode(BATCH_CLOSING_TYPEHASH, root, act.nonce, act.deadline));
    }

    function claim(address device, IDeviceRegistry.Claim calldata claim_) internal pure returns (bytes32) {
        return keccak256(abi.encode(CLAIM_TYPEHASH, device, claim_.batch, claim_.owner, claim_.deadline));
    }

    function rotation(IDeviceRegistry.Rotation calldata rotation_, uint256 nonce) internal pure returns (bytes32) {
        return _keyChange(KEY_ROTATION_TYPEHASH, rotation_, nonce);
    }

    function adoption(IDeviceRegistry.Rotation calldata rotation_, uint256 nonce) internal pure returns (bytes32) {
        return _keyChange(KEY_ADOPTION_TYPEHASH, rotation_, nonce);
    }

    function _keyChange(bytes32 typeHash, IDeviceRegistry.Rotation calldata rotation_, uint256 nonce)
        private
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                typeHash,
                rotation_.device,
                rotation_.keyKind,
                rotation_.next.x,
                rotation_.next.y,
                nonce,
                rotation_.deadline
            )
        );
    }

    function proposal(address device, IDeviceRegistry.KeyKind kind, PublicKey memory key, Act calldata act)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(KEY_PROPOSAL_TYPEHASH, device, kind, key.x, key.y, act.nonce, act.deadline));
    }

    function veto(address device, address key, uint256 nonce, uint256 deadline) internal pure returns (bytes32) {
        return keccak256(abi.encode(ROTATION_VETO_TYPEHASH, device, key, nonce, deadline));
    }

    function statusChange(address device, IDeviceRegistry.Status status, Act calldata act)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(STATUS_CHANGE_TYPEHASH, device, status, act.nonce, act.deadline));
    }

    function compromise(address device, uint32 sinceBlock, Act calldata act) internal pure returns (bytes32) {
        return keccak256(abi.encode(COMPROMISE_NOTICE_TYPEHASH, device, sinceBlock, act.nonce, act.deadline));
    }

    function offer(address device, address to, uint40 until, Act calldata act) internal pure returns (bytes32) {
        return keccak256(abi.encode(TRANSFER_OFFER_TYPEHASH, device, to, until, act.nonce, act.deadline));
    }

    function acceptance(address device, address owner, Act calldata act) internal pure returns (bytes32) {
        return keccak256(abi.encode(TRANSFER_ACCEPTANCE_TYPEHASH, device, owner, act.nonce, act.deadline));
    }

    function handover(address device, address owner, address to, uint256 nonce, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(HANDOVER_TYPEHASH, device, owner, to, nonce, deadline));
    }
}
