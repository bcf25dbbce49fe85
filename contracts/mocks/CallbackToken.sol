// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// What a party of a CallbackToken may have called.
interface ITokenHook {
    function tokenMoves(address from, address to, uint256 value) external;
}

/// @title A token that calls its parties, as ERC-777 did
/// @notice The sender's hook runs before a transfer, the receiver's after it. For tests of reentrancy only: anyone mints.
contract CallbackToken is ERC20Permit {
    mapping(address party => ITokenHook) private _hooks;

    constructor() ERC20("Callback Token", "CBT") ERC20Permit("Callback Token") { }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Sets whom the token calls when `party` sends or receives.
    function setHook(address party, ITokenHook hook) external {
        _hooks[party] = hook;
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function _update(address from, address to, uint256 value) internal override {
        _call(_hooks[from], from, to, value);
        super._update(from, to, value);
        _call(_hooks[to], from, to, value);
    }

    function _call(ITokenHook hook, address from, address to, uint256 value) private {
        if (address(hook) != address(0)) hook.tokenMoves(from, to, value);
    }
}
