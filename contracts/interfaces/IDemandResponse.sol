// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Act } from "../types/Act.sol";
import { AssetEnrolment, EnrolmentWord } from "../types/AssetEnrolment.sol";
import { EventBookWord } from "../types/EventBook.sol";
import { EventHeadWord } from "../types/EventHead.sol";
import { ProgrammeTerms } from "../types/Programme.sol";
import { RuleTerms } from "../types/ResponseRule.sol";

/// @title A peak is shed by rule, measured by meter, paid by contract
/// @notice An operator opens programmes, whose terms never change, and pays for their events. Owners enrol assets. An event is called by
/// the operator, or by anyone with the recorded readings that satisfy a rule:
///
///     notice            gate              start              end         readingWindow        finalAfter
///       |---- call -------|---- dispatch ----|---- active ------|---- settle, and settle anew ---------|---- close
///       |-- opt out free -|------ opt out late ------------------|
///
/// `call` takes assets in, `dispatch` gives each its setpoint: in the order of their asks, whole below the margin, a share at it, so
/// that the target is met to the watt, or falls short because all were taken. Both take any number of assets in batches, by anyone.
/// Per slot: delivered = baseline - net import, or the reverse where it is to rise, at least 0; eligible = min(delivered,
/// setpoint); pay = floor((eligible x price - feedIn x min(eligible, credited)) / 1000), at least 0, where `credited` is what the
/// market pays the meter as a deviation; penalty = floor((floor(setpoint x floorBps / 10,000) - delivered) x shortfallRate / 1000). Energies
/// are Wh, setpoint energies rounded down. An account gets the sum of its pay less the sum of its penalties; if that is negative its bond pays.
/// @dev Warning: budgets and bonds share the contract's pot in the Vault. What a later reading takes back from an account goes to
/// the payer, and to its budget never again.
interface IDemandResponse {
    event ProgrammeOpened(uint32 indexed programme, ProgrammeTerms terms);
    event ResponseRuleOpened(uint32 indexed rule, RuleTerms terms);
    event ResponseRuleEnded(uint32 indexed rule);
    /// @param word all of it, the bond that now lies for it too, as types/AssetEnrolment.sol packs it
    event AssetEnrolled(uint32 indexed programme, uint32 indexed asset, EnrolmentWord word);
    /// @param rule 0: the payer called it
    /// @param budget millionths, the bounty included
    event ResponseAnnounced(
        uint32 indexed number,
        uint32 indexed programme,
        uint32 indexed rule,
        address caller,
        uint32 firstSlot,
        uint16 slots,
        uint32 targetW,
        uint32 day,
        uint256 budget
    );
    /// @notice The assets' places in the event are firstIndex and on.
    event AssetsCalled(uint32 indexed number, uint32 firstIndex, uint32[] assets);
    event CallRefused(uint32 indexed number, uint32 indexed asset, bytes4 reason);
    /// @param lateFrom 0: in time; else 1 + the first slot of the event that counts as not delivered
    event AssetOptedOut(uint32 indexed number, uint32 indexed asset, uint32 index, uint8 lateFrom);
    /// @param margin the tick; 64: all are taken and `offeredW` is short of the target
    event MarginFound(uint32 indexed number, uint8 margin, uint32 sharedW, uint32 longW, uint256 offeredW);
    /// @notice For each slot of the event: that much less net import than the baseline, or that much more.
    event SetpointGiven(uint32 indexed number, uint32 indexed asset, uint32 index, uint32 setpointW);
    event ResponseDrawn(uint32 indexed number, bool takesPlace);
    event ResponseCancelled(uint32 indexed number);
    /// @param missing bit i: slot i has no reading
    /// @param netMicro pay - what is charged: the account's in all, of which the former settlement's moved before
    event ResponseSettled(
        uint32 indexed number,
        uint32 indexed asset,
        uint32 index,
        int256[] baselineWh,
        int256[] actualWh,
        uint256 missing,
        uint16 ratioBps,
        bool hasBaseline,
        uint256 payMicro,
        uint256 penaltyMicro,
        int256 netMicro
    );
    /// @notice It had no setpoint, so nothing is due.
    event CommitmentReleased(uint32 indexed number, uint32 indexed asset, uint32 index);
    event ResponseSettlementRefused(uint32 indexed number, uint32 index, bytes4 reason);
    event ResponseClosed(uint32 indexed number, uint256 returned, uint256 bounty);

