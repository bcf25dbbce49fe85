// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { ASK, BID, Order, SignedOrder } from "../../../contracts/types/Order.sol";
import { Party, Signing } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";
import { Feeder, Home } from "./Feeder.sol";
import { Wallet } from "./Wallet.sol";

/// place
/// ├── given the slot takes no orders: MarketUnknown, GateClosed, BeyondHorizon, RingBusy (in Ring.t.sol), UtilityInArrears
/// ├── given a bad order: OrderExpired, SideNotAllowed, EnergyTooSmall, EnergyTooLarge, PriceOffGrid
/// ├── given a meter that may not: OrderMeterUnknown, OrderMeterOfOtherMarket
/// ├── given a signature that does not count: WrongSigner
/// ├── given a version that does not count: VersionNotNewer, DuplicateInBatch
/// ├── given no room or no money: LadderFull, InArrears, AvailableTooSmall
/// └── else: placed, or replaced for the difference
contract PlaceTest is Feeder {
    Home private home;
    Home private neighbour;

    function setUp() public override {
        super.setUp();
        home = _home(2);
        neighbour = _home(4);
    }

    // -------------------------------------------------------------------------------------------- the slot takes no orders

    function test_place__given_an_unknown_market__is_refused() external {
        Order order = _pack(9, SLOT, home.meter, 1, block.timestamp, BID, 1_000, 250_000);
        assertReason(_place(_signedBy(home.owner, order)), IEnergyAuction.MarketUnknown.selector, "no such market");
        order = _pack(0, 0, home.meter, 1, block.timestamp, BID, 1_000, 250_000);
        assertReason(_place(_signedBy(home.owner, order)), IEnergyAuction.MarketUnknown.selector, "nor market 0");
        assertEq(_availableOf(home.owner.addr), 10_000_000, "nothing was locked");
    }

    function test_place__given_a_slot_before_the_market__is_refused() external {
        Order order = _orderAt(FIRST_SLOT - 1, home, 1, BID, 1_000, 250_000);
        assertReason(_place(_signedBy(home.owner, order)), IEnergyAuction.MarketUnknown.selector, "no terms in force");
    }

    function test_place__given_the_gate__is_refused_from_its_very_second() external {
        SignedOrder memory signed = _signedBy(home.owner, _pack(MARKET, SLOT, home.meter, 1, type(uint40).max, BID, 1_000, 250_000));
        vm.warp(_gateOf(SLOT));
        _assertRefused(signed, IEnergyAuction.GateClosed.selector, "at the gate");
        vm.warp(_gateOf(SLOT) - 1);
        _assertPlaced(_place(signed));
    }

    function test_place__given_a_slot_beyond_the_horizon__is_refused() external {
        SignedOrder memory far = _signedBy(home.owner, _orderAt(FIRST_SLOT + 193, home, 1, BID, 1_000, 250_000));
        _assertRefused(far, IEnergyAuction.BeyondHorizon.selector, "193 slots ahead");
        _assertPlaced(_place(_signedBy(home.owner, _orderAt(FIRST_SLOT + 192, home, 1, BID, 1_000, 250_000))));
    }

    function test_place__given_a_utility_in_arrears__is_refused() external {
        _ruinUtility();
        Order order = _orderAt(SLOT + 60, home, 1, BID, 1_000, 250_000);
        _assertRefused(_signedBy(home.owner, order), IEnergyAuction.UtilityInArrears.selector, "the utility owes");
    }

    // ----------------------------------------------------------------------------------------------------- a bad order

    function test_place__given_its_deadline__is_refused_from_the_second_after() external {
        SignedOrder memory signed = _signedBy(home.owner, _order(home, 1, BID, 1_000, 250_000));
        vm.warp(block.timestamp + 1 hours + 1);
        _assertRefused(signed, IEnergyAuction.OrderExpired.selector, "past its deadline");
        vm.warp(block.timestamp - 1);
        _assertPlaced(_place(signed));
    }

    function test_place__given_no_side__is_refused() external {
        _assertRefused(_mine(3, 1_000, 250_000), IEnergyAuction.SideNotAllowed.selector, "side 3");
        _assertRefused(_mine(0, 1_000, 250_000), IEnergyAuction.SideNotAllowed.selector, "side 0");
    }

    function test_place__given_dust__is_refused() external {
        _assertRefused(_mine(BID, 9, 250_000), IEnergyAuction.EnergyTooSmall.selector, "below minEnergyWh");
        _assertRefused(_mine(BID, 0, 250_000), IEnergyAuction.EnergyTooSmall.selector, "no energy");
        _assertPlaced(_place(_mine(BID, 10, 250_000)));
    }

    function test_place__given_more_than_a_lane_holds__is_refused() external {
        _assertRefused(_mine(BID, 1 << 30, 250_000), IEnergyAuction.EnergyTooLarge.selector, "2**30 Wh");
    }

    function test_place__given_a_price_off_the_grid__is_refused() external {
        // bids are all-in: 0.12 to 0.39; asks net: 0.08 to 0.35
        _assertRefused(_mine(BID, 1_000, 255_000), IEnergyAuction.PriceOffGrid.selector, "between ticks");
        _assertRefused(_mine(BID, 1_000, 110_000), IEnergyAuction.PriceOffGrid.selector, "bid below min + fee");
        _assertRefused(_mine(BID, 1_000, 400_000), IEnergyAuction.PriceOffGrid.selector, "bid above max + fee");
        _assertRefused(_mine(ASK, 1_000, 70_000), IEnergyAuction.PriceOffGrid.selector, "ask below min");
        _assertRefused(_mine(ASK, 1_000, 360_000), IEnergyAuction.PriceOffGrid.selector, "ask above max");
        _assertRefused(_mine(ASK, 1_000, type(uint64).max), IEnergyAuction.PriceOffGrid.selector, "far above max");
        _assertPlaced(_place(_mine(BID, 1_000, 390_000)));
        _assertPlaced(_place(_signedBy(neighbour.owner, _order(neighbour, 1, ASK, 1_000, 80_000))));
    }

    // ----------------------------------------------------------------------------------------------------------- meters

    function test_place__given_an_unknown_meter__is_refused() external {
        Order order = _pack(MARKET, SLOT, 99, 1, block.timestamp, BID, 1_000, 250_000);
        _assertRefused(_signedBy(home.owner, order), IEnergyAuction.OrderMeterUnknown.selector, "no such meter");
    }

    function test_place__given_a_meter_of_another_market__is_refused() external {
        Home memory elsewhere = _homeIn(7, 0, true, false);
        Order order = _order(elsewhere, 1, BID, 1_000, 250_000);
        bytes4 reason = _place(_signedBy(elsewhere.owner, order));
        assertReason(reason, IEnergyAuction.OrderMeterOfOtherMarket.selector, "a meter of market 7");
        assertEq(_availableOf(elsewhere.owner.addr), 10_000_000, "nothing was locked");
    }

    // -------------------------------------------------------------------------------------------------------- signatures

    function test_place__given_another_key__is_refused() external {
        Order order = _order(home, 1, BID, 1_000, 250_000);
        _assertRefused(_signedBy(neighbour.owner, order), IEnergyAuction.WrongSigner.selector, "another's key");
        _assertRefused(SignedOrder(order, 0, 0), IEnergyAuction.WrongSigner.selector, "no signature");
        SignedOrder memory changed = _signedBy(home.owner, order);
        changed.order = _order(home, 1, BID, 1_001, 250_000);
        _assertRefused(changed, IEnergyAuction.WrongSigner.selector, "another order");
    }

    function test_place__given_a_malleable_signature__is_refused() external {
        SignedOrder memory signed = _mine(BID, 1_000, 250_000);
        uint256 s = uint256(signed.vs) & ~(uint256(1) << 255);
        uint256 flipped = (uint256(signed.vs) >> 255) ^ 1;
        signed.vs = bytes32((flipped << 255) | (Signing.SECP256K1_N - s));
        _assertRefused(signed, IEnergyAuction.WrongSigner.selector, "s in the upper half");
    }

    function test_place__given_a_signature_for_another_chain_or_contract__is_refused() external {
        Order order = _order(home, 1, BID, 1_000, 250_000);
        bytes32 hash = _orderHash(order);
        bytes32 digest = Signing.digest(AUCTION, address(auction), block.chainid + 1, hash);
        _assertRefused(_sealed(order, digest), IEnergyAuction.WrongSigner.selector, "another chain");
        digest = Signing.digest(AUCTION, address(vault), block.chainid, hash);
        _assertRefused(_sealed(order, digest), IEnergyAuction.WrongSigner.selector, "another contract");
        digest = Signing.digest("Gridweave Vault", address(auction), block.chainid, hash);
        _assertRefused(_sealed(order, digest), IEnergyAuction.WrongSigner.selector, "another name");
        SignedOrder memory signed = _signedBy(home.owner, order);
        vm.chainId(block.chainid + 1);
        _assertRefused(signed, IEnergyAuction.WrongSigner.selector, "after the chain has split");
    }

    function test_place__given_a_wallet_that_says_yes__is_placed() external {
        Wallet wallet = new Wallet(neighbour.owner.addr);
        Home memory shared = _walletHome(address(wallet));
        Order order = _order(shared, 1, BID, 1_000, 250_000);
        _assertPlaced(_place(_signedBy(neighbour.owner, order)));
        assertReason(
            _place(_signedBy(home.owner, _order(shared, 2, BID, 1_000, 250_000))),
            IEnergyAuction.WrongSigner.selector,
            "the wallet says no"
        );
    }

    function test_place__given_a_wallet_that_burns_gas__costs_the_batch_its_cap_only() external {
        Wallet wallet = new Wallet(address(0));
        Home memory shared = _walletHome(address(wallet));
        SignedOrder[] memory orders = new SignedOrder[](2);
        orders[0] = _signedBy(neighbour.owner, _order(shared, 1, BID, 1_000, 250_000));
        orders[1] = _mine(BID, 1_000, 250_000);
        uint256 gas = gasleft();
        bytes4[] memory reasons = _place(orders);
        assertLe(gas - gasleft(), 1_000_000, "the wallet had 100,000");
        assertReason(reasons[0], IEnergyAuction.WrongSigner.selector, "it said nothing");
        assertReason(reasons[1], 0, "the other order is placed");
    }

    // ---------------------------------------------------------------------------------------------------------- versions

    function test_place__given_the_same_again__is_refused() external {
        SignedOrder memory signed = _mine(BID, 1_000, 250_000);
        _assertPlaced(_place(signed));
        _assertRefused(signed, IEnergyAuction.VersionNotNewer.selector, "replayed");
        Order zero = _order(neighbour, 0, BID, 1_000, 250_000);
        assertReason(
            _place(_signedBy(neighbour.owner, zero)), IEnergyAuction.VersionNotNewer.selector, "versions begin at 1"
        );
    }

    function test_place__given_two_of_one_meter_and_slot__takes_the_first() external {
        SignedOrder[] memory orders = new SignedOrder[](3);
        orders[0] = _mine(BID, 1_000, 250_000);
        orders[1] = _signedBy(home.owner, _order(home, 2, ASK, 2_000, 250_000));
        orders[2] = _signedBy(home.owner, _orderAt(SLOT + 1, home, 2, ASK, 2_000, 250_000));
        bytes4[] memory reasons = _place(orders);
        assertReason(reasons[0], 0, "the first");
        assertReason(reasons[1], IEnergyAuction.DuplicateInBatch.selector, "the second");
        assertReason(reasons[2], 0, "one for another slot");
        assertEq(auction.positionOf(home.meter, SLOT).energyWh, 1_000, "the first counts");
        _assertPlaced(_place(orders[1]));
    }

    // --------------------------------------------------------------------------------------------------- room and money

    function test_place__given_more_than_the_capacity__is_refused() external {
        _assertRefused(_mine(BID, 5_001, 250_000), IEnergyAuction.EnergyAboveCapacity.selector, "20 kW in");
        _assertRefused(_mine(ASK, 3_001, 250_000), IEnergyAuction.EnergyAboveCapacity.selector, "12 kW out");
        _assertPlaced(_place(_mine(ASK, 3_000, 250_000)));
    }

    function test_place__given_a_full_ladder__is_refused() external {
        // 256 plants of the largest capacity that a meter can have, each of which takes 2**22 - 1 Wh in a slot
        for (uint256 i = 0; i < 256; ++i) {
            Home memory plant = _plant(10_000 + i);
            _assertPlaced(_place(_signedBy(plant.owner, _order(plant, 1, BID, (1 << 22) - 1, 250_000))));
        }
        SignedOrder memory signed = _signedBy(neighbour.owner, _order(neighbour, 1, BID, 1_000, 260_000));
        bytes32 before = _stateOf(neighbour, SLOT);
        assertReason(_place(signed), IEnergyAuction.LadderFull.selector, "2**30 Wh in a group");
        assertEq(_stateOf(neighbour, SLOT), before, "nothing changed");
        _assertPlaced(_place(_signedBy(neighbour.owner, _order(neighbour, 1, ASK, 1_000, 260_000))));
    }

    function test_place__given_an_account_in_arrears__is_refused() external {
        Home memory poor = _homeIn(MARKET, 50, true, false);
        _drain(poor);
        vm.warp(_endOf(SLOT));
        _settle(poor, SLOT, 1, 5_000, 0);
        assertTrue(_arrearOf(poor.owner.addr) > 0, "it owes");
        SignedOrder memory signed = _signedBy(poor.owner, _orderAt(SLOT + 20, poor, 1, BID, 1_000, 250_000));
        bytes32 before = _stateOf(poor, SLOT + 20);
        assertReason(_place(signed), IVault.InArrears.selector, "in arrears");
        assertEq(_stateOf(poor, SLOT + 20), before, "nothing changed");
    }

    function test_place__given_too_little_money__is_refused_and_taken_back() external {
        _assertPlaced(_place(_mine(BID, 1_000, 250_000)));
        _withdrawAllBut(home, 1_000_000);
        SignedOrder memory signed = _signedBy(home.owner, _order(home, 2, BID, 5_001, 250_000));
        _assertRefused(signed, IEnergyAuction.EnergyAboveCapacity.selector, "20 kW are 5,000 Wh a slot");
        signed = _signedBy(home.owner, _order(home, 2, BID, 5_000, 300_000));
        _assertRefused(signed, IVault.AvailableTooSmall.selector, "1.50 for 0.25 and 1.00");
        assertEq(auction.positionOf(home.meter, SLOT).version, 1, "the first order stands");
        assertEq(auction.depthOf(MARKET, SLOT, BID)[13], 1_000, "in the ladder too");
    }

    // ------------------------------------------------------------------------------------------------------------ success

    function test_place__given_a_bid__locks_its_limit() external {
        Order order = _order(home, 1, BID, 1_001, 250_000);
        vm.expectEmit(address(auction));
        emit IEnergyAuction.Placed(_orderDigest(order), home.meter, SLOT, order);
        SignedOrder[] memory orders = new SignedOrder[](1);
        orders[0] = _signedBy(home.owner, order);
        auction.place(orders);

        assertEq(_availableOf(home.owner.addr), 10_000_000 - 250_250, "ceil(0.25 x 1.001)");
        assertEq(vault.potOf(address(auction)), 250_250, "in the auction's pot");
        IEnergyAuction.SlotState memory state = auction.slotStateOf(MARKET, SLOT);
        assertEq(state.pot, 250_250, "in the slot's pot");
        assertEq(state.openBidWh, 1_001, "open");
        IEnergyAuction.Position memory position = auction.positionOf(home.meter, SLOT);
        assertEq(position.side, BID, "side");
        assertEq(position.tick, 13, "0.25 - 0.04 is tick 13");
        assertEq(auction.depthOf(MARKET, SLOT, BID)[13], 1_001, "in the ladder net of the fee");
    }

    function test_place__given_a_replacement__moves_exactly_the_difference() external {
        _assertPlaced(_place(_mine(BID, 1_000, 250_000)));
        _assertPlaced(_place(_signedBy(home.owner, _order(home, 2, BID, 3_000, 300_000))));
        assertEq(_availableOf(home.owner.addr), 10_000_000 - 900_000, "0.30 x 3 locked");
        _assertPlaced(_place(_signedBy(home.owner, _order(home, 5, ASK, 2_000, 110_000))));
        assertEq(_availableOf(home.owner.addr), 10_000_000 - 500_000, "(0.36 - 0.11) x 2 locked");
        IEnergyAuction.SlotState memory state = auction.slotStateOf(MARKET, SLOT);
        assertEq(state.pot, 500_000, "the slot's pot follows");
        assertEq(state.openBidWh, 0, "no bid is open");
        assertEq(state.openAskWh, 2_000, "an ask is");
        assertEq(auction.depthOf(MARKET, SLOT, BID)[13] + auction.depthOf(MARKET, SLOT, BID)[18], 0, "no bid in the ladder");
        assertEq(auction.depthOf(MARKET, SLOT, ASK)[3], 2_000, "the ask is");
    }

    function test_place__given_a_batch_of_good_and_bad__treats_each_alone() external {
        SignedOrder[] memory orders = new SignedOrder[](4);
        orders[0] = _mine(BID, 9, 250_000);
        orders[1] = _signedBy(neighbour.owner, _orderAt(SLOT + 3, neighbour, 1, ASK, 2_000, 110_000));
        orders[2] = _mine(BID, 1_000, 250_000);
        orders[3] = _signedBy(neighbour.owner, _order(neighbour, 1, ASK, 3_000, 80_000));
        _withdrawAllBut(neighbour, 1_000_000);
        bytes4[] memory reasons = _place(orders);
        assertReason(reasons[0], IEnergyAuction.EnergyTooSmall.selector, "dust");
        assertReason(reasons[1], 0, "another slot");
        assertReason(reasons[2], 0, "this slot");
        assertReason(reasons[3], IVault.AvailableTooSmall.selector, "too dear");
        assertEq(auction.slotStateOf(MARKET, SLOT).pot, 250_000, "this slot's pot");
        assertEq(auction.slotStateOf(MARKET, SLOT + 3).pot, 500_000, "the other's");
        assertEq(vault.potOf(address(auction)), 750_000, "both in the auction's");
    }

    function test_place__given_too_many__reverts() external {
        SignedOrder[] memory orders = new SignedOrder[](257);
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.BatchTooLarge.selector, 257, 256));
        auction.place(orders);
    }

    function test_place__given_the_emergency_stop__reverts() external {
        vm.prank(admin);
        authority.setTargetClosed(address(auction), true);
        SignedOrder[] memory orders = new SignedOrder[](1);
        orders[0] = _mine(BID, 1_000, 250_000);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(this)));
        auction.place(orders);
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    function _mine(uint8 side, uint256 energyWh, uint256 limitPrice) private view returns (SignedOrder memory) {
        return _signedBy(home.owner, _order(home, 1, side, energyWh, limitPrice));
    }

    function _sealed(Order order, bytes32 digest) private view returns (SignedOrder memory) {
        (bytes32 r, bytes32 vs) = vm.signCompact(home.owner.key, digest);
        return SignedOrder(order, r, vs);
    }

    function _assertRefused(SignedOrder memory signed, bytes4 reason, string memory why) private {
        bytes32 before = _stateOf(home, SLOT);
        assertReason(_place(signed), reason, why);
        assertEq(_stateOf(home, SLOT), before, "nothing changed");
    }

    function _walletHome(address wallet) private returns (Home memory shared) {
        shared.owner = Party(wallet, 0);
        shared.device = _secpDevice(777);
        _enrol(shared.device, wallet);
        shared.meter = _register(_registration(shared.device.id, wallet));
        _deposit(wallet, 10_000_000);
    }

    /// Leaves a home without money.
    function _drain(Home memory poor) private {
        _withdrawAllBut(poor, 0);
    }

    function _withdrawAllBut(Home memory of_, uint256 rest) private {
        uint256 amount = vault.withdrawableOf(of_.owner.addr) - rest;
        vm.prank(of_.owner.addr);
        vault.withdraw(of_.owner.addr, amount);
    }

    /// A home of the largest capacity, with money for it.
    function _plant(uint256 seed) private returns (Home memory plant) {
        plant.owner = Signing.party(string(abi.encode("plant", seed)));
        plant.device = _secpDevice(seed);
        _enrol(plant.device, plant.owner.addr);
        IDERRegistry.MeterRegistration memory registration = _registration(plant.device.id, plant.owner.addr);
        (registration.importCapacityW, registration.exportCapacityW) = (type(uint24).max, type(uint24).max);
        plant.meter = _register(registration);
        _deposit(plant.owner.addr, 2_000_000_000);
    }

    /// A home feeds in more than the utility can pay.
    function _ruinUtility() private {
        uint256 amount = vault.withdrawableOf(utility.addr);
        vm.prank(utility.addr);
        vault.withdraw(utility.addr, amount);
        vm.warp(_endOf(FIRST_SLOT));
        assertReason(_settle(neighbour, FIRST_SLOT, 1, 0, 3_000), 0, "settled");
        assertTrue(_arrearOf(utility.addr) > 0, "the utility owes");
    }
}
