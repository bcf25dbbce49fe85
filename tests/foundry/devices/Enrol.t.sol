// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { IERC1056 } from "../../../contracts/interfaces/IERC1056.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { SmartWallet } from "../../../contracts/mocks/SmartWallet.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Party, Signing } from "../support/Signing.sol";
import { DeviceKey, Street } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

contract EnrolTest is Street {
    address private constant OWNER = address(0x0123);

    DeviceKey private _device;

    function setUp() public override {
        super.setUp();
        _device = _secpDevice(1);
    }

    // --------------------------------------------------------------------------------------------------------- the device

    function test_enrol__given_it_is_enrolled__reverts() external {
        _enrol(_device, OWNER);
        _expectRevert(_device, maker, abi.encodeWithSelector(IDeviceRegistry.DeviceAlreadyEnrolled.selector, _device.id));
    }

    function test_enrol__given_it_is_enrolled_on_the_other_curve__reverts() external {
        // The id follows from the key's coordinates alone: the kind of key cannot make a second device of it.
        _enrol(_device, OWNER);
        DeviceKey memory other = _device;
        other.kind = IDeviceRegistry.KeyKind.P256;
        _expectRevert(other, maker, abi.encodeWithSelector(IDeviceRegistry.DeviceAlreadyEnrolled.selector, other.id));
    }

    function test_enrol__given_no_owner__reverts() external {
        IDeviceRegistry.Enrolment memory enrolment = _enrolment(_device, address(0));
        Act memory act = _endorse(enrolment, maker);
        bytes32[2] memory possession = _possession(_device, address(0), act);
        vm.expectRevert(IDeviceRegistry.OwnerIsZero.selector);
        devices.enrol(enrolment, act, possession);
    }

    function test_enrol__given_an_id_of_another_key__reverts() external {
        DeviceKey memory other = _device;
        address right = _device.id;
        other.id = _secpDevice(2).id;
        _expectRevert(
            other, maker, abi.encodeWithSelector(IDeviceRegistry.WrongDeviceId.selector, other.id, right)
        );
    }

    function test_enrol__given_a_secp256k1_key_off_the_curve__reverts() external {
        _expectOffCurve(IDeviceRegistry.KeyKind.Secp256k1, _device.x, bytes32(uint256(_device.y) ^ 1));
    }

    function test_enrol__given_secp256k1_coordinates_beyond_the_field__reverts() external {
        uint256 p = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f;
        // (1, y) is on the curve, so is 1 + p if one forgets to compare.
        bytes32 y = bytes32(0x4218f20ae6c646b363db68605822fb14264ca8d2587fdd6fbc750d587e76a7ee);
        _expectOffCurve(IDeviceRegistry.KeyKind.Secp256k1, bytes32(p + 1), y);
    }

    function test_enrol__given_a_p256_key_off_the_curve__reverts() external {
        DeviceKey memory key = _p256Device(1);
        _expectOffCurve(IDeviceRegistry.KeyKind.P256, key.x, bytes32(uint256(key.y) ^ 1));
    }

    function test_enrol__given_a_key_of_the_other_curve__reverts() external {
        DeviceKey memory key = _p256Device(1);
        _expectOffCurve(IDeviceRegistry.KeyKind.Secp256k1, key.x, key.y);
        _expectOffCurve(IDeviceRegistry.KeyKind.P256, _device.x, _device.y);
    }

    function test_enrol__given_the_point_zero__reverts() external {
        _expectOffCurve(IDeviceRegistry.KeyKind.Secp256k1, 0, 0);
        _expectOffCurve(IDeviceRegistry.KeyKind.P256, 0, 0);
    }

    function test_enrol__given_no_kind_of_key__reverts() external {
        _expectOffCurve(IDeviceRegistry.KeyKind.None, _device.x, _device.y);
    }

    function test_enrol__given_no_possession__reverts() external {
        IDeviceRegistry.Enrolment memory enrolment = _enrolment(_device, OWNER);
        Act memory act = _endorse(enrolment, maker);
        bytes32[2] memory possession;
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceSignatureInvalid.selector, _device.id));
        devices.enrol(enrolment, act, possession);
    }

    function test_enrol__given_possession_by_another_key__reverts() external {
        _expectBadPossession(_secpDevice(2), OWNER, maker);
    }

    function test_enrol__given_possession_for_another_owner__reverts() external {
        _expectBadPossession(_device, address(0xBAD), maker);
    }

    function test_enrol__given_possession_for_another_maker__reverts() external {
        _expectBadPossession(_device, OWNER, stranger);
    }

    function test_enrol__given_mirrored_possession__reverts() external {
        IDeviceRegistry.Enrolment memory enrolment = _enrolment(_p256Device(1), OWNER);
        Act memory act = _endorse(enrolment, maker);
        bytes32[2] memory possession = _possession(_p256Device(1), OWNER, act);
        possession[1] = Signing.mirroredP256(possession[1]);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceSignatureInvalid.selector, enrolment.device));
        devices.enrol(enrolment, act, possession);
    }

    // ---------------------------------------------------------------------------------------------------------- the maker

    function test_enrol__given_a_maker_without_the_role__reverts() external {
        _expectRevert(_device, stranger, abi.encodeWithSelector(IDeviceRegistry.NotAMaker.selector, stranger.addr));
    }

    function test_enrol__given_a_maker_whose_role_was_taken__reverts() external {
        vm.prank(admin);
        authority.revokeRole(2, maker.addr);
        _expectRevert(_device, maker, abi.encodeWithSelector(IDeviceRegistry.NotAMaker.selector, maker.addr));
    }

    function test_enrol__given_an_operator_for_a_maker__reverts() external {
        _expectRevert(_device, operator, abi.encodeWithSelector(IDeviceRegistry.NotAMaker.selector, operator.addr));
    }

    function test_enrol__given_the_endorsement_has_expired__reverts() external {
        IDeviceRegistry.Enrolment memory enrolment = _enrolment(_device, OWNER);
        Act memory act = _endorse(enrolment, maker);
        bytes32[2] memory possession = _possession(_device, OWNER, act);
        vm.warp(act.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.ActExpired.selector, act.deadline));
        devices.enrol(enrolment, act, possession);
    }

    function test_enrol__given_a_used_nonce__reverts() external {
        IDeviceRegistry.Enrolment memory enrolment = _enrolment(_device, OWNER);
        Act memory act = _endorse(enrolment, maker);
        devices.enrol(enrolment, act, _possession(_device, OWNER, act));

        DeviceKey memory second = _secpDevice(2);
        enrolment = _enrolment(second, OWNER);
        act.signature = Signing.sign(maker.key, _endorsementDigest(enrolment, act));
        bytes32[2] memory possession = _possession(second, OWNER, act);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.NonceUsed.selector, maker.addr, act.nonce));
        devices.enrol(enrolment, act, possession);
    }

    function test_enrol__given_an_endorsement_by_another_key__reverts() external {
        _expectRevert(
            _device,
            Party(maker.addr, stranger.key),
            abi.encodeWithSelector(ISignedActs.WrongSignature.selector, maker.addr)
        );
    }

    function test_enrol__given_an_endorsement_of_another_owner__reverts() external {
        Act memory act = _endorse(_enrolment(_device, address(0xBAD)), maker);
        bytes32[2] memory possession = _possession(_device, OWNER, act);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, maker.addr));
        devices.enrol(_enrolment(_device, OWNER), act, possession);
    }

    function test_enrol__given_another_chain__reverts() external {
        IDeviceRegistry.Enrolment memory enrolment = _enrolment(_device, OWNER);
        Act memory act = _endorse(enrolment, maker);
        vm.chainId(block.chainid + 1);
        bytes32[2] memory possession = _possession(_device, OWNER, act);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, maker.addr));
        devices.enrol(enrolment, act, possession);
    }

    // ----------------------------------------------------------------------------------------------------------- enrolled

    function test_enrol__given_a_secp256k1_device__keeps_its_identity() external {
        _assertEnrols(_device);
    }

    function test_enrol__given_a_p256_device__keeps_its_identity() external {
        _assertEnrols(_p256Device(1));
    }

    function test_enrol__given_a_maker_with_a_smart_wallet__keeps_its_identity() external {
        SmartWallet wallet = new SmartWallet(maker.addr);
        _grant(2, address(wallet));
        maker = Party(address(wallet), maker.key);
        _enrol(_device, OWNER);
        assertEq(devices.deviceOf(_device.id).maker, address(wallet), "the maker");
    }

    function _assertEnrols(DeviceKey memory device) private {
        IDeviceRegistry.Enrolment memory enrolment = _enrolment(device, OWNER);
        Act memory act = _endorse(enrolment, maker);
        bytes32[2] memory possession = _possession(device, OWNER, act);

        vm.expectEmit(address(devices));
        emit IDeviceRegistry.DeviceEnrolled(device.id, maker.addr, OWNER, MODEL, bytes32(0));
        vm.expectEmit(address(devices));
        emit IERC1056.DIDOwnerChanged(device.id, OWNER, 0);
        vm.expectEmit(address(devices));
        emit IERC1056.DIDAttributeChanged(device.id, _attributeOf(device), _compressed(device), type(uint256).max, 0);
        vm.prank(stranger.addr);
        devices.enrol(enrolment, act, possession);

        IDeviceRegistry.Device memory kept = devices.deviceOf(device.id);
        assertEq(kept.owner, OWNER, "the owner");
        assertEq(kept.maker, maker.addr, "the maker");
        assertTrue(kept.status == IDeviceRegistry.Status.Active, "active from the start");
        assertTrue(kept.keyKind == device.kind, "the kind of its key");
        assertEq(kept.keyVersion, 1, "its first key");
        assertEq(kept.statusSince, block.timestamp, "since now");
        assertEq(kept.model, MODEL, "its model");
        assertEq(kept.key, device.id, "named by its first key");
        bool isKept = device.kind == IDeviceRegistry.KeyKind.P256;
        assertEq(kept.kept.x, isKept ? device.x : bytes32(0), "x of a key that cannot be recovered");
        assertEq(kept.kept.y, isKept ? device.y : bytes32(0), "y of a key that cannot be recovered");
        assertEq(devices.identityOwner(device.id), OWNER, "the owner, as ERC-1056 has it");
        assertEq(devices.changed(device.id), block.number, "its last change, as ERC-1056 has it");
    }

    function _expectRevert(DeviceKey memory device, Party memory by, bytes memory refusal) private {
        IDeviceRegistry.Enrolment memory enrolment = _enrolment(device, OWNER);
        Act memory act = _endorse(enrolment, by);
        bytes32[2] memory possession;
        if (device.kind != IDeviceRegistry.KeyKind.None) possession = _possession(device, OWNER, act);
        vm.expectRevert(refusal);
        devices.enrol(enrolment, act, possession);
    }

    function _expectOffCurve(IDeviceRegistry.KeyKind kind, bytes32 x, bytes32 y) private {
        DeviceKey memory device = DeviceKey(_idOf(x, y), kind, 1, x, y);
        _expectRevert(device, maker, abi.encodeWithSelector(IDeviceRegistry.KeyNotOnCurve.selector, x, y));
    }

    function _expectBadPossession(DeviceKey memory signer, address owner, Party memory for_) private {
        IDeviceRegistry.Enrolment memory enrolment = _enrolment(_device, OWNER);
        Act memory act = _endorse(enrolment, maker);
        DeviceKey memory claimed = _device;
        claimed.key = signer.key;
        Act memory other = act;
        other.signer = for_.addr;
        bytes32[2] memory possession = _possession(claimed, owner, other);
        act.signer = maker.addr;
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceSignatureInvalid.selector, _device.id));
        devices.enrol(enrolment, act, possession);
    }
}
