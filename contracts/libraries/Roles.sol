// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// The roles that the Authority grants. 0 is its admin.
library Roles {
    /// Registers markets, meters and assets; suspends, reinstates and revokes devices.
    uint64 internal constant OPERATOR = 1;
    /// Endorses devices.
    uint64 internal constant MAKER = 2;
    /// Keeps a pot in the Vault and moves money in and out of it. Granted with a delay of seven days at least.
    uint64 internal constant MODULE = 3;
    /// Records readings in the MeterLedger, having settled them. Granted with a delay of seven days at least.
    uint64 internal constant RECORDER = 4;
    /// Mints the local currency.
    uint64 internal constant MINTER = 5;
}
