// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Acknowledgement } from "../../../contracts/types/Acknowledgement.sol";
import { Order, SignedOrder } from "../../../contracts/types/Order.sol";
import { vm } from "../support/Vm.sol";
import { Bonded } from "./Bonded.sol";

/// A relayer that withholds an order and would have it refused by putting its signature under something else.
contract BorrowedTest is Bonded {
    Order[] private orders;
    bytes private signature;
    Acknowledgement private promise_;

    function setUp() public override {
        super.setUp();
        orders.push(_signedBidAt(SLOT, 1, 1_000).order);
        orders.push(_signedBidAt(SLOT + 1, 1, 1_000).order);
        signature = _signedSchedule(home.owner, orders);
        promise_ = _acknowledged(relayer, _request(), keccak256(signature), _gateOf(SLOT));
    }

    function test_claim__given_its_signature_was_refused_as_a_schedule_s__pays() external {
        SignedOrder memory fine = _signedBid(1, 1_000);
        Acknowledgement memory alone = _acknowledged(fine);
        Order[] memory one = new Order[](1);
        one[0] = fine.order;
        bond.proveScheduleRefusal(home.owner.addr, one, abi.encodePacked(fine.r, fine.vs));
        vm.warp(_gateOf(SLOT));
        bond.claim(fine.order, alone);
        assertEq(_amountOf(), STAKE - COMPENSATION, "the order itself was never tried");
    }

    function test_claimLine__given_its_signature_was_refused_as_an_order_s__pays() external {
        (bytes32 r, bytes32 vs) = abi.decode(signature, (bytes32, bytes32));
        bond.proveRefusal(SignedOrder(orders[0], r, vs));
        _assertPays();
    }

    function test_claimLine__given_its_signature_was_refused_for_a_part_of_the_schedule__pays() external {
        Order[] memory part = new Order[](1);
        part[0] = orders[0];
        bond.proveScheduleRefusal(home.owner.addr, part, signature);
        _assertPays();
    }

    function test_claimLine__given_its_signature_was_refused_for_another_account__pays() external {
        bond.proveScheduleRefusal(stranger.addr, orders, signature);
        _assertPays();
    }

    function test_proveScheduleRefusal__given_a_line_of_no_market__notes_the_others() external {
        orders[1] = _pack(99, SLOT + 1, home.meter, 1, type(uint40).max, 1, 1_000, 250_000);
        orders.push(_signedBidAt(SLOT + 2, 1, 60_000).order);
        signature = _signedSchedule(home.owner, orders);
        uint256 most = vault.withdrawableOf(home.owner.addr);
        vm.prank(home.owner.addr);
        vault.withdraw(home.owner.addr, most);
        bond.proveScheduleRefusal(home.owner.addr, orders, signature);
        assertEq(bond.refusedAt(_orderDigest(orders[0]), _request(), keccak256(signature)), START, "before it");
        assertEq(bond.refusedAt(_orderDigest(orders[1]), _request(), keccak256(signature)), 0, "nobody can place it");
        assertEq(bond.refusedAt(_orderDigest(orders[2]), _request(), keccak256(signature)), START, "after it");
    }

    function _request() private view returns (bytes32) {
        return auction.digestOfSchedule(home.owner.addr, orders);
    }

    function _assertPays() private {
        vm.warp(_gateOf(SLOT));
        bond.claimLine(home.owner.addr, orders, 0, promise_);
        assertEq(_amountOf(), STAKE - COMPENSATION, "the schedule itself was never tried");
    }
}
