// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { MarketTerms } from "../../../contracts/types/MarketTerms.sol";
import { ASK, BID, Order } from "../../../contracts/types/Order.sol";
import { SignedReading } from "../../../contracts/types/Reading.sol";
import { vm } from "../support/Vm.sol";
import { Feeder, Home } from "./Feeder.sol";

/// settleByDefault and release, and that the path to a last reading does not matter.
///
/// A buyer of 1,000 Wh at 0.25 all-in and a seller of 400 Wh at 0.12 trade 400 Wh at 0.21 net; a second seller asks too much.
contract SilenceTest is Feeder {
    Home private buyer;
    Home private seller;
    Home private dear;

    function setUp() public override {
        super.setUp();
        (buyer, seller, dear) = (_home(2), _home(3), _home(4));
        _bid(buyer, 1_000, 250_000);
        _ask(seller, 400, 120_000);
        _ask(dear, 500, 300_000);
    }

    // --------------------------------------------------------------------------------------------------- settleByDefault

    function test_settleByDefault__given_an_uncleared_slot__reverts() external {
        vm.warp(_deadlineOf(SLOT));
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.NotCleared.selector, MARKET, SLOT));
        auction.settleByDefault(MARKET, SLOT, _one(buyer.meter));
    }

    function test_settleByDefault__given_the_second_before_the_deadline__reverts() external {
        vm.warp(_gateOf(SLOT));
        auction.clear(MARKET, SLOT);
        vm.warp(_deadlineOf(SLOT) - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IEnergyAuction.ReadingDeadlineNotPassed.selector, SLOT, _deadlineOf(SLOT))
        );
        auction.settleByDefault(MARKET, SLOT, _one(buyer.meter));
        vm.warp(_deadlineOf(SLOT));
        assertReason(_settleByDefault(buyer, SLOT), 0, "at the deadline");
    }

    function test_settleByDefault__given_too_many__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.BatchTooLarge.selector, 257, 256));
        auction.settleByDefault(MARKET, SLOT, new uint32[](257));
    }

    function test_settleByDefault__given_a_meter_that_has_no_part__is_refused() external {
        _clearAndPassDeadline();
        Home memory nobody;
        nobody.meter = 99;
        assertReason(_settleByDefault(nobody, SLOT), IEnergyAuction.OrderMeterUnknown.selector, "no such meter");
        Home memory elsewhere = _homeIn(7, 0, true, false);
        assertReason(
            _settleByDefault(elsewhere, SLOT), IEnergyAuction.OrderMeterOfOtherMarket.selector, "a meter of market 7"
        );
        assertEq(_availableOf(elsewhere.owner.addr), 10_000_000, "nothing was taken");
    }

    function test_settleByDefault__given_a_settled_meter__is_refused() external {
        vm.warp(_endOf(SLOT));
        _settle(buyer, SLOT, 1, 900, 0);
        vm.warp(_deadlineOf(SLOT));
        bytes32 before = _stateOf(buyer, SLOT);
        assertReason(_settleByDefault(buyer, SLOT), IEnergyAuction.AlreadySettled.selector, "by its reading");
        assertEq(_stateOf(buyer, SLOT), before, "nothing changed");
        _settleByDefault(seller, SLOT);
        before = _stateOf(seller, SLOT);
        assertReason(_settleByDefault(seller, SLOT), IEnergyAuction.AlreadySettled.selector, "by default");
        assertEq(_stateOf(seller, SLOT), before, "nothing changed");
    }

    function test_settleByDefault__given_one_meter_twice_in_a_batch__settles_it_once() external {
        _clearAndPassDeadline();
        uint32[] memory meters = new uint32[](2);
        (meters[0], meters[1]) = (buyer.meter, buyer.meter);
        vm.expectEmit(address(auction));
        emit IEnergyAuction.Settled(buyer.meter, SLOT, 0, 400, 0, -136_000);
        vm.expectEmit(address(auction));
        emit IEnergyAuction.SettlementRefused(buyer.meter, SLOT, IEnergyAuction.AlreadySettled.selector);
        auction.settleByDefault(MARKET, SLOT, meters);
    }

    function test_settleByDefault__given_silent_meters__never_pays_for_silence() external {
        Home memory idle = _home(9);
        _clearAndPassDeadline();
        _settleByDefault(buyer, SLOT);
        assertEq(_worthOf(buyer.owner.addr), 10_000_000 - 136_000, "84 + 16, and 100 Wh to defaultWh at retail");
        _settleByDefault(seller, SLOT);
        assertEq(
            _worthOf(seller.owner.addr),
            10_000_000 + 84_000 - 144_000 - 180_000,
            "nothing delivered: 400 Wh at retail, and defaultWh like anybody"
        );
        assertTrue(auction.positionOf(seller.meter, SLOT).settledByDefault, "remembered");
        _settleByDefault(idle, SLOT);
        assertEq(_worthOf(idle.owner.addr), 10_000_000 - 180_000, "defaultWh at retail");
        assertTrue(auction.positionOf(idle.meter, SLOT).settledByDefault, "remembered without an order");
        _settleByDefault(dear, SLOT);
        assertTrue(auction.clearingOf(MARKET, SLOT).closed, "all are settled");
        assertEq(vault.potOf(address(auction)), 0, "nothing stays behind");
    }

    /// Ten Wh sold and not delivered do not make silence cheaper.
    function test_settleByDefault__given_a_token_ask__costs_no_less_than_without() external {
        Home memory idle = _home(9);
        Home memory sly = _home(11);
        _ask(sly, 10, 80_000);
        _clearAndPassDeadline();
        _settleByDefault(idle, SLOT);
        _settleByDefault(sly, SLOT);
        assertTrue(_worthOf(sly.owner.addr) <= _worthOf(idle.owner.addr), "silence never pays");
    }

    // ------------------------------------------------------------------------------------------------------------ release

    function test_release__given_an_uncleared_slot__reverts() external {
        vm.warp(_gateOf(SLOT));
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.NotCleared.selector, MARKET, SLOT));
        auction.release(MARKET, SLOT, _one(buyer.meter));
    }

    function test_release__given_too_many__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.BatchTooLarge.selector, 257, 256));
        auction.release(MARKET, SLOT, new uint32[](257));
    }

    function test_release__given_nothing_to_release__is_refused() external {
        Home memory idle = _home(9);
        vm.warp(_gateOf(SLOT));
        auction.clear(MARKET, SLOT);
        _assertNotReleased(seller, IEnergyAuction.NothingToRelease.selector, "filled whole");
        _assertNotReleased(idle, IEnergyAuction.NothingToRelease.selector, "no order");
        assertReason(_release(buyer, SLOT), 0, "600 Wh");
        _assertNotReleased(buyer, IEnergyAuction.NothingToRelease.selector, "twice");
        Home memory nobody;
        nobody.meter = 99;
        assertReason(_release(nobody, SLOT), IEnergyAuction.OrderMeterUnknown.selector, "no such meter");
    }

    function test_release__given_a_settled_meter__is_refused() external {
        vm.warp(_endOf(SLOT));
        _settle(buyer, SLOT, 1, 900, 0);
        _assertNotReleased(buyer, IEnergyAuction.AlreadySettled.selector, "by its reading");
        vm.warp(_deadlineOf(SLOT));
        _settleByDefault(dear, SLOT);
        _assertNotReleased(dear, IEnergyAuction.AlreadySettled.selector, "by default");
    }

    function test_release__given_a_partial_fill__returns_the_rest() external {
        vm.warp(_gateOf(SLOT));
        auction.clear(MARKET, SLOT);
        vm.expectEmit(address(auction));
        emit IEnergyAuction.Released(buyer.meter, SLOT, 150_000);
        auction.release(MARKET, SLOT, _one(buyer.meter));
        assertEq(_availableOf(buyer.owner.addr), 10_000_000 - 100_000, "0.25 x 0.4 stays");
        assertEq(auction.slotStateOf(MARKET, SLOT).openBidWh, 1_000, "the order stays open");
    }

    function test_release__given_no_fill__closes_the_position() external {
        vm.warp(_gateOf(SLOT));
        auction.clear(MARKET, SLOT);
        assertReason(_release(dear, SLOT), 0, "released");
        assertEq(_availableOf(dear.owner.addr), 10_000_000, "all of it");
        assertEq(auction.slotStateOf(MARKET, SLOT).openAskWh, 400, "only the seller is open");
    }

    function test_release__given_it_was_the_last_live_order__closes_the_slot() external {
        vm.warp(_endOf(SLOT));
        _settle(buyer, SLOT, 1, 900, 0);
        _settle(seller, SLOT, 1, 0, 400);
        assertFalse(auction.clearingOf(MARKET, SLOT).closed, "one is open");
        _release(dear, SLOT);
        assertTrue(auction.clearingOf(MARKET, SLOT).closed, "closed");
        assertEq(vault.potOf(address(auction)), 0, "nothing stays behind");
        assertEq(_availableOf(gridOperator.addr), 16_000, "the fee");
    }

    /// Without a fee the bids' collateral is just what they may pay: once the seller has its money, the pot is short of the
    /// Wh that rounding left over, and the utility advances it.
    function test_release__given_a_pot_short_of_the_dust__lets_the_utility_advance_it() external {
        MarketTerms memory terms = _terms();
        terms.gridFee = 0;
        uint32 market = _createMarket(terms);
        Home[3] memory homes = [_homeIn(market, 0, true, false), _homeIn(market, 1, true, false), _homeIn(market, 2, true, false)];
        _placeIn(market, homes[0], BID, 100, 210_000);
        _placeIn(market, homes[1], BID, 100, 210_000);
        _placeIn(market, homes[2], ASK, 99, 120_000);
        vm.warp(_endOf(SLOT));
        SignedReading[] memory readings = new SignedReading[](1);
        readings[0] = _signed(homes[2].device, _reading(homes[2].meter, SLOT, 1, 0, 99));
        auction.settle(market, SLOT, readings);
        uint32[] memory meters = new uint32[](2);
        (meters[0], meters[1]) = (homes[0].meter, homes[1].meter);
        auction.release(market, SLOT, meters);

        assertEq(_availableOf(homes[0].owner.addr), 10_000_000 - 49 * 210, "49 Wh stay locked");
        assertEq(_availableOf(homes[1].owner.addr), 10_000_000 - 49 * 210, "of either");
        assertEq(_availableOf(utility.addr), 1_000_000_000 - 210, "the utility paid for the one left over");
        for (uint256 i = 0; i < 2; ++i) {
            readings[0] = _signed(homes[i].device, _reading(homes[i].meter, SLOT, 1, 49, 0));
            auction.settle(market, SLOT, readings);
        }
        assertTrue(auction.clearingOf(market, SLOT).closed, "closed");
        assertEq(_availableOf(utility.addr), 1_000_000_000 - 210, "and does not pay for it again");
        assertEq(auction.slotStateOf(market, SLOT).pot, 0, "nothing stays behind");
    }

    function _placeIn(uint32 market, Home memory home, uint8 side, uint256 energyWh, uint256 limit) private {
        Order order = _pack(market, SLOT, home.meter, 1, block.timestamp, side, energyWh, limit);
        _assertPlaced(_place(_signedBy(home.owner, order)));
    }

    // --------------------------------------------------------------------------------------------------------------- path

    /// default -> 1 -> 2 -> 3, with a release anywhere, comes to the same as version 3 at first.
    function test_settle__given_any_path_to_a_last_reading__comes_to_the_same(uint256 draw, bool released, bool byDefault)
        external
    {
        Home[3] memory homes = [buyer, seller, dear];
        Home memory home = homes[draw % 3];
        vm.warp(_deadlineOf(SLOT));
        auction.clear(MARKET, SLOT);
        uint256 start = vm.snapshotState();
        _settle(home, SLOT, 3, _importOf(draw, 3), _exportOf(draw, 3));
        int256[3] memory direct = _worths(home);
        vm.revertToState(start);

        if (released) _release(home, SLOT);
        if (byDefault) _settleByDefault(home, SLOT);
        if (draw & 1024 == 0) _settle(home, SLOT, 1, _importOf(draw, 1), _exportOf(draw, 1));
        if (draw & 2048 == 0) _settle(home, SLOT, 2, _importOf(draw, 2), _exportOf(draw, 2));
        _settle(home, SLOT, 3, _importOf(draw, 3), _exportOf(draw, 3));
        int256[3] memory found = _worths(home);
        assertEq(found[0], direct[0], "account: available - owed + owed to it");
        assertEq(found[1], direct[1], "utility");
        assertEq(found[2], direct[2], "operator");
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    function _worths(Home memory home) private view returns (int256[3] memory worths) {
        address account = home.owner.addr;
        worths[0] = _worthOf(account);
        worths[1] = int256(_availableOf(utility.addr)) - int256(_arrearOf(utility.addr))
            + int256(vault.owed(account, utility.addr)) + int256(vault.owed(gridOperator.addr, utility.addr));
        worths[2] = _worthOf(gridOperator.addr);
        // what is still in the slot's pot for the others is the same on either path
        assertEq(
            uint256(worths[0] + worths[1] + worths[2]) + vault.potOf(address(auction)) + _others(home),
            vault.totalTracked(),
            "accounts + pots = tracked"
        );
    }

    function _others(Home memory home) private view returns (uint256 sum) {
        Home[3] memory homes = [buyer, seller, dear];
        for (uint256 i = 0; i < 3; ++i) {
            if (homes[i].meter != home.meter) sum += _availableOf(homes[i].owner.addr);
        }
    }

    function _importOf(uint256 draw, uint256 version) private pure returns (uint32) {
        return uint32(uint256(keccak256(abi.encode(draw, version, "import"))) % 5_001);
    }

    function _exportOf(uint256 draw, uint256 version) private pure returns (uint32) {
        return uint32(uint256(keccak256(abi.encode(draw, version, "export"))) % 3_001);
    }

    function _clearAndPassDeadline() private {
        vm.warp(_deadlineOf(SLOT));
        auction.clear(MARKET, SLOT);
    }

    function _assertNotReleased(Home memory home, bytes4 reason, string memory why) private {
        bytes32 before = _stateOf(home, SLOT);
        assertReason(_release(home, SLOT), reason, why);
        assertEq(_stateOf(home, SLOT), before, "nothing changed");
    }
}
