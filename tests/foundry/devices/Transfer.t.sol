// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { IERC1056 } from "../../../contracts/interfaces/IERC1056.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Life } from "../support/Life.sol";
import { Party, Signing } from "../support/Signing.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

/// A device changes hands: offered, accepted, and agreed to by itself.
contract TransferTest is Life {
    Party private _buyer = Signing.party("buyer");
    DeviceKey private _device;

    function setUp() public override {
        super.setUp();
        _device = _secpDevice(1);
        _enrol(_device, prosumer.addr);
    }

    // ------------------------------------------------------------------------------------------------------------- offer

    function test_offerTransfer__given_another_than_the_owner__reverts() external {
        Party[4] memory others = [operator, maker, stranger, _buyer];
        for (uint256 i = 0; i < 4; ++i) {
            Act memory act = _offer(_device.id, _buyer.addr, 0, others[i]);
            vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, others[i].addr));
            devices.offerTransfer(_device.id, _buyer.addr, 0, act);
        }
    }

    function test_offerTransfer__given_an_unknown_or_revoked_device__reverts() external {
        address unknown = _secpDevice(2).id;
        Act memory act = _offer(unknown, _buyer.addr, 0, prosumer);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.UnknownDevice.selector, unknown));
        devices.offerTransfer(unknown, _buyer.addr, 0, act);
        _setStatus(_device.id, IDeviceRegistry.Status.Revoked, prosumer);
        act = _offer(_device.id, _buyer.addr, 0, prosumer);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceRevoked.selector, _device.id));
        devices.offerTransfer(_device.id, _buyer.addr, 0, act);
    }

    function test_offerTransfer__given_the_owner__tells_it_and_moves_nothing() external {
        uint40 until = uint40(START + 1 days);
        Act memory act = _offer(_device.id, _buyer.addr, until, prosumer);
        vm.expectEmit(address(devices));
        emit IDeviceRegistry.TransferOffered(_device.id, _buyer.addr, until);
        devices.offerTransfer(_device.id, _buyer.addr, until, act);
        assertEq(devices.deviceOf(_device.id).owner, prosumer.addr, "the owner stays");
        (address to,) = devices.offerOf(_device.id);
        assertEq(to, _buyer.addr, "offered");
    }

    // -------------------------------------------------------------------------------------------------------- acceptance

    function test_acceptTransfer__given_no_offer__reverts() external {
        _expectNotOffered(_buyer);
    }

    function test_acceptTransfer__given_an_offer_to_another__reverts() external {
        _offerTo(_device.id, _buyer.addr, prosumer);
        _expectNotOffered(stranger);
    }

    function test_acceptTransfer__given_the_offer_was_withdrawn__reverts() external {
        _offerTo(_device.id, _buyer.addr, prosumer);
        _offerTo(_device.id, address(0), prosumer);
        _expectNotOffered(_buyer);
    }

    function test_acceptTransfer__given_the_offer_has_run_out__reverts() external {
        _offerTo(_device.id, _buyer.addr, prosumer);
        vm.warp(START + 1 days + 1);
        _expectNotOffered(_buyer);
    }

    function test_acceptTransfer__given_another_signed_the_acceptance__reverts() external {
        _offerTo(_device.id, _buyer.addr, prosumer);
        Act memory acceptance = _acceptance(_device.id, prosumer.addr, Party(_buyer.addr, stranger.key));
        bytes32[2] memory handover = _handover(_device.id, _device, prosumer.addr, acceptance);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, _buyer.addr));
        devices.acceptTransfer(_device.id, _pointOf(_device), acceptance, handover);
    }

    function test_acceptTransfer__given_no_word_of_the_device__reverts() external {
        _offerTo(_device.id, _buyer.addr, prosumer);
        Act memory acceptance = _acceptance(_device.id, prosumer.addr, _buyer);
        bytes32[2] memory none;
        _expectInvalid(acceptance, none);
    }

    function test_acceptTransfer__given_its_word_for_another_buyer__reverts() external {
        _offerTo(_device.id, _buyer.addr, prosumer);
        Act memory other = _acceptance(_device.id, prosumer.addr, stranger);
        Act memory acceptance = _acceptance(_device.id, prosumer.addr, _buyer);
        _expectInvalid(acceptance, _handover(_device.id, _device, prosumer.addr, other));
    }

    function test_acceptTransfer__given_it_is_revoked__reverts() external {
        _offerTo(_device.id, _buyer.addr, prosumer);
        _setStatus(_device.id, IDeviceRegistry.Status.Revoked, operator);
        Act memory acceptance = _acceptance(_device.id, prosumer.addr, _buyer);
        bytes32[2] memory handover = _handover(_device.id, _device, prosumer.addr, acceptance);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceRevoked.selector, _device.id));
        devices.acceptTransfer(_device.id, _pointOf(_device), acceptance, handover);
    }

    /// There and back again: what was signed for the first passage is no word for the third.
    function test_acceptTransfer__given_words_used_before__reverts() external {
        _offerTo(_device.id, _buyer.addr, prosumer);
        Act memory acceptance = _acceptance(_device.id, prosumer.addr, _buyer);
        bytes32[2] memory handover = _handover(_device.id, _device, prosumer.addr, acceptance);
        devices.acceptTransfer(_device.id, _pointOf(_device), acceptance, handover);
        _transfer(_device.id, _device, _buyer, prosumer);
        _offerTo(_device.id, _buyer.addr, prosumer);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.NonceUsed.selector, _buyer.addr, acceptance.nonce));
        devices.acceptTransfer(_device.id, _pointOf(_device), acceptance, handover);
        Act memory fresh = _acceptance(_device.id, prosumer.addr, _buyer);
        _expectInvalid(fresh, handover);
    }

    function test_acceptTransfer__given_all_three_words__passes_the_device_on() external {
        _offerTo(_device.id, _buyer.addr, prosumer);
        Act memory acceptance = _acceptance(_device.id, prosumer.addr, _buyer);
        bytes32[2] memory handover = _handover(_device.id, _device, prosumer.addr, acceptance);
        uint256 told = devices.changed(_device.id);
        vm.roll(77);
        vm.expectEmit(address(devices));
        emit IERC1056.DIDOwnerChanged(_device.id, _buyer.addr, told);
        vm.prank(stranger.addr);
        devices.acceptTransfer(_device.id, _pointOf(_device), acceptance, handover);
        assertEq(devices.identityOwner(_device.id), _buyer.addr, "the new owner");
        assertEq(devices.changed(_device.id), 77, "told in this block");
        assertEq(devices.nonce(_device.id), 1, "one act");
        Act memory act = _statusAct(_device.id, IDeviceRegistry.Status.Suspended, prosumer);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, prosumer.addr));
        devices.setStatus(_device.id, IDeviceRegistry.Status.Suspended, act);
    }

    function test_revoke__given_another_than_the_owner__reverts() external {
        vm.prank(operator.addr);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, operator.addr));
        devices.revoke(_device.id);
    }

    function test_revoke__given_the_owner_sends__leaves_no_owner_to_the_identity() external {
        uint256 told = devices.changed(_device.id);
        vm.expectEmit(address(devices));
        emit IDeviceRegistry.DeviceStatusChanged(_device.id, IDeviceRegistry.Status.Revoked, prosumer.addr);
        vm.expectEmit(address(devices));
        emit IERC1056.DIDOwnerChanged(_device.id, address(0), told);
        vm.prank(prosumer.addr);
        devices.revoke(_device.id);
        assertEq(devices.identityOwner(_device.id), address(0), "deactivated, as ERC-1056 has it");
        assertEq(devices.deviceOf(_device.id).owner, prosumer.addr, "whose it was");
        vm.prank(prosumer.addr);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDeviceRegistry.StatusChangeRefused.selector,
                _device.id,
                IDeviceRegistry.Status.Revoked,
                IDeviceRegistry.Status.Revoked
            )
        );
        devices.revoke(_device.id);
    }

    function _expectNotOffered(Party memory to) private {
        Act memory acceptance = _acceptance(_device.id, prosumer.addr, to);
        bytes32[2] memory handover = _handover(_device.id, _device, prosumer.addr, acceptance);
        vm.expectRevert(
            abi.encodeWithSelector(IDeviceRegistry.TransferNotOffered.selector, _device.id, to.addr)
        );
        devices.acceptTransfer(_device.id, _pointOf(_device), acceptance, handover);
    }

    function _expectInvalid(Act memory acceptance, bytes32[2] memory handover) private {
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceSignatureInvalid.selector, _device.id));
        devices.acceptTransfer(_device.id, _pointOf(_device), acceptance, handover);
    }
}
