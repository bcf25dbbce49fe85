// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { MarketTerms } from "../../../contracts/types/MarketTerms.sol";
import { ProgrammeTerms } from "../../../contracts/types/Programme.sol";
import { Flexible, Responding } from "./Responding.sol";

/// The worked example of docs/flexibility.md: two spans of half an hour, 150 and 120 kW promised, 140 and 105 kW delivered, at 3.50 and
/// 4.00 a kWh, 1.50 for what is missing.
contract ExampleTest is Responding {
    uint16 private constant HALF_HOUR = 2;
    int256 private constant BASELINE_WH = 50_000; // a quarter hour of 200 kW

    function _terms() internal view override returns (MarketTerms memory terms) {
        terms = super._terms();
        (terms.minPrice, terms.feedInPrice, terms.gridFee) = (80_000, 0, 0);
        (terms.tickCount, terms.retailPrice) = (28, 4_000_000);
    }

    function _programme() internal view override returns (ProgrammeTerms memory terms) {
        terms = super._programme();
        (terms.minPrice, terms.tickSize, terms.tickCount) = (3_500_000, 500_000, 2);
        (terms.shortfallRate, terms.floorBps) = (1_500_000, 10_000);
    }

    function test_settle__twoSpansOfTheExample__pay237_50And198_75() external {
        uint32 programme = _openProgramme(_programme());
        Flexible memory plant = _flexible(1);
        uint256 before = _availableOf(plant.home.owner.addr);

        uint32 first = _span(programme, plant, SHED, 150_000, 3_500_000, 1, 35_000);
        assertEq(_netOf(first, 0), 237_500_000, "245.00 for 70 kWh less 7.50 for 5 kWh");
        uint32 second = _span(programme, plant, SHED + 20, 120_000, 4_000_000, 2, 26_250);
        assertEq(_netOf(second, 0), 198_750_000, "210.00 for 52.5 kWh less 11.25 for 7.5 kWh");

        uint256 bond = _enrolmentOf(programme, plant.asset).bond();
        assertEq(_availableOf(plant.home.owner.addr) + bond - before, 436_250_000, "both are paid, nothing else moved");
    }

    /// Calls the plant for half an hour in which it delivers so many Wh a slot.
    function _span(
        uint32 programme,
        Flexible memory plant,
        uint32 slot,
        uint32 powerW,
        uint64 price,
        uint256 version,
        int256 deliveredWh
    ) private returns (uint32 number) {
        _enrolAsset(
            _offer(programme, plant.asset, powerW, price, int32(BASELINE_WH)), version, plant.home.owner
        );
        number = _announce(programme, slot, HALF_HOUR, powerW);
        _call(number, plant.asset);
        _toGate(slot);
        response.dispatch(number, 1);
        _toSlot(slot + HALF_HOUR);
        _record(plant.home, slot, HALF_HOUR, BASELINE_WH - deliveredWh);
        _settleAt(number, 0);
    }
}
