// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

import { Vault } from "../../../contracts/Vault.sol";
import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { FeeToken } from "../../../contracts/mocks/FeeToken.sol";
import { Signing } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";
import { VaultTest } from "./VaultTest.sol";

contract DepositTest is VaultTest {
    bytes32 private constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    uint256 private constant DEADLINE = START + 1 hours;

    function test_constructor__given_a_hold_length_of_zero__reverts() external {
        vm.expectRevert(IVault.HoldLengthIsZero.selector);
        new Vault(address(authority), currency, 0);
    }

    // ----------------------------------------------------------------------------------------------------------- deposit

    function test_deposit__given_amount_zero__reverts() external {
        vm.expectRevert(IVault.ZeroAmount.selector);
        vault.deposit(home, 0);
    }

    function test_deposit__given_the_zero_account__reverts() external {
        vm.expectRevert(IVault.AccountIsZero.selector);
        vault.deposit(address(0), 1);
    }

    function test_deposit__given_no_allowance__reverts_with_the_currencys_error() external {
        currency.mint(address(this), 5);
        vm.expectRevert(
            abi.encodeWithSignature("ERC20InsufficientAllowance(address,uint256,uint256)", address(vault), 0, 5)
        );
        vault.deposit(home, 5);
    }

    function test_deposit__given_more_than_72_bits_in_all__reverts() external {
        _deposit(home, 10);
        uint256 amount = uint256(type(uint72).max) - 9;
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultFull.selector, 10, amount));
        vault.deposit(home, amount);
    }

    function test_deposit__given_a_token_that_takes_a_fee__reverts() external {
        FeeToken token = new FeeToken();
        Vault other = new Vault(address(authority), IERC20(address(token)), HOLD_LENGTH);
        token.mint(address(this), 1_000);
        token.approve(address(other), 1_000);
        // A surplus in the Vault must not hide the fee.
        token.mint(address(other), 1_000);

        vm.expectRevert(abi.encodeWithSelector(IVault.AmountNotReceived.selector, 1_000, 990));
        other.deposit(home, 1_000);
    }

    function test_deposit__given_tokens_and_allowance__credits_the_account() external {
        currency.mint(address(this), 100);
        currency.approve(address(vault), 100);

        vm.expectEmit(address(vault));
        emit IVault.Deposited(home, address(this), 100, 100);
        vault.deposit(home, 100);

        _assertAccount(home, 100, 0, 0, "after the deposit");
        assertEq(vault.totalTracked(), 100, "totalTracked == deposits");
        assertEq(currency.balanceOf(address(vault)), 100, "tokens held == deposits");
    }

    function test_deposit__given_72_bits_in_all__fits() external {
        _deposit(home, type(uint72).max);
        _assertAccount(home, type(uint72).max, 0, 0, "the fullest account");
        assertEq(vault.withdrawableOf(home), type(uint72).max, "withdrawable == available");
    }

    function test_deposit__given_debts__pays_the_oldest_creditors_first() external {
        _owe(home, utility.addr, 30);
        _owe(home, neighbour, 50);

        _deposit(home, 45);

        _assertAccount(home, 0, 0, 35, "home");
        assertEq(vault.owed(home, utility.addr), 0, "the oldest creditor is paid whole");
        assertEq(vault.owed(home, neighbour), 35, "the next one gets what is left");
        assertEq(_availableOf(utility.addr), 30, "utility available == 30");
        assertEq(_availableOf(neighbour), 15, "neighbour available == 15");
    }

    // ------------------------------------------------------------------------------------------------- depositWithPermit

    function test_depositWithPermit__given_an_allowance_but_another_signer__reverts() external {
        currency.mint(prosumer.addr, 100);
        vm.prank(prosumer.addr);
        currency.approve(address(vault), 100);
        (uint8 v, bytes32 r, bytes32 s) = _permit(stranger.key, 100, 0, DEADLINE);

        vm.expectPartialRevert(bytes4(keccak256("ERC2612InvalidSigner(address,address)")));
        vault.depositWithPermit(prosumer.addr, 100, DEADLINE, v, r, s);
    }

    function test_depositWithPermit__given_another_amount__reverts() external {
        currency.mint(prosumer.addr, 100);
        (uint8 v, bytes32 r, bytes32 s) = _permit(prosumer.key, 99, 0, DEADLINE);

        vm.expectPartialRevert(bytes4(keccak256("ERC2612InvalidSigner(address,address)")));
        vault.depositWithPermit(prosumer.addr, 100, DEADLINE, v, r, s);
    }

    function test_depositWithPermit__given_it_has_expired__reverts() external {
        currency.mint(prosumer.addr, 100);
        (uint8 v, bytes32 r, bytes32 s) = _permit(prosumer.key, 100, 0, DEADLINE);
        vm.warp(DEADLINE + 1);

        vm.expectRevert(abi.encodeWithSignature("ERC2612ExpiredSignature(uint256)", DEADLINE));
        vault.depositWithPermit(prosumer.addr, 100, DEADLINE, v, r, s);
    }

    function test_depositWithPermit__given_it_was_used_before__reverts() external {
        currency.mint(prosumer.addr, 200);
        (uint8 v, bytes32 r, bytes32 s) = _permit(prosumer.key, 100, 0, DEADLINE);
        vault.depositWithPermit(prosumer.addr, 100, DEADLINE, v, r, s);

        vm.expectPartialRevert(bytes4(keccak256("ERC2612InvalidSigner(address,address)")));
        vault.depositWithPermit(prosumer.addr, 100, DEADLINE, v, r, s);
    }

    function test_depositWithPermit__given_the_accounts_permit__credits_it_whoever_relays() external {
        currency.mint(prosumer.addr, 100);
        (uint8 v, bytes32 r, bytes32 s) = _permit(prosumer.key, 100, 0, DEADLINE);

        vm.expectEmit(address(vault));
        emit IVault.Deposited(prosumer.addr, prosumer.addr, 100, 100);
        vm.prank(stranger.addr);
        vault.depositWithPermit(prosumer.addr, 100, DEADLINE, v, r, s);

        assertEq(_availableOf(prosumer.addr), 100, "available == amount");
        assertEq(ERC20Permit(address(currency)).nonces(prosumer.addr), 1, "the permit is used up");
        assertEq(currency.allowance(prosumer.addr, address(vault)), 0, "no allowance is left over");
    }

    function _permit(uint256 key, uint256 amount, uint256 nonce, uint256 deadline)
        private
        view
        returns (uint8 v, bytes32 r, bytes32 s)
    {
        bytes32 structHash =
            keccak256(abi.encode(PERMIT_TYPEHASH, prosumer.addr, address(vault), amount, nonce, deadline));
        return vm.sign(key, Signing.digest("Gridweave Local Currency", address(currency), block.chainid, structHash));
    }
}
