// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { SettlementMath } from "../libraries/SettlementMath.sol";
import { MarketTerms } from "../types/MarketTerms.sol";

/// @title The auction's settlement on its own, for tests
contract SettlementHarness {
    using SettlementMath for MarketTerms;

    /// @return trade from the slot's pot
    /// @return account from the utility to the account
    /// @return operator from the utility to the operator
    /// @return hold what a correction may take again
    function cash(
        MarketTerms memory terms,
        uint256 price,
        uint256 boughtWh,
        uint256 soldWh,
        uint256 importWh,
        uint256 exportWh
    ) external pure returns (int256 trade, int256 account, int256 operator, int256 hold) {
        return terms.cash(price, boughtWh, soldWh, importWh, exportWh);
    }

    function collateral(MarketTerms memory terms, uint8 side, uint256 tick, uint256 energyWh)
        external
        pure
        returns (uint256)
    {
        return terms.collateral(side, tick, energyWh);
    }

    function defaultImport(MarketTerms memory terms, uint256 boughtWh) external pure returns (uint256) {
        return terms.defaultImport(boughtWh);
    }
}
