// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Meter, MeterBinding } from "../../../contracts/types/Meter.sol";
import { Party, Signing } from "../support/Signing.sol";
import { DeviceKey, Street } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

contract RegisterMeterTest is Street {
    DeviceKey private _device;

    function setUp() public override {
        super.setUp();
        _device = _secpDevice(1);
        _enrol(_device, prosumer.addr);
    }

    // ------------------------------------------------------------------------------------------------------- what is asked

    function test_registerMeter__given_no_account__reverts() external {
        _expectRevert(_registration(_device.id, address(0)), abi.encodeWithSelector(IDERRegistry.ZeroAccount.selector));
    }

    function test_registerMeter__given_a_capacity_above_24_bits__reverts() external {
        IDERRegistry.MeterRegistration memory registration = _mine();
        registration.importCapacityW = 1 << 24;
        _expectRevert(registration, abi.encodeWithSelector(IDERRegistry.CapacityOutOfRange.selector, 1 << 24));
        registration = _mine();
        registration.exportCapacityW = type(uint32).max;
        _expectRevert(registration, abi.encodeWithSelector(IDERRegistry.CapacityOutOfRange.selector, type(uint32).max));
    }

    function test_registerMeter__given_a_scale_that_is_none__reverts(uint8 scale) external {
        vm.assume(scale != 1 && scale != 10 && scale != 100);
        IDERRegistry.MeterRegistration memory registration = _mine();
        registration.scaleWh = scale;
        _expectRevert(registration, abi.encodeWithSelector(IDERRegistry.ScaleNotAllowed.selector, scale));
    }

    function test_registerMeter__given_a_device_with_a_meter__reverts() external {
        _register(_mine());
        _expectRevert(_mine(), abi.encodeWithSelector(IDERRegistry.DeviceAlreadyMetered.selector, _device.id, 1));
    }

    function test_registerMeter__given_an_unknown_device__reverts() external {
        address unknown = _secpDevice(2).id;
        _expectRevert(
            _registration(unknown, prosumer.addr),
            abi.encodeWithSelector(IDERRegistry.DeviceNotActive.selector, unknown)
        );
    }

    function test_registerMeter__given_a_suspended_or_revoked_device__reverts() external {
        bytes memory refusal = abi.encodeWithSelector(IDERRegistry.DeviceNotActive.selector, _device.id);
        _setStatus(_device.id, IDeviceRegistry.Status.Suspended, operator);
        _expectRevert(_mine(), refusal);
        _setStatus(_device.id, IDeviceRegistry.Status.Revoked, operator);
        _expectRevert(_mine(), refusal);
    }

    // ---------------------------------------------------------------------------------------------------------- who asks

    function test_registerMeter__given_not_an_operator__reverts() external {
        Act memory act = _operatorAct(_mine(), stranger);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, stranger.addr));
        ders.registerMeter(_mine(), act, Signing.none());
    }

    function test_registerMeter__given_the_registry_is_closed__reverts() external {
        vm.prank(admin);
        authority.setTargetClosed(address(ders), true);
        _expectRevert(_mine(), abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, operator.addr));
    }

    function test_registerMeter__given_an_operator_with_a_delay__reverts() external {
        vm.prank(admin);
        authority.grantRole(1, stranger.addr, 1 days);
        Act memory act = _operatorAct(_mine(), stranger);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, stranger.addr));
        ders.registerMeter(_mine(), act, Signing.none());
    }

    function test_registerMeter__given_the_act_has_expired__reverts() external {
        Act memory act = _operatorAct(_mine(), operator);
        vm.warp(act.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.ActExpired.selector, act.deadline));
        ders.registerMeter(_mine(), act, Signing.none());
    }

    function test_registerMeter__given_an_act_for_other_terms__reverts() external {
        bytes memory refusal = abi.encodeWithSelector(ISignedActs.WrongSignature.selector, operator.addr);
        for (uint256 field = 0; field < 6; ++field) {
            Act memory act = _operatorAct(_mine(), operator);
            IDERRegistry.MeterRegistration memory changed = _mine();
            if (field == 0) changed.market += 1;
            if (field == 1) changed.account = stranger.addr;
            if (field == 2) changed.importCapacityW += 1;
            if (field == 3) changed.exportCapacityW += 1;
            if (field == 4) changed.scaleWh = 10;
            Act memory mandate = Signing.none();
            if (field == 5) {
                changed.mandated = true;
                mandate = _mandateAct(changed, prosumer);
            }
            vm.expectRevert(refusal);
            ders.registerMeter(changed, act, mandate);
        }
    }

    function test_registerMeter__given_a_mandate_by_another__reverts() external {
        Act memory act = _operatorAct(_mandated(), operator);
        Act memory mandate = _mandateAct(_mandated(), stranger);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, stranger.addr));
        ders.registerMeter(_mandated(), act, mandate);
    }

    function test_registerMeter__given_a_mandate_signed_with_anothers_key__reverts() external {
        Act memory act = _operatorAct(_mandated(), operator);
        Act memory mandate = _mandateAct(_mandated(), Party(prosumer.addr, stranger.key));
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, prosumer.addr));
        ders.registerMeter(_mandated(), act, mandate);
    }

    function test_registerMeter__given_a_mandate_for_another_market__reverts() external {
        Act memory act = _operatorAct(_mandated(), operator);
        IDERRegistry.MeterRegistration memory other = _mandated();
        other.market += 1;
        Act memory mandate = _mandateAct(other, prosumer);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, prosumer.addr));
        ders.registerMeter(_mandated(), act, mandate);
    }

    function test_registerMeter__given_a_used_mandate__reverts() external {
        Act memory mandate = _mandateAct(_mandated(), prosumer);
        ders.registerMeter(_mandated(), _operatorAct(_mandated(), operator), mandate);
        DeviceKey memory second = _secpDevice(2);
        _enrol(second, prosumer.addr);
        IDERRegistry.MeterRegistration memory registration = _registration(second.id, prosumer.addr);
        registration.mandated = true;
        Act memory act = _operatorAct(registration, operator);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.NonceUsed.selector, prosumer.addr, mandate.nonce));
        ders.registerMeter(registration, act, mandate);
    }

    /// Who relays holds the operator's act and the mandate, and can leave out or add neither.
    function test_registerMeter__given_the_mandate_is_left_out__reverts() external {
        Act memory act = _operatorAct(_mandated(), operator);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, address(0)));
        ders.registerMeter(_mandated(), act, Signing.none());
        Act memory unsigned = _mandateAct(_mandated(), prosumer);
        unsigned.signature = "";
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, prosumer.addr));
        ders.registerMeter(_mandated(), act, unsigned);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, operator.addr));
        ders.registerMeter(_mine(), act, Signing.none());
        assertEq(ders.meterCount(), 0, "no meter");
    }

    function test_registerMeter__given_a_mandate_that_is_not_due__reverts() external {
        Act memory act = _operatorAct(_mine(), operator);
        Act memory mandate = _mandateAct(_mine(), prosumer);
        vm.expectRevert(IDERRegistry.MandateNotDue.selector);
        ders.registerMeter(_mine(), act, mandate);
    }

    // ---------------------------------------------------------------------------------------------------------- registered

    function test_registerMeter__given_no_mandate__registers_without_one() external {
        Act memory act = _operatorAct(_mine(), operator);
        vm.expectEmit(true, true, true, false, address(ders));
        emit IDERRegistry.MeterRegistered(1, _device.id, prosumer.addr, MARKET, Meter.wrap(0));
        vm.prank(stranger.addr);
        assertEq(ders.registerMeter(_mine(), act, Signing.none()), 1, "the first id is 1");

        Meter meter = _meter(1);
        assertEq(meter.account(), prosumer.addr, "account");
        assertEq(meter.market(), MARKET, "market");
        assertEq(meter.importCapacityW(), 20_000, "importCapacityW");
        assertEq(meter.exportCapacityW(), 12_000, "exportCapacityW");
        assertEq(meter.scaleWh(), 1, "scaleWh");
        assertFalse(meter.hasMandate(), "no mandate");
        assertFalse(meter.isBounded(), "in force in every slot");
        assertEq(ders.meterOfDevice(_device.id), 1, "found by its device");
        assertEq(ders.meterCount(), 1, "counted");
    }

    function test_registerMeter__given_the_accounts_mandate__registers_with_it() external {
        uint32 id = _registerFor(_mine(), prosumer);
        assertTrue(_meter(id).hasMandate(), "mandate");
    }

    function test_registerMeter__given_any_allowed_terms__keeps_each_in_its_place(
        address account,
        uint32 market,
        uint24 importCapacityW,
        uint24 exportCapacityW,
        uint8 scale
    ) external {
        vm.assume(account != address(0));
        IDERRegistry.MeterRegistration memory registration = IDERRegistry.MeterRegistration(
            _device.id, market, account, importCapacityW, exportCapacityW, uint8(10 ** (scale % 3)), false
        );
        Meter meter = _meter(_register(registration));
        assertEq(meter.account(), account, "account");
        assertEq(meter.market(), market, "market");
        assertEq(meter.importCapacityW(), importCapacityW, "importCapacityW");
        assertEq(meter.exportCapacityW(), exportCapacityW, "exportCapacityW");
        assertEq(meter.scaleWh(), registration.scaleWh, "scaleWh");
    }

    // ------------------------------------------------------------------------------------------------------------ reading

    function test_metersOf__given_unknown_ids__gives_zeros() external {
        _register(_mine());
        uint32[] memory ids = new uint32[](3);
        (ids[0], ids[1], ids[2]) = (0, 1, 2);
        Meter[] memory meters = ders.metersOf(ids);
        assertEq(meters.length, 3, "one each");
        assertEq(Meter.unwrap(meters[0]), 0, "no meter 0");
        assertEq(meters[1].account(), prosumer.addr, "meter 1");
        assertEq(Meter.unwrap(meters[2]), 0, "no meter 2");
    }

    function test_meteringOf__given_some_ids__gives_terms_and_devices() external {
        DeviceKey memory second = _p256Device(2);
        _enrol(second, prosumer.addr);
        _register(_mine());
        _register(_registration(second.id, stranger.addr));
        uint32[] memory ids = new uint32[](3);
        (ids[0], ids[1], ids[2]) = (2, 7, 1);
        (Meter[] memory meters, MeterBinding[] memory bindings) = ders.meteringOf(ids);

        assertEq(meters.length, 3, "terms each");
        assertEq(bindings.length, 3, "devices each");
        assertEq(meters[0].account(), stranger.addr, "account of 2");
        assertEq(bindings[0].device(), second.id, "device of 2");
        assertEq(Meter.unwrap(meters[1]), 0, "no meter 7");
        assertEq(MeterBinding.unwrap(bindings[1]), 0, "no device of 7");
        assertEq(meters[2].account(), prosumer.addr, "account of 1");
        assertEq(bindings[2].device(), _device.id, "device of 1");
        assertEq(bindings[2].fromSlot(), 0, "from the first slot");
        assertEq(bindings[2].untilSlot(), 0, "open");
        assertEq(bindings[2].registeredAt(), START, "registered now");
    }

    function test_meteringOf__given_no_ids__gives_empty_lists() external view {
        (Meter[] memory meters, MeterBinding[] memory bindings) = ders.meteringOf(new uint32[](0));
        assertEq(meters.length + bindings.length, 0, "empty");
    }

    function _mandated() private view returns (IDERRegistry.MeterRegistration memory registration) {
        registration = _mine();
        registration.mandated = true;
    }

    function _mine() private view returns (IDERRegistry.MeterRegistration memory) {
        return _registration(_device.id, prosumer.addr);
    }

    function _meter(uint32 id) private view returns (Meter) {
        uint32[] memory ids = new uint32[](1);
        ids[0] = id;
        return ders.metersOf(ids)[0];
    }

    function _expectRevert(IDERRegistry.MeterRegistration memory registration, bytes memory refusal) private {
        Act memory act = _operatorAct(registration, operator);
        vm.expectRevert(refusal);
        ders.registerMeter(registration, act, Signing.none());
    }
}
