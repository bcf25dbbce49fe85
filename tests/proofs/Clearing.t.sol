// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../contracts/interfaces/IEnergyAuction.sol";
import { ASK, BID } from "../../contracts/types/Order.sol";
import { BoundedBook } from "./BoundedBook.sol";

/// Four ticks where the search has each of its borders between them: lanes, words, groups.
contract ClearingProof is BoundedBook {
    /// @custom:halmos --storage-layout generic
    function check_clear__given_four_groups__finds_the_price(Book memory book) external {
        book.ticks = _groups();
        _prove(book);
    }

    function check_clear__given_four_ticks_of_one_word__finds_the_price(Book memory book) external {
        book.ticks = _lanes();
        _prove(book);
    }

    /// @custom:halmos --storage-layout generic
    function check_clear__given_four_words_of_one_group__finds_the_price(Book memory book) external {
        book.ticks = _words();
        _prove(book);
    }

    // ------------------------------------------------------------------------------------ what is false must be refuted

    function refute_clear__given_four_ticks_of_one_word__never_balances(Book memory book) external {
        book.ticks = _lanes();
        IEnergyAuction.Clearing memory found = _clear(book);
        assert(!found.traded || found.lowTick == found.highTick);
    }

    /// @custom:halmos --storage-layout generic
    function refute_clear__given_four_words_of_one_group__never_rations_asks(Book memory book) external {
        book.ticks = _words();
        assert(_clear(book).longSide != ASK);
    }

    /// @custom:halmos --storage-layout generic
    function refute_clear__given_four_groups__never_rations_bids(Book memory book) external {
        book.ticks = _groups();
        assert(_clear(book).longSide != BID);
    }

    function _lanes() private pure returns (uint256[SIZE] memory) {
        return [uint256(16), 18, 19, 23];
    }

    function _words() private pure returns (uint256[SIZE] memory) {
        return [uint256(992), 1004, 1008, 1023];
    }

    function _groups() private pure returns (uint256[SIZE] memory) {
        return [uint256(0), 63, 288, 1023];
    }
}
