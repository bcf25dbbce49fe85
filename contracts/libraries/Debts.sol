// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title What one debtor owes to whom, oldest debt first
/// @notice A doubly linked list, so that a debt leaves it at the same cost wherever it stands. A debt that grows keeps its turn;
/// one that was paid and is made again is the newest.
library Debts {
    struct Debt {
        // slot 0
        address previous;
        uint96 amount;
        // slot 1
        address next;
    }

    /// The zero address is nobody's creditor: its entry is the list's head, `next` the oldest and `previous` the newest.
    struct List {
        mapping(address creditor => Debt) entries;
    }

    function owedTo(List storage list, address creditor) internal view returns (uint256) {
        return list.entries[creditor].amount;
    }

    /// The creditor whose debt is the oldest; zero if there is none.
    function oldest(List storage list) internal view returns (address) {
        return list.entries[address(0)].next;
    }

    /// @param amount not zero; the caller bounds the sum below 2^96
    /// @return owing what is owed to `creditor` now
    function increase(List storage list, address creditor, uint256 amount) internal returns (uint256 owing) {
        mapping(address => Debt) storage entries = list.entries;
        Debt storage debt = entries[creditor];
        owing = debt.amount;
        if (owing == 0) {
            address newest = entries[address(0)].previous;
            debt.previous = newest;
            entries[newest].next = creditor;
            entries[address(0)].previous = creditor;
        }
        owing += amount;
        debt.amount = uint96(owing);
    }

    /// @param amount at most what is owed
    /// @return owing what is owed to `creditor` now
    function decrease(List storage list, address creditor, uint256 amount) internal returns (uint256 owing) {
        mapping(address => Debt) storage entries = list.entries;
        Debt storage debt = entries[creditor];
        owing = debt.amount - amount;
        if (owing != 0) {
            debt.amount = uint96(owing); // less than before
            return owing;
        }
        address previous = debt.previous;
        address next = debt.next;
        entries[previous].next = next;
        entries[next].previous = previous;
        delete entries[creditor];
    }
}
