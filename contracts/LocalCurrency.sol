// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title Money for places without a currency on chain
/// @notice An ERC-20 of six decimals with ERC-2612 permits. The Vault takes any such token in its stead.
contract LocalCurrency is ERC20Permit, AccessManaged {
    constructor(address authority)
        ERC20("Gridweave Local Currency", "GWC")
        ERC20Permit("Gridweave Local Currency")
        AccessManaged(authority)
    { }

    /// @notice Issues `amount` millionths to `to`. Restricted to minters.
    function mint(address to, uint256 amount) external restricted {
        _mint(to, amount);
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
