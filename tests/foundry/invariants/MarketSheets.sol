// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// What a meter has in a slot, as far as the handler knows.
struct Line {
    uint16 version;
    uint8 side; // 0: no order
    uint256 tick;
    uint256 energyWh;
    bool released;
    uint8 reading; // newest version
    bool defaulted;
    uint256 bought;
    uint256 sold;
    int256 trade; // floor(T / 1000), once settled
    int256 cash; // the account's, all in all
    int256 operator; // the operator's part of it
}

/// What the handler knows of a slot.
struct Sheet {
    uint32 market;
    uint32 slot;
    bool cleared;
    bool closed;
    uint256 price;
    uint256 volume;
}

/// What a slot is waiting for.
enum Stage {
    Uncleared,
    Open,
    Overdue
}
