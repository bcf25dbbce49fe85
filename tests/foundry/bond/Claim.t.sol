// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { IRelayerBond } from "../../../contracts/interfaces/IRelayerBond.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Acknowledgement } from "../../../contracts/types/Acknowledgement.sol";
import { BID, Order, SignedOrder } from "../../../contracts/types/Order.sol";
import { Party, Signing } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";
import { Bonded } from "./Bonded.sol";

/// claim
/// ├── given a promise that is none: WrongSignature
/// ├── given a time that is not its: CommitmentNotDue, ClaimTooLate
/// ├── given a promise that was kept: OrderArrived, OrderWasRefused (in ProveRefusal.t.sol)
/// ├── given nothing to pay with or to: BondTooSmall, AlreadyCompensated, OrderMeterUnknown
/// └── else: the account of the order's meter has the compensation
contract ClaimTest is Bonded {
    SignedOrder private signed;
    Acknowledgement private promise_;

    function setUp() public override {
        super.setUp();
        signed = _signedBid(1, 1_000);
        promise_ = _acknowledged(signed);
        vm.warp(_gateOf(SLOT));
    }

    // -------------------------------------------------------------------------------------------- a promise that is none

    function test_claim__given_another_key__reverts() external {
        Acknowledgement memory forged =
            _acknowledged(stranger, _orderDigest(signed.order), promise_.signatureHash, promise_.commitBefore);
        forged.relayer = relayer.addr;
        _assertUnsigned(signed.order, forged);
        Acknowledgement memory blank;
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, address(0)));
        bond.claim(signed.order, blank);
    }

    function test_claim__given_anything_else_than_was_promised__reverts() external {
        Acknowledgement memory changed = promise_;
        changed.commitBefore -= 1;
        _assertUnsigned(signed.order, changed);
        changed = promise_;
        changed.sponsor = utility.addr;
        _assertUnsigned(signed.order, changed);
        changed = promise_;
        changed.signatureHash = keccak256("another");
        _assertUnsigned(signed.order, changed);
        _assertUnsigned(_signedBid(2, 1_000).order, promise_);
    }

    function test_claim__given_another_chain_or_bond__reverts() external {
        vm.chainId(block.chainid + 1);
        _assertUnsigned(signed.order, promise_);
    }

    function _assertUnsigned(Order order, Acknowledgement memory given) private {
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, relayer.addr));
        bond.claim(order, given);
    }

    // ------------------------------------------------------------------------------------------------- not its time

    function test_claim__given_a_second_too_early__reverts() external {
        vm.warp(_gateOf(SLOT) - 1);
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.CommitmentNotDue.selector, _gateOf(SLOT)));
        bond.claim(signed.order, promise_);
    }

    /// From then on the position's word may be a later slot's.
    function test_claim__given_64_slots_later__reverts() external {
        uint256 closedAt = (uint256(SLOT) + 64) * SLOT_LENGTH;
        vm.warp(closedAt);
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.ClaimTooLate.selector, closedAt));
        bond.claim(signed.order, promise_);
        vm.warp(closedAt - 1);
        bond.claim(signed.order, promise_);
    }

    // ---------------------------------------------------------------------------------------------- a promise kept

    function test_claim__given_the_order_was_placed__reverts() external {
        vm.warp(START);
        _assertPlaced(_place(signed));
        vm.warp(_gateOf(SLOT));
        _assertArrived(1, START);
    }

    function test_claim__given_it_was_placed_and_settled__reverts() external {
        vm.warp(START);
        _assertPlaced(_place(signed));
        vm.warp(_endOf(SLOT));
        assertReason(_settle(home, SLOT, 1, 900, 0), 0, "settled");
        _assertArrived(1, START);
    }

    function test_claim__given_a_newer_version__reverts() external {
        vm.warp(START);
        assertReason(_cancelOne(_signedBy(home.owner, _cancel(home, 2))), 0, "cancelled ahead");
        vm.warp(_gateOf(SLOT));
        _assertArrived(2, START);
    }

    function test_claim__given_it_was_placed_later_than_promised__pays() external {
        uint256 early = START + 60;
        Acknowledgement memory sooner =
            _acknowledged(relayer, _orderDigest(signed.order), promise_.signatureHash, early);
        vm.warp(early);
        _assertPlaced(_place(signed));
        bond.claim(signed.order, sooner);
        assertEq(_amountOf(), STAKE - COMPENSATION, "late is not kept");
    }

    function _assertArrived(uint256 version, uint256 takenAt) private {
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.OrderArrived.selector, version, takenAt));
        bond.claim(signed.order, promise_);
    }

    // ------------------------------------------------------------------------------------------------ nothing to pay

    function test_claim__given_it_was_claimed__reverts() external {
        bond.claim(signed.order, promise_);
        bytes32 digest = _orderDigest(signed.order);
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.AlreadyCompensated.selector, digest, relayer.addr));
        bond.claim(signed.order, promise_);
        assertTrue(bond.isCompensated(digest, relayer.addr), "once for each order and relayer");
    }

    function test_claim__given_a_sponsor_without_a_bond__reverts() external {
        Party memory other = Signing.party("other relayer");
        Acknowledgement memory unbacked =
            _acknowledged(other, _orderDigest(signed.order), promise_.signatureHash, promise_.commitBefore);
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.BondTooSmall.selector, 0, COMPENSATION));
        bond.claim(signed.order, unbacked);
    }

    function test_claim__given_a_bond_that_is_used_up__reverts() external {
        for (uint16 i = 0; i < STAKE / COMPENSATION; ++i) {
            SignedOrder memory each = _signedBidAt(SLOT + i, 1, 1_000);
            vm.warp(_gateOf(SLOT + i));
            bond.claim(each.order, _acknowledged(each));
        }
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.BondTooSmall.selector, 0, COMPENSATION));
        SignedOrder memory last = _signedBid(2, 1_000);
        bond.claim(last.order, _acknowledged(last));
    }

    function test_claim__given_a_meter_that_is_not_there__reverts() external {
        Order order = _pack(MARKET, SLOT, 99, 1, type(uint40).max, BID, 1_000, 250_000);
        vm.expectRevert(IEnergyAuction.OrderMeterUnknown.selector);
        bond.claim(order, _acknowledged(relayer, _orderDigest(order), 0, _gateOf(SLOT)));
    }

    function test_claim__given_an_order_of_no_side__reverts() external {
        Order order = _pack(MARKET, SLOT, home.meter, 1, type(uint40).max, 3, 1_000, 250_000);
        vm.expectRevert(IEnergyAuction.SideNotAllowed.selector);
        bond.claim(order, _acknowledged(relayer, _orderDigest(order), 0, _gateOf(SLOT)));
    }

    // -------------------------------------------------------------------------------------------------------- it pays

    function test_claim__given_a_withheld_order__pays_its_account_whoever_claims() external {
        uint256 before = _availableOf(home.owner.addr);
        vm.prank(stranger.addr);
        bond.claim(signed.order, promise_);
        assertEq(_availableOf(home.owner.addr), before + COMPENSATION, "the account has it");
        assertEq(_amountOf(), STAKE - COMPENSATION, "out of the bond");
        assertEq(vault.potOf(address(bond)), STAKE - COMPENSATION, "which is the pot");
    }

    function test_claimLine__given_a_withheld_schedule__pays_line_by_line() external {
        vm.warp(START);
        Order[] memory orders = new Order[](3);
        for (uint16 i = 0; i < 3; ++i) {
            orders[i] = _signedBidAt(SLOT + i, 1, 1_000).order;
        }
        bytes memory signature = _signedSchedule(home.owner, orders);
        bytes32 request = auction.digestOfSchedule(home.owner.addr, orders);
        Acknowledgement memory given = _acknowledged(relayer, request, keccak256(signature), _gateOf(SLOT));
        _assertPlaced(_place(_signedBidAt(SLOT + 1, 1, 500)));
        vm.warp(_gateOf(SLOT));
        bond.claimLine(home.owner.addr, orders, 0, given);
        bond.claimLine(home.owner.addr, orders, 2, given);
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.OrderArrived.selector, 1, START));
        bond.claimLine(home.owner.addr, orders, 1, given);
        assertEq(_amountOf(), STAKE - 2 * COMPENSATION, "one for each that did not arrive");
    }

    /// The compensation is what comes in, and what comes in pays what is owed.
    function test_claim__given_an_account_in_arrears__pays_its_creditor() external {
        Party memory owner = home.owner;
        uint256 most = vault.withdrawableOf(owner.addr);
        vm.prank(owner.addr);
        vault.withdraw(owner.addr, most);
        vm.warp(_deadlineOf(SLOT));
        auction.clear(MARKET, SLOT);
        assertReason(_settleByDefault(home, SLOT), 0, "charged for its silence");
        uint256 owed = _arrearOf(owner.addr);
        assertEq(owed, 500 * RETAIL / 1_000, "of which it had nothing");
        bond.claim(signed.order, promise_);
        assertEq(_arrearOf(owner.addr), 0, "paid");
        assertEq(_availableOf(owner.addr), COMPENSATION - owed, "the rest is its own");
    }
}
