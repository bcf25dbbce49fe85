// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { IERC1056 } from "../../../contracts/interfaces/IERC1056.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Life } from "../support/Life.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

/// A maker's batch, and devices that claim themselves from it.
contract ClaimTest is Life {
    uint256 private constant HEIGHT = 5;
    address private constant OWNER = address(0x0123);

    DeviceKey private _device;
    bytes32 private _root;
    bytes32[] private _proof;

    function setUp() public override {
        super.setUp();
        _device = _secpDevice(1);
        (_root, _proof) = _batchWith(_device, HEIGHT);
    }

    // --------------------------------------------------------------------------------------------------------- the batch

    function test_registerBatch__given_its_root_is_known__reverts() external {
        _registerBatch(_root, 32);
        Act memory act = _registration(_root, 32, maker);
        _expect(abi.encodeWithSelector(IDeviceRegistry.BatchAlreadyRegistered.selector, _root));
        devices.registerBatch(_root, MODEL, 32, act);
    }

    function test_registerBatch__given_a_root_that_was_closed__reverts() external {
        _registerBatch(_root, 32);
        devices.closeBatch(_root, _closing(_root, maker));
        Act memory act = _registration(_root, 32, maker);
        _expect(abi.encodeWithSelector(IDeviceRegistry.BatchAlreadyRegistered.selector, _root));
        devices.registerBatch(_root, MODEL, 32, act);
    }

    function test_registerBatch__given_no_maker__reverts() external {
        Act memory act = _registration(_root, 32, operator);
        _expect(abi.encodeWithSelector(IDeviceRegistry.NotAMaker.selector, operator.addr));
        devices.registerBatch(_root, MODEL, 32, act);
    }

    function test_registerBatch__given_an_act_for_another_model__reverts() external {
        Act memory act = _registration(_root, 32, maker);
        _expect(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, maker.addr));
        devices.registerBatch(_root, MODEL + 1, 32, act);
    }

    function test_registerBatch__given_a_maker__tells_it() external {
        Act memory act = _registration(_root, 32, maker);
        vm.expectEmit(address(devices));
        emit IDeviceRegistry.BatchRegistered(_root, maker.addr, MODEL, 32);
        devices.registerBatch(_root, MODEL, 32, act);
        (address by, uint32 model, bool isClosed) = devices.batchOf(_root);
        assertEq(by, maker.addr, "its maker");
        assertEq(model, MODEL, "its model");
        assertFalse(isClosed, "open");
    }

    function test_closeBatch__given_an_unknown_root__reverts() external {
        Act memory act = _closing(_root, maker);
        _expect(abi.encodeWithSelector(IDeviceRegistry.UnknownBatch.selector, _root));
        devices.closeBatch(_root, act);
    }

    function test_closeBatch__given_a_stranger__reverts() external {
        _registerBatch(_root, 32);
        Act memory act = _closing(_root, stranger);
        _expect(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, stranger.addr));
        devices.closeBatch(_root, act);
    }

    function test_closeBatch__given_it_is_closed__reverts() external {
        _registerBatch(_root, 32);
        devices.closeBatch(_root, _closing(_root, operator));
        Act memory act = _closing(_root, maker);
        _expect(abi.encodeWithSelector(IDeviceRegistry.BatchIsClosed.selector, _root));
        devices.closeBatch(_root, act);
    }

    function test_closeBatch__given_its_maker_without_the_role__closes_it() external {
        _registerBatch(_root, 32);
        vm.prank(admin);
        authority.revokeRole(2, maker.addr);
        Act memory act = _closing(_root, maker);
        vm.expectEmit(address(devices));
        emit IDeviceRegistry.BatchClosed(_root, maker.addr);
        devices.closeBatch(_root, act);
    }

    // --------------------------------------------------------------------------------------------------------- the claim

    function test_claim__given_an_unknown_batch__reverts() external {
        _expectRefusal(_device, abi.encodeWithSelector(IDeviceRegistry.UnknownBatch.selector, _root));
    }

    function test_claim__given_a_closed_batch__reverts() external {
        _registerBatch(_root, 32);
        devices.closeBatch(_root, _closing(_root, maker));
        _expectRefusal(_device, abi.encodeWithSelector(IDeviceRegistry.BatchIsClosed.selector, _root));
    }

    function test_claim__given_a_device_of_no_batch__reverts() external {
        _registerBatch(_root, 32);
        DeviceKey memory forged = _secpDevice(2);
        _expectRefusal(forged, abi.encodeWithSelector(IDeviceRegistry.NotInBatch.selector, forged.id, _root));
    }

    function test_claim__given_the_other_kind_of_key__reverts() external {
        _registerBatch(_root, 32);
        DeviceKey memory other = _device;
        other.kind = IDeviceRegistry.KeyKind.P256;
        _expectRefusal(other, abi.encodeWithSelector(IDeviceRegistry.NotInBatch.selector, other.id, _root));
    }

    /// An inner node is no leaf: nothing hashes twice to it.
    function test_claim__given_a_shorter_or_longer_or_altered_proof__reverts(uint256 seed) external {
        _registerBatch(_root, 32);
        bytes32[] memory proof = new bytes32[](HEIGHT - seed % 2);
        for (uint256 i = 0; i < proof.length; ++i) {
            proof[i] = _proof[i];
        }
        if (proof.length == HEIGHT) proof[(seed >> 8) % HEIGHT] ^= bytes32(1 << (seed >> 16) % 256);
        IDeviceRegistry.Claim memory claim_ = _claimOf(_device, _root, OWNER);
        bytes32[2] memory signature = _signClaim(_device, claim_);
        _expect(abi.encodeWithSelector(IDeviceRegistry.NotInBatch.selector, _device.id, _root));
        devices.claim(claim_, proof, signature);
    }

    function test_claim__given_it_has_claimed_itself__reverts() external {
        _registerBatch(_root, 32);
        _claim(_device);
        _expectRefusal(_device, abi.encodeWithSelector(IDeviceRegistry.DeviceAlreadyEnrolled.selector, _device.id));
    }

    function test_claim__given_its_maker_endorsed_it__reverts() external {
        _registerBatch(_root, 32);
        _enrol(_device, prosumer.addr);
        _expectRefusal(_device, abi.encodeWithSelector(IDeviceRegistry.DeviceAlreadyEnrolled.selector, _device.id));
    }

    function test_claim__given_no_owner__reverts() external {
        _registerBatch(_root, 32);
        IDeviceRegistry.Claim memory claim_ = _claimOf(_device, _root, address(0));
        bytes32[2] memory signature = _signClaim(_device, claim_);
        _expect(abi.encodePacked(IDeviceRegistry.OwnerIsZero.selector));
        devices.claim(claim_, _proof, signature);
    }

    function test_claim__given_it_has_expired__reverts() external {
        _registerBatch(_root, 32);
        IDeviceRegistry.Claim memory claim_ = _claimOf(_device, _root, OWNER);
        bytes32[2] memory signature = _signClaim(_device, claim_);
        vm.warp(claim_.deadline + 1);
        _expect(abi.encodeWithSelector(ISignedActs.ActExpired.selector, claim_.deadline));
        devices.claim(claim_, _proof, signature);
    }

    function test_claim__given_another_key_signed__reverts() external {
        _registerBatch(_root, 32);
        IDeviceRegistry.Claim memory claim_ = _claimOf(_device, _root, OWNER);
        bytes32[2] memory signature = _signClaim(_secpDevice(2), claim_);
        _expectInvalid(claim_, signature);
    }

    function test_claim__given_another_owner_than_it_signed__reverts() external {
        _registerBatch(_root, 32);
        IDeviceRegistry.Claim memory claim_ = _claimOf(_device, _root, OWNER);
        bytes32[2] memory signature = _signClaim(_device, claim_);
        claim_.owner = stranger.addr;
        _expectInvalid(claim_, signature);
    }

    function test_claim__given_another_deadline_than_it_signed__reverts() external {
        _registerBatch(_root, 32);
        IDeviceRegistry.Claim memory claim_ = _claimOf(_device, _root, OWNER);
        bytes32[2] memory signature = _signClaim(_device, claim_);
        ++claim_.deadline;
        _expectInvalid(claim_, signature);
    }

    function test_claim__given_another_chain__reverts() external {
        _registerBatch(_root, 32);
        IDeviceRegistry.Claim memory claim_ = _claimOf(_device, _root, OWNER);
        bytes32[2] memory signature = _signClaim(_device, claim_);
        vm.chainId(block.chainid + 1);
        _expectInvalid(claim_, signature);
    }

    function test_claim__given_its_signature_for_another_act__reverts() external {
        _registerBatch(_root, 32);
        IDeviceRegistry.Claim memory claim_ = _claimOf(_device, _root, OWNER);
        Act memory act;
        (act.signer, act.deadline) = (maker.addr, claim_.deadline);
        _expectInvalid(claim_, _possession(_device, OWNER, act));
    }

    function test_claim__given_a_key_off_its_curve__reverts() external {
        DeviceKey memory off = _device;
        off.y = bytes32(uint256(off.y) ^ 1);
        off.id = _idOf(off.x, off.y);
        (bytes32 root, bytes32[] memory proof) = _batchWith(off, HEIGHT);
        _registerBatch(root, 32);
        IDeviceRegistry.Claim memory claim_ = _claimOf(off, root, OWNER);
        bytes32[2] memory signature = _signClaim(off, claim_);
        _expect(abi.encodeWithSelector(IDeviceRegistry.KeyNotOnCurve.selector, off.x, off.y));
        devices.claim(claim_, proof, signature);
    }

    function test_claim__given_a_secp256k1_device__enrols_it() external {
        _registerBatch(_root, 32);
        _assertClaims(_device);
    }

    function test_claim__given_a_p256_device__enrols_it() external {
        _device = _p256Device(1);
        (_root, _proof) = _batchWith(_device, HEIGHT);
        _registerBatch(_root, 32);
        _assertClaims(_device);
    }

    function test_claim__given_its_maker_lost_the_role__enrols_it() external {
        _registerBatch(_root, 32);
        vm.prank(admin);
        authority.revokeRole(2, maker.addr);
        _assertClaims(_device);
    }

    function test_claim__given_many_at_once__enrols_each() external {
        DeviceKey memory second = _secpDevice(2);
        bytes32 root = _nodeOf(_leafOf(_device), _leafOf(second));
        _registerBatch(root, 2);
        bytes[] memory calls = new bytes[](2);
        calls[0] = _call(_device, root, _leafOf(second));
        calls[1] = _call(second, root, _leafOf(_device));
        devices.multicall(calls);
        assertEq(devices.deviceOf(_device.id).owner, OWNER, "the first");
        assertEq(devices.deviceOf(second.id).owner, OWNER, "the second");
    }

    function _call(DeviceKey memory device, bytes32 root, bytes32 sibling) private view returns (bytes memory) {
        IDeviceRegistry.Claim memory claim_ = _claimOf(device, root, OWNER);
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = sibling;
        return abi.encodeCall(devices.claim, (claim_, proof, _signClaim(device, claim_)));
    }

    function _claim(DeviceKey memory device) private {
        IDeviceRegistry.Claim memory claim_ = _claimOf(device, _root, OWNER);
        devices.claim(claim_, _proof, _signClaim(device, claim_));
    }

    function _assertClaims(DeviceKey memory device) private {
        IDeviceRegistry.Claim memory claim_ = _claimOf(device, _root, OWNER);
        bytes32[2] memory signature = _signClaim(device, claim_);
        vm.expectEmit(address(devices));
        emit IDeviceRegistry.DeviceEnrolled(device.id, maker.addr, OWNER, MODEL, _root);
        vm.expectEmit(address(devices));
        emit IERC1056.DIDOwnerChanged(device.id, OWNER, 0);
        vm.expectEmit(address(devices));
        emit IERC1056.DIDAttributeChanged(device.id, _attributeOf(device), _compressed(device), type(uint256).max, 0);
        vm.prank(stranger.addr);
        devices.claim(claim_, _proof, signature);

        IDeviceRegistry.Device memory found = devices.deviceOf(device.id);
        assertEq(found.owner, OWNER, "the owner it named");
        assertEq(found.maker, maker.addr, "the batch's maker");
        assertEq(found.model, MODEL, "the batch's model");
        assertTrue(found.status == IDeviceRegistry.Status.Active, "active from the start");
        assertTrue(found.keyKind == device.kind, "the kind of its key");
        assertEq(found.enrolledAt, block.timestamp, "now");
        assertEq(found.kept.x, bytes32(0), "its key is in the event only");
    }

    function _expectRefusal(DeviceKey memory device, bytes memory refusal) private {
        IDeviceRegistry.Claim memory claim_ = _claimOf(device, _root, OWNER);
        bytes32[2] memory signature = _signClaim(device, claim_);
        _expect(refusal);
        devices.claim(claim_, _proof, signature);
    }

    function _expectInvalid(IDeviceRegistry.Claim memory claim_, bytes32[2] memory signature) private {
        _expect(abi.encodeWithSelector(IDeviceRegistry.DeviceSignatureInvalid.selector, _device.id));
        devices.claim(claim_, _proof, signature);
    }

    function _expect(bytes memory refusal) private {
        vm.expectRevert(refusal);
    }
}
