// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Roles } from "../../../contracts/libraries/Roles.sol";
import { House } from "../support/House.sol";
import { vm } from "../support/Vm.sol";
import { VaultHandler } from "./VaultHandler.sol";
import { VaultStore } from "./VaultStore.sol";

/// What must hold after any sequence of deposits, withdrawals, locks, settlements, collections and waits.
contract VaultInvariantsTest is House {
    VaultStore private _store;
    VaultHandler private _handler;

    function setUp() public override {
        super.setUp();
        _store = new VaultStore();
        _handler = new VaultHandler(vault, currency, _store, admin);
        _grant(Roles.MODULE, address(_handler));
        _grant(Roles.MINTER, address(_handler));

        bytes4[] memory selectors = new bytes4[](11);
        selectors[0] = VaultHandler.deposit.selector;
        selectors[1] = VaultHandler.withdraw.selector;
        selectors[2] = VaultHandler.withdrawTooMuch.selector;
        selectors[3] = VaultHandler.sendBare.selector;
        selectors[4] = VaultHandler.skim.selector;
        selectors[5] = VaultHandler.lock.selector;
        selectors[6] = VaultHandler.settle.selector;
        selectors[7] = VaultHandler.collect.selector;
        selectors[8] = VaultHandler.wait.selector;
        // What the Vault is for comes up more often.
        selectors[9] = VaultHandler.settle.selector;
        selectors[10] = VaultHandler.settle.selector;
        _fuzz(address(_handler), selectors);
    }

    function invariant_booksAgreeWithTheCashLedgerAfterAnySequence() external view {
        uint256 count = _handler.PARTIES();
        address[] memory parties = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            parties[i] = _handler.party(i);
        }
        _assertMoneyIsConserved(parties);
        _assertDebtsAgree(parties);
        for (uint256 i = 0; i < count; ++i) {
            _assertWithdrawable(parties[i]);
            _assertHolds(parties[i]);
        }
    }

    /// Accounts and pots equal what is tracked, which never exceeds the tokens held.
    function _assertMoneyIsConserved(address[] memory parties) private view {
        uint256 pot = vault.potOf(address(_handler));
        uint256 sum = pot;
        for (uint256 i = 0; i < parties.length; ++i) {
            sum += _availableOf(parties[i]);
        }
        uint256 tracked = vault.totalTracked();
        assertEq(sum, tracked, "sum of available + pot == totalTracked");
        assertEq(tracked, _store.deposits() - _store.withdrawals(), "totalTracked == deposits - withdrawals");
        assertEq(
            currency.balanceOf(address(vault)),
            tracked + _store.bareTransfers(),
            "tokens held == totalTracked + bare transfers"
        );
        assertEq(pot, _store.pot(), "pot == what the module put there and has not taken");
    }

    /// The arrear is the sum of debts, no two owe each other, and what all that comes to is linear in cash.
    function _assertDebtsAgree(address[] memory parties) private view {
        uint256 count = parties.length;
        uint256[] memory owes = new uint256[](count);
        uint256[] memory isOwed = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            for (uint256 j = 0; j <= i; ++j) {
                uint256 there = vault.owed(parties[i], parties[j]);
                uint256 back = vault.owed(parties[j], parties[i]);
                assertTrue(there == 0 || back == 0, "owed[x][y] == 0 or owed[y][x] == 0");
                owes[i] += there;
                isOwed[j] += there;
                owes[j] += back;
                isOwed[i] += back;
            }
        }
        for (uint256 i = 0; i < count; ++i) {
            (uint256 available,, uint256 arrear) = vault.accountOf(parties[i]);
            assertEq(owes[i], arrear, "sum of owed == arrear");
            assertEq(
                int256(available) - int256(owes[i]) + int256(isOwed[i]),
                _store.cash(parties[i]),
                "available - owes + is owed == cash"
            );
        }
    }

    function _assertWithdrawable(address account) private view {
        assertEq(_store.withdrawnAboveWithdrawable(), 0, "no withdrawal above withdrawable");
        (uint256 available, uint256 held, uint256 arrear) = vault.accountOf(account);
        uint256 kept = held + arrear;
        uint256 free = available > kept ? available - kept : 0;
        assertEq(vault.withdrawableOf(account), free, "withdrawable == max(0, available - held - arrear)");
    }

    /// What is held stays held until its time, and is free at most one hold length later.
    function _assertHolds(address account) private view {
        (uint256 least, uint256 most) = _store.heldBetween(account, block.timestamp, HOLD_LENGTH);
        uint256 held = _heldOf(account);
        assertGe(held, least, "held >= what was asked to be held until now or later");
        assertLe(held, most, "held <= what was asked to be held until one hold length ago or later");
    }

    /// Everybody can leave: once all holds are over and everybody's claims are met, what is left to nobody is nothing.
    function afterInvariant() external {
        vm.warp(block.timestamp + 3 * uint256(HOLD_LENGTH));
        uint256 count = _handler.PARTIES();
        for (uint256 i = 0; i < count; ++i) {
            address debtor = _handler.party(i);
            uint256 arrear = _arrearOf(debtor);
            if (arrear != 0) _deposit(debtor, arrear);
            for (uint256 j = 0; j < count; ++j) {
                address creditor = _handler.party(j);
                vm.prank(address(_handler));
                vault.collect(debtor, creditor);
            }
        }
        for (uint256 i = 0; i < count; ++i) {
            address account = _handler.party(i);
            assertEq(_arrearOf(account), 0, "every debt is paid");
            uint256 free = vault.withdrawableOf(account);
            assertEq(free, _availableOf(account), "withdrawable == available");
            if (free == 0) continue;
            vm.prank(account);
            vault.withdraw(account, free);
        }
        assertEq(vault.totalTracked(), vault.potOf(address(_handler)), "only the module's pot is left");
    }
}
