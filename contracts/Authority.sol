// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title Who may do what
/// @notice Every role of every contract is kept here. The roles stand in libraries/Roles.sol.
contract Authority is AccessManager {
    constructor(address admin) AccessManager(admin) { }

    /// @notice A longer delay is in force as soon as it is set; a shorter one only after the difference.
    /// @dev Without this the seven days before a new module or recorder would themselves begin five days late.
    function minSetback() public pure override returns (uint32) {
        return 0;
    }
}
