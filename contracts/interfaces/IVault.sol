// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Act } from "../types/Act.sol";

/// @title The only place where value moves
/// @notice One account per party and one pot per module over a single ERC-20 of six decimals. All amounts are millionths.
/// At every instant the sum of all available balances and pots equals `totalTracked`, which never exceeds the tokens held.
/// @dev An account that cannot pay owes: `arrear` is the sum of what it owes, creditor by creditor. A household that owes
/// its utility is in arrears; a utility that owes a household has dues: it is the same thing. Whatever becomes available
/// pays the oldest creditors first (at most MAX_CREDITORS_PAID of them at once, the rest by `collect`). Mutual debts cancel.
///
/// Rules that every program which recomputes the Vault must share:
/// - To credit: the amount becomes available; if the account owes, the amount (not what was available before) pays its
///   creditors in the order in which their present debts began, at most four of them. What is left is what was *kept*.
/// - A creditor that is paid receives plainly: its own creditors are not paid from it.
/// - To record a debt of x to y: first y's debt to x is cancelled against it; only the rest is added to x's debt to y.
/// - Hence for every account `available - what it owes + what is owed to it` is linear in cash, whatever the path.
interface IVault {
    /// One transfer between an account and the calling module's pot: positive into the pot, negative out of it.
    struct Lock {
        address account;
        int96 amount;
        bytes32 ref;
    }

    /// One account's part in a settlement.
    struct Leg {
        address account;
        bool mayDebit; // the account's mandate: what it has may pay; without it only what this leg brings
        uint96 fromPot; // paid out of the module's pot
        int96 fromUtility; // positive: the utility pays the account; negative: the account pays the utility
        int96 hold; // change of what cannot be withdrawn until `Settlement.holdUntil`
        bytes32 ref;
    }

    struct Settlement {
        address utility;
        address operator;
        uint40 holdUntil; // at most two hold periods ahead; holds of a time that has passed hold nothing
        int96 toOperator; // from the utility; negative: back to it
        int96 potToUtility; // negative: the utility pays into the pot, at most `potToOperator`
        uint96 potToOperator; // less what the utility should have put into the pot and could not: that it owes the operator
        Leg[] legs;
    }

    event Deposited(address indexed account, address indexed payer, uint256 amount, uint256 available);
    event Withdrawn(address indexed account, address indexed to, uint256 amount, uint256 available);
    /// @notice `amount` moved from the account into the module's pot (negative: out of it); `available` is the result.
    event Locked(address indexed account, address indexed module, bytes32 ref, int256 amount, uint256 available);
    /// @notice One leg of a settlement, as asked for; what could not be paid follows from `DebtChanged`.
    event Paid(
        address indexed account,
        address indexed module,
        bytes32 ref,
        uint256 fromPot,
        int256 fromUtility,
        int256 hold,
        uint256 available
    );
    /// @notice What a settlement moved besides its legs, as asked for, once per batch, and what that leaves to both.
    event Balanced(
        address indexed module,
        address indexed utility,
        address indexed operator,
        int256 toOperator,
        int256 potToUtility,
        uint256 potToOperator,
        uint256 utilityAvailable,
        uint256 operatorAvailable
    );
    /// @notice `debtor` paid `amount` of what it owes; both availables are the results. `DebtChanged` follows.
    event DebtPaid(
        address indexed debtor,
        address indexed creditor,
        uint256 amount,
        uint256 debtorAvailable,
        uint256 creditorAvailable
    );
    /// @notice `debtor` now owes `owed` to `creditor`.
    event DebtChanged(address indexed debtor, address indexed creditor, uint256 owed);
    event Skimmed(address indexed to, uint256 amount);

