// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { EnergyAuction } from "../../../contracts/EnergyAuction.sol";
import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { ASK, BID, Order, SignedOrder } from "../../../contracts/types/Order.sol";
import { Feeder, Home } from "../auction/Feeder.sol";
import { Vm, vm } from "../support/Vm.sol";

/// Batch front-running: the thief sees the relayer's batch, copies of it what it likes and sends that first.
contract FrontRunTest is Feeder {
    uint256 private constant HOMES = 5;

    Home[HOMES] private homes;
    /// Times that the order at that place of the batch was placed. Going back to a snapshot clears it too.
    uint256[HOMES] private placed;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < HOMES; ++i) {
            homes[i] = _home(2 * i + 2);
        }
    }

    function test_front_running__given_any_copies_in_any_order__leaves_the_same_book(uint256 draw) external {
        SignedOrder[] memory batch = _batch();
        uint256 start = vm.snapshotState();
        _send(batch, batch);
        bytes32 untouched = _outcome();
        vm.revertToState(start);

        _send(_copies(batch, draw), batch);
        _send(_copies(batch, draw >> 128), batch);
        _send(batch, batch);
        for (uint256 i = 0; i < HOMES; ++i) {
            assertEq(placed[i], 1, "each order exactly once");
        }
        assertEq(_outcome(), untouched, "same book, same price, same money");
    }

    function test_front_running__given_all_of_it_one_by_one__leaves_the_batch_refused_whole_and_not_reverted() external {
        SignedOrder[] memory batch = _batch();
        for (uint256 i = HOMES; i > 0; --i) {
            _assertPlaced(_place(batch[i - 1]));
        }
        bytes4[] memory reasons = _place(batch);
        for (uint256 i = 0; i < HOMES; ++i) {
            assertReason(reasons[i], IEnergyAuction.VersionNotNewer.selector, "it stands already");
        }
        assertTrue(_outcome() != 0, "and the slot clears");
        assertEq(auction.clearingOf(MARKET, SLOT).volumeWh, 1_600, "400 and 700 and 500 Wh asked below 0.21 net");
    }

    /// A replacement that overtakes what it replaces: the home wanted the newer one to stand.
    function test_front_running__given_the_newer_version_first__keeps_the_newer() external {
        SignedOrder memory first = _signedBy(homes[0].owner, _order(homes[0], 1, BID, 1_000, 250_000));
        SignedOrder memory second = _signedBy(homes[0].owner, _order(homes[0], 2, BID, 300, 250_000));
        _assertPlaced(_place(second));
        assertReason(_place(first), IEnergyAuction.VersionNotNewer.selector, "too late");
        assertEq(auction.positionOf(homes[0].meter, SLOT).energyWh, 300, "as the home meant it");
        assertEq(_availableOf(homes[0].owner.addr), 10_000_000 - 75_000, "and that is all it pays");
    }

    function test_front_running__given_a_schedule_sent_first__places_its_lines_once() external {
        Order[] memory lines = new Order[](3);
        for (uint32 i = 0; i < 3; ++i) {
            lines[i] = _orderAt(SLOT + i, homes[0], 1, BID, 1_000, 250_000);
        }
        bytes memory signature = _signedSchedule(homes[0].owner, lines);
        vm.prank(stranger.addr);
        auction.placeSchedule(homes[0].owner.addr, lines, signature);
        bytes4[] memory reasons = _placeSchedule(homes[0].owner.addr, lines, signature);
        for (uint256 i = 0; i < 3; ++i) {
            assertReason(reasons[i], IEnergyAuction.VersionNotNewer.selector, "it stands already");
        }
        assertEq(_availableOf(homes[0].owner.addr), 10_000_000 - 750_000, "locked once");
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    /// Two bids and three asks that share at the price.
    function _batch() private view returns (SignedOrder[] memory batch) {
        batch = new SignedOrder[](HOMES);
        batch[0] = _signedBy(homes[0].owner, _order(homes[0], 1, BID, 1_000, 250_000));
        batch[1] = _signedBy(homes[1].owner, _order(homes[1], 1, BID, 900, 250_000));
        batch[2] = _signedBy(homes[2].owner, _order(homes[2], 1, ASK, 400, 120_000));
        batch[3] = _signedBy(homes[3].owner, _order(homes[3], 1, ASK, 700, 130_000));
        batch[4] = _signedBy(homes[4].owner, _order(homes[4], 1, ASK, 500, 200_000));
    }

    /// Some items of the batch, in some order, perhaps one twice.
    function _copies(SignedOrder[] memory batch, uint256 draw) private pure returns (SignedOrder[] memory copies) {
        copies = new SignedOrder[](draw % (HOMES + 1));
        for (uint256 i = 0; i < copies.length; ++i) {
            copies[i] = batch[(draw >> (8 + 8 * i)) % HOMES];
        }
    }

    /// Sends it as anybody, and counts what was placed of the batch.
    function _send(SignedOrder[] memory orders, SignedOrder[] memory batch) private {
        vm.recordLogs();
        vm.prank(stranger.addr);
        (bool done,) = address(auction).call(abi.encodeCall(EnergyAuction.place, (orders)));
        assertTrue(done, "a batch never reverts for what is in it");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IEnergyAuction.Placed.selector) continue;
            for (uint256 j = 0; j < HOMES; ++j) {
                if (logs[i].topics[1] == _orderDigest(batch[j].order)) ++placed[j];
            }
        }
    }

    /// The slot cleared, and everything about it and the homes.
    function _outcome() private returns (bytes32 outcome) {
        vm.warp(_gateOf(SLOT));
        auction.clear(MARKET, SLOT);
        for (uint256 i = 0; i < HOMES; ++i) {
            outcome = keccak256(abi.encode(outcome, _stateOf(homes[i], SLOT)));
        }
    }
}
