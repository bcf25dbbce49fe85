// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "contracts/interfaces/IEnergyAuction.sol";
import { ClearingMath } from "contracts/libraries/ClearingMath.sol";
import { Ladder } from "contracts/libraries/Ladder.sol";
import { SettlementMath } from "contracts/libraries/SettlementMath.sol";
import { MarketTerms } from "contracts/types/MarketTerms.sol";
import { BID } from "contracts/types/Order.sol";

/// @title The auction's arithmetic without the auction: thousands of books and settlements in one call
contract MarketHarness {
    using Ladder for Ladder.Side;
    using SettlementMath for MarketTerms;

    /// What stands of a meter in the book of `tag`. Version 0: nothing yet.
    struct Line {
        uint16 tag;
        uint16 version;
        uint8 side;
        uint16 tick;
        uint32 energyWh;
    }

    struct Case {
        MarketTerms terms;
        uint256 price;
        uint256 boughtWh;
        uint256 soldWh;
        uint256 importWh;
        uint256 exportWh;
        uint8 side;
        uint256 tick;
        uint256 energyWh;
    }

    Ladder.Side private _bids;
    Ladder.Side private _asks;
    mapping(uint256 meter => Line) private _lines;

    /// @param acts per book: version 16 | meter 16 | side 8 | tick 16 | energyWh 32; no energy is a cancellation. Each book
    /// has a tag of its own, over the words that the books before it left.
    /// @return found per book what clearing found
    /// @return fills per book what meters 0, 1, ... got
    /// @return refused per book how many acts were refused
    function clearBooks(uint256[][] calldata acts, uint16 firstTag, uint256 meters)
        external
        returns (IEnergyAuction.Clearing[] memory found, uint256[][] memory fills, uint256[] memory refused)
    {
        found = new IEnergyAuction.Clearing[](acts.length);
        fills = new uint256[][](acts.length);
        refused = new uint256[](acts.length);
        for (uint256 i = 0; i < acts.length; ++i) {
            uint16 tag = firstTag + uint16(i);
            for (uint256 j = 0; j < acts[i].length; ++j) {
                if (!_act(tag, acts[i][j])) ++refused[i];
            }
            ClearingMath.clear(found[i], _bids, _asks, tag);
            fills[i] = _fills(found[i], tag, meters);
        }
    }

    function _fills(IEnergyAuction.Clearing memory found, uint16 tag, uint256 meters)
        private
        view
        returns (uint256[] memory fills)
    {
        fills = new uint256[](meters);
        for (uint256 meter = 0; meter < meters; ++meter) {
            Line memory line = _lines[meter];
            if (line.tag != tag) line = Line(tag, 0, 0, 0, 0); // no order, which gets nothing at any price
            fills[meter] = ClearingMath.fill(found, line.side, line.tick, line.energyWh);
        }
    }

    /// The new order enters the ladder before the one that it replaces leaves it, as in the auction.
    function _act(uint16 tag, uint256 word) private returns (bool) {
        uint256 meter = (word >> 56) & 0xffff;
        Line memory before = _lines[meter];
        if (before.tag != tag) before = Line(tag, 0, 0, 0, 0);
        Line memory next = Line(tag, uint16(word >> 72), uint8(word >> 48), uint16(word >> 32), uint32(word));
        if (next.version <= before.version) return false;
        if (next.energyWh != 0 && !_side(next.side).add(tag, next.tick, next.energyWh)) return false;
        if (before.energyWh != 0) _side(before.side).remove(tag, before.tick, before.energyWh);
        _lines[meter] = next;
        return true;
    }

    function _side(uint8 side) private view returns (Ladder.Side storage) {
        return side == BID ? _bids : _asks;
    }

    /// @return cash per case: trade, account, operator, hold, the default import, the collateral
    function settleAll(Case[] memory cases) external pure returns (int256[6][] memory cash) {
        cash = new int256[6][](cases.length);
        for (uint256 i = 0; i < cases.length; ++i) {
            Case memory given = cases[i];
            (cash[i][0], cash[i][1], cash[i][2], cash[i][3]) = given.terms.cash(
                given.price, given.boughtWh, given.soldWh, given.importWh, given.exportWh
            );
            cash[i][4] = int256(given.terms.defaultImport(given.boughtWh));
            cash[i][5] = int256(given.terms.collateral(given.side, given.tick, given.energyWh));
        }
    }
}
