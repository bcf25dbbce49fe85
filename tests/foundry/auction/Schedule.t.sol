// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { SmartWallet } from "../../../contracts/mocks/SmartWallet.sol";
import { Cancel } from "../../../contracts/types/Cancel.sol";
import { ASK, BID, Order } from "../../../contracts/types/Order.sol";
import { Party, Signing } from "../support/Signing.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";
import { Feeder, Home } from "./Feeder.sol";
import { Wallet } from "./Wallet.sol";

/// placeSchedule, cancelSchedule
contract ScheduleTest is Feeder {
    uint32 private constant LINES = 4;

    Home private home;
    Home private neighbour;

    function setUp() public override {
        super.setUp();
        home = _home(1);
        neighbour = _home(2);
    }

    // --------------------------------------------------------------------------------------------------- who may say what

    function test_placeSchedule__given_a_strangers_signature__refuses_every_line() external {
        Order[] memory lines = _lines(home, 1);
        _assertAllRefused(lines, _signedSchedule(stranger, home.owner.addr, lines), IEnergyAuction.WrongSigner.selector);
    }

    function test_placeSchedule__given_a_signature_for_another_account__refuses_every_line() external {
        Order[] memory lines = _lines(home, 1);
        bytes memory signature = _signedSchedule(home.owner, neighbour.owner.addr, lines);
        _assertAllRefused(lines, signature, IEnergyAuction.WrongSigner.selector);
        bytes4[] memory reasons = _placeSchedule(neighbour.owner.addr, lines, signature);
        assertReason(reasons[0], IEnergyAuction.WrongSigner.selector, "nor of that account");
    }

    function test_placeSchedule__given_no_account__refuses_every_line() external {
        Order[] memory lines = _lines(home, 1);
        bytes4[] memory reasons = _placeSchedule(address(0), lines, _signedSchedule(home.owner, address(0), lines));
        for (uint256 i = 0; i < LINES; ++i) {
            assertReason(reasons[i], IEnergyAuction.WrongSigner.selector, "nobody's schedule");
        }
    }

    function test_placeSchedule__given_a_line_that_was_not_signed__refuses_every_line(uint256 seed, uint8 bit) external {
        Order[] memory lines = _lines(home, 1);
        bytes memory signature = _signedSchedule(home.owner, lines);
        uint256 line = seed % LINES;
        // the energy's bits: any other change would be refused for another reason
        lines[line] = Order.wrap(Order.unwrap(lines[line]) ^ bytes32(uint256(1) << (64 + bit % 8)));
        bytes4[] memory reasons = _placeSchedule(home.owner.addr, lines, signature);
        assertReason(reasons[(line + 1) % LINES], IEnergyAuction.WrongSigner.selector, "the whole is signed, or nothing");
    }

    function test_placeSchedule__given_a_line_less__refuses_every_line() external {
        Order[] memory lines = _lines(home, 1);
        bytes memory signature = _signedSchedule(home.owner, lines);
        Order[] memory fewer = new Order[](LINES - 1);
        for (uint256 i = 0; i < fewer.length; ++i) {
            fewer[i] = lines[i];
        }
        _assertAllRefused(fewer, signature, IEnergyAuction.WrongSigner.selector);
    }

    function test_placeSchedule__given_a_signature_of_one_line__refuses_it() external {
        Order[] memory lines = new Order[](1);
        lines[0] = _order(home, 1, BID, 1_000, 200_000);
        (bytes32 r, bytes32 vs) = vm.signCompact(home.owner.key, _orderDigest(lines[0]));
        _assertAllRefused(lines, abi.encodePacked(r, vs), IEnergyAuction.WrongSigner.selector);
    }

    function test_placeSchedule__given_65_or_truncated_bytes_of_a_key__refuses_every_line() external {
        Order[] memory lines = _lines(home, 1);
        bytes memory signature = _signedSchedule(home.owner, lines);
        _assertAllRefused(lines, bytes.concat(signature, hex"1b"), IEnergyAuction.WrongSigner.selector);
        _assertAllRefused(lines, bytes.concat(bytes32(signature)), IEnergyAuction.WrongSigner.selector);
        _assertAllRefused(lines, "", IEnergyAuction.WrongSigner.selector);
    }

    // -------------------------------------------------------------------------------------------------- a result per line

    function test_placeSchedule__given_anothers_meter_in_a_line__refuses_that_line() external {
        Order[] memory lines = _lines(home, 1);
        lines[2] = _orderAt(SLOT + 2, neighbour, 1, BID, 1_000, 200_000);
        bytes4[] memory reasons = _placeSchedule(home.owner.addr, lines, _signedSchedule(home.owner, lines));
        _assertOnly(reasons, 2, IEnergyAuction.WrongSigner.selector);
    }

    function test_placeSchedule__given_a_line_off_the_grid__refuses_that_line() external {
        Order[] memory lines = _lines(home, 1);
        lines[1] = _orderAt(SLOT + 1, home, 1, BID, 1_000, 200_001);
        bytes4[] memory reasons = _placeSchedule(home.owner.addr, lines, _signedSchedule(home.owner, lines));
        _assertOnly(reasons, 1, IEnergyAuction.PriceOffGrid.selector);
    }

    function test_placeSchedule__given_too_little_money__refuses_the_lines_that_it_does_not_reach() external {
        uint256 amount = vault.withdrawableOf(home.owner.addr) - 500_000;
        vm.prank(home.owner.addr);
        vault.withdraw(home.owner.addr, amount);
        Order[] memory lines = _lines(home, 1); // 0.20 each
        bytes4[] memory reasons = _placeSchedule(home.owner.addr, lines, _signedSchedule(home.owner, lines));
        assertReason(reasons[0], 0, "0.20 of 0.50");
        assertReason(reasons[1], 0, "0.40 of 0.50");
        assertTrue(reasons[2] != 0 && reasons[3] != 0, "no more than that");
        assertEq(_availableOf(home.owner.addr), 100_000, "two lines are locked");
        assertEq(auction.slotStateOf(MARKET, SLOT + 2).openBidWh, 0, "nothing of the third");
    }

    function test_placeSchedule__given_the_same_position_twice__refuses_the_second() external {
        Order[] memory lines = new Order[](2);
        lines[0] = _order(home, 1, BID, 1_000, 200_000);
        lines[1] = _order(home, 2, BID, 2_000, 200_000);
        bytes4[] memory reasons = _placeSchedule(home.owner.addr, lines, _signedSchedule(home.owner, lines));
        _assertOnly(reasons, 1, IEnergyAuction.DuplicateInBatch.selector);
    }

    function test_placeSchedule__given_it_again__refuses_every_line() external {
        Order[] memory lines = _lines(home, 1);
        bytes memory signature = _signedSchedule(home.owner, lines);
        _placeSchedule(home.owner.addr, lines, signature);
        _assertAllRefused(lines, signature, IEnergyAuction.VersionNotNewer.selector);
    }

    function test_placeSchedule__given_more_lines_than_a_batch__reverts() external {
        Order[] memory lines = new Order[](257);
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.BatchTooLarge.selector, 257, 256));
        auction.placeSchedule(home.owner.addr, lines, "");
    }

    // ------------------------------------------------------------------------------------------------------------ success

    function test_placeSchedule__given_slots_in_any_order__places_each_like_an_order_of_its_own() external {
        Order[] memory lines = new Order[](4);
        lines[0] = _orderAt(SLOT + 3, home, 1, BID, 1_000, 200_000);
        lines[1] = _orderAt(SLOT, home, 1, ASK, 700, 150_000);
        lines[2] = _orderAt(SLOT + 100, home, 1, BID, 300, 240_000);
        lines[3] = _orderAt(SLOT + 1, home, 1, ASK, 200, 150_000);
        vm.expectEmit(address(auction));
        emit IEnergyAuction.Placed(_orderDigest(lines[0]), home.meter, SLOT + 3, lines[0]);
        auction.placeSchedule(home.owner.addr, lines, _signedSchedule(home.owner, lines));
        for (uint256 i = 0; i < lines.length; ++i) {
            IEnergyAuction.SlotState memory state = auction.slotStateOf(MARKET, lines[i].slot());
            bool isBid = lines[i].side() == BID;
            assertEq(isBid ? state.openBidWh : state.openAskWh, lines[i].energyWh(), "in the books of its slot");
            (uint16 version, uint40 takenAt) = auction.lastVersionOf(home.meter, lines[i].slot());
            assertEq(version, 1, "its version stands");
            assertEq(takenAt, block.timestamp, "and when it came");
        }
        assertEq(
            vault.potOf(address(auction)), 200_000 + 147_000 + 72_000 + 42_000, "0.20 + 0.147 + 0.072 + 0.042 locked"
        );
    }

    function test_placeSchedule__given_meters_of_one_account__places_them_all() external {
        Home memory second = _secondMeter();
        Order[] memory lines = new Order[](2);
        lines[0] = _order(home, 1, BID, 1_000, 200_000);
        lines[1] = _order(second, 1, BID, 500, 200_000);
        bytes4[] memory reasons = _placeSchedule(home.owner.addr, lines, _signedSchedule(home.owner, lines));
        _assertPlaced(reasons[0]);
        _assertPlaced(reasons[1]);
        assertEq(auction.slotStateOf(MARKET, SLOT).openBidWh, 1_500, "both");
    }

    function test_placeSchedule__given_single_lines_replaced_and_cancelled__keeps_the_others() external {
        Order[] memory lines = _lines(home, 1);
        _placeSchedule(home.owner.addr, lines, _signedSchedule(home.owner, lines));
        _assertPlaced(_place(_signedBy(home.owner, _orderAt(SLOT + 1, home, 2, BID, 400, 200_000))));
        assertReason(_cancelOne(_signedBy(home.owner, _cancelAt(SLOT + 2, home, 2))), 0, "cancelled");
        assertEq(auction.slotStateOf(MARKET, SLOT).openBidWh, 1_000, "as scheduled");
        assertEq(auction.slotStateOf(MARKET, SLOT + 1).openBidWh, 400, "replaced");
        assertEq(auction.slotStateOf(MARKET, SLOT + 2).openBidWh, 0, "cancelled");
        assertEq(auction.slotStateOf(MARKET, SLOT + 3).openBidWh, 1_000, "as scheduled");
    }

    function test_placeSchedule__given_the_stop__reverts_and_cancelSchedule_goes_on() external {
        Order[] memory lines = _lines(home, 1);
        _placeSchedule(home.owner.addr, lines, _signedSchedule(home.owner, lines));
        vm.prank(admin);
        authority.setTargetClosed(address(auction), true);
        Order[] memory more = _lines(home, 2);
        bytes memory signature = _signedSchedule(home.owner, more);
        vm.expectRevert();
        auction.placeSchedule(home.owner.addr, more, signature);
        Cancel[] memory cancels = _cancels(home, 2);
        bytes4[] memory reasons =
            _cancelSchedule(home.owner.addr, cancels, _signedCancels(home.owner, home.owner.addr, cancels));
        for (uint256 i = 0; i < LINES; ++i) {
            assertReason(reasons[i], 0, "cancelled");
        }
        assertEq(_availableOf(home.owner.addr), 10_000_000, "all of it is back");
    }

    function test_cancelSchedule__given_a_schedules_signature__refuses_every_line() external {
        Order[] memory lines = _lines(home, 1);
        _placeSchedule(home.owner.addr, lines, _signedSchedule(home.owner, lines));
        Cancel[] memory cancels = _cancels(home, 2);
        Order[] memory alike = new Order[](LINES);
        for (uint256 i = 0; i < LINES; ++i) {
            alike[i] = Order.wrap(Cancel.unwrap(cancels[i]));
        }
        bytes4[] memory reasons = _cancelSchedule(home.owner.addr, cancels, _signedSchedule(home.owner, alike));
        assertReason(reasons[0], IEnergyAuction.WrongSigner.selector, "another type");
    }

    // ------------------------------------------------------------------------------------------------------------ wallets

    function test_placeSchedule__given_a_wallet_that_wants_65_bytes__places() external {
        Party memory keeper = Signing.party("keeper of a wallet");
        address wallet = address(new SmartWallet(keeper.addr));
        Home memory shared = _walletHome(wallet);
        Order[] memory lines = _lines(shared, 1);
        bytes memory long = _rsv(_signedSchedule(keeper, wallet, lines));
        bytes4[] memory reasons = _placeSchedule(wallet, lines, long);
        _assertPlaced(reasons[0]);
        assertEq(_availableOf(wallet), 10_000_000 - 4 * 200_000, "the wallet's own money");
        reasons = _placeSchedule(wallet, _lines(shared, 2), long);
        assertReason(reasons[0], IEnergyAuction.WrongSigner.selector, "it says yes to what it signed");
    }

    function test_placeSchedule__given_a_wallet_that_burns_gas__costs_what_a_wallet_may() external {
        address wallet = address(new Wallet(address(0)));
        Home memory shared = _walletHome(wallet);
        Order[] memory lines = _lines(shared, 1);
        uint256 gas = gasleft();
        bytes4[] memory reasons = _placeSchedule(wallet, lines, "consent");
        gas -= gasleft();
        assertReason(reasons[0], IEnergyAuction.WrongSigner.selector, "no consent");
        assertLe(gas, 400_000, "asked once for all lines");
    }

    function test_placeSchedule__given_too_little_gas_for_a_wallet__reverts_instead_of_refusing() external {
        Party memory keeper = Signing.party("keeper of a wallet");
        address wallet = address(new SmartWallet(keeper.addr));
        Home memory shared = _walletHome(wallet);
        Order[] memory lines = _lines(shared, 1);
        bytes memory call =
            abi.encodeCall(auction.placeSchedule, (wallet, lines, _rsv(_signedSchedule(keeper, wallet, lines))));
        bool told;
        // what placing needs is more than that: whatever succeeded would have refused
        for (uint256 gas = 30_000; gas < 200_000; gas += 2_500) {
            (bool done, bytes memory answer) = address(auction).call{ gas: gas }(call);
            assertFalse(done, "whoever sends too little cannot have it refused");
            told = told || bytes4(answer) == IEnergyAuction.GasTooLowForWallet.selector;
        }
        assertTrue(told, "and is told why");
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    /// Bids of 1 kWh for 0.20 in LINES slots from SLOT on.
    function _lines(Home memory of_, uint16 version) private view returns (Order[] memory lines) {
        lines = new Order[](LINES);
        for (uint32 i = 0; i < LINES; ++i) {
            lines[i] = _orderAt(SLOT + i, of_, version, BID, 1_000, 200_000);
        }
    }

    function _cancels(Home memory of_, uint16 version) private view returns (Cancel[] memory cancels) {
        cancels = new Cancel[](LINES);
        for (uint32 i = 0; i < LINES; ++i) {
            cancels[i] = _cancelAt(SLOT + i, of_, version);
        }
    }

    function _secondMeter() private returns (Home memory second) {
        DeviceKey memory device = _secpDevice(4_711);
        _enrol(device, home.owner.addr);
        second = Home(home.owner, device, _registerFor(_registration(device.id, home.owner.addr), home.owner));
    }

    function _walletHome(address wallet) private returns (Home memory shared) {
        shared.owner = Party(wallet, 0);
        shared.device = _secpDevice(777);
        _enrol(shared.device, wallet);
        shared.meter = _register(_registration(shared.device.id, wallet));
        _deposit(wallet, 10_000_000);
    }

    /// A compact signature as r, s, v.
    function _rsv(bytes memory compact) private pure returns (bytes memory) {
        (bytes32 r, bytes32 vs) = abi.decode(compact, (bytes32, bytes32));
        return abi.encodePacked(r, vs & bytes32(type(uint256).max >> 1), uint8(uint256(vs) >> 255) + 27);
    }

    function _assertAllRefused(Order[] memory lines, bytes memory signature, bytes4 reason) private {
        bytes32 before = _stateOf(home, SLOT);
        bytes4[] memory reasons = _placeSchedule(home.owner.addr, lines, signature);
        for (uint256 i = 0; i < lines.length; ++i) {
            assertReason(reasons[i], reason, "refused");
        }
        assertEq(_stateOf(home, SLOT), before, "nothing changed");
    }

    /// Events come in the order of the lines.
    function _assertOnly(bytes4[] memory reasons, uint256 refused, bytes4 reason) private pure {
        for (uint256 i = 0; i < reasons.length; ++i) {
            assertReason(reasons[i], i == refused ? reason : bytes4(0), "one line alone");
        }
    }
}
