// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { vm } from "../support/Vm.sol";
import { MarketHandler } from "./MarketHandler.sol";
import { Sheet } from "./MarketSheets.sol";

/// The end of the street: after any acts everybody can leave, and what each takes is what it put in and what it earned.
contract MarketTeardown is MarketHandler {
    /// Everybody leaves: each open slot is cleared, settled and so closed, who owes pays, who is owed collects, all money goes.
    function tearDown() external {
        vm.warp(block.timestamp + 200 * uint256(SLOT_LENGTH));
        for (uint256 i = 0; i < sheets.length; ++i) {
            Sheet storage sheet = sheets[i];
            if (sheet.closed || _isIdle(sheet)) continue;
            if (!sheet.cleared) {
                auction.clear(sheet.market, sheet.slot);
                _noteClearing(sheet);
            }
            for (uint256 who = sheet.market - 2; who < HOMES; who += 2) {
                vm.recordLogs();
                auction.settleByDefault(sheet.market, sheet.slot, _one(_meterIn(who, sheet.slot)));
                if (_isSettled(_noteClose(), who, sheet.slot)) _noteDefault(who, sheet);
            }
            assertTrue(sheet.closed, "a slot with everyone settled is closed");
        }
        vm.warp(block.timestamp + 2 * uint256(vault.holdLength()));
        for (uint256 who = 0; who <= HOMES; ++who) {
            uint256 arrear = _arrearOf(_accountOf(who));
            if (arrear == 0) continue;
            _deposit(_accountOf(who), arrear);
            if (who < HOMES) cashIn[who] += int256(arrear);
        }
        for (uint256 who = 0; who < HOMES; ++who) {
            auction.collect(marketOf[who], _accountOf(who));
        }
    }

    /// All money leaves, and what each home takes is what it put in and its cash of every slot: worths are nothing now.
    function assertEmptied() external {
        for (uint256 who = 0; who < HOMES + 2; ++who) {
            address account = _accountOf(who);
            (uint256 available, uint256 held, uint256 arrear) = vault.accountOf(account);
            assertEq(held + arrear, 0, "nothing is held or owed");
            if (available == 0) continue;
            vm.prank(account);
            vault.withdraw(account, available);
            if (who < HOMES) cashIn[who] -= int256(available);
            if (who > HOMES) operatorGain -= int256(available);
        }
        assertEq(vault.potOf(address(auction)), 0, "no pot holds anything");
        assertEq(vault.totalTracked(), 0, "nothing is left");
        assertEq(currency.balanceOf(address(vault)), 0, "and no token stays behind");
    }

    /// Homes, the utility, the operator.
    function _accountOf(uint256 who) private view returns (address) {
        return who < HOMES ? homes[who].owner.addr : who == HOMES ? utility.addr : gridOperator.addr;
    }
}
