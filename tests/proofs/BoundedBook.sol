// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../contracts/interfaces/IEnergyAuction.sol";
import { ClearingMath } from "../../contracts/libraries/ClearingMath.sol";
import { Ladder } from "../../contracts/libraries/Ladder.sol";
import { LANE_BITS, LANE_MAX, LadderWord, TAG_SHIFT } from "../../contracts/types/LadderWord.sol";
import { ASK, BID } from "../../contracts/types/Order.sol";
import { vm } from "../foundry/support/Vm.sol";

/// A book with energy on four given ticks only, any energy on either side of each, cleared by the library itself: what
/// docs/market.md says of low, high, price and volume holds. D and S are summed as the search sums them, group before tick,
/// so that a solver meets the same terms twice.
abstract contract BoundedBook {
    using ClearingMath for IEnergyAuction.Clearing;

    uint256 internal constant SIZE = 4;
    uint256 private constant TAG = 1;
    uint256 private constant NONE = 0xffff;

    Ladder.Side private _bids;
    Ladder.Side private _asks;

    struct Book {
        uint256[SIZE] ticks; // ascending
        uint256[SIZE] bids;
        uint256[SIZE] asks;
        uint256[SIZE] bidGroups; // the bids of the tick's group
        uint256[SIZE] askGroups;
    }

    function _clear(Book memory book) internal returns (IEnergyAuction.Clearing memory found) {
        _write(_bids, book.ticks, book.bids, book.bidGroups);
        _write(_asks, book.ticks, book.asks, book.askGroups);
        found.clear(_bids, _asks, TAG);
    }

    function _prove(Book memory book) internal {
        IEnergyAuction.Clearing memory found = _clear(book);
        assert(found.cleared && !found.closed);
        uint256 low = _known(book, found.lowTick);
        uint256 high = _known(book, found.highTick);
        if (found.traded) _proveTrade(book, found, low, high);
        else _proveNoTrade(book, found, low, high);
    }

    function _proveTrade(Book memory book, IEnergyAuction.Clearing memory found, uint256 low, uint256 high) private pure {
        unchecked {
            // energies have 30 bits
            assert(low <= high && high != NONE);
            uint256 price = (low + high) / 2;
            assert(found.priceTick == price);

            // low is the least tick with D(t + 1) <= S(t)
            assert(_demand(book, low + 1) <= _supply(book, low));
            if (low > 0) assert(_demand(book, low) > _supply(book, low - 1));
            // high is low, or, if they are equal, the next tick with energy
            assert((high == low) == (_demand(book, low + 1) != _supply(book, low)));
            if (high != low) assert(_empty(book, low, high) && !_empty(book, high - 1, high + 1));

            // the price is an equilibrium: no order strictly better than it is left out
            uint256 betterBids = _demand(book, price + 1);
            uint256 betterAsks = price == 0 ? 0 : _supply(book, price - 1);
            uint256 demand = _demand(book, price);
            uint256 supply = _supply(book, price);
            assert(betterBids <= supply);
            assert(betterAsks <= demand);

            // what is traded, and who shares it
            uint256 volume = found.volumeWh;
            assert(volume > 0);
            assert(volume <= demand && volume <= supply && (volume == demand || volume == supply));
            assert(betterBids <= volume && betterAsks <= volume);
            if (found.longSide == BID) {
                assert(demand > supply);
                assert(found.sharedWh == volume - betterBids && found.longWh == demand - betterBids);
            } else if (found.longSide == ASK) {
                assert(supply > demand);
                assert(found.sharedWh == volume - betterAsks && found.longWh == supply - betterAsks);
            } else {
                assert(found.longSide == 0 && demand == supply);
            }
        }
    }

    /// No bid is at or above any ask, and best bid and best ask are what is published.
    function _proveNoTrade(Book memory book, IEnergyAuction.Clearing memory found, uint256 low, uint256 high)
        private
        pure
    {
        assert(found.volumeWh == 0 && found.priceTick == 0 && found.longSide == 0);
        assert(low == NONE || high == NONE || low < high);
        for (uint256 i = 0; i < SIZE; ++i) {
            if (low == NONE || book.ticks[i] > low) assert(book.bids[i] == 0);
            if (book.ticks[i] == low) assert(book.bids[i] != 0);
            if (book.ticks[i] < high) assert(book.asks[i] == 0);
            if (book.ticks[i] == high) assert(book.asks[i] != 0);
        }
    }

    /// The tick of the book that equals `tick`: no other is ever found.
    function _known(Book memory book, uint256 tick) private pure returns (uint256) {
        for (uint256 i = 0; i < SIZE; ++i) {
            if (tick == book.ticks[i]) return book.ticks[i];
        }
        assert(tick == NONE);
        return NONE;
    }

    /// D(tick): groups from the tick's on, less what lies below the tick in its group.
    function _demand(Book memory book, uint256 tick) private pure returns (uint256 sum) {
        unchecked {
            for (uint256 i = 0; i < SIZE; ++i) {
                if (_first(book, i) && book.ticks[i] >> 5 >= tick >> 5) sum += book.bidGroups[i];
            }
            for (uint256 i = 0; i < SIZE; ++i) {
                if (book.ticks[i] >> 5 == tick >> 5 && book.ticks[i] < tick) sum -= book.bids[i];
            }
        }
    }

    /// S(tick): groups below the tick's, and what lies up to the tick in its group.
    function _supply(Book memory book, uint256 tick) private pure returns (uint256 sum) {
        unchecked {
            for (uint256 i = 0; i < SIZE; ++i) {
                if (_first(book, i) && book.ticks[i] >> 5 < tick >> 5) sum += book.askGroups[i];
            }
            for (uint256 i = 0; i < SIZE; ++i) {
                if (book.ticks[i] >> 5 == tick >> 5 && book.ticks[i] <= tick) sum += book.asks[i];
            }
        }
    }

    /// Whether no tick strictly between the two has energy.
    function _empty(Book memory book, uint256 above, uint256 below) private pure returns (bool) {
        uint256 any = 0;
        for (uint256 i = 0; i < SIZE; ++i) {
            if (above < book.ticks[i] && book.ticks[i] < below) any |= book.bids[i] | book.asks[i];
        }
        return any == 0;
    }

    /// Whether no earlier tick is in the same group.
    function _first(Book memory book, uint256 i) private pure returns (bool) {
        return i == 0 || book.ticks[i - 1] >> 5 != book.ticks[i] >> 5;
    }

    /// Writes the words as Ladder.add leaves them (LadderProof): energies of the ticks, sums of the groups.
    function _write(
        Ladder.Side storage side,
        uint256[SIZE] memory ticks,
        uint256[SIZE] memory energies,
        uint256[SIZE] memory groups
    ) private {
        unchecked {
            // at most four sums of 30 bits
            for (uint256 i = 0; i < SIZE; ++i) {
                energies[i] &= LANE_MAX;
            }
            for (uint256 i = 0; i < SIZE; ++i) {
                if (i > 0 && ticks[i - 1] >> 5 == ticks[i] >> 5) continue;
                uint256 sum = 0;
                uint256 ends = i;
                while (ends < SIZE && ticks[ends] >> 5 == ticks[i] >> 5) sum += energies[ends++];
                if (ends == i + 1) {
                    groups[i] = energies[i];
                } else {
                    groups[i] &= LANE_MAX;
                    vm.assume(groups[i] == sum);
                }
            }
            uint256[132] memory words;
            for (uint256 i = 0; i < SIZE; ++i) {
                words[ticks[i] >> 3] |= energies[i] << (LANE_BITS * (ticks[i] & 7));
                if (i == 0 || ticks[i - 1] >> 5 != ticks[i] >> 5) {
                    words[128 + (ticks[i] >> 8)] |= groups[i] << (LANE_BITS * ((ticks[i] >> 5) & 7));
                }
            }
            for (uint256 i = 0; i < SIZE; ++i) {
                uint256 leaf = ticks[i] >> 3;
                uint256 top = ticks[i] >> 8;
                if (i > 0 && ticks[i - 1] >> 3 == leaf) continue;
                side.leaves[leaf] = LadderWord.wrap(words[leaf] | (TAG << TAG_SHIFT));
                if (i > 0 && ticks[i - 1] >> 8 == top) continue;
                side.groups[top] = LadderWord.wrap(words[128 + top] | (TAG << TAG_SHIFT));
            }
        }
    }
}
