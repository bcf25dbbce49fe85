// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { MarketTerms } from "../../../contracts/types/MarketTerms.sol";
import { ASK, BID, SignedOrder } from "../../../contracts/types/Order.sol";
import { Feeder, Home } from "../auction/Feeder.sol";
import { Signing } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";

/// Ladder griefing: filling a group of ticks, making the clearing dear, keeping a place of the ring. 128 ticks of 0.002 from
/// 0.08 on, in four groups.
contract BookTest is Feeder {
    /// The most of the largest meter in a slot; 256 of them leave a group less than 256 Wh.
    uint256 private constant PLANT_WH = (1 << 22) - 1;

    Home private seller;
    Home private buyer;

    function setUp() public override {
        super.setUp();
        (seller, buyer) = (_home(2), _home(4));
    }

    function _terms() internal view override returns (MarketTerms memory terms) {
        terms = super._terms();
        (terms.tickSize, terms.tickCount) = (2_000, 128);
    }

    function test_ladder_griefing__given_a_home__fills_no_more_than_its_wire() external {
        SignedOrder memory signed = _signedBy(seller.owner, _order(seller, 1, ASK, 3_001, 200_000));
        assertReason(_place(signed), IEnergyAuction.EnergyAboveCapacity.selector, "12 kW are 3,000 Wh a slot");
        _ask(seller, 3_000, 200_000);
        assertReason(_place(_mine(1, 3_000)), IEnergyAuction.VersionNotNewer.selector, "once a slot");
        _assertPlaced(_place(_mine(2, 3_000)));
        assertEq(auction.slotStateOf(MARKET, SLOT).openAskWh, 3_000, "3,000 of a group's 2^30 Wh");
    }

    /// 256 of the largest meters that an operator can register, and the money for what they say.
    function test_ladder_griefing__given_a_full_group__locks_its_price_and_keeps_nobody_from_trading() external {
        uint256 locked = vault.potOf(address(auction));
        for (uint256 i = 0; i < 256; ++i) {
            Home memory plant = _plant(i);
            _assertPlaced(_place(_signedBy(plant.owner, _order(plant, 1, ASK, PLANT_WH, _priceAt(40)))));
        }
        locked = vault.potOf(address(auction)) - locked;
        assertEq(locked, 256 * 838_860_600, "each has (0.36 - 0.16) x 4,194.303 kWh at stake");

        bytes4 reason = _place(_signedBy(seller.owner, _order(seller, 1, ASK, 1_000, _priceAt(41))));
        assertReason(reason, IEnergyAuction.LadderFull.selector, "their group's");
        _ask(seller, 1_000, _priceAt(31));
        _bid(buyer, 1_000, _priceAt(60) + FEE);
        vm.warp(_gateOf(SLOT));
        assertLe(_clearGas(), 200_000, "clearing reads words, not orders");
        assertEq(auction.positionOf(seller.meter, SLOT).filledWh, 1_000, "who asks less sells first");
        assertEq(auction.positionOf(buyer.meter, SLOT).filledWh, 1_000, "and who bids is not touched");
    }

    /// In every group and in most words of both sides.
    function test_ladder_griefing__given_orders_all_over_the_grid__clears_for_the_same() external {
        for (uint256 i = 0; i < 64; ++i) {
            Home memory griever = _home(100 + 2 * i);
            if (i % 2 == 0) _bid(griever, 10, _priceAt(127 - i) + FEE);
            else _ask(griever, 10, _priceAt(i));
        }
        vm.warp(_gateOf(SLOT));
        assertLe(_clearGas(), 200_000, "gas");
        assertGe(vault.potOf(address(auction)), 64 * 1_000, "0.001 at least of each lies in the pot");
    }

    /// They say nothing, so that their slot stays open; whoever wants its place settles them, and they pay.
    function test_ladder_griefing__given_a_place_of_the_ring_kept_busy__is_freed_by_anyone() external {
        Home memory third = _home(6);
        Home[3] memory grievers = [seller, buyer, third];
        uint32[] memory meters = new uint32[](3);
        for (uint256 i = 0; i < 3; ++i) {
            meters[i] = grievers[i].meter;
            if (i == 0) _ask(grievers[i], 10, _priceAt(100));
            else _bid(grievers[i], 10, _priceAt(50) + FEE);
        }
        Home memory honest = _home(8);
        vm.warp((uint256(SLOT) + 250) * SLOT_LENGTH);
        SignedOrder memory signed = _signedBy(honest.owner, _orderAt(SLOT + 256, honest, 1, BID, 500, _priceAt(60) + FEE));
        assertReason(_place(signed), IEnergyAuction.RingBusy.selector, "256 slots later");

        vm.startPrank(stranger.addr);
        auction.clear(MARKET, SLOT);
        auction.settleByDefault(MARKET, SLOT, meters);
        vm.stopPrank();
        _assertPlaced(_place(signed));
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(_worthOf(grievers[i].owner.addr), 10_000_000 - 180_000, "defaultWh at retail, for one slot");
        }
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    function _priceAt(uint256 tick) private pure returns (uint256) {
        return 80_000 + tick * 2_000;
    }

    function _mine(uint16 version, uint256 energyWh) private view returns (SignedOrder memory) {
        return _signedBy(seller.owner, _order(seller, version, ASK, energyWh, 200_000));
    }

    function _clearGas() private returns (uint256 gas) {
        vm.cool(address(auction));
        gas = gasleft();
        auction.clear(MARKET, SLOT);
        gas -= gasleft();
    }

    /// A meter of the largest capacity, with money for it.
    function _plant(uint256 seed) private returns (Home memory plant) {
        plant.owner = Signing.party(string(abi.encode("plant", seed)));
        plant.device = _secpDevice(10_000 + seed);
        _enrol(plant.device, plant.owner.addr);
        IDERRegistry.MeterRegistration memory registration = _registration(plant.device.id, plant.owner.addr);
        (registration.importCapacityW, registration.exportCapacityW) = (type(uint24).max, type(uint24).max);
        plant.meter = _register(registration);
        _deposit(plant.owner.addr, 1_000_000_000);
    }
}
