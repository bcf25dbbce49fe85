// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { vm } from "../support/Vm.sol";
import { VaultTest } from "./VaultTest.sol";

contract SettleTest is VaultTest {
    // ---------------------------------------------------------------------------------------------------------- refusals

    function test_settle__given_not_a_module__reverts() external {
        vm.prank(stranger.addr);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger.addr)
        );
        vault.settle(_settlement(0));
    }

    function test_settle__given_no_utility__reverts() external {
        IVault.Settlement memory settlement = _settlement(0);
        settlement.utility = address(0);
        _expectRevert(settlement, abi.encodeWithSelector(IVault.AccountIsZero.selector));
    }

    function test_settle__given_no_operator__reverts() external {
        IVault.Settlement memory settlement = _settlement(0);
        settlement.operator = address(0);
        _expectRevert(settlement, abi.encodeWithSelector(IVault.AccountIsZero.selector));
    }

    function test_settle__given_a_debt_of_nobody__reverts() external {
        IVault.Settlement memory settlement = _settlement(1);
        settlement.legs[0] = _leg(address(0), false, 0, -1);
        _expectRevert(settlement, abi.encodeWithSelector(IVault.AccountIsZero.selector));
    }

    function test_settle__given_legs_above_the_pot__reverts() external {
        _fillPot(10);
        IVault.Settlement memory settlement = _settlement(2);
        settlement.legs[0] = _leg(home, false, 6, 0);
        settlement.legs[1] = _leg(neighbour, false, 5, 0);
        _expectRevert(settlement, abi.encodeWithSelector(IVault.PotTooSmall.selector, module, 4, 5));
    }

    function test_settle__given_dust_money_above_the_pot__reverts() external {
        _fillPot(10);
        IVault.Settlement memory settlement = _settlement(0);
        settlement.potToUtility = 11;
        _expectRevert(settlement, abi.encodeWithSelector(IVault.PotTooSmall.selector, module, 10, 11));
    }

    function test_settle__given_a_residue_above_the_pot__reverts() external {
        _fillPot(10);
        IVault.Settlement memory settlement = _settlement(0);
        settlement.potToOperator = 11;
        _expectRevert(settlement, abi.encodeWithSelector(IVault.PotTooSmall.selector, module, 10, 11));
    }

    function test_settle__given_the_utility_pays_in_more_than_the_residue__reverts() external {
        _deposit(utility.addr, 100);
        IVault.Settlement memory settlement = _settlement(0);
        settlement.potToUtility = -5;
        settlement.potToOperator = 4;
        _expectRevert(settlement, abi.encodeWithSelector(IVault.PotTooSmall.selector, module, 4, 5));
    }

    function test_settle__given_an_arrear_above_56_bits__reverts() external {
        uint96 most = type(uint56).max;
        _owe(home, utility.addr, most);
        IVault.Settlement memory settlement = _settlement(1);
        settlement.legs[0] = _leg(home, false, 0, -1);
        _expectRevert(
            settlement, abi.encodeWithSelector(IVault.ArrearTooLarge.selector, home, uint256(most) + 1)
        );
    }

    // -------------------------------------------------------------------------------------------------------------- legs

    function test_settle__given_funds_on_all_sides__pays_each_leg() external {
        _deposit(utility.addr, 100);
        _deposit(neighbour, 50);
        _fillPot(40);
        IVault.Settlement memory settlement = _settlement(2);
        settlement.legs[0] = _leg(home, false, 25, 30);
        settlement.legs[1] = _leg(neighbour, true, 5, -20);

        vm.expectEmit(address(vault));
        emit IVault.Paid(home, module, REF, 25, 30, 0, 55);
        vm.expectEmit(address(vault));
        emit IVault.Paid(neighbour, module, REF, 5, -20, 0, 35);
        vm.expectEmit(address(vault));
        emit IVault.Balanced(module, utility.addr, operator.addr, 0, 0, 0, 90, 0);
        _settle(settlement);

        assertEq(_availableOf(home), 55, "home == 25 + 30");
        assertEq(_availableOf(neighbour), 35, "neighbour == 50 + 5 - 20");
        assertEq(_availableOf(utility.addr), 90, "utility == 100 - 30 + 20");
        assertEq(vault.potOf(module), 10, "pot == 40 - 30");
        assertEq(vault.totalTracked(), 190, "totalTracked is as before");
    }

    function test_settle__given_a_poor_utility__owes_the_rest() external {
        _deposit(utility.addr, 12);

        vm.expectEmit(address(vault));
        emit IVault.DebtChanged(utility.addr, home, 18);
        vm.expectEmit(address(vault));
        emit IVault.Paid(home, module, REF, 0, 30, 0, 12);
        _settleLeg(_leg(home, false, 0, 30));

        _assertAccount(home, 12, 0, 0, "home");
        _assertAccount(utility.addr, 0, 0, 18, "utility");
        assertEq(vault.owed(utility.addr, home), 18, "owed == 30 - 12");
    }

    function test_settle__given_a_mandate__takes_what_the_account_has_and_books_the_rest() external {
        _deposit(home, 25);
        _settleLeg(_leg(home, true, 0, -30));
        _assertAccount(home, 0, 0, 5, "home");
        _assertAccount(utility.addr, 25, 0, 0, "utility");
        assertEq(vault.owed(home, utility.addr), 5, "owed == 30 - 25");
    }

    function test_settle__given_no_mandate__takes_only_what_the_leg_brought() external {
        _deposit(home, 25);
        _fillPot(10);
        _settleLeg(_leg(home, false, 10, -30));
        _assertAccount(home, 25, 0, 20, "home");
        _assertAccount(utility.addr, 10, 0, 0, "utility");
        assertEq(vault.withdrawableOf(home), 5, "withdrawable == 25 - 20");
    }

    function test_settle__given_no_mandate_and_older_debts__takes_only_what_they_left_of_the_leg() external {
        _deposit(home, 25);
        _owe(home, neighbour, 7);
        _fillPot(10);
        _settleLeg(_leg(home, false, 10, -30));
        assertEq(_availableOf(neighbour), 7, "the oldest creditor is paid from the leg");
        assertEq(_availableOf(utility.addr), 3, "the utility gets 10 - 7");
        _assertAccount(home, 25, 0, 27, "what home had before is not touched");
    }

    function test_settle__given_the_utilitys_own_meter__moves_only_the_pot() external {
        _deposit(utility.addr, 20);
        _fillPot(10);
        IVault.Settlement memory settlement = _settlement(2);
        settlement.legs[0] = _leg(utility.addr, true, 4, -7);
        settlement.legs[1] = _leg(utility.addr, true, 1, 9);
        _settle(settlement);
        _assertAccount(utility.addr, 25, 0, 0, "utility");
    }

    function test_settle__given_one_account_twice__adds_both_legs() external {
        _deposit(utility.addr, 20);
        _fillPot(10);
        IVault.Settlement memory settlement = _settlement(2);
        settlement.legs[0] = _leg(home, true, 4, 3);
        settlement.legs[1] = _leg(home, true, 2, -5);
        _settle(settlement);
        _assertAccount(home, 4, 0, 0, "home == 4 + 3 + 2 - 5");
        _assertAccount(utility.addr, 22, 0, 0, "utility == 20 - 3 + 5");
    }

    function test_settle__given_the_utility_is_paid_while_it_owes_the_payer__pays_it_back() external {
        _owe(utility.addr, home, 50);
        _deposit(home, 20);

        _settleLeg(_leg(home, true, 0, -20));

        assertEq(vault.owed(utility.addr, home), 30, "owed == 50 - 20");
        _assertAccount(home, 20, 0, 0, "home has back what it paid");
        _assertAccount(utility.addr, 0, 0, 30, "utility");
    }

    function test_settle__given_mutual_debts__cancels_them() external {
        _owe(utility.addr, home, 50);

        vm.expectEmit(address(vault));
        emit IVault.DebtChanged(utility.addr, home, 0);
        vm.expectEmit(address(vault));
        emit IVault.DebtChanged(home, utility.addr, 10);
        _settleLeg(_leg(home, false, 0, -60));

        _assertAccount(utility.addr, 0, 0, 0, "utility");
        _assertAccount(home, 0, 0, 10, "home");
    }

    // ------------------------------------------------------------------------------------------------------ what follows

    function test_settle__given_a_fee__pays_the_operator_from_the_utility() external {
        _deposit(utility.addr, 20);
        IVault.Settlement memory settlement = _settlement(0);
        settlement.toOperator = 25;

        vm.expectEmit(address(vault));
        emit IVault.DebtChanged(utility.addr, operator.addr, 5);
        vm.expectEmit(address(vault));
        emit IVault.Balanced(module, utility.addr, operator.addr, 25, 0, 0, 0, 20);
        _settle(settlement);

        assertEq(_availableOf(operator.addr), 20, "operator available == what the utility had");
        assertEq(vault.owed(utility.addr, operator.addr), 5, "owed == 25 - 20");
    }

    function test_settle__given_a_fee_back__pays_the_utility_from_the_operator() external {
        _deposit(operator.addr, 20);
        IVault.Settlement memory settlement = _settlement(0);
        settlement.toOperator = -25;
        _settle(settlement);
        assertEq(_availableOf(utility.addr), 20, "utility available == what the operator had");
        assertEq(vault.owed(operator.addr, utility.addr), 5, "owed == 25 - 20");
    }

    function test_settle__given_one_account_is_both__moves_no_fee() external {
        _deposit(utility.addr, 20);
        _fillPot(10);
        IVault.Settlement memory settlement = _settlement(0);
        settlement.operator = utility.addr;
        settlement.toOperator = 25;
        settlement.potToUtility = -3;
        settlement.potToOperator = 6;
        _settle(settlement);
        _assertAccount(utility.addr, 23, 0, 0, "utility == 20 - 3 + 6");
        assertEq(vault.potOf(module), 7, "pot == 10 + 3 - 6");
    }

    function test_settle__given_one_poor_account_is_both__owes_itself_nothing() external {
        _deposit(utility.addr, 1);
        _fillPot(10);
        IVault.Settlement memory settlement = _settlement(0);
        settlement.operator = utility.addr;
        settlement.potToUtility = -3;
        settlement.potToOperator = 6;
        _settle(settlement);
        _assertAccount(utility.addr, 4, 0, 0, "utility == 1 - 1 + (6 - 2)");
        assertEq(vault.potOf(module), 7, "pot == 10 + 1 - 4");
    }

    function test_settle__given_dust__trades_it_with_the_pot() external {
        _deposit(utility.addr, 20);
        _fillPot(10);
        IVault.Settlement memory sold = _settlement(0);
        sold.potToUtility = 4;
        sold.potToOperator = 1;
        _settle(sold);
        assertEq(_availableOf(utility.addr), 24, "utility == 20 + 4");
        assertEq(_availableOf(operator.addr), 1, "operator == 1");
        assertEq(vault.potOf(module), 5, "pot == 10 - 4 - 1");

        IVault.Settlement memory bought = _settlement(0);
        bought.potToUtility = -4;
        bought.potToOperator = 9;
        _settle(bought);
        assertEq(_availableOf(utility.addr), 20, "utility == 24 - 4");
        assertEq(_availableOf(operator.addr), 10, "operator == 1 + 9");
        assertEq(vault.potOf(module), 0, "pot == 5 + 4 - 9");
    }

    function test_settle__given_a_poor_utility_and_dust__owes_the_operator_and_spares_the_pot() external {
        _deposit(utility.addr, 1);
        _fillPot(10);
        IVault.Settlement memory settlement = _settlement(0);
        settlement.potToUtility = -4;
        settlement.potToOperator = 9;
        _settle(settlement);
        assertEq(vault.potOf(module), 5, "pot == 10 + 4 - 9, as if the utility had paid");
        assertEq(_availableOf(operator.addr), 6, "operator == 9 - 3");
        assertEq(vault.owed(utility.addr, operator.addr), 3, "owed == 4 - 1");
    }

    function test_settle__given_money_for_an_indebted_operator__pays_its_creditors() external {
        _owe(operator.addr, neighbour, 6);
        _fillPot(10);
        IVault.Settlement memory settlement = _settlement(0);
        settlement.potToOperator = 9;
        _settle(settlement);
        _assertAccount(operator.addr, 3, 0, 0, "operator == 9 - 6");
        assertEq(_availableOf(neighbour), 6, "its creditor is paid");
    }

    function _expectRevert(IVault.Settlement memory settlement, bytes memory refusal) private {
        vm.prank(module);
        vm.expectRevert(refusal);
        vault.settle(settlement);
    }
}
