// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IDERRegistry } from "../interfaces/IDERRegistry.sol";
import { IMeterLedger } from "../interfaces/IMeterLedger.sol";
import { IVault } from "../interfaces/IVault.sol";
import { Meter, MeterBinding } from "../types/Meter.sol";
import { SignedReading } from "../types/Reading.sol";
import { Calls } from "./Calls.sol";
import { OrderLists } from "./OrderLists.sol";

/// @title The calls that a batch makes, one each
/// @notice What goes to the registry, the ledger and the Vault, and what comes back, without a copy in between.
/// @dev Places are memory addresses and batches are bounded, so nothing here comes near 2**256.
library Batches {
    using Calls for uint256;
    using OrderLists for OrderLists.List;

    /// Words of an IVault.Lock, an IVault.Leg and an IMeterLedger.Recorded.
    uint256 private constant LOCK = 3;
    uint256 private constant LEG = 6;
    uint256 private constant RECORDED = 5;
    /// Before the legs: offset of the settlement, its seven words, their number.
    uint256 private constant BEFORE_LEGS = 9;

    // -------------------------------------------------------------------------------------------------------- registry

    /// The meters of some orders, and their bindings if any of them is bounded; else none.
    function askMetering(IDERRegistry registry, OrderLists.List memory orders)
        internal
        view
        returns (Meter[] memory meters, MeterBinding[] memory bindings)
    {
        uint256 count = orders.count;
        uint256 arguments = _openIds(IDERRegistry.metersOf.selector, count);
        for (uint256 i = 0; i < count; ++i) {
            (arguments + 0x40).set(i, orders.orderAt(i).meter());
        }
        uint256 answer = Calls.ask(address(registry), arguments, 2 + count, 2 + count);
        assembly ("memory-safe") {
            meters := add(answer, 0x20)
        }
        for (uint256 i = 0; i < count; ++i) {
            if (meters[i].isBounded()) return _askBindings(registry, arguments, count);
        }
    }

    /// The meters of these ids, and their bindings.
    function askMetering(IDERRegistry registry, uint32[] memory ids)
        internal
        view
        returns (Meter[] memory, MeterBinding[] memory)
    {
        uint256 count = ids.length;
        uint256 arguments = _openIds(IDERRegistry.metersOf.selector, count);
        for (uint256 i = 0; i < count; ++i) {
            (arguments + 0x40).set(i, ids[i]);
        }
        return _askBindings(registry, arguments, count);
    }

    function _openIds(bytes4 selector, uint256 count) private pure returns (uint256 arguments) {
        arguments = Calls.open(selector, 2 + count);
        arguments.set(0, 0x20);
        arguments.set(1, count);
    }

    /// Asks for the same ids once more, with their bindings.
    function _askBindings(IDERRegistry registry, uint256 arguments, uint256 count)
        private
        view
        returns (Meter[] memory meters, MeterBinding[] memory bindings)
    {
        arguments.retarget(IDERRegistry.meteringOf.selector);
        uint256 answer = Calls.ask(address(registry), arguments, 2 + count, 4 + 2 * count);
        assembly ("memory-safe") {
            // each list behind its length, where its offset says
            meters := add(answer, mload(answer))
            bindings := add(answer, mload(add(answer, 0x20)))
        }
    }

    // ---------------------------------------------------------------------------------------------------------- ledger

    /// @return results the place of the first result
    function recordAll(
        IMeterLedger ledger,
        uint256 market,
        uint256 slot,
        uint256 asOf,
        SignedReading[] calldata readings
    ) internal returns (uint256 results) {
        uint256 count = readings.length;
        uint256 arguments = Calls.open(IMeterLedger.record.selector, 5 + 3 * count);
        arguments.set(0, market);
        arguments.set(1, slot);
        arguments.set(2, asOf);
        arguments.set(3, 0x80);
        arguments.set(4, count);
        assembly ("memory-safe") {
            calldatacopy(add(arguments, 0xa0), readings.offset, mul(count, 0x60))
        }
        return Calls.send(address(ledger), arguments, 5 + 3 * count, 2 + RECORDED * count) + 0x40;
    }

    /// The place of result `index`: reason, terms, previous version, import and export.
    function resultAt(uint256 results, uint256 index) internal pure returns (uint256) {
        unchecked {
            return results + index * (RECORDED * 0x20);
        }
    }

    // ----------------------------------------------------------------------------------------------------------- vault

    function openLocks(uint256 count) internal pure returns (uint256 arguments) {
        arguments = Calls.open(IVault.lock.selector, 2 + LOCK * count);
        arguments.set(0, 0x20);
        arguments.set(1, count);
    }

    function setLock(uint256 arguments, uint256 index, address account, int256 amount, bytes32 ref) internal pure {
        unchecked {
            uint256 place = arguments + 0x40 + index * (LOCK * 0x20);
            place.set(0, uint160(account));
            place.set(1, uint256(amount));
            place.set(2, uint256(ref));
        }
    }

    function lockAll(IVault vault, uint256 arguments) internal returns (bytes4[] memory reasons) {
        uint256 count = arguments.get(1);
        uint256 answer = Calls.send(address(vault), arguments, 2 + LOCK * count, 2 + count);
        assembly ("memory-safe") {
            reasons := add(answer, 0x20)
        }
    }

    /// Room for a settlement of up to `most` legs.
    function openSettlement(uint256 most) internal pure returns (uint256 arguments) {
        arguments = Calls.open(IVault.settle.selector, BEFORE_LEGS + LEG * most);
        arguments.set(0, 0x20);
        arguments.set(7, 7 * 0x20);
    }

    /// The place of leg `index`: account, mayDebit, fromPot, fromUtility, hold, ref.
    function legAt(uint256 arguments, uint256 index) internal pure returns (uint256) {
        unchecked {
            return arguments + BEFORE_LEGS * 0x20 + index * (LEG * 0x20);
        }
    }

    /// Settles the first `legs` legs and what else was set.
    function settleAll(IVault vault, uint256 arguments, uint256 legs) internal {
        arguments.set(8, legs);
        Calls.send(address(vault), arguments, BEFORE_LEGS + LEG * legs, 0);
    }
}