    error WithdrawalAboveWithdrawable(address account, uint256 withdrawable, uint256 amount);
    /// @notice The account owes; nothing new can be locked until it has paid.
    error InArrears(address account, uint256 arrear);
    error AvailableTooSmall(address account, uint256 available, uint256 amount);
    /// @notice A module asked for more than its own pot holds. A fault of the module, never of a user.
    error PotTooSmall(address module, uint256 pot, uint256 amount);
    /// @notice `holdUntil` must be before `limit`, where the next but one hold period ends.
    error HoldTooFar(uint256 holdUntil, uint256 limit);
    error ZeroAmount();
    /// @notice The zero address is nobody: it can have no account.
    error AccountIsZero();
    /// @notice The currency took a fee or sent something else than was asked for. The Vault takes whole amounts only.
    error AmountNotReceived(uint256 expected, uint256 received);
    /// @notice The Vault tracks less than 2^72 millionths in all.
    error VaultFull(uint256 totalTracked, uint256 amount);
    /// @notice An account can owe less than 2^56 millionths in all. No market with real prices comes near.
    error ArrearTooLarge(address account, uint256 arrear);
    error HoldLengthIsZero();

    /// @notice Credits `amount` of the caller's tokens to `account`. Always open.
    function deposit(address account, uint256 amount) external;
    /// @notice Credits `amount` of `account`'s tokens to `account` by its ERC-2612 permit for this Vault. Anyone may relay.
    /// @dev Warning: whoever hands the bare permit to the currency first makes this revert with the currency's own error; the
    /// allowance then serves nobody but `account`, which may `deposit` or sign again. An allowance alone never suffices here:
    /// it would let others move an account's tokens.
    function depositWithPermit(address account, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;
    /// @notice Sends `amount` of the caller's withdrawable balance to `to`.
    function withdraw(address to, uint256 amount) external;
    /// @notice The same by signature: Withdrawal(address account,address to,uint256 amount,uint256 nonce,uint256 deadline).
    function withdrawBySig(address to, uint256 amount, Act calldata act) external;
    /// @notice Sends what came by bare transfer, and is therefore nobody's, to `to`. Restricted to the admin.
    function skim(address to) external;

    /// @notice Moves collateral between accounts and the caller's pot. Restricted to modules.
    /// @return reasons per item: zero if it was done, else the selector of InArrears or AvailableTooSmall and nothing moved.
    function lock(Lock[] calldata items) external returns (bytes4[] memory reasons);
    /// @notice Pays a batch out of the caller's pot and between accounts and the utility. Restricted to modules.
    /// @dev Never reverts for a lack of funds of a party: what cannot be paid is owed. Per leg, in order: `fromPot` is credited;
    /// then `fromUtility` > 0: the utility pays what it has available, which is credited, and owes the rest;
    /// `fromUtility` < 0: the account pays from all it has available if `mayDebit`, else from what it kept of `fromPot`, which
    /// is credited to the utility, and owes the rest; nothing of it if the account is the utility itself; then `hold`.
    /// After all legs: `toOperator` (nothing if both are one account), then `potToUtility`, then `potToOperator`.
    /// Warning: a module must not take a missing amount from the utility through `potToUtility` to pay it out by legs of the
    /// same batch: should the utility have no funds, other claims on the pot would pay. It asks for it by `fromUtility`.
    function settle(Settlement calldata settlement) external;
    /// @notice Pays `creditor` what `debtor` owes it as far as available. Restricted to modules, which vouch for consent.
    function collect(address debtor, address creditor) external returns (uint256 paid);

    /// @return available what can serve as collateral
    /// @return held part of it that a correction window still keeps from withdrawal
    /// @return arrear sum of what the account owes
    function accountOf(address account) external view returns (uint256 available, uint256 held, uint256 arrear);
    /// @notice max(0, available - held - arrear).
    function withdrawableOf(address account) external view returns (uint256);
    function potOf(address module) external view returns (uint256);
    function owed(address debtor, address creditor) external view returns (uint256);
    /// @notice Sum of all available balances and pots.
    function totalTracked() external view returns (uint256);
    function currency() external view returns (address);
    /// @notice Seconds per hold period. A hold lasts at least until its time and at most this much longer.
    function holdLength() external view returns (uint32);
}
