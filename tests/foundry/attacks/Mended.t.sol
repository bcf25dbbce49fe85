// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { EnergyAuction } from "../../../contracts/EnergyAuction.sol";
import { Vault } from "../../../contracts/Vault.sol";
import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { IMeterLedger } from "../../../contracts/interfaces/IMeterLedger.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { MarketTerms } from "../../../contracts/types/MarketTerms.sol";
import { BID, SignedOrder } from "../../../contracts/types/Order.sol";
import { Feeder, Home } from "../auction/Feeder.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";
import { Bomb } from "./BadWallets.sol";

/// What was once possible: each test fails where the attack works.
contract MendedTest is Feeder {
    // ------------------------------------------------------------------------------------ slots before the meter was there

    function test_settleByDefault__given_slots_before_the_meter_was_there__charges_nothing() external {
        Home memory old = _home(2);
        for (uint32 slot = SLOT; slot < SLOT + 4; ++slot) {
            _assertPlaced(_place(_signedBy(old.owner, _orderAt(slot, old, 1, BID, 1_000, 250_000))));
        }
        vm.warp(_correctionEndOf(SLOT + 4));
        Home memory home = _home(4);
        bytes32 before = _worthOf(home);
        for (uint32 slot = SLOT; slot < SLOT + 4; ++slot) {
            auction.clear(MARKET, slot);
            bytes4 reason = _settleByDefault(home, slot);
            assertReason(reason, IEnergyAuction.OrderMeterNotInForce.selector, "before it was registered");
            assertFalse(auction.positionOf(home.meter, slot).settledByDefault, "not settled");
        }
        assertEq(_worthOf(home), before, "nothing was taken or owed");
        assertReason(_settleByDefault(old, SLOT), 0, "who was there pays for silence");
    }

    function test_settleByDefault__given_a_meter_registered_within_the_slot__begins_with_the_next() external {
        Home memory other = _home(2);
        vm.warp(_gateOf(SLOT));
        auction.clear(MARKET, SLOT);
        vm.warp(uint256(SLOT) * SLOT_LENGTH);
        Home memory first = _home(4);
        vm.warp(uint256(SLOT) * SLOT_LENGTH + 1);
        Home memory late = _home(6);
        vm.warp(_deadlineOf(SLOT));
        assertReason(_settleByDefault(other, SLOT), 0, "there before");
        assertReason(_settleByDefault(first, SLOT), 0, "there as it began");
        assertReason(_settleByDefault(late, SLOT), IEnergyAuction.OrderMeterNotInForce.selector, "a second late");
    }

    /// Else its new account would pay for what flowed before it had the meter.
    function test_settle__given_a_slot_before_the_meter_was_there__refuses_the_reading() external {
        vm.warp(_endOf(SLOT) - 1);
        Home memory home = _home(4);
        vm.warp(_endOf(SLOT));
        bytes32 before = _worthOf(home);
        assertReason(_settle(home, SLOT, 1, 900, 0), IMeterLedger.MeterNotInForce.selector, "the slot had begun");
        assertEq(_worthOf(home), before, "nothing was taken or owed");
        vm.warp(_endOf(SLOT + 1));
        assertReason(_settle(home, SLOT + 1, 1, 900, 0), 0, "the next slot is its own");
    }

    // ------------------------------------------------------------------------------------------------- the last release

    /// Corrections end later than the Vault could hold anything from now on; a release holds nothing.
    function test_release__given_the_last_order_long_before_the_slots_end__pays_at_once() external {
        _rebuildWithHold(57_600);
        MarketTerms memory terms = _terms();
        terms.gateLead = 12 hours;
        terms.correctionWindow = 55_800;
        _createMarket(terms);
        _deposit(utility.addr, 1_000_000_000);
        Home memory home = _home(2);
        uint32 slot = FIRST_SLOT + 65;
        _assertPlaced(_place(_signedBy(home.owner, _orderAt(slot, home, 1, BID, 1_000, 250_000))));
        vm.warp(uint256(slot) * SLOT_LENGTH - 12 hours);
        auction.clear(MARKET, slot);
        assertReason(_release(home, slot), 0, "released");
        assertEq(_availableOf(home.owner.addr), 10_000_000, "all of it is back");
        assertTrue(auction.clearingOf(MARKET, slot).closed, "and the slot is closed");
    }

    // ------------------------------------------------------------------------------------------------------------ wallets

    /// Its answer used to be copied whole, so that memory made each item dearer than the one before.
    function test_place__given_a_wallet_that_answers_at_length__costs_the_same_an_item() external {
        DeviceKey memory device = _secpDevice(77);
        _enrol(device, prosumer.addr);
        uint32 meter = _register(_registration(device.id, address(new Bomb())));
        _placeMany(meter, 1); // warm from here on
        uint256 few = _placeMany(meter, 4) / 4;
        uint256 many = _placeMany(meter, 128) / 128;
        assertLe(many, few + few / 20, "gas per item");
        assertLe(many, 120_000, "what a wallet's check may cost, and little more");
    }

    function _placeMany(uint32 meter, uint256 count) private returns (uint256 gas) {
        SignedOrder[] memory orders = new SignedOrder[](count);
        for (uint256 i = 0; i < count; ++i) {
            orders[i] = SignedOrder(
                _pack(MARKET, SLOT, meter, uint16(i + 1), type(uint40).max, BID, 1_000, 250_000), 0, 0
            );
        }
        bytes memory call = abi.encodeCall(EnergyAuction.place, (orders));
        gas = gasleft();
        (bool done,) = address(auction).call(call);
        gas -= gasleft();
        assertTrue(done, "the batch goes on");
    }

    // ------------------------------------------------------------------------------------------------------------- terms

    /// The dearest silence that terms allow is settled many times over before the Vault cannot write it down.
    function test_settleByDefault__given_the_dearest_default_allowed__settles() external {
        MarketTerms memory terms = _terms();
        terms.retailPrice = 1_099_511_620_000;
        terms.defaultWh = 1_000;
        uint32 market = _createMarket(terms);
        Home memory home = _homeIn(market, 2, false, false);
        vm.warp(_gateOf(SLOT));
        auction.clear(market, SLOT);
        vm.warp(_deadlineOf(SLOT));
        auction.settleByDefault(market, SLOT, _one(home.meter));
        assertEq(_arrearOf(home.owner.addr), 1_099_511_620_000, "owed");
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    function _worthOf(Home memory home) private view returns (bytes32) {
        (uint256 available, uint256 held, uint256 arrear) = vault.accountOf(home.owner.addr);
        return keccak256(abi.encode(available, held, arrear));
    }

    /// Another Vault and auction over the same meters.
    function _rebuildWithHold(uint32 hold) private {
        vault = new Vault(address(authority), currency, hold);
        auction = new EnergyAuction(address(authority), vault, ledger, ders);
        vm.startPrank(admin);
        _open(address(vault), Vault.lock.selector, Roles.MODULE);
        _open(address(vault), Vault.settle.selector, Roles.MODULE);
        _open(address(auction), EnergyAuction.place.selector, authority.PUBLIC_ROLE());
        _open(address(auction), EnergyAuction.createMarket.selector, Roles.OPERATOR);
        vm.stopPrank();
        _grant(Roles.MODULE, address(auction));
        _grant(Roles.RECORDER, address(auction));
    }
}
