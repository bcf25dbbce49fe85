// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { available, arrear, heldNear, heldFar, held, holdPeriod } for Account global;
using { moved, credited, debited, indebted, relieved, holding, asOf } for Account global;

/// A party's money in the Vault, in one word, most significant bits first:
/// available 72 | arrear 56 | heldNear 56 | heldFar 56 | holdPeriod 16.
/// heldNear is kept until period holdPeriod + 1 begins, heldFar until holdPeriod + 2 does; both are part of `available`.
/// @dev `available` cannot overflow: the Vault tracks less than 2^72 in all.
type Account is uint256;

uint256 constant MAX_AVAILABLE = type(uint72).max;
uint256 constant MAX_ARREAR = type(uint56).max;
uint256 constant MAX_HELD = type(uint56).max;

// The buckets of held money, by their lowest bit.
uint256 constant HELD_NEAR = 72;
uint256 constant HELD_FAR = 16;
uint256 constant HELD_NOWHERE = 0;

function available(Account account) pure returns (uint256) {
    return Account.unwrap(account) >> 184;
}

function arrear(Account account) pure returns (uint256) {
    return (Account.unwrap(account) >> 128) & type(uint56).max;
}

function heldNear(Account account) pure returns (uint256) {
    return (Account.unwrap(account) >> 72) & type(uint56).max;
}

function heldFar(Account account) pure returns (uint256) {
    return (Account.unwrap(account) >> 16) & type(uint56).max;
}

function held(Account account) pure returns (uint256) {
    return account.heldNear() + account.heldFar();
}

function holdPeriod(Account account) pure returns (uint16) {
    return uint16(Account.unwrap(account));
}

/// `amount` more available, and less if it is negative. The caller knows that the result is not below zero; all tracked money
/// stays below 2^72.
function moved(Account account, int256 amount) pure returns (Account) {
    unchecked {
        return Account.wrap(Account.unwrap(account) + (uint256(amount) << 184));
    }
}

function credited(Account account, uint256 amount) pure returns (Account) {
    return account.moved(int256(amount));
}

function debited(Account account, uint256 amount) pure returns (Account) {
    return account.moved(-int256(amount));
}

/// `amount` more owed. The caller has compared the sum with MAX_ARREAR.
function indebted(Account account, uint256 amount) pure returns (Account) {
    return Account.wrap(Account.unwrap(account) + (amount << 128));
}

/// `amount` less owed, which the caller knows to be owed.
function relieved(Account account, uint256 amount) pure returns (Account) {
    return Account.wrap(Account.unwrap(account) - (amount << 128));
}

/// The account as of `period`: what was held until then is free, what was far is near.
function asOf(Account account, uint256 period) pure returns (Account) {
    uint256 word = Account.unwrap(account);
    uint16 passed;
    // Periods count on past 16 bits: only their difference matters.
    unchecked {
        passed = uint16(period) - uint16(word);
    }
    if (passed == 0) return account;
    uint256 near = passed == 1 ? account.heldFar() : 0;
    return Account.wrap((word >> 128 << 128) | (near << 72) | uint16(period));
}

/// The account with `amount` more (negative: less) held in one bucket. Never below zero, and never above MAX_HELD, which no
/// market reaches. Nowhere holds nothing.
function holding(Account account, uint256 bucket, int256 amount) pure returns (Account) {
    if (bucket == HELD_NOWHERE) return account;
    uint256 word = Account.unwrap(account);
    uint256 before = (word >> bucket) & MAX_HELD;
    int256 sum = int256(before) + amount;
    uint256 kept = sum < 0 ? 0 : sum > int256(MAX_HELD) ? MAX_HELD : uint256(sum);
    return Account.wrap(word ^ ((before ^ kept) << bucket));
}
