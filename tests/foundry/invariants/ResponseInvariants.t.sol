// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { EventBook } from "../../../contracts/types/EventBook.sol";
import { EventHead } from "../../../contracts/types/EventHead.sol";
import { ProgrammeTerms } from "../../../contracts/types/Programme.sol";
import { Test } from "../support/Test.sol";
import { ResponseHandler } from "./ResponseHandler.sol";

/// Whatever anyone does to a firm programme, in whatever order.
contract ResponseInvariantsTest is Test {
    ResponseHandler private _handler;
    uint256 private _tracked;

    function setUp() external {
        _handler = new ResponseHandler();
        _handler.prepare();
        _tracked = _handler.money().totalTracked();
        bytes4[] memory acts = new bytes4[](9);
        acts[0] = ResponseHandler.wait.selector;
        acts[1] = ResponseHandler.announce.selector;
        acts[2] = ResponseHandler.call.selector;
        acts[3] = ResponseHandler.optOut.selector;
        acts[4] = ResponseHandler.dispatch.selector;
        acts[5] = ResponseHandler.read.selector;
        acts[6] = ResponseHandler.settle.selector;
        acts[7] = ResponseHandler.cancel.selector;
        acts[8] = ResponseHandler.close.selector;
        _fuzz(address(_handler), acts);
    }

    function invariant_thePotIsWhatBondsAndOpenBudgetsAddUpTo() external view {
        uint256 expected = 0;
        for (uint256 i = 0; i < _handler.HOMES(); ++i) {
            expected += _handler.wordOf(i).bond();
        }
        for (uint256 i = 0; i < _handler.count(); ++i) {
            (EventHead memory head, EventBook memory book) = _handler.eventOf(i);
            if (!head.closed) expected += _budgetOf(head) - book.spent;
        }
        assertEq(_handler.pot(), expected, "pot = bonds + budgets - spent");
    }

    function invariant_noEventSpendsMoreThanItsBudget() external view {
        for (uint256 i = 0; i < _handler.count(); ++i) {
            (EventHead memory head, EventBook memory book) = _handler.eventOf(i);
            assertLe(book.spent, _budgetOf(head), "spent <= budget");
        }
    }

    function invariant_noMoneyComesOrGoes() external view {
        assertEq(_handler.money().totalTracked(), _tracked, "accounts and pots add up to what came in");
    }

    function invariant_capsHold() external view {
        ProgrammeTerms memory terms = _handler.termsOf();
        assertLe(_handler.count(), terms.maxEvents, "events of the season");
        for (uint256 i = 0; i < _handler.count(); ++i) {
            (EventHead memory head, EventBook memory book) = _handler.eventOf(i);
            assertLe(book.settled, head.called, "settled <= called");
            assertLe(book.dispatched, head.called, "dispatched <= called");
        }
    }

    /// Micro for slots of a quarter hour, at 0.41 a kWh, rounded up.
    function _budgetOf(EventHead memory head) private pure returns (uint256) {
        return (uint256(head.targetW) * 900 * head.slots * 410_000 + 3_599_999) / 3_600_000;
    }
}
