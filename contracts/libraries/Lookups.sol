// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Calls } from "./Calls.sol";

/// @title One word of what a getter tells
/// @notice For getters that return a struct of many fields, of which the compiler would decode each.
library Lookups {
    using Calls for uint256;

    /// Asks by a getter of one argument.
    /// @return answer the place of its `least` words
    function lookUp(address target, bytes4 getter, uint256 argument, uint256 least)
        internal
        view
        returns (uint256 answer)
    {
        uint256 arguments = Calls.open(getter, 1);
        arguments.set(0, argument);
        return Calls.ask(target, arguments, 1, least);
    }

    /// The same by a getter of two arguments.
    function lookUp(address target, bytes4 getter, uint256 first, uint256 second, uint256 least)
        internal
        view
        returns (uint256 answer)
    {
        uint256 arguments = Calls.open(getter, 2);
        arguments.set(0, first);
        arguments.set(1, second);
        return Calls.ask(target, arguments, 2, least);
    }
}
