// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Party, Signing } from "./Signing.sol";
import { DeviceKey, Street } from "./Street.sol";

/// What happens to a device between its claim and its end, signed as its parties sign it.
abstract contract Life is Street {
    bytes32 private constant BATCH_REGISTRATION_TYPEHASH =
        keccak256("BatchRegistration(bytes32 root,uint32 model,uint32 size,uint256 nonce,uint256 deadline)");
    bytes32 private constant BATCH_CLOSING_TYPEHASH =
        keccak256("BatchClosing(bytes32 root,uint256 nonce,uint256 deadline)");
    bytes32 private constant CLAIM_TYPEHASH =
        keccak256("Claim(address device,bytes32 batch,address owner,uint256 deadline)");
    bytes32 internal constant KEY_ROTATION_TYPEHASH =
        keccak256("KeyRotation(address device,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256 deadline)");
    bytes32 private constant KEY_PROPOSAL_TYPEHASH =
        keccak256("KeyProposal(address device,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256 deadline)");
    bytes32 internal constant KEY_ADOPTION_TYPEHASH =
        keccak256("KeyAdoption(address device,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256 deadline)");
    bytes32 private constant ROTATION_VETO_TYPEHASH =
        keccak256("RotationVeto(address device,address key,uint256 nonce,uint256 deadline)");
    bytes32 private constant COMPROMISE_NOTICE_TYPEHASH =
        keccak256("CompromiseNotice(address device,uint32 sinceBlock,uint256 nonce,uint256 deadline)");
    bytes32 private constant TRANSFER_OFFER_TYPEHASH =
        keccak256("TransferOffer(address device,address to,uint40 until,uint256 nonce,uint256 deadline)");
    bytes32 private constant TRANSFER_ACCEPTANCE_TYPEHASH =
        keccak256("TransferAcceptance(address device,address owner,uint256 nonce,uint256 deadline)");
    bytes32 private constant HANDOVER_TYPEHASH =
        keccak256("Handover(address device,address owner,address to,uint256 nonce,uint256 deadline)");

    // ----------------------------------------------------------------------------------------------------------- batches

    function _leafOf(DeviceKey memory device) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(device.id, device.kind))));
    }

    /// A node of OpenZeppelin's tree: the smaller one first.
    function _nodeOf(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return left < right ? keccak256(abi.encode(left, right)) : keccak256(abi.encode(right, left));
    }

    /// A batch of 2^height devices of which one is real: its root, and the way there.
    function _batchWith(DeviceKey memory device, uint256 height)
        internal
        pure
        returns (bytes32 root, bytes32[] memory proof)
    {
        proof = new bytes32[](height);
        root = _leafOf(device);
        for (uint256 i = 0; i < height; ++i) {
            proof[i] = keccak256(abi.encode("the others", i));
            root = _nodeOf(root, proof[i]);
        }
    }

    function _registration(bytes32 root, uint32 size, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        act.signature = _signedBy(
            by, keccak256(abi.encode(BATCH_REGISTRATION_TYPEHASH, root, MODEL, size, act.nonce, act.deadline))
        );
    }

    function _registerBatch(bytes32 root, uint32 size) internal {
        devices.registerBatch(root, MODEL, size, _registration(root, size, maker));
    }

    function _closing(bytes32 root, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        act.signature = _signedBy(by, keccak256(abi.encode(BATCH_CLOSING_TYPEHASH, root, act.nonce, act.deadline)));
    }

    function _claimOf(DeviceKey memory device, bytes32 root, address owner)
        internal
        view
        returns (IDeviceRegistry.Claim memory)
    {
        return IDeviceRegistry.Claim(root, owner, device.kind, _pointOf(device), block.timestamp + 1 hours);
    }

    function _signClaim(DeviceKey memory device, IDeviceRegistry.Claim memory claim_)
        internal
        view
        returns (bytes32[2] memory)
    {
        return _word(
            device, keccak256(abi.encode(CLAIM_TYPEHASH, device.id, claim_.batch, claim_.owner, claim_.deadline))
        );
    }

    // -------------------------------------------------------------------------------------------------------------- keys

    /// From `present`, which is the key of the device `id`, to `next`.
    function _rotationOf(address id, DeviceKey memory present, DeviceKey memory next)
        internal
        view
        returns (IDeviceRegistry.Rotation memory)
    {
        return IDeviceRegistry.Rotation(id, _pointOf(present), next.kind, _pointOf(next), block.timestamp + 1 hours);
    }

    function _signRotation(DeviceKey memory by, bytes32 typeHash, IDeviceRegistry.Rotation memory rotation)
        internal
        view
        returns (bytes32[2] memory)
    {
        return _word(by, _rotationHash(typeHash, rotation));
    }

    function _rotationHash(bytes32 typeHash, IDeviceRegistry.Rotation memory rotation) private view returns (bytes32) {
        return keccak256(
            abi.encode(
                typeHash,
                rotation.device,
                rotation.keyKind,
                rotation.next.x,
                rotation.next.y,
                devices.nonce(rotation.device),
                rotation.deadline
            )
        );
    }

    function _rotate(address id, DeviceKey memory present, DeviceKey memory next) internal {
        IDeviceRegistry.Rotation memory rotation = _rotationOf(id, present, next);
        devices.rotate(rotation, _signRotation(present, KEY_ROTATION_TYPEHASH, rotation));
    }

    function _proposal(address id, DeviceKey memory next, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        act.signature = _signedBy(
            by,
            keccak256(abi.encode(KEY_PROPOSAL_TYPEHASH, id, next.kind, next.x, next.y, act.nonce, act.deadline))
        );
    }

    function _propose(address id, DeviceKey memory next, Party memory by) internal {
        devices.proposeRotation(id, next.kind, _pointOf(next), _proposal(id, next, by));
    }

    function _signVeto(address id, DeviceKey memory present, address key, uint256 deadline)
        internal
        view
        returns (bytes32[2] memory)
    {
        return _word(
            present, keccak256(abi.encode(ROTATION_VETO_TYPEHASH, id, key, devices.nonce(id), deadline))
        );
    }

    function _complete(address id, DeviceKey memory present, DeviceKey memory next) internal {
        IDeviceRegistry.Rotation memory rotation = _rotationOf(id, present, next);
        devices.completeRotation(rotation, _signRotation(next, KEY_ADOPTION_TYPEHASH, rotation));
    }

    // ---------------------------------------------------------------------------------------------------------- standing

    function _notice(address id, uint32 sinceBlock, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        act.signature = _signedBy(
            by, keccak256(abi.encode(COMPROMISE_NOTICE_TYPEHASH, id, sinceBlock, act.nonce, act.deadline))
        );
    }

    function _noteCompromise(address id, DeviceKey memory present, uint32 sinceBlock, Party memory by) internal {
        devices.noteCompromise(id, sinceBlock, _pointOf(present), _notice(id, sinceBlock, by));
    }

    // ---------------------------------------------------------------------------------------------------------- transfer

    function _offer(address id, address to, uint40 until, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        act.signature =
            _signedBy(by, keccak256(abi.encode(TRANSFER_OFFER_TYPEHASH, id, to, until, act.nonce, act.deadline)));
    }

    function _offerTo(address id, address to, Party memory by) internal {
        uint40 until = uint40(block.timestamp + 1 days);
        devices.offerTransfer(id, to, until, _offer(id, to, until, by));
    }

    function _acceptance(address id, address from, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        act.signature =
            _signedBy(by, keccak256(abi.encode(TRANSFER_ACCEPTANCE_TYPEHASH, id, from, act.nonce, act.deadline)));
    }

    function _handover(address id, DeviceKey memory present, address from, Act memory acceptance)
        internal
        view
        returns (bytes32[2] memory)
    {
        bytes32 structHash = keccak256(
            abi.encode(HANDOVER_TYPEHASH, id, from, acceptance.signer, devices.nonce(id), acceptance.deadline)
        );
        return _word(present, structHash);
    }

    function _transfer(address id, DeviceKey memory present, Party memory from, Party memory to) internal {
        _offerTo(id, to.addr, from);
        Act memory acceptance = _acceptance(id, from.addr, to);
        devices.acceptTransfer(id, _pointOf(present), acceptance, _handover(id, present, from.addr, acceptance));
    }

    // ------------------------------------------------------------------------------------------------------------- words

    function _signedBy(Party memory by, bytes32 structHash) private view returns (bytes memory) {
        return Signing.sign(by.key, _digest(DEVICES, address(devices), structHash));
    }

    /// A device's own word.
    function _word(DeviceKey memory device, bytes32 structHash) internal view returns (bytes32[2] memory signature) {
        (signature[0], signature[1]) = _signAs(device, _digest(DEVICES, address(devices), structHash));
    }
}
