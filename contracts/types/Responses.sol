// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { EnrolmentWord } from "./AssetEnrolment.sol";
import { MeterCalls } from "./MeterCalls.sol";
import { Programme } from "./Programme.sol";
import { ResponseEvent } from "./ResponseEvent.sol";
import { Rule } from "./ResponseRule.sol";

/// All that DemandResponse stores. Programmes and rules are numbered from 1 on; an event's number is its programme's in the upper and
/// its place among the programme's events, from 1 on, in the lower 16 bits.
struct Responses {
    // slot 0
    uint16 programmeCount;
    uint32 ruleCount;
    // slot 1
    mapping(uint256 programme => Programme) programmes;
    mapping(uint256 rule => Rule) rules;
    mapping(uint256 number => ResponseEvent) events;
    // by which a market's days are counted
    mapping(uint256 market => uint256 calendar) calendars;
    mapping(uint256 programmeAndAsset => EnrolmentWord) enrolments;
    mapping(uint256 meter => MeterCalls) meters;
    // four lanes of 64 bits each
    mapping(uint256 eventAndGroup => uint256) commitments;
    mapping(uint256 eventAndGroup => uint256) outcomes;
}

/// Where an asset's enrolment, and where the word of four commitments or outcomes is kept.
function pairKey(uint256 high, uint256 low) pure returns (uint256) {
    return (high << 32) | low;
}
