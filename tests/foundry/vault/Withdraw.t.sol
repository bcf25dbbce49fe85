// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { SmartWallet } from "../../../contracts/mocks/SmartWallet.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Party, Signing } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";
import { VaultTest } from "./VaultTest.sol";

contract WithdrawTest is VaultTest {
    address private constant PAYEE = address(0xBEEF);

    function setUp() public override {
        super.setUp();
        _deposit(prosumer.addr, 100);
    }

    // ---------------------------------------------------------------------------------------------------------- withdraw

    function test_withdraw__given_amount_zero__reverts() external {
        vm.prank(prosumer.addr);
        vm.expectRevert(IVault.ZeroAmount.selector);
        vault.withdraw(PAYEE, 0);
    }

    function test_withdraw__given_more_than_available__reverts() external {
        vm.prank(prosumer.addr);
        vm.expectRevert(
            abi.encodeWithSelector(IVault.WithdrawalAboveWithdrawable.selector, prosumer.addr, 100, 101)
        );
        vault.withdraw(PAYEE, 101);
    }

    function test_withdraw__given_what_was_locked__reverts() external {
        _lock(prosumer.addr, 60);
        vm.prank(prosumer.addr);
        vm.expectRevert(abi.encodeWithSelector(IVault.WithdrawalAboveWithdrawable.selector, prosumer.addr, 40, 41));
        vault.withdraw(PAYEE, 41);
    }

    function test_withdraw__given_an_arrear__keeps_it_back() external {
        _owe(prosumer.addr, utility.addr, 70);
        vm.prank(prosumer.addr);
        vm.expectRevert(abi.encodeWithSelector(IVault.WithdrawalAboveWithdrawable.selector, prosumer.addr, 30, 31));
        vault.withdraw(PAYEE, 31);
    }

    function test_withdraw__given_the_zero_payee__reverts_with_the_currencys_error() external {
        vm.prank(prosumer.addr);
        vm.expectRevert(abi.encodeWithSignature("ERC20InvalidReceiver(address)", address(0)));
        vault.withdraw(address(0), 1);
    }

    function test_withdraw__given_enough__sends_the_tokens() external {
        vm.expectEmit(address(vault));
        emit IVault.Withdrawn(prosumer.addr, PAYEE, 30, 70);
        vm.prank(prosumer.addr);
        vault.withdraw(PAYEE, 30);

        assertEq(currency.balanceOf(PAYEE), 30, "the payee has the tokens");
        assertEq(_availableOf(prosumer.addr), 70, "available == 100 - 30");
        assertEq(vault.totalTracked(), 70, "totalTracked == 100 - 30");
    }

    // ----------------------------------------------------------------------------------------------------- withdrawBySig

    function test_withdrawBySig__given_it_has_expired__reverts() external {
        Act memory act = _withdrawalAct(prosumer, PAYEE, 30);
        vm.warp(act.deadline + 1);
        _expectRefusal(act, abi.encodeWithSelector(ISignedActs.ActExpired.selector, act.deadline));
    }

    function test_withdrawBySig__given_a_used_nonce__reverts() external {
        Act memory act = _withdrawalAct(prosumer, PAYEE, 30);
        vault.withdrawBySig(PAYEE, 30, act);
        _expectRefusal(act, abi.encodeWithSelector(ISignedActs.NonceUsed.selector, prosumer.addr, act.nonce));
    }

    function test_withdrawBySig__given_another_signer__reverts() external {
        Act memory act = _withdrawalAct(stranger, PAYEE, 30);
        act.signer = prosumer.addr;
        _expectWrongSignature(act);
    }

    function test_withdrawBySig__given_another_payee__reverts() external {
        _expectWrongSignature(_withdrawalAct(prosumer, address(0xBAD), 30));
    }

    function test_withdrawBySig__given_another_amount__reverts() external {
        _expectWrongSignature(_withdrawalAct(prosumer, PAYEE, 29));
    }

    function test_withdrawBySig__given_another_chain__reverts() external {
        _expectWrongSignature(_signedFor(address(vault), block.chainid + 1));
    }

    function test_withdrawBySig__given_the_chain_forked_away__reverts() external {
        Act memory act = _withdrawalAct(prosumer, PAYEE, 30);
        vm.chainId(block.chainid + 1);
        _expectWrongSignature(act);
    }

    function test_withdrawBySig__given_another_contract__reverts() external {
        _expectWrongSignature(_signedFor(address(ledger), block.chainid));
    }

    function test_withdrawBySig__given_another_nonce__reverts() external {
        Act memory act = _withdrawalAct(prosumer, PAYEE, 30);
        act.nonce += 1;
        _expectWrongSignature(act);
    }

    function test_withdrawBySig__given_a_mirrored_signature__reverts() external {
        Act memory act = _withdrawalAct(prosumer, PAYEE, 30);
        act.signature = Signing.mirrored(act.signature);
        _expectWrongSignature(act);
    }

    function test_withdrawBySig__given_a_truncated_signature__reverts() external {
        Act memory act = _withdrawalAct(prosumer, PAYEE, 30);
        bytes memory signature = act.signature;
        for (uint256 length = 0; length < 65; ++length) {
            assembly ("memory-safe") {
                mstore(signature, length)
            }
            _expectWrongSignature(act);
        }
    }

    function test_withdrawBySig__given_the_zero_signer__reverts() external {
        Act memory act = _withdrawalAct(prosumer, PAYEE, 30);
        act.signer = address(0);
        act.signature = new bytes(65);
        _expectRefusal(act, abi.encodeWithSelector(ISignedActs.WrongSignature.selector, address(0)));
    }

    function test_withdrawBySig__given_a_wallet_whose_owner_did_not_sign__reverts() external {
        SmartWallet wallet = new SmartWallet(prosumer.addr);
        _deposit(address(wallet), 100);
        Act memory act = _withdrawalAct(Party(address(wallet), stranger.key), PAYEE, 30);
        _expectRefusal(act, abi.encodeWithSelector(ISignedActs.WrongSignature.selector, address(wallet)));
    }

    function test_withdrawBySig__given_a_wallet_whose_owner_signed__sends_the_tokens() external {
        SmartWallet wallet = new SmartWallet(prosumer.addr);
        _deposit(address(wallet), 100);
        vault.withdrawBySig(PAYEE, 30, _withdrawalAct(Party(address(wallet), prosumer.key), PAYEE, 30));
        assertEq(_availableOf(address(wallet)), 70, "available == 100 - 30");
        assertEq(currency.balanceOf(PAYEE), 30, "the payee has the tokens");
    }

    function test_withdrawBySig__given_its_last_second__sends_the_tokens_and_uses_the_nonce() external {
        Act memory act = _withdrawalAct(prosumer, PAYEE, 30);
        vm.warp(act.deadline);
        assertFalse(vault.isNonceUsed(prosumer.addr, act.nonce), "the nonce is free before");

        vm.prank(stranger.addr);
        vault.withdrawBySig(PAYEE, 30, act);

        assertTrue(vault.isNonceUsed(prosumer.addr, act.nonce), "the nonce is used after");
        assertFalse(vault.isNonceUsed(stranger.addr, act.nonce), "only its signer's");
        assertEq(currency.balanceOf(PAYEE), 30, "the payee has the tokens");
    }

    function test_withdrawBySig__given_nonces_out_of_order__takes_each_once(uint256 first, uint256 second) external {
        vm.assume(first != second);
        vault.withdrawBySig(PAYEE, 10, _signedWithNonce(first));
        vault.withdrawBySig(PAYEE, 10, _signedWithNonce(second));
        Act memory again = _signedWithNonce(first);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.NonceUsed.selector, prosumer.addr, first));
        vault.withdrawBySig(PAYEE, 10, again);
    }

    function _signedWithNonce(uint256 nonce) private returns (Act memory act) {
        act = _draft(prosumer);
        act.nonce = nonce;
        act.signature =
            Signing.sign(prosumer.key, _withdrawalDigest(address(vault), block.chainid, PAYEE, 10, act));
    }

    function _signedFor(address verifier, uint256 chain) private returns (Act memory act) {
        act = _draft(prosumer);
        act.signature = Signing.sign(prosumer.key, _withdrawalDigest(verifier, chain, PAYEE, 30, act));
    }

    function _expectWrongSignature(Act memory act) private {
        _expectRefusal(act, abi.encodeWithSelector(ISignedActs.WrongSignature.selector, prosumer.addr));
    }

    function _expectRefusal(Act memory act, bytes memory refusal) private {
        vm.expectRevert(refusal);
        vault.withdrawBySig(PAYEE, 30, act);
    }
}
