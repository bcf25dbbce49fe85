// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { IRelayerBond } from "../../../contracts/interfaces/IRelayerBond.sol";
import { Acknowledgement } from "../../../contracts/types/Acknowledgement.sol";
import { Order, SignedOrder } from "../../../contracts/types/Order.sol";
import { vm } from "../support/Vm.sol";
import { Bonded } from "./Bonded.sol";

/// proveRefusal
/// ├── given an order that can be taken: it is placed
/// ├── given one that is refused: noted, and no claim
/// ├── given a refusal that says nothing: another signature, too early, too late, too little gas
/// └── given a stopped auction: noted
contract ProveRefusalTest is Bonded {
    SignedOrder private tooDear;

    function setUp() public override {
        super.setUp();
        tooDear = _signedBid(1, 60_000);
        uint256 most = vault.withdrawableOf(home.owner.addr);
        vm.prank(home.owner.addr);
        vault.withdraw(home.owner.addr, most - 1_000_000);
    }

    function test_proveRefusal__given_an_order_that_can_be_taken__places_it() external {
        SignedOrder memory fine = _signedBid(1, 1_000);
        bond.proveRefusal(fine);
        (uint256 version,) = auction.lastVersionOf(home.meter, SLOT);
        assertEq(version, 1, "placed");
        assertEq(_refusedAt(fine), 0, "not refused");
        vm.warp(_gateOf(SLOT));
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.OrderArrived.selector, 1, START));
        bond.claim(fine.order, _acknowledged(fine));
    }

    function test_proveRefusal__given_an_account_that_cannot_pay__ends_the_claim() external {
        bond.proveRefusal(tooDear);
        assertEq(_refusedAt(tooDear), START, "noted");
        vm.warp(_gateOf(SLOT));
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.OrderWasRefused.selector, START));
        bond.claim(tooDear.order, _acknowledged(tooDear));
    }

    /// Else anybody could make a proof come too late for an earlier promise.
    function test_proveRefusal__given_a_second_proof__keeps_the_first() external {
        bond.proveRefusal(tooDear);
        vm.warp(START + 60);
        bond.proveRefusal(tooDear);
        assertEq(_refusedAt(tooDear), START, "the first");
    }

    function test_proveRefusal__given_a_signature_that_was_not_acknowledged__saves_no_relayer() external {
        SignedOrder memory fine = _signedBid(1, 1_000);
        Acknowledgement memory promise_ = _acknowledged(fine);
        SignedOrder memory spoilt = SignedOrder(fine.order, fine.r, bytes32(uint256(fine.vs) ^ 1));
        bond.proveRefusal(spoilt);
        assertEq(_refusedAt(spoilt), START, "that signature is refused");
        vm.warp(_gateOf(SLOT));
        bond.claim(fine.order, promise_);
        assertEq(_amountOf(), STAKE - COMPENSATION, "the acknowledged one was not");
    }

    function test_proveRefusal__given_the_gate__notes_nothing() external {
        vm.warp(_gateOf(SLOT));
        bond.proveRefusal(tooDear);
        assertEq(_refusedAt(tooDear), 0, "it was too late to be placed");
        vm.warp(_gateOf(SLOT) - 1);
        bond.proveRefusal(tooDear);
        assertEq(_refusedAt(tooDear), _gateOf(SLOT) - 1, "a second before");
    }

    function test_proveRefusal__given_its_deadline_has_passed__notes_nothing() external {
        Order order = _order(home, 1, 1, 60_000, 250_000);
        SignedOrder memory hourly = _signedBy(home.owner, order);
        vm.warp(order.deadline() + 1);
        bond.proveRefusal(hourly);
        assertEq(_refusedAt(hourly), 0, "expired is not refused");
        vm.warp(order.deadline());
        bond.proveRefusal(hourly);
        assertEq(_refusedAt(hourly), order.deadline(), "until then it could be");
    }

    function test_proveRefusal__given_a_slot_beyond_the_horizon__notes_nothing() external {
        SignedOrder memory far = _signedBidAt(FIRST_SLOT + 193, 1, 60_000);
        bond.proveRefusal(far);
        assertEq(_refusedAt(far), 0, "its time comes yet");
        vm.warp(START + SLOT_LENGTH);
        bond.proveRefusal(far);
        assertEq(_refusedAt(far), START + SLOT_LENGTH, "it has come");
    }

    function test_proveRefusal__given_an_order_of_no_side__notes_nothing() external {
        Order order = _pack(MARKET, SLOT, home.meter, 1, type(uint40).max, 0, 1_000, 250_000);
        SignedOrder memory sideless = _signedBy(home.owner, order);
        bond.proveRefusal(sideless);
        assertEq(_refusedAt(sideless), 0, "nobody should have acknowledged it");
    }

    function test_proveRefusal__given_a_refusal_after_the_promised_time__pays() external {
        bytes32 signatureHash = keccak256(abi.encodePacked(tooDear.r, tooDear.vs));
        Acknowledgement memory sooner =
            _acknowledged(relayer, _orderDigest(tooDear.order), signatureHash, START + 60);
        vm.warp(START + 60);
        bond.proveRefusal(tooDear);
        bond.claim(tooDear.order, sooner);
        assertEq(_amountOf(), STAKE - COMPENSATION, "a second too late");
    }

    /// Whatever the gas: an order that can be taken is either placed or the call reverts.
    function testFuzz_proveRefusal__given_too_little_gas__never_notes(uint256 gasLimit) external {
        SignedOrder memory fine = _signedBid(1, 1_000);
        gasLimit = _bound(gasLimit, 30_000, 400_000);
        (bool done,) = address(bond).call{ gas: gasLimit }(abi.encodeCall(bond.proveRefusal, (fine)));
        assertEq(_refusedAt(fine), 0, "not refused");
        (uint256 version,) = auction.lastVersionOf(home.meter, SLOT);
        assertEq(version, done ? 1 : 0, "placed or nothing");
    }

    /// The emergency stop closes placing at once; it is not the relayer's doing.
    function test_proveRefusal__given_a_stopped_auction__is_noted() external {
        vm.prank(admin);
        authority.setTargetClosed(address(auction), true);
        SignedOrder memory fine = _signedBid(1, 1_000);
        bond.proveRefusal(fine);
        assertEq(_refusedAt(fine), START, "nobody could place it");
    }

    function test_proveScheduleRefusal__given_lines_of_both_kinds__notes_those_refused() external {
        Order[] memory orders = new Order[](3);
        orders[0] = _signedBidAt(SLOT, 1, 1_000).order;
        orders[1] = _signedBidAt(SLOT + 1, 1, 60_000).order;
        orders[2] = _signedBidAt(SLOT + 2, 1, 1_000).order;
        bytes memory signature = _signedSchedule(home.owner, orders);
        bond.proveScheduleRefusal(home.owner.addr, orders, signature);
        bytes32 signatureHash = keccak256(signature);
        bytes32 request = auction.digestOfSchedule(home.owner.addr, orders);
        assertEq(bond.refusedAt(_orderDigest(orders[0]), request, signatureHash), 0, "placed");
        assertEq(bond.refusedAt(_orderDigest(orders[1]), request, signatureHash), START, "refused");
        assertEq(bond.refusedAt(_orderDigest(orders[2]), request, signatureHash), 0, "placed");
        Acknowledgement memory promise_ = _acknowledged(relayer, request, signatureHash, _gateOf(SLOT));
        vm.warp(_gateOf(SLOT + 2));
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert();
            bond.claimLine(home.owner.addr, orders, i, promise_);
        }
    }

    function test_proveScheduleRefusal__given_more_than_a_batch__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.BatchTooLarge.selector, 257, 256));
        bond.proveScheduleRefusal(home.owner.addr, new Order[](257), new bytes(64));
    }

    function _refusedAt(SignedOrder memory signed) private view returns (uint256) {
        bytes32 digest = _orderDigest(signed.order);
        return bond.refusedAt(digest, digest, keccak256(abi.encodePacked(signed.r, signed.vs)));
    }
}
