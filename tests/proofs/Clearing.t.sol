// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { BoundedBook } from "./BoundedBook.sol";

contract ClearingProof is BoundedBook {
    function check_clear__given_four_ticks_of_one_word(Book memory book) external {
        book.ticks = [uint256(17), 18, 20, 23];
        _prove(book);
    }

    function check_clear__given_four_words_of_one_group(Book memory book) external {
        book.ticks = [uint256(992), 1004, 1012, 1023];
        _prove(book);
    }

    function check_clear__given_four_groups(Book memory book) external {
        book.ticks = [uint256(0), 31, 300, 1023];
        _prove(book);
    }
}