    error UnknownProgramme(uint32 programme);
    error UnknownRule(uint32 rule);
    error UnknownResponse(uint32 number);
    error ResponseTermsNotAllowed(string rule);
    /// @notice Only who pays for the programme may do that.
    error NotPayer(address signer, address payer);
    /// @notice A later one needs a higher nonce, below 2^24.
    error EnrolmentNotNewer(uint256 given, uint256 version);
    /// @notice The meter has events that are not settled. Nothing of its enrolments changes meanwhile.
    error MeterCommitted(uint32 meter, uint256 events);
    error PowerOutOfRange(uint256 powerW, uint256 most);
    error AskOffGrid(uint64 askPrice);
    error OtherFeeder(uint32 feeder, uint32 expected);
    error OtherMarket(uint32 market, uint32 expected);
    /// @notice A baseline is agreed only in a programme with fixed ones.
    error BaselineNotDue();
    error BondNotPaid(address account, uint256 amount);
    error BudgetNotPaid(address payer, uint256 amount);

    error TargetOutOfRange(uint32 targetW);
    error ResponseOutsideSeason(uint32 firstSlot, uint256 slots);
    /// @notice Events of a programme follow each other, and each lies within one day.
    error ResponseNotInOrder(uint32 firstSlot, uint32 earliest);
    error ResponseOverMidnight(uint32 firstSlot, uint256 slots);
    error NoticeTooShort(uint256 startsAt, uint256 earliest);
    /// @notice Slots of an event, of its day or of the season, or events of the season.
    error ResponseCapReached(uint256 would, uint256 most);

    error ResponseRuleIsEnded(uint32 rule);
    error TriggerStale(uint32 lastSlot, uint256 presentSlot);
    error TriggerNotNewer(uint32 lastSlot, uint32 earliest);
    error TriggerReadingMissing(uint32 meter, uint32 slot);
    error ConditionNotMet(uint32 slot, int256 netImportWh);
    error RuleCapReached(uint256 would, uint256 most);

    error ResponseIsCancelled(uint32 number);
    error ResponseIsClosed(uint32 number);
    error CallTooLate(uint32 number, uint256 gateAt);
    error BeforeGate(uint32 number, uint256 gateAt);
    error ResponseHasStarted(uint32 number, uint256 startsAt);
    error ResponseHasEnded(uint32 number, uint256 endsAt);
    error ResponseNotEnded(uint32 number, uint256 endsAt);
    error ResponseNotFinal(uint32 number, uint256 finalAt);
    error ResponseNotSettled(uint32 number, uint256 settled, uint256 called);
    /// @notice Its programme draws whether it takes place: `draw` comes first.
    error ResponseNotDrawn(uint32 number);
    /// @notice It needs no draw, or has had it, or the block that draws has no hash yet.
    error DrawNotDue(uint32 number);
    error UnknownCommitment(uint32 number, uint32 index);
    error HasOptedOut(uint32 number, uint32 index);
    error TooManyAssets(uint256 given, uint256 most);

    /// @notice Why one asset of a batch was not called.
    error NotEnrolled();
    error LongerThanAgreed();
    error InComfortHours();
    /// @notice Penalties have eaten of it. Enrol anew.
    error BondSpent();
    /// @notice The meter has another commitment in those slots, or after them.
    error MeterBusy();
    error TickFull();
    /// @notice Why one commitment of a batch was not settled.
    error ReadingsMissing();
    error SettlementUnchanged();
    error NothingCommitted();

    // Programmes and rules

    /// @notice ProgrammeOpening(ProgrammeTerms terms,uint256 nonce,uint256 deadline) by an operator, who is the payer.
    /// @dev So that nobody gains by using more on days that become a baseline: maxEvents x highest price x drawBps / 10,000 is at
    /// most ten times the market's retail price. A kWh more on such a day costs retail and raises ten of them by a tenth of it.
    function openProgramme(ProgrammeTerms calldata terms, Act calldata operator) external returns (uint32 programme);
    /// @notice ResponseRuleOpening(RuleTerms terms,uint256 nonce,uint256 deadline) by the payer. The meter is the payer's own.
    function openRule(RuleTerms calldata terms, Act calldata payer) external returns (uint32 rule);
    /// @notice ResponseRuleEnd(uint32 rule,uint256 nonce,uint256 deadline) by the payer. Events that it called go on.
    function endRule(uint32 rule, Act calldata payer) external;

