// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import { IDERRegistry } from "../interfaces/IDERRegistry.sol";
import { IDemandResponse } from "../interfaces/IDemandResponse.sol";
import { IEnergyAuction } from "../interfaces/IEnergyAuction.sol";
import { IMeterLedger } from "../interfaces/IMeterLedger.sol";
import { IResponseGauge } from "../interfaces/IResponseGauge.sol";
import { IVault } from "../interfaces/IVault.sol";
import { Act } from "../types/Act.sol";
import { LANE_MAX } from "../types/LadderWord.sol";
import { MATCHED } from "../types/Measuring.sol";
import { ProgrammeTally, ProgrammeTerms } from "../types/Programme.sol";
import { EventBook } from "../types/EventBook.sol";
import { EventHead, EventHeadWord } from "../types/EventHead.sol";
import { ResponseEvent } from "../types/ResponseEvent.sol";
import { RuleTally, RuleTerms, packRule } from "../types/ResponseRule.sol";
import { Responses } from "../types/Responses.sol";
import { HORIZON, RING } from "../types/Ring.sol";
import { Batches } from "./Batches.sol";
import { Calls } from "./Calls.sol";
import { Lookups } from "./Lookups.sol";
import { ResponseMath } from "./ResponseMath.sol";
import { SignedActs } from "./SignedActs.sol";

