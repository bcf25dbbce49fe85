// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { Cancel, SignedCancel } from "../../../contracts/types/Cancel.sol";
import { ASK, BID, Order, SignedOrder } from "../../../contracts/types/Order.sol";
import { vm } from "../support/Vm.sol";
import { Feeder, Home } from "./Feeder.sol";

/// cancel
/// ├── given the slot takes none, a bad form, another's meter or key, an old version: refused, nothing changes
/// └── else: the version stands with energy 0, and exactly the collateral goes back
contract CancelTest is Feeder {
    Home private home;
    Home private neighbour;

    function setUp() public override {
        super.setUp();
        home = _home(2);
        neighbour = _home(3);
        _bid(home, 1_000, 250_000);
    }

    function test_cancel__given_an_unknown_market__is_refused() external {
        Order order = _pack(9, SLOT, home.meter, 2, block.timestamp, 0, 0, 0);
        _assertRefused(_sealed(order), IEnergyAuction.MarketUnknown.selector, "no such market");
    }

    function test_cancel__given_the_gate__is_refused_from_its_very_second() external {
        SignedCancel memory signed = _sealed(_pack(MARKET, SLOT, home.meter, 2, type(uint40).max, 0, 0, 0));
        vm.warp(_gateOf(SLOT));
        _assertRefused(signed, IEnergyAuction.GateClosed.selector, "at the gate");
        vm.warp(_gateOf(SLOT) - 1);
        assertReason(_cancelOne(signed), 0, "a second before");
    }

    function test_cancel__given_a_slot_beyond_the_horizon__is_refused() external {
        Order order = _orderAt(FIRST_SLOT + 193, home, 2, 0, 0, 0);
        _assertRefused(_sealed(order), IEnergyAuction.BeyondHorizon.selector, "193 slots ahead");
    }

    function test_cancel__given_its_deadline__is_refused_from_the_second_after() external {
        SignedCancel memory signed = _signedBy(home.owner, _cancel(home, 2));
        vm.warp(block.timestamp + 1 hours + 1);
        _assertRefused(signed, IEnergyAuction.OrderExpired.selector, "past its deadline");
    }

    function test_cancel__given_bits_that_nobody_signed__is_refused() external {
        SignedCancel memory signed = _signedBy(home.owner, _cancel(home, 2));
        signed.cancel = Cancel.wrap(Cancel.unwrap(signed.cancel) | bytes32(uint256(1)));
        _assertRefused(signed, IEnergyAuction.CancelMalformed.selector, "the last bit");
    }

    function test_cancel__given_an_unknown_meter__is_refused() external {
        Order order = _pack(MARKET, SLOT, 99, 2, block.timestamp, 0, 0, 0);
        _assertRefused(_sealed(order), IEnergyAuction.OrderMeterUnknown.selector, "no such meter");
    }

    function test_cancel__given_a_meter_of_another_market__is_refused() external {
        Home memory elsewhere = _homeIn(7, 0, true, false);
        Order order = _order(elsewhere, 1, 0, 0, 0);
        _assertRefused(_sealed(order), IEnergyAuction.OrderMeterOfOtherMarket.selector, "a meter of market 7");
    }

    function test_cancel__given_another_key_or_an_order_s_signature__is_refused() external {
        Cancel item = _cancel(home, 2);
        _assertRefused(_signedBy(neighbour.owner, item), IEnergyAuction.WrongSigner.selector, "another's key");
        SignedOrder memory order = _signedBy(home.owner, Order.wrap(Cancel.unwrap(item)));
        _assertRefused(
            SignedCancel(item, order.r, order.vs), IEnergyAuction.WrongSigner.selector, "signed as an order"
        );
    }

    function test_cancel__given_an_old_version__is_refused() external {
        _assertRefused(_signedBy(home.owner, _cancel(home, 1)), IEnergyAuction.VersionNotNewer.selector, "version 1");
        SignedCancel memory signed = _signedBy(home.owner, _cancel(home, 2));
        assertReason(_cancelOne(signed), 0, "version 2");
        _assertRefused(signed, IEnergyAuction.VersionNotNewer.selector, "replayed");
    }

    function test_cancel__given_two_of_one_meter__takes_the_first() external {
        SignedCancel[] memory cancels = new SignedCancel[](2);
        cancels[0] = _signedBy(home.owner, _cancel(home, 2));
        cancels[1] = _signedBy(home.owner, _cancel(home, 3));
        auction.cancel(cancels);
        assertEq(auction.positionOf(home.meter, SLOT).version, 2, "the first");
        assertEq(_availableOf(home.owner.addr), 10_000_000, "everything went back, once");
    }

    function test_cancel__given_too_many__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.BatchTooLarge.selector, 257, 256));
        auction.cancel(new SignedCancel[](257));
    }

    function test_cancel__given_a_live_order__returns_its_collateral() external {
        Cancel item = _cancel(home, 7);
        vm.expectEmit(address(auction));
        emit IEnergyAuction.Cancelled(auction.digestOfCancel(item), home.meter, SLOT, item);
        SignedCancel[] memory cancels = new SignedCancel[](1);
        cancels[0] = _signedBy(home.owner, item);
        auction.cancel(cancels);

        assertEq(_availableOf(home.owner.addr), 10_000_000, "all of it");
        assertEq(vault.potOf(address(auction)), 0, "the pot is empty");
        assertEq(auction.slotStateOf(MARKET, SLOT).openBidWh, 0, "nothing is open");
        assertEq(auction.depthOf(MARKET, SLOT, BID)[13], 0, "nothing in the ladder");
        assertEq(auction.positionOf(home.meter, SLOT).version, 7, "the version stands");
        assertReason(
            _place(_signedBy(home.owner, _order(home, 7, BID, 1_000, 250_000))),
            IEnergyAuction.VersionNotNewer.selector,
            "so that an order under way finds itself cancelled"
        );
        _assertPlaced(_place(_signedBy(home.owner, _order(home, 8, ASK, 1_000, 250_000))));
    }

    function test_cancel__given_no_order__keeps_the_version() external {
        assertReason(_cancelOne(_signedBy(neighbour.owner, _cancel(neighbour, 4))), 0, "cancelled ahead");
        assertEq(auction.positionOf(neighbour.meter, SLOT).version, 4, "its version stands");
        assertEq(_availableOf(neighbour.owner.addr), 10_000_000, "nothing moved");
    }

    function test_cancel__given_the_emergency_stop__stays_open() external {
        vm.prank(admin);
        authority.setTargetClosed(address(auction), true);
        assertReason(_cancelOne(_signedBy(home.owner, _cancel(home, 2))), 0, "only placing is closed");
    }

    function test_digestOfOrder__given_any_order__is_what_wallets_sign(bytes32 word) external view {
        assertEq(auction.digestOfOrder(Order.wrap(word)), _orderDigest(Order.wrap(word)), "EIP-712 of Order");
    }

    function _sealed(Order order) private view returns (SignedCancel memory) {
        return _signedBy(home.owner, Cancel.wrap(Order.unwrap(order)));
    }

    function _assertRefused(SignedCancel memory signed, bytes4 reason, string memory why) private {
        bytes32 before = _stateOf(home, SLOT);
        assertReason(_cancelOne(signed), reason, why);
        assertEq(_stateOf(home, SLOT), before, "nothing changed");
    }
}
