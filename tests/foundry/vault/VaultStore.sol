// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// What the handler remembers, in plain sums: the cash ledger that knows no debts, no pots and no order of things.
contract VaultStore {
    /// A hold as it was asked for.
    struct Hold {
        uint128 until;
        uint128 amount;
    }

    /// What each account's cash adds up to: deposits - withdrawals - locked + released + paid out - paid in.
    mapping(address account => int256) public cash;
    /// What each account locked, less what came back: no more than the pot holds.
    mapping(address account => uint256) public locked;
    uint256 public pot;
    uint256 public deposits;
    uint256 public withdrawals;
    uint256 public bareTransfers;
    uint256 public withdrawnAboveWithdrawable;
    mapping(bytes32 action => uint256) public calls;

    mapping(address account => Hold[]) private _holds;

    function addCash(address account, int256 amount) external {
        cash[account] += amount;
    }

    function addLocked(address account, int256 amount) external {
        locked[account] = uint256(int256(locked[account]) + amount);
    }

    function addPot(int256 amount) external {
        pot = uint256(int256(pot) + amount);
    }

    function addDeposit(uint256 amount) external {
        deposits += amount;
    }

    function addWithdrawal(uint256 amount) external {
        withdrawals += amount;
    }

    function addBareTransfer(int256 amount) external {
        bareTransfers = uint256(int256(bareTransfers) + amount);
    }

    function addWithdrawnAboveWithdrawable() external {
        ++withdrawnAboveWithdrawable;
    }

    /// Adds a hold and forgets those that ended so long ago that nothing can still depend on them.
    function addHold(address account, uint256 until, uint256 amount, uint256 holdLength) external {
        Hold[] storage holds = _holds[account];
        for (uint256 i = holds.length; i > 0; --i) {
            if (holds[i - 1].until + holdLength >= block.timestamp) continue;
            holds[i - 1] = holds[holds.length - 1];
            holds.pop();
        }
        holds.push(Hold(uint128(until), uint128(amount)));
    }

    function count(bytes32 action) external {
        ++calls[action];
    }

    /// What of the holds must still be kept at `time`, and at most, when each lasts one hold length longer than asked.
    function heldBetween(address account, uint256 time, uint256 holdLength)
        external
        view
        returns (uint256 least, uint256 most)
    {
        Hold[] memory holds = _holds[account];
        for (uint256 i = 0; i < holds.length; ++i) {
            if (time <= holds[i].until) least += holds[i].amount;
            if (time <= holds[i].until + holdLength) most += holds[i].amount;
        }
    }
}
