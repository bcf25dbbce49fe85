// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { IMeterLedger } from "../../../contracts/interfaces/IMeterLedger.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { DERRegistry } from "../../../contracts/DERRegistry.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { BID, Order, SignedOrder } from "../../../contracts/types/Order.sol";
import { SignedReading } from "../../../contracts/types/Reading.sol";
import { Feeder, Home } from "../auction/Feeder.sol";
import { Party, Signing } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";

/// moveMeter, endMeter: a home changes owner, feeder or capacity beyond the horizon
///
///   old meter orders and is read        | new meter orders and is read
///   ------------------------------------|-----------------------------> slots
///                                     FROM
contract MoveMeterTest is Feeder {
    uint32 private constant FROM = FIRST_SLOT + 193;

    Home private home;
    Party private heir = Signing.party("heir");

    function setUp() public override {
        super.setUp();
        home = _home(2);
        _deposit(heir.addr, 10_000_000);
    }

    // ----------------------------------------------------------------------------------------------------------- refusals

    function test_constructor__given_slots_of_less_than_a_minute__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IDERRegistry.SlotLengthTooShort.selector, 59, 60));
        new DERRegistry(address(authority), devices, 59);
        assertEq(new DERRegistry(address(authority), devices, 60).slotLength(), 60, "a minute");
    }

    function test_moveMeter__given_a_slot_within_the_horizon__reverts() external {
        (IDERRegistry.MeterRegistration memory to, Act memory act, Act memory mandate) = _moving(FROM - 1, operator);
        vm.expectRevert(abi.encodeWithSelector(IDERRegistry.WithinHorizon.selector, FROM - 1, FROM - 1));
        ders.moveMeter(to, FROM - 1, act, mandate);
    }

    function test_moveMeter__given_another_slot_than_signed__reverts() external {
        (IDERRegistry.MeterRegistration memory to, Act memory act, Act memory mandate) = _moving(FROM, operator);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, operator.addr));
        ders.moveMeter(to, FROM + 1, act, mandate);
    }

    function test_moveMeter__given_no_operator__reverts() external {
        (IDERRegistry.MeterRegistration memory to, Act memory act, Act memory mandate) = _moving(FROM, home.owner);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, home.owner.addr));
        ders.moveMeter(to, FROM, act, mandate);
    }

    function test_moveMeter__given_a_registration_s_signature__reverts() external {
        (IDERRegistry.MeterRegistration memory to,, Act memory mandate) = _moving(FROM, operator);
        Act memory act = _operatorAct(to, operator);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, operator.addr));
        ders.moveMeter(to, FROM, act, mandate);
    }

    function test_moveMeter__given_a_device_without_a_meter__reverts() external {
        (IDERRegistry.MeterRegistration memory to, Act memory act, Act memory mandate) = _moving(FROM, operator);
        to.device = _secpDevice(3_000).id;
        vm.expectRevert(abi.encodeWithSelector(IDERRegistry.DeviceNotMetered.selector, to.device));
        ders.moveMeter(to, FROM, act, mandate);
    }

    function test_moveMeter__given_a_move_ahead__reverts_until_it_has_begun() external {
        uint32 next = _move(FROM);
        (IDERRegistry.MeterRegistration memory to, Act memory act, Act memory mandate) = _moving(FROM + 10, operator);
        vm.expectRevert(abi.encodeWithSelector(IDERRegistry.MeterNotBegun.selector, next, FROM));
        ders.moveMeter(to, FROM + 10, act, mandate);
        vm.warp(uint256(FROM) * SLOT_LENGTH);
        _move(FROM + 193);
    }

    function test_registerMeter__given_a_device_that_moves__reverts() external {
        uint32 next = _move(FROM);
        IDERRegistry.MeterRegistration memory again = _registration(home.device.id, heir.addr);
        Act memory act = _operatorAct(again, operator);
        vm.expectRevert(
            abi.encodeWithSelector(IDERRegistry.DeviceAlreadyMetered.selector, home.device.id, next)
        );
        ders.registerMeter(again, act, Signing.none());
    }

    function test_endMeter__given_an_end_before__reverts() external {
        ders.endMeter(home.meter, FROM, _endAct(home.meter, FROM, operator));
        Act memory act = _endAct(home.meter, FROM + 5, operator);
        vm.expectRevert(abi.encodeWithSelector(IDERRegistry.MeterEnds.selector, home.meter, FROM));
        ders.endMeter(home.meter, FROM + 5, act);
    }

    function test_endMeter__given_an_unknown_meter__or_no_operator__reverts() external {
        Act memory act = _endAct(99, FROM, operator);
        vm.expectRevert(abi.encodeWithSelector(IDERRegistry.UnknownMeter.selector, 99));
        ders.endMeter(99, FROM, act);
        act = _endAct(home.meter, FROM, home.owner);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, home.owner.addr));
        ders.endMeter(home.meter, FROM, act);
    }

    // ------------------------------------------------------------------------------------------------------------ success

    function test_moveMeter__given_a_new_owner__each_answers_for_its_own_slots() external {
        vm.expectEmit(address(ders));
        emit IDERRegistry.MeterEnded(home.meter, FROM);
        uint32 next = _move(FROM);
        assertEq(ders.meterOfDevice(home.device.id), next, "the newest");
        vm.warp(START + 3 * uint256(SLOT_LENGTH));

        // orders on either side of the change, in one batch
        SignedOrder[] memory orders = new SignedOrder[](4);
        orders[0] = _signedBy(home.owner, _orderAt(FROM - 1, home, 1, BID, 1_000, 200_000));
        orders[1] = _signedBy(home.owner, _orderAt(FROM, home, 1, BID, 1_000, 200_000));
        Home memory moved = Home(heir, home.device, next);
        orders[2] = _signedBy(heir, _orderAt(FROM - 1, moved, 1, BID, 1_000, 200_000));
        orders[3] = _signedBy(heir, _orderAt(FROM, moved, 1, BID, 1_000, 200_000));
        bytes4[] memory reasons = _place(orders);
        assertReason(reasons[0], 0, "its last slot");
        assertReason(reasons[1], IEnergyAuction.OrderMeterNotInForce.selector, "no longer its own");
        assertReason(reasons[2], IEnergyAuction.OrderMeterNotInForce.selector, "not yet its own");
        assertReason(reasons[3], 0, "its first slot");

        // the same device is read for either
        vm.warp(_endOf(FROM));
        assertReason(_settle(home, FROM - 1, 1, 900, 0), 0, "the former owner pays for its last slot");
        assertReason(_settle(home, FROM, 1, 900, 0), IMeterLedger.MeterNotInForce.selector, "and for no later one");
        assertReason(_settle(moved, FROM - 1, 1, 900, 0), IMeterLedger.MeterNotInForce.selector, "nor the heir before");
        assertReason(_settle(moved, FROM, 1, 900, 0), 0, "who pays from the first");
    }

    function test_settleByDefault__given_a_meter_outside_its_bounds__refuses() external {
        uint32 next = _move(FROM);
        Home memory moved = Home(heir, home.device, next);
        Home memory other = _home(3);
        vm.warp(START + 3 * uint256(SLOT_LENGTH));
        _assertPlaced(_place(_signedBy(other.owner, _orderAt(FROM, other, 1, BID, 1_000, 200_000))));
        vm.warp(_deadlineOf(FROM));
        auction.clear(MARKET, FROM);
        assertReason(
            _settleByDefault(home, FROM), IEnergyAuction.OrderMeterNotInForce.selector, "silence of the former is none"
        );
        assertReason(_settleByDefault(moved, FROM), 0, "silence of the heir is");
    }

    function test_registerMeter__given_a_device_whose_meter_has_ended__begins_a_new_tenancy() external {
        ders.endMeter(home.meter, FROM, _endAct(home.meter, FROM, operator));
        vm.warp(uint256(FROM) * SLOT_LENGTH);
        uint32 next = _registerFor(_registration(home.device.id, heir.addr), heir);
        Home memory moved = Home(heir, home.device, next);
        vm.warp(_endOf(FROM + 1));
        assertReason(_settle(moved, FROM + 1, 1, 100, 0), 0, "read for the heir");
        assertReason(_settle(home, FROM + 1, 1, 100, 0), IMeterLedger.MeterNotInForce.selector, "not for the former");
    }

    function test_moveMeter__given_another_feeder_and_capacity__trades_there() external {
        uint32 elsewhere = _createMarket(_terms());
        IDERRegistry.MeterRegistration memory to = _registration(home.device.id, home.owner.addr);
        to.market = elsewhere;
        to.importCapacityW = 100;
        uint32 next = ders.moveMeter(to, FROM, _moveAct(to, FROM, operator), Signing.none());
        vm.warp(_endOf(FROM));
        SignedReading[] memory readings = new SignedReading[](1);
        readings[0] = _signed(home.device, _reading(next, FROM, 1, 26, 0));
        vm.recordLogs();
        auction.settle(elsewhere, FROM, readings);
        assertReason(
            _reasonsOf(vm.getRecordedLogs(), 1)[0], IMeterLedger.ReadingAboveCapacity.selector, "25 Wh are 100 W"
        );
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    /// To `heir`, with a mandate.
    function _moving(uint32 fromSlot, Party memory by)
        private
        returns (IDERRegistry.MeterRegistration memory to, Act memory act, Act memory mandate)
    {
        to = _registration(home.device.id, heir.addr);
        to.mandated = true;
        return (to, _moveAct(to, fromSlot, by), _mandateAct(to, heir));
    }

    function _move(uint32 fromSlot) private returns (uint32) {
        (IDERRegistry.MeterRegistration memory to, Act memory act, Act memory mandate) = _moving(fromSlot, operator);
        return ders.moveMeter(to, fromSlot, act, mandate);
    }
}
