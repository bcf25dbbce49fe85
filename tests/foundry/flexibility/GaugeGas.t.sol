// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { HIGH_5_OF_10, MATCHED, Measuring, TEN_OF_TEN } from "../../../contracts/types/Measuring.sol";
import { Gas } from "../support/Gas.sol";
import { Metered } from "./Metered.sol";

/// forge-config: default.isolate = true
contract GaugeGasTest is Metered, Gas {
    function test_gas__measure__given_ten_days_and_a_window() external {
        _recordTenDays();
        _recordDay(0, 900, 510);
        _snap("measuring 4 slots against 10 of 10 days, adjusted over 4", _cost(TEN_OF_TEN, 4), 155_000);
        _snap("measuring 4 slots against 10 of 10 days, adjusted over 8", _cost(TEN_OF_TEN, 8), 180_000);
        _snap("measuring 4 slots against the highest 5 of 10 days, adjusted over 4", _cost(HIGH_5_OF_10, 4), 170_000);
        _snap("measuring 4 slots against 3 matched days, adjusted over 4", _cost(MATCHED, 4), 190_000);
    }

    function _cost(uint8 method, uint8 windowSlots) private returns (uint256) {
        Measuring memory measuring = _measuring(method);
        measuring.windowSlots = windowSlots;
        return _executionGas(address(gauge), abi.encodeCall(gauge.measure, (measuring, meter, _called(), 0)));
    }
}