    // Enrolment

    /// @notice AssetEnrolment(uint32 programme,uint32 asset,uint32 committedW,uint64 askPrice,int32 fixedWh,uint8
    /// leastSocPercent,uint8 comfortFrom,uint8 comfortUntil,uint8 maxSlots,uint256 nonce,uint256 deadline) by the account of the asset's
    /// meter. Its nonce is the enrolment's version: higher than the one before. In a firm programme it locks what silence
    /// costs in the longest event. Without power it ends and the bond goes back.
    /// @param operator BaselineAgreement(uint32 programme,uint32 asset,int32 fixedWh,uint256 nonce,uint256 deadline) by the payer, in
    /// programmes with fixed baselines; else unused
    function enrol(AssetEnrolment calldata enrolment, Act calldata owner, Act calldata operator) external;

    // Events

    /// @notice ResponseCall(uint32 programme,uint32 firstSlot,uint16 slots,uint32 targetW,uint256 nonce,uint256 deadline) by the payer,
    /// still an operator. Locks slots x target x highest price of the payer's money.
    function announce(uint32 programme, uint32 firstSlot, uint16 slots, uint32 targetW, Act calldata payer)
        external
        returns (uint32 number);
    /// @notice Announces what the rule says, `lead` slots from now. The ledger's readings up to `lastSlot` must satisfy it, of
    /// which that one is at most two slots old. Who sends it gets the bounty when the event is closed, if anything was dispatched.
    function trigger(uint32 rule, uint32 lastSlot) external returns (uint32 number);
    /// @notice ResponseCancellation(uint32 number,uint256 nonce,uint256 deadline) by the payer, before it starts.
    function cancel(uint32 number, Act calldata payer) external;
    /// @notice Decides, between gate and start, whether an event takes place whose programme draws. The first call names the block
    /// after the next, one in the 256 blocks after that reads its hash; if none does, it is named anew.
    function draw(uint32 number) external;
    /// @notice Takes enrolled assets in, at most 256 at once. What cannot be is told by CallRefused.
    function call(uint32 number, uint32[] calldata assets) external;
    /// @notice ResponseOptOut(uint32 number,uint32 index,uint256 nonce,uint256 deadline) by the account of the asset's meter. Up to
    /// the gate it costs nothing; later the slots that have not begun count as not delivered, at lateBps of the shortfall rate.
    function optOut(uint32 number, uint32 index, Act calldata owner) external;
    /// @notice Gives setpoints to the next `count` assets, at most 256, between gate and start.
    function dispatch(uint32 number, uint256 count) external;

    // Money

    /// @notice Pays and charges up to 64 commitments, from the end on, once their readings are in or `readingWindow` has passed. As
    /// often as a later reading changes something. What was never dispatched is released.
    function settle(uint32 number, uint32[] calldata indices) external;
    /// @notice Once all are settled and no reading can change, or at once when it is cancelled: pays the bounty and gives back the
    /// rest of the budget.
    function close(uint32 number) external;

    // Getters

    /// @return words as types/Programme.sol lays a Programme out
    function programmeOf(uint32 programme) external view returns (uint256[4] memory words);
    /// @return terms and tally as types/ResponseRule.sol packs them
    function ruleOf(uint32 rule) external view returns (uint256 terms, uint256 tally);
    /// @return word as types/AssetEnrolment.sol packs it
    function enrolmentOf(uint32 programme, uint32 asset) external view returns (uint256 word);
    /// @return head and book as types/EventHead.sol and types/EventBook.sol pack them
    function responseOf(uint32 number) external view returns (EventHeadWord head, EventBookWord book);
    /// @return commitment and outcome as types/Commitment.sol packs them
    function commitmentOf(uint32 number, uint32 index) external view returns (uint64 commitment, uint64 outcome);
    /// @return word as types/MeterCalls.sol packs it
    function callsOf(uint32 meter) external view returns (uint256 word);
}