/// @title The part of DemandResponse that is seldom called
/// @notice DemandResponse deploys it with itself and runs it on its own storage, for 24,576 bytes do not hold both. Nothing
/// else ever calls it, and it cannot be exchanged.
/// @dev Warning: the storage of both is laid out alike, SignedActs first, `_books` next.
contract ResponseDesk is SignedActs {
    using ResponseMath for ProgrammeTerms;
    using Batches for IVault;
    using Batches for uint256;
    using Calls for uint256;
    using Lookups for address;

    bytes32 private constant PROGRAMME_TERMS_TYPEHASH = keccak256(
        "ProgrammeTerms(uint32 market,uint32 feeder,uint32 calendar,bool up,bool firm,bool keptByOperator,bool adjusted,uint8 method,uint8 windowSlots,uint8 windowGap,uint8 tickCount,uint16 floorBps,uint16 lateBps,uint16 drawBps,uint16 maxEvents,uint40 minPrice,uint32 tickSize,uint40 shortfallRate,uint16 maxEventSlots,uint16 maxDaySlots,uint16 maxSeasonSlots,uint32 firstSlot,uint32 untilSlot,uint32 noticeLead,address payer,uint32 optOutLead,uint32 readingWindow,uint32 finalAfter)"
    );
    bytes32 private constant PROGRAMME_OPENING_TYPEHASH = keccak256(
        "ProgrammeOpening(ProgrammeTerms terms,uint256 nonce,uint256 deadline)ProgrammeTerms(uint32 market,uint32 feeder,uint32 calendar,bool up,bool firm,bool keptByOperator,bool adjusted,uint8 method,uint8 windowSlots,uint8 windowGap,uint8 tickCount,uint16 floorBps,uint16 lateBps,uint16 drawBps,uint16 maxEvents,uint40 minPrice,uint32 tickSize,uint40 shortfallRate,uint16 maxEventSlots,uint16 maxDaySlots,uint16 maxSeasonSlots,uint32 firstSlot,uint32 untilSlot,uint32 noticeLead,address payer,uint32 optOutLead,uint32 readingWindow,uint32 finalAfter)"
    );
    bytes32 private constant RULE_TERMS_TYPEHASH = keccak256(
        "RuleTerms(uint32 programme,uint32 meter,bool above,int32 thresholdWh,uint8 hold,uint16 cooldown,uint8 maxPerDay,uint16 maxPerSeason,uint16 lead,uint16 slots,uint32 targetW,uint64 bounty,uint16 maxBounties)"
    );
    bytes32 private constant RULE_OPENING_TYPEHASH = keccak256(
        "ResponseRuleOpening(RuleTerms terms,uint256 nonce,uint256 deadline)RuleTerms(uint32 programme,uint32 meter,bool above,int32 thresholdWh,uint8 hold,uint16 cooldown,uint8 maxPerDay,uint16 maxPerSeason,uint16 lead,uint16 slots,uint32 targetW,uint64 bounty,uint16 maxBounties)"
    );
    bytes32 private constant RULE_END_TYPEHASH =
        keccak256("ResponseRuleEnd(uint32 rule,uint256 nonce,uint256 deadline)");
    bytes32 private constant CALL_TYPEHASH = keccak256(
        "ResponseCall(uint32 programme,uint32 firstSlot,uint16 slots,uint32 targetW,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant CANCELLATION_TYPEHASH =
        keccak256("ResponseCancellation(uint32 number,uint256 nonce,uint256 deadline)");

    // Words of a market's terms: how many, and the place of one.
    uint256 private constant MARKET_WORDS = 14;
    uint256 private constant MARKET_RETAIL = 5;

    /// Slots of an event.
    uint256 private constant MAX_SLOTS = 96;
    /// A kWh more on a baseline day raises that many days' baselines by a tenth of it at most.
    uint256 private constant BASELINE_DAYS = 10;
    /// Slots between a triggering reading's and the present one, at most.
    uint256 private constant MAX_AGE = 2;
    uint256 private constant BLOCK_HASHES = 256;
    /// Slots of a word of the ledger.
    uint256 private constant LEDGER_LANES = 8;

    IVault private immutable _vault;
    IMeterLedger private immutable _ledger;
    IDERRegistry private immutable _ders;
    IEnergyAuction private immutable _auction;
    IResponseGauge private immutable _gauge;
    uint32 private immutable _slotLength;
    address private immutable _self = address(this);

    Responses private _books;

    constructor(
        address authority,
        IVault vault,
        IMeterLedger ledger,
        IDERRegistry ders,
        IEnergyAuction auction,
        IResponseGauge gauge
    ) EIP712("Gridweave DemandResponse", "1") AccessManaged(authority) {
        _vault = vault;
        _ledger = ledger;
        _ders = ders;
        _auction = auction;
        _gauge = gauge;
        _slotLength = ledger.slotLength();
    }

    // -------------------------------------------------------------------------------------------------------- programmes

    /// See IDemandResponse.
    function openProgramme(ProgrammeTerms memory terms, Act calldata operator)
        external
        onlyForResponse
        returns (uint32 programme)
    {
        if (operator.signer != terms.payer) revert IDemandResponse.NotPayer(operator.signer, terms.payer);
        _requireAllowed(terms);
        bytes32 hash = keccak256(abi.encode(PROGRAMME_TERMS_TYPEHASH, terms));
        _consume(operator, keccak256(abi.encode(PROGRAMME_OPENING_TYPEHASH, hash, operator.nonce, operator.deadline)));
        _requireRole(operator.signer);

        programme = ++_books.programmeCount;
        _books.calendars[terms.market] = terms.calendar;
        _books.programmes[programme].terms = terms;
        emit IDemandResponse.ProgrammeOpened(programme, terms);
    }

    function _requireAllowed(ProgrammeTerms memory terms) private view {
        uint256 calendar = _books.calendars[terms.market];
        // a meter's event days count in all its programmes
        // slither-disable-next-line incorrect-equality
        _require(calendar == 0 || calendar == terms.calendar, "one calendar per market");
        _require(terms.calendar != 0, "days are counted by a calendar");
        _require(terms.method <= MATCHED, "method is one of five");
        _require(!terms.adjusted || terms.windowSlots > 0, "an adjustment has a window");
        _require(terms.tickSize > 0 && terms.tickCount > 0 && terms.tickCount <= 64, "prices are 1 to 64 ticks");
        _require(terms.floorBps <= ResponseMath.WHOLE_BPS, "the floor is at most all");
        _require(terms.lateBps < ResponseMath.WHOLE_BPS, "late costs less than silence");
        _require(terms.drawBps > 0 && terms.drawBps <= ResponseMath.WHOLE_BPS, "some events take place");
        _require(terms.maxEventSlots > 0 && terms.maxEventSlots <= MAX_SLOTS, "an event has 1 to 96 slots");
        _require(terms.firstSlot < terms.untilSlot, "the season has slots");
        _require(terms.optOutLead > 0 && terms.optOutLead < terms.noticeLead, "notice, then gate, then start");
        _require(terms.readingWindow <= terms.finalAfter, "readings are due, then final");
        // whatever the market's terms become
        _require(terms.finalAfter >= (RING - HORIZON) * _slotLength, "final covers all corrections");
        _require(terms.finalAfter <= _vault.holdLength(), "the Vault holds until final");
        uint256 retail = address(_auction).lookUp(
            IEnergyAuction.termsOf.selector, terms.market, terms.firstSlot, MARKET_WORDS
        ).get(MARKET_RETAIL);
        _require(
            terms.highestPrice() * terms.maxEvents * terms.drawBps <= BASELINE_DAYS * retail * ResponseMath.WHOLE_BPS,
            "price x events <= 10 x retail"
        );
    }

    function _require(bool holds, string memory rule) private pure {
        if (!holds) revert IDemandResponse.ResponseTermsNotAllowed(rule);
    }

    // ------------------------------------------------------------------------------------------------------------- rules

    /// See IDemandResponse.
    function openRule(RuleTerms memory terms, Act calldata payer) external onlyForResponse returns (uint32 rule) {
        ProgrammeTerms memory programme = _programmeOf(terms.programme);
        _requirePayer(payer.signer, programme.payer);
        _requireRule(programme, terms);
        bytes32 hash = keccak256(abi.encode(RULE_TERMS_TYPEHASH, terms));
        _consume(payer, keccak256(abi.encode(RULE_OPENING_TYPEHASH, hash, payer.nonce, payer.deadline)));

        rule = ++_books.ruleCount;
        _books.rules[rule].terms = packRule(terms);
        RuleTally memory tally;
        _books.rules[rule].save(terms, tally);
        emit IDemandResponse.ResponseRuleOpened(rule, terms);
    }

    function _requireRule(ProgrammeTerms memory programme, RuleTerms memory terms) private view {
        uint32[] memory ids = new uint32[](1);
        ids[0] = terms.meter;
        _require(_ders.metersOf(ids)[0].account() == programme.payer, "the meter is the payer's");
        _require(terms.hold > 0, "the condition holds for a slot");
        _require(terms.lead * _slotLength >= programme.noticeLead + _slotLength, "the lead covers the notice");
    }

    /// See IDemandResponse.
    function endRule(uint32 rule, Act calldata payer) external onlyForResponse {
        (RuleTerms memory terms, RuleTally memory tally) = _openRule(rule);
        _requirePayer(payer.signer, _programmeOf(terms.programme).payer);
        _consume(payer, keccak256(abi.encode(RULE_END_TYPEHASH, rule, payer.nonce, payer.deadline)));

        tally.ended = true;
        _books.rules[rule].save(terms, tally);
        emit IDemandResponse.ResponseRuleEnded(rule);
    }

    /// Who pays must still be an operator.
    function _requirePayer(address signer, address payer) private view {
        if (signer != payer) revert IDemandResponse.NotPayer(signer, payer);
        _requireRole(signer);
    }

    function _openRule(uint32 rule) private view returns (RuleTerms memory terms, RuleTally memory tally) {
        (terms, tally) = _books.rules[rule].load();
        if (terms.programme == 0) revert IDemandResponse.UnknownRule(rule);
        if (tally.ended) revert IDemandResponse.ResponseRuleIsEnded(rule);
    }

    // ---------------------------------------------------------------------------------------------------------- announce

    /// See IDemandResponse.
    function announce(uint32 programme, uint32 firstSlot, uint16 slots, uint32 targetW, Act calldata payer)
        external
        onlyForResponse
        returns (uint32 number)
    {
        ProgrammeTerms memory terms = _programmeOf(programme);
        _requirePayer(payer.signer, terms.payer);
        _consume(
            payer,
            keccak256(abi.encode(CALL_TYPEHASH, programme, firstSlot, slots, targetW, payer.nonce, payer.deadline))
        );
        EventHead memory head;
        (head.programme, head.firstSlot, head.slots, head.targetW) = (programme, firstSlot, slots, targetW);
        return _announce(terms, head, 0, 0);
    }

    /// See IDemandResponse.
    function trigger(uint32 rule, uint32 lastSlot) external onlyForResponse returns (uint32 number) {
        (RuleTerms memory terms, RuleTally memory tally) = _openRule(rule);
        _requireFresh(terms, tally, lastSlot);
        _requireCondition(terms, lastSlot);
        EventHead memory head;
        (head.programme, head.slots, head.targetW) = (terms.programme, terms.slots, terms.targetW);
        head.firstSlot = uint32(block.timestamp / _slotLength + terms.lead);
        bool bounty = terms.bounty != 0 && tally.bounties < terms.maxBounties;
        number = _announce(_programmeOf(terms.programme), head, rule, bounty ? terms.bounty : 0);
        ResponseEvent storage event_ = _books.events[number];
        (event_.caller, event_.rule, event_.bounty) = (msg.sender, rule, bounty);

        tally.lastSlot = lastSlot;
        // slither-disable-next-line incorrect-equality
        tally.dayEvents = tally.day == head.day ? tally.dayEvents + 1 : 1;
        tally.day = head.day;
        ++tally.events;
        if (bounty) ++tally.bounties;
        _requireCap(tally.dayEvents, terms.maxPerDay);
        _requireCap(tally.events, terms.maxPerSeason);
        _books.rules[rule].save(terms, tally);
    }

    function _requireCap(uint256 would, uint256 most) private pure {
        if (would > most) revert IDemandResponse.RuleCapReached(would, most);
    }

    function _requireFresh(RuleTerms memory terms, RuleTally memory tally, uint32 lastSlot) private view {
        uint256 present = block.timestamp / _slotLength;
        if (lastSlot + MAX_AGE < present) revert IDemandResponse.TriggerStale(lastSlot, present);
        if (tally.lastSlot == 0) return;
        uint256 earliest = uint256(tally.lastSlot) + (terms.cooldown == 0 ? 1 : terms.cooldown);
        if (lastSlot < earliest) revert IDemandResponse.TriggerNotNewer(lastSlot, uint32(earliest));
    }

    /// No slot has a reading that has not ended, so none is newer than now.
    function _requireCondition(RuleTerms memory terms, uint32 lastSlot) private view {
        uint256 slot = uint256(lastSlot) + 1 - terms.hold;
        uint256 first = slot / LEDGER_LANES;
        uint256[] memory groups = new uint256[](lastSlot / LEDGER_LANES - first + 1);
        for (uint256 i = 0; i < groups.length; ++i) {
            groups[i] = first + i;
        }
        (uint256 scaleWh, uint256[] memory words) = _ledger.wordsOf(terms.meter, groups);
        for (; slot <= lastSlot; ++slot) {
            // version 2 | import 15 | export 15, in the meter's scale
            uint256 lane = uint32(words[slot / LEDGER_LANES - first] >> ((slot % LEDGER_LANES) * 32));
            if (lane == 0) revert IDemandResponse.TriggerReadingMissing(terms.meter, uint32(slot));
            int256 netWh = (int256((lane >> 15) & 0x7fff) - int256(lane & 0x7fff)) * int256(scaleWh);
            bool holds = terms.above ? netWh > terms.thresholdWh : netWh < terms.thresholdWh;
            if (!holds) revert IDemandResponse.ConditionNotMet(uint32(slot), netWh);
        }
    }

    function _announce(ProgrammeTerms memory terms, EventHead memory head, uint32 rule, uint256 bounty)
        private
        returns (uint32 number)
    {
        uint256 startsAt = uint256(head.firstSlot) * _slotLength;
        uint256 earliest = block.timestamp + terms.noticeLead;
        if (earliest > startsAt) revert IDemandResponse.NoticeTooShort(startsAt, earliest);
        // an event of no slots has no target either
        // slither-disable-next-line incorrect-equality
        if (head.slots == 0 || head.targetW == 0 || head.targetW > LANE_MAX) {
            revert IDemandResponse.TargetOutOfRange(head.targetW);
        }
        _placeInDay(terms, head);
        number = (head.programme << 16) | uint32(_count(terms, head));
        head.noticeAt = uint40(block.timestamp);
        _books.events[number].head = head.pack();
        uint256 budget = terms.budgetOf(head, _slotLength);
        emit IDemandResponse.ResponseAnnounced(
            number,
            head.programme,
            rule,
            msg.sender,
            head.firstSlot,
            head.slots,
            head.targetW,
            head.day,
            budget + bounty
        );

        _lock(terms.payer, int256(budget + bounty), number);
    }

    function _placeInDay(ProgrammeTerms memory terms, EventHead memory head) private view {
        uint256 until = uint256(head.firstSlot) + head.slots;
        if (head.firstSlot < terms.firstSlot || until > terms.untilSlot) {
            revert IDemandResponse.ResponseOutsideSeason(head.firstSlot, head.slots);
        }
        (uint32 day, uint32 dayFirst, uint16 daySlots) = _gauge.dayOf(terms.calendar, head.firstSlot);
        if (until > uint256(dayFirst) + daySlots) {
            revert IDemandResponse.ResponseOverMidnight(head.firstSlot, head.slots);
        }
        head.day = day;
        head.offset = uint8(head.firstSlot - dayFirst);
    }

    /// A cancelled event has been called as well.
    function _count(ProgrammeTerms memory terms, EventHead memory head) private returns (uint256 events) {
        ProgrammeTally memory tally = _books.programmes[head.programme].tally;
        if (head.firstSlot < tally.busyUntil) {
            revert IDemandResponse.ResponseNotInOrder(head.firstSlot, tally.busyUntil);
        }
        tally.busyUntil = head.firstSlot + head.slots;
        // slither-disable-next-line incorrect-equality
        tally.daySlots = tally.day == head.day ? tally.daySlots + head.slots : head.slots;
        tally.day = head.day;
        tally.seasonSlots += head.slots;
        ++tally.events;
        _requireWithin(head.slots, terms.maxEventSlots);
        _requireWithin(tally.daySlots, terms.maxDaySlots);
        _requireWithin(tally.seasonSlots, terms.maxSeasonSlots);
        _requireWithin(tally.events, terms.maxEvents);
        _books.programmes[head.programme].tally = tally;
        return tally.events;
    }

    function _requireWithin(uint256 would, uint256 most) private pure {
        if (would > most) revert IDemandResponse.ResponseCapReached(would, most);
    }

    // ------------------------------------------------------------------------------------------------------ cancel, draw

    /// See IDemandResponse.
    function cancel(uint32 number, Act calldata payer) external onlyForResponse {
        EventHead memory head = _openHead(number);
        _requirePayer(payer.signer, _programmeOf(head.programme).payer);
        uint256 startsAt = uint256(head.firstSlot) * _slotLength;
        if (block.timestamp >= startsAt) revert IDemandResponse.ResponseHasStarted(number, startsAt);
        _consume(payer, keccak256(abi.encode(CANCELLATION_TYPEHASH, number, payer.nonce, payer.deadline)));

        head.cancelled = true;
        _books.events[number].head = head.pack();
        emit IDemandResponse.ResponseCancelled(number);
    }

    /// See IDemandResponse.
    function draw(uint32 number) external onlyForResponse {
        EventHead memory head = _openHead(number);
        ProgrammeTerms memory terms = _programmeOf(head.programme);
        if (head.drawn || terms.drawBps == ResponseMath.WHOLE_BPS) revert IDemandResponse.DrawNotDue(number);
        uint256 startsAt = uint256(head.firstSlot) * _slotLength;
        if (block.timestamp < startsAt - terms.optOutLead) {
            revert IDemandResponse.BeforeGate(number, startsAt - terms.optOutLead);
        }
        ResponseEvent storage event_ = _books.events[number];
        uint256 drawBlock = event_.drawBlock;
        if (drawBlock == 0 || block.number > drawBlock + BLOCK_HASHES) {
            event_.drawBlock = uint64(block.number + 2);
            return;
        }
        if (block.number <= drawBlock) revert IDemandResponse.DrawNotDue(number);
        // slither-disable-next-line weak-prng
        uint256 drawn = uint256(keccak256(abi.encode(blockhash(drawBlock), number))) % ResponseMath.WHOLE_BPS;
        head.drawn = drawn < terms.drawBps;
        head.cancelled = !head.drawn;
        event_.head = head.pack();
        emit IDemandResponse.ResponseDrawn(number, head.drawn);
    }

    // ------------------------------------------------------------------------------------------------------------- close

    /// See IDemandResponse.
    function close(uint32 number) external onlyForResponse {
        EventHead memory head = _headOf(number);
        if (head.closed) revert IDemandResponse.ResponseIsClosed(number);
        ProgrammeTerms memory terms = _programmeOf(head.programme);
        EventBook memory book = _books.events[number].book.unpack();
        if (!head.cancelled) _requireDone(number, head, terms, book);
        ResponseEvent storage event_ = _books.events[number];
        uint256 rest = terms.budgetOf(head, _slotLength) - book.spent;
        uint256 bounty = 0;
        if (event_.bounty) {
            bounty = _bountyOf(event_.rule, book.given && !head.cancelled);
            if (!book.given || head.cancelled) (rest, bounty) = (rest + bounty, 0);
        }
        head.closed = true;
        event_.head = head.pack();
        emit IDemandResponse.ResponseClosed(number, rest, bounty);

        if (rest != 0) _lock(terms.payer, -int256(rest), number);
        if (bounty != 0) _lock(event_.caller, -int256(bounty), number);
    }

    /// One that is not due can be earned again.
    function _bountyOf(uint32 rule, bool isDue) private returns (uint256) {
        (RuleTerms memory terms, RuleTally memory tally) = _books.rules[rule].load();
        if (!isDue) {
            --tally.bounties;
            _books.rules[rule].save(terms, tally);
        }
        return terms.bounty;
    }

    function _requireDone(uint32 number, EventHead memory head, ProgrammeTerms memory terms, EventBook memory book)
        private
        view
    {
        uint256 finalAt = (uint256(head.firstSlot) + head.slots) * _slotLength + terms.finalAfter;
        if (block.timestamp < finalAt) revert IDemandResponse.ResponseNotFinal(number, finalAt);
        if (book.settled != head.called) {
            revert IDemandResponse.ResponseNotSettled(number, book.settled, head.called);
        }
    }

    // ----------------------------------------------------------------------------------------------------------- helpers

    function _lock(address account, int256 amount, uint256 number) private {
        uint256 locks = Batches.openLocks(1);
        locks.setLock(0, account, amount, bytes32(number));
        if (_vault.lockAll(locks)[0] != 0) revert IDemandResponse.BudgetNotPaid(account, uint256(amount));
    }

    function _programmeOf(uint32 programme) private view returns (ProgrammeTerms memory terms) {
        terms = _books.programmes[programme].load();
        if (terms.payer == address(0)) revert IDemandResponse.UnknownProgramme(programme);
    }

    function _headOf(uint32 number) private view returns (EventHead memory) {
        EventHeadWord word = _books.events[number].head;
        // slither-disable-next-line incorrect-equality
        if (EventHeadWord.unwrap(word) == 0) revert IDemandResponse.UnknownResponse(number);
        return word.unpack();
    }

    function _openHead(uint32 number) private view returns (EventHead memory head) {
        head = _headOf(number);
        if (head.cancelled) revert IDemandResponse.ResponseIsCancelled(number);
    }

    /// What is DemandResponse's own to tell or do has no body here: it would never run.
    function eip712Domain()
        public
        pure
        override
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        revert IDemandResponse.UnknownProgramme(0);
    }

    /// The same.
    function setAuthority(address) public pure override {
        revert IDemandResponse.UnknownProgramme(0);
    }

    /// On its own the desk has no programmes, and shall have none.
    modifier onlyForResponse() {
        if (address(this) == _self) revert IDemandResponse.UnknownProgramme(0);
        _;
    }
}
