// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { EnergyAuction } from "../../../contracts/EnergyAuction.sol";
import { vm } from "../support/Vm.sol";
import { AuctionGas } from "./AuctionGas.sol";

/// A hundred orders on storage that nobody has written before.
/// forge-config: default.isolate = true
contract FreshPlaceGasTest is AuctionGas {
    function setUp() public override {
        super.setUp();
        _settleIn(BATCH, false);
    }

    function test_place__given_100_orders_on_fresh_storage__costs_at_most_65_000_each() external {
        uint256 gas = _transactionGas(abi.encodeCall(auction.place, (_orders(SLOT, 1))));
        _snap("an order of a batch of 100 on fresh storage", gas / BATCH, 65_000);
    }
}

/// The same 256 slots later, in words that an earlier turn of the ring has written.
/// forge-config: default.isolate = true
contract ReusedPlaceGasTest is AuctionGas {
    function setUp() public override {
        super.setUp();
        _settleIn(BATCH, false);
        auction.place(_orders(SLOT, 1));
        _cancelAll(SLOT, 2);
        vm.warp(START + 256 * uint256(SLOT_LENGTH));
    }

    function test_place__given_100_orders_in_reused_words__costs_at_most_40_000_each() external {
        uint256 gas = _transactionGas(abi.encodeCall(auction.place, (_orders(SLOT + 256, 1))));
        _snap("an order of a batch of 100 in reused words", gas / BATCH, 40_000);
    }
}

/// The readings of a cleared slot in which all homes have orders. A word takes eight readings: one first and seven later ones,
/// which limits of 60,000 and 42,500 keep below 45,000 in the mean.
abstract contract SettleGas is AuctionGas {
    function _prepare(uint256 count, bool p256) internal {
        _settleIn(count, p256);
        auction.place(_orders(SLOT, 1));
        auction.place(_orders(SLOT + 1, 1));
        vm.warp(_endOf(SLOT));
        auction.clear(MARKET, SLOT);
        auction.clear(MARKET, SLOT + 1);
    }

    /// Settles SLOT, so that a reading of SLOT + 1 finds its word written.
    function _settleFirst() internal {
        auction.settle(MARKET, SLOT, _readings(SLOT));
        vm.warp(_endOf(SLOT + 1));
    }

    /// Gas per reading. Each is recorded: a refused one costs less.
    function _settleGas(uint32 slot) internal returns (uint256 gas) {
        gas = _transactionGas(abi.encodeCall(auction.settle, (MARKET, slot, _readings(slot)))) / homes.length;
        for (uint256 i = 0; i < homes.length; ++i) {
            (uint8 version,,) = ledger.readingOf(homes[i].meter, slot);
            assertEq(version, 1, "every reading is stored");
        }
    }
}

/// forge-config: default.isolate = true
contract FirstReadingGasTest is SettleGas {
    function setUp() public override {
        super.setUp();
        _prepare(BATCH, false);
    }

    function test_settle__given_the_first_reading_of_a_word__pays_for_the_fresh_word() external {
        _snap("a reading of a batch of 100, the first of its word, secp256k1", _settleGas(SLOT), 60_000);
    }
}

/// forge-config: default.isolate = true
contract LaterReadingGasTest is SettleGas {
    function setUp() public override {
        super.setUp();
        _prepare(BATCH, false);
        _settleFirst();
    }

    function test_settle__given_a_later_reading_of_a_word__costs_at_most_42_500() external {
        _snap("a reading of a batch of 100, a later one of its word, secp256k1", _settleGas(SLOT + 1), 42_500);
    }
}
