// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { vm } from "../support/Vm.sol";
import { VaultTest } from "./VaultTest.sol";

contract DebtsTest is VaultTest {
    function test_collect__given_not_a_module__reverts() external {
        vm.prank(stranger.addr);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger.addr)
        );
        vault.collect(utility.addr, home);
    }

    function test_collect__given_no_debt__pays_nothing() external {
        _deposit(utility.addr, 10);
        vm.recordLogs();
        assertEq(_collect(utility.addr, home), 0, "paid");
        assertEq(vm.getRecordedLogs().length, 0, "no event");
    }

    function test_collect__given_a_poor_debtor__pays_nothing() external {
        _owe(utility.addr, home, 10);
        assertEq(_collect(utility.addr, home), 0, "paid");
        assertEq(vault.owed(utility.addr, home), 10, "the debt stays");
    }

    function test_collect__given_less_than_owed__pays_a_part() external {
        _deposit(home, 4);
        _owe(home, utility.addr, 10); // without a mandate: what home has stays

        vm.expectEmit(address(vault));
        emit IVault.DebtPaid(home, utility.addr, 4, 0, 4);
        vm.expectEmit(address(vault));
        emit IVault.DebtChanged(home, utility.addr, 6);
        assertEq(_collect(home, utility.addr), 4, "paid == available");

        _assertAccount(home, 0, 0, 6, "home");
    }

    function test_collect__given_one_of_many_creditors__serves_it_out_of_turn() external {
        _deposit(home, 100);
        for (uint160 i = 1; i <= 3; ++i) {
            _owe(home, address(i), 10);
        }
        assertEq(_collect(home, address(2)), 10, "paid == owed");
        _assertAccount(home, 90, 0, 20, "home");

        _deposit(home, 15);
        assertEq(vault.owed(home, address(1)), 0, "the oldest first");
        assertEq(vault.owed(home, address(3)), 5, "then the next that is still owed");
    }

    function test_deposit__given_six_creditors__pays_four_and_keeps_the_rest() external {
        for (uint160 i = 1; i <= 6; ++i) {
            _owe(home, address(i), 10);
        }
        _deposit(home, 100);

        for (uint160 i = 1; i <= 6; ++i) {
            assertEq(vault.owed(home, address(i)), i <= 4 ? 0 : 10, "four are paid, two wait");
        }
        _assertAccount(home, 60, 0, 20, "home");
        assertEq(vault.withdrawableOf(home), 40, "withdrawable == 60 - 20");
        assertEq(_collect(home, address(6)), 10, "the rest by collect");
    }

    function test_deposit__given_a_debt_paid_and_made_again__queues_it_last() external {
        _owe(home, address(1), 10);
        _owe(home, address(2), 10);
        _deposit(home, 10);
        _owe(home, address(1), 10);

        _deposit(home, 10);
        assertEq(vault.owed(home, address(2)), 0, "whose debt is older");
        assertEq(vault.owed(home, address(1)), 10, "whose debt began anew");
    }

    function test_deposit__given_a_debt_that_grew__keeps_its_turn() external {
        _owe(home, address(1), 10);
        _owe(home, address(2), 10);
        _owe(home, address(1), 5);

        _deposit(home, 15);
        assertEq(vault.owed(home, address(1)), 0, "the whole of the oldest");
        assertEq(vault.owed(home, address(2)), 10, "the next waits");
    }

    function test_deposit__given_an_indebted_creditor__pays_it_plainly() external {
        _owe(neighbour, utility.addr, 10);
        _owe(home, neighbour, 10);

        _deposit(home, 10);

        _assertAccount(neighbour, 10, 0, 10, "neighbour keeps its own debt until somebody collects");
        assertEq(_availableOf(utility.addr), 0, "no recursion");
        assertEq(vault.withdrawableOf(neighbour), 0, "and cannot withdraw before");
    }

    function test_settle__given_a_ring_of_debts__ends() external {
        _owe(home, neighbour, 10);
        _owe(neighbour, utility.addr, 10);
        _owe(utility.addr, home, 10);
        _deposit(home, 10);
        _assertAccount(home, 0, 0, 0, "home");
        _assertAccount(neighbour, 10, 0, 10, "neighbour");
        _assertAccount(utility.addr, 0, 0, 10, "utility");
    }
}
