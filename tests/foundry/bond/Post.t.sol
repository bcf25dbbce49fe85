// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { RelayerBond } from "../../../contracts/RelayerBond.sol";
import { IRelayerBond } from "../../../contracts/interfaces/IRelayerBond.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { SmartWallet } from "../../../contracts/mocks/SmartWallet.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { SignedOrder } from "../../../contracts/types/Order.sol";
import { Home } from "../auction/Feeder.sol";
import { vm } from "../support/Vm.sol";
import { Bonded } from "./Bonded.sol";

/// post, unbond, redeem
contract PostTest is Bonded {
    function test_constructor__given_no_compensation__reverts() external {
        vm.expectRevert(IRelayerBond.CompensationIsZero.selector);
        new RelayerBond(address(authority), vault, auction, ders, 0);
    }

    function test_post__given_another_key__reverts() external {
        Act memory act = _bondAct("PostBond", stranger, relayer.addr, STAKE);
        act.signer = sponsor.addr;
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, sponsor.addr));
        bond.post(relayer.addr, STAKE, act);
        act = _bondAct("PostBond", sponsor, relayer.addr, STAKE);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, sponsor.addr));
        bond.post(stranger.addr, STAKE, act);
        vm.expectRevert(IRelayerBond.RelayerIsZero.selector);
        bond.post(address(0), STAKE, act);
    }

    /// Else what the owner of several wallets puts down for one of them could be taken from each of them, and from its own account.
    function test_post__given_what_was_signed_for_another_of_ones_wallets__reverts() external {
        address wallet = address(new SmartWallet(sponsor.addr));
        _deposit(wallet, STAKE);
        Act memory act = _bondAct("PostBond", sponsor, relayer.addr, STAKE);
        act.signer = wallet;
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, wallet));
        bond.post(relayer.addr, STAKE, act);
    }

    function test_post__given_more_than_is_withdrawable__reverts() external {
        Act memory act = _bondAct("PostBond", sponsor, relayer.addr, STAKE + 1);
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.BondNotWithdrawable.selector, STAKE, STAKE + 1));
        bond.post(relayer.addr, STAKE + 1, act);
    }

    /// Else a bond that its own sponsor claims would free credit that a correction could still take.
    function test_post__given_credit_that_is_held__reverts() external {
        Home memory seller = _home(4);
        vm.warp(_endOf(SLOT));
        assertReason(_settle(seller, SLOT, 1, 0, 1_000), 0, "fed in");
        uint256 free = vault.withdrawableOf(seller.owner.addr);
        assertEq(_availableOf(seller.owner.addr) - free, 1_000 * FEED_IN / 1_000, "held");
        Act memory act = _bondAct("PostBond", seller.owner, relayer.addr, free + 1);
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.BondNotWithdrawable.selector, free, free + 1));
        bond.post(relayer.addr, free + 1, act);
        bond.post(relayer.addr, free, _bondAct("PostBond", seller.owner, relayer.addr, free));
    }

    function test_post__given_more_money__adds_to_the_bond() external {
        _post(STAKE / 2);
        assertEq(_amountOf(), STAKE + STAKE / 2, "the bond");
        assertEq(_availableOf(sponsor.addr), STAKE / 2, "from the sponsor's account");
        assertEq(vault.potOf(address(bond)), STAKE + STAKE / 2, "into the pot");
    }

    function test_unbond__given_another_key__reverts() external {
        Act memory act = _bondAct("Unbond", relayer, relayer.addr, STAKE);
        act.signer = sponsor.addr;
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, sponsor.addr));
        bond.unbond(relayer.addr, STAKE, act);
    }

    function test_unbond__given_more_than_stays__reverts() external {
        _unbond(STAKE - 1);
        Act memory act = _bondAct("Unbond", sponsor, relayer.addr, 2);
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.BondTooSmall.selector, 1, 2));
        bond.unbond(relayer.addr, 2, act);
    }

    function test_redeem__given_seven_days__pays_the_sponsor() external {
        _unbond(STAKE);
        vm.warp(START + 7 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.BondNotRedeemable.selector, START + 7 days));
        bond.redeem(sponsor.addr, relayer.addr);
        vm.warp(START + 7 days);
        vm.prank(stranger.addr);
        bond.redeem(sponsor.addr, relayer.addr);
        assertEq(_availableOf(sponsor.addr), 2 * STAKE, "all of it is back");
        assertEq(vault.potOf(address(bond)), 0, "nothing stays");
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.BondNotRedeemable.selector, START + 7 days));
        bond.redeem(sponsor.addr, relayer.addr);
    }

    /// What leaves answers for claims as long as it is there.
    function test_redeem__given_a_claim_meanwhile__pays_the_rest() external {
        SignedOrder memory signed = _signedBid(1, 1_000);
        _unbond(STAKE);
        vm.warp(_gateOf(SLOT));
        bond.claim(signed.order, _acknowledged(signed));
        vm.warp(START + 7 days);
        bond.redeem(sponsor.addr, relayer.addr);
        assertEq(_availableOf(sponsor.addr), 2 * STAKE - COMPENSATION, "less the compensation");
        assertEq(_amountOf(), 0, "nothing stays");
    }

    /// No acknowledgement of an order that could be placed when it was given can be claimed later than that.
    function test_unbondingTime__is_longer_than_any_claim() external view {
        assertEq(bond.unbondingTime(), 7 days, "of slots of 900 s");
        assertGe(bond.unbondingTime(), (192 + 64) * uint256(SLOT_LENGTH), "horizon and time to claim");
    }
}
