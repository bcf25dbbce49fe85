// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { MarketTerms } from "../../../contracts/types/MarketTerms.sol";
import { ASK, BID, SignedOrder } from "../../../contracts/types/Order.sol";
import { vm } from "../support/Vm.sol";
import { AuctionGas } from "./AuctionGas.sol";
import { Home } from "./Feeder.sol";
import { WorstBook } from "./WorstBook.sol";

/// The whole transaction that clears a slot: 21,000, storage, event. A grid of 1,024 ticks.
abstract contract ClearGas is AuctionGas {
    uint32 internal constant WIDE = 2;

    function setUp() public virtual override {
        super.setUp();
        MarketTerms memory terms = _terms();
        (terms.minPrice, terms.tickSize, terms.tickCount) = (0, 1_000, 1_024);
        (terms.gridFee, terms.feedInPrice, terms.retailPrice) = (0, 0, 1_024_000);
        _createMarket(terms);
    }

    /// Places orders of new homes, a hundred at a time.
    function _fill(uint8[] memory sides, uint256[] memory ticks, uint256[] memory energies) internal {
        for (uint256 first = 0; first < ticks.length; first += BATCH) {
            uint256 count = ticks.length - first < BATCH ? ticks.length - first : BATCH;
            SignedOrder[] memory orders = new SignedOrder[](count);
            for (uint256 i = 0; i < count; ++i) {
                uint256 j = first + i;
                orders[i] = this.orderOf(j, sides[j], energies[j], ticks[j] * 1_000);
            }
            this.placeAll(orders);
        }
        vm.warp(_gateOf(SLOT));
    }

    /// Calls of their own, so that their memory is given back.
    function orderOf(uint256 number, uint8 side, uint256 energyWh, uint256 price) external returns (SignedOrder memory) {
        Home memory home = _homeIn(WIDE, number, false, false);
        return _signedBy(
            home.owner, _pack(WIDE, SLOT, home.meter, 1, block.timestamp + 1 hours, side, energyWh, price)
        );
    }

    function placeAll(SignedOrder[] memory orders) external {
        auction.place(orders);
    }

    /// One distribution: bids a little above, asks a little below 0.5, both spread over some 200 ticks.
    function _draw(uint256 orders) internal {
        uint8[] memory sides = new uint8[](orders);
        uint256[] memory ticks = new uint256[](orders);
        uint256[] memory energies = new uint256[](orders);
        for (uint256 i = 0; i < orders; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(i, "one distribution")));
            sides[i] = i % 2 == 0 ? BID : ASK;
            uint256 spread = draw % 100 + (draw >> 64) % 100;
            ticks[i] = sides[i] == BID ? 430 + spread : 380 + spread;
            energies[i] = 10 + (draw >> 128) % 1_000;
        }
        _fill(sides, ticks, energies);
    }

    function _clearGas() internal returns (uint256) {
        return _transactionGas(abi.encodeCall(auction.clear, (WIDE, SLOT)));
    }
}

/// forge-config: default.isolate = true
contract Clear10GasTest is ClearGas {
    function setUp() public override {
        super.setUp();
        _draw(10);
    }

    function test_clear__given_10_orders__costs_at_most_200_000() external {
        _snap("clearing 10 orders", _clearGas(), 200_000);
    }
}

/// forge-config: default.isolate = true
contract Clear100GasTest is ClearGas {
    function setUp() public override {
        super.setUp();
        _draw(100);
    }

    function test_clear__given_100_orders__costs_at_most_200_000() external {
        _snap("clearing 100 orders", _clearGas(), 200_000);
    }
}

/// forge-config: default.isolate = true
contract Clear200GasTest is ClearGas {
    function setUp() public override {
        super.setUp();
        _draw(200);
    }

    function test_clear__given_200_orders__costs_at_most_200_000() external {
        _snap("clearing 200 orders", _clearGas(), 200_000);
    }
}

/// forge-config: default.isolate = true
contract Clear1000GasTest is ClearGas {
    function setUp() public override {
        super.setUp();
        _draw(1_000);
    }

    function test_clear__given_1000_orders__costs_at_most_200_000() external {
        _snap("clearing 1,000 orders", _clearGas(), 200_000);
    }
}

/// forge-config: default.isolate = true
contract Clear10000GasTest is ClearGas {
    function setUp() public override {
        super.setUp();
        _draw(10_000);
    }

    function test_clear__given_10000_orders__costs_at_most_200_000() external {
        _snap("clearing 10,000 orders", _clearGas(), 200_000);
    }
}

/// forge-config: default.isolate = true
contract ClearNothingGasTest is ClearGas {
    function setUp() public override {
        super.setUp();
        vm.warp(_gateOf(SLOT));
    }

    function test_clear__given_no_orders__costs_at_most_200_000() external {
        _snap("clearing no orders", _clearGas(), 200_000);
    }
}

/// What the search in WorstBook.t.sol found.
/// forge-config: default.isolate = true
contract ClearWorstGasTest is ClearGas {
    function setUp() public override {
        super.setUp();
        (uint8[] memory sides, uint256[] memory ticks, uint256[] memory energies) = WorstBook.orders();
        _fill(sides, ticks, energies);
    }

    function test_clear__given_the_worst_book_found__costs_at_most_200_000() external {
        _snap("clearing the worst book that the search found", _clearGas(), 200_000);
    }
}
