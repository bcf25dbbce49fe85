// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { DayCalendar } from "../../../contracts/DayCalendar.sol";
import { DemandResponse } from "../../../contracts/DemandResponse.sol";
import { ResponseGauge } from "../../../contracts/ResponseGauge.sol";
import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { IDemandResponse } from "../../../contracts/interfaces/IDemandResponse.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { AssetEnrolment, EnrolmentWord } from "../../../contracts/types/AssetEnrolment.sol";
import { Commitment, Outcome } from "../../../contracts/types/Commitment.sol";
import { EventBook, EventBookWord } from "../../../contracts/types/EventBook.sol";
import { EventHead, EventHeadWord } from "../../../contracts/types/EventHead.sol";
import { FIXED } from "../../../contracts/types/Measuring.sol";
import { ProgrammeTerms } from "../../../contracts/types/Programme.sol";
import { SignedReading } from "../../../contracts/types/Reading.sol";
import { RuleTerms } from "../../../contracts/types/ResponseRule.sol";
import { Feeder, Home } from "../auction/Feeder.sol";
import { Party, Signing } from "../support/Signing.sol";
import { Vm, vm } from "../support/Vm.sol";

/// A home with an asset behind its meter.
struct Flexible {
    Home home;
    uint32 asset;
}

/// The whole house with a calendar of equal days, demand response, and an operator who pays for it. Type strings stand here a second
/// time, so that the contract's own are not their own judge.
///
///     START = day 0                SHED - 2 h      SHED - 30 min   SHED           SHED + 1 h       + 2 h          + 16 h
///       |------- enrol ---------------| announce, call |-- dispatch -|---- active ----|-- metering ---|-- again ----| close
abstract contract Responding is Feeder {
    string internal constant RESPONSE = "Gridweave DemandResponse";
    uint32 internal constant FEEDER = 12;
    uint32 internal constant DAY = 96;
    uint16 internal constant SLOTS = 4;
    uint32 internal constant SHED = FIRST_SLOT + 40;
    uint32 internal constant NOTICE = 2 hours;
    uint32 internal constant GATE = 30 minutes;
    uint32 internal constant FINAL = 16 hours;
    uint32 internal constant CAPACITY_W = 400_000;

    string private constant TERMS =
        "ProgrammeTerms(uint32 market,uint32 feeder,uint32 calendar,bool up,bool firm,bool keptByOperator,bool adjusted,uint8 method,uint8 windowSlots,uint8 windowGap,uint8 tickCount,uint16 floorBps,uint16 lateBps,uint16 drawBps,uint16 maxEvents,uint40 minPrice,uint32 tickSize,uint40 shortfallRate,uint16 maxEventSlots,uint16 maxDaySlots,uint16 maxSeasonSlots,uint32 firstSlot,uint32 untilSlot,uint32 noticeLead,address payer,uint32 optOutLead,uint32 readingWindow,uint32 finalAfter)";
    string private constant RULE =
        "RuleTerms(uint32 programme,uint32 meter,bool above,int32 thresholdWh,uint8 hold,uint16 cooldown,uint8 maxPerDay,uint16 maxPerSeason,uint16 lead,uint16 slots,uint32 targetW,uint64 bounty,uint16 maxBounties)";
    bytes32 private constant ENROLMENT_TYPEHASH = keccak256(
        "AssetEnrolment(uint32 programme,uint32 asset,uint32 committedW,uint64 askPrice,int32 fixedWh,uint8 leastSocPercent,uint8 comfortFrom,uint8 comfortUntil,uint8 maxSlots,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant AGREEMENT_TYPEHASH =
        keccak256("BaselineAgreement(uint32 programme,uint32 asset,int32 fixedWh,uint256 nonce,uint256 deadline)");
    bytes32 private constant CALL_TYPEHASH = keccak256(
        "ResponseCall(uint32 programme,uint32 firstSlot,uint16 slots,uint32 targetW,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant ASSET_REGISTRATION_TYPEHASH = keccak256(
        "AssetRegistration(uint32 meter,uint8 kind,uint32 nameplateW,uint32 storageWh,uint32 feeder,uint256 nonce,uint256 deadline)"
    );

    DayCalendar internal calendars;
    ResponseGauge internal gauge;
    DemandResponse internal response;
    uint32 internal calendar;

    function setUp() public virtual override {
        super.setUp();
        calendars = new DayCalendar(address(authority), SLOT_LENGTH);
        gauge = new ResponseGauge(calendars, ledger);
        response = new DemandResponse(address(authority), vault, ledger, ders, devices, auction, gauge);
        _grant(Roles.MODULE, address(response));
        _grant(Roles.RECORDER, address(this));
        vm.startPrank(admin);
        _open(address(calendars), DayCalendar.openCalendar.selector, Roles.OPERATOR);
        _open(address(calendars), DayCalendar.publishDays.selector, Roles.OPERATOR);
        bytes4[5] memory byOperator = [
            DemandResponse.openProgramme.selector,
            DemandResponse.openRule.selector,
            DemandResponse.endRule.selector,
            DemandResponse.announce.selector,
            DemandResponse.cancel.selector
        ];
        for (uint256 i = 0; i < byOperator.length; ++i) {
            _open(address(response), byOperator[i], Roles.OPERATOR);
        }
        vm.stopPrank();
        _publishDays();
        _deposit(operator.addr, 1_000_000_000_000);
    }

    /// Sixty days of one kind from FIRST_SLOT on.
    function _publishDays() private {
        Act memory act = _draft(operator);
        bytes32 typeHash = keccak256(
            "CalendarOpening(string timeZone,uint32 firstDate,uint32 firstSlot,uint256 nonce,uint256 deadline)"
        );
        _signCalendar(act, abi.encode(typeHash, keccak256("UTC"), 0, FIRST_SLOT, act.nonce, act.deadline));
        calendar = calendars.openCalendar("UTC", 0, FIRST_SLOT, act);
        bytes memory days_;
        for (uint256 i = 0; i < 60; ++i) {
            days_ = abi.encodePacked(days_, uint16(DAY), uint8(1));
        }
        act = _draft(operator);
        typeHash =
            keccak256("DayPublication(uint32 calendar,uint32 firstDay,bytes days_,uint256 nonce,uint256 deadline)");
        _signCalendar(act, abi.encode(typeHash, calendar, 0, keccak256(days_), act.nonce, act.deadline));
        calendars.publishDays(calendar, 0, days_, act);
    }

    function _signCalendar(Act memory act, bytes memory encoded) private view {
        act.signature = Signing.sign(
            operator.key, _digest("Gridweave DayCalendar", address(calendars), keccak256(encoded))
        );
    }

    // ------------------------------------------------------------------------------------------------------------ acts

    function _signAct(Act memory act, Party memory by, bytes memory encoded) internal view {
        act.signature = Signing.sign(by.key, _digest(RESPONSE, address(response), keccak256(encoded)));
    }

    /// A firm programme with fixed baselines: 0.10 to 0.41 a kWh, shortfall 0.30.
    function _programme() internal view virtual returns (ProgrammeTerms memory) {
        return ProgrammeTerms({
            market: MARKET,
            feeder: FEEDER,
            calendar: calendar,
            up: false,
            firm: true,
            keptByOperator: false,
            adjusted: false,
            method: FIXED,
            windowSlots: 8,
            windowGap: 0,
            tickCount: 32,
            floorBps: 10_000,
            lateBps: 5_000,
            drawBps: 10_000,
            maxEvents: 8,
            minPrice: 100_000,
            tickSize: 10_000,
            shortfallRate: 300_000,
            maxEventSlots: SLOTS,
            maxDaySlots: 2 * SLOTS,
            maxSeasonSlots: 6 * SLOTS,
            firstSlot: FIRST_SLOT,
            untilSlot: FIRST_SLOT + 60 * DAY,
            noticeLead: NOTICE,
            payer: operator.addr,
            optOutLead: GATE,
            readingWindow: 1 hours,
            finalAfter: FINAL
        });
    }

    function _openingAct(ProgrammeTerms memory terms, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        bytes32 hash = keccak256(abi.encode(keccak256(bytes(TERMS)), terms));
        bytes32 typeHash = keccak256(
            abi.encodePacked("ProgrammeOpening(ProgrammeTerms terms,uint256 nonce,uint256 deadline)", TERMS)
        );
        _signAct(act, by, abi.encode(typeHash, hash, act.nonce, act.deadline));
    }

    function _openProgramme(ProgrammeTerms memory terms) internal returns (uint32) {
        return response.openProgramme(terms, _openingAct(terms, operator));
    }

    /// Net import of the operator's meter above 100 kWh in two slots running; four slots from ten slots on.
    function _rule(uint32 programme, uint32 meter) internal pure returns (RuleTerms memory) {
        return RuleTerms({
            programme: programme,
            meter: meter,
            above: true,
            thresholdWh: 50_000,
            hold: 2,
            cooldown: 4,
            maxPerDay: 2,
            maxPerSeason: 3,
            lead: 10,
            slots: SLOTS,
            targetW: 3_000,
            bounty: 1_000_000,
            maxBounties: 1
        });
    }

    function _ruleAct(RuleTerms memory terms, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        bytes32 hash = keccak256(abi.encode(keccak256(bytes(RULE)), terms));
        bytes32 typeHash =
            keccak256(abi.encodePacked("ResponseRuleOpening(RuleTerms terms,uint256 nonce,uint256 deadline)", RULE));
        _signAct(act, by, abi.encode(typeHash, hash, act.nonce, act.deadline));
    }

    function _openRule(RuleTerms memory terms) internal returns (uint32) {
        return response.openRule(terms, _ruleAct(terms, operator));
    }

    function _numberAct(string memory declaration, uint32 number, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        _signAct(act, by, abi.encode(keccak256(bytes(declaration)), number, act.nonce, act.deadline));
    }

    function _endRule(uint32 rule) internal {
        response.endRule(rule, _numberAct("ResponseRuleEnd(uint32 rule,uint256 nonce,uint256 deadline)", rule, operator));
    }

    function _cancellation(uint32 number, Party memory by) internal returns (Act memory) {
        return _numberAct("ResponseCancellation(uint32 number,uint256 nonce,uint256 deadline)", number, by);
    }

    function _cancel(uint32 number) internal {
        response.cancel(number, _cancellation(number, operator));
    }

    // --------------------------------------------------------------------------------------------------------- enrolment

    /// A home of 400 kW with an asset of that power, on the programme's feeder.
    function _flexible(uint256 seed) internal returns (Flexible memory flexible) {
        flexible.home = _wideHome(seed);
        flexible.asset = _asset(flexible.home.meter, CAPACITY_W, FEEDER);
    }

    function _wideHome(uint256 seed) internal returns (Home memory home) {
        home.owner = Signing.party(string(abi.encode("flexible home", seed)));
        return _wideHomeOf(home.owner, seed);
    }

    function _wideHomeOf(Party memory owner, uint256 seed) internal returns (Home memory home) {
        home.owner = owner;
        home.device = _secpDevice(7e6 + seed);
        _enrol(home.device, owner.addr);
        IDERRegistry.MeterRegistration memory registration = _registration(home.device.id, owner.addr);
        (registration.importCapacityW, registration.exportCapacityW) = (CAPACITY_W, CAPACITY_W);
        registration.scaleWh = 10;
        home.meter = _registerFor(registration, owner);
        _deposit(owner.addr, 1_000_000_000);
    }

    function _asset(uint32 meter, uint32 nameplateW, uint32 feeder) internal returns (uint32) {
        Act memory act = _draft(operator);
        bytes32 structHash = keccak256(
            abi.encode(
                ASSET_REGISTRATION_TYPEHASH,
                meter,
                IDERRegistry.AssetKind.Battery,
                nameplateW,
                10_000,
                feeder,
                act.nonce,
                act.deadline
            )
        );
        act.signature = Signing.sign(operator.key, _digest(DERS, address(ders), structHash));
        return ders.registerAsset(
            IDERRegistry.AssetRegistration(meter, IDERRegistry.AssetKind.Battery, nameplateW, 10_000, feeder), act
        );
    }

    function _offer(uint32 programme, uint32 asset, uint32 powerW, uint64 price, int32 fixedWh)
        internal
        pure
        returns (AssetEnrolment memory)
    {
        return AssetEnrolment(programme, asset, powerW, price, fixedWh, 20, 0, 0, uint8(SLOTS));
    }

    function _enrolmentAct(AssetEnrolment memory offer, uint256 version, Party memory by)
        internal
        view
        returns (Act memory act)
    {
        act = Act(by.addr, version, block.timestamp + 1 hours, "");
        _signAct(act, by, abi.encode(ENROLMENT_TYPEHASH, offer, act.nonce, act.deadline));
    }

    function _agreement(AssetEnrolment memory offer, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        _signAct(
            act,
            by,
            abi.encode(AGREEMENT_TYPEHASH, offer.programme, offer.asset, offer.fixedWh, act.nonce, act.deadline)
        );
    }

    function _enrolAsset(AssetEnrolment memory offer, uint256 version, Party memory owner) internal {
        response.enrol(offer, _enrolmentAct(offer, version, owner), _agreement(offer, operator));
    }

    // ------------------------------------------------------------------------------------------------------------ events

    function _callAct(uint32 programme, uint32 firstSlot, uint16 slots, uint32 targetW, Party memory by)
        internal
        returns (Act memory act)
    {
        act = _draft(by);
        _signAct(act, by, abi.encode(CALL_TYPEHASH, programme, firstSlot, slots, targetW, act.nonce, act.deadline));
    }

    function _announce(uint32 programme, uint32 firstSlot, uint16 slots, uint32 targetW) internal returns (uint32) {
        return response.announce(
            programme, firstSlot, slots, targetW, _callAct(programme, firstSlot, slots, targetW, operator)
        );
    }

    function _call(uint32 number, uint32 asset) internal {
        response.call(number, _one(asset));
    }

    /// What the only asset of a call was refused for, zero if it was taken.
    function _callReason(uint32 number, uint32 asset) internal returns (bytes4 reason) {
        vm.recordLogs();
        response.call(number, _one(asset));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IDemandResponse.CallRefused.selector) reason = abi.decode(logs[i].data, (bytes4));
        }
    }

    function _optOutAct(uint32 number, uint32 index, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        bytes32 typeHash = keccak256("ResponseOptOut(uint32 number,uint32 index,uint256 nonce,uint256 deadline)");
        _signAct(act, by, abi.encode(typeHash, number, index, act.nonce, act.deadline));
    }

    function _optOut(uint32 number, uint32 index, Party memory by) internal {
        response.optOut(number, index, _optOutAct(number, index, by));
    }

    // ------------------------------------------------------------------------------------------------------------- times

    function _toGate(uint32 firstSlot) internal {
        vm.warp(uint256(firstSlot) * SLOT_LENGTH - GATE);
    }

    function _toSlot(uint32 slot) internal {
        vm.warp(uint256(slot) * SLOT_LENGTH);
    }

    function _toFinal(uint32 untilSlot) internal {
        vm.warp(uint256(untilSlot) * SLOT_LENGTH + FINAL);
    }

    // ---------------------------------------------------------------------------------------------------------- readings

    /// The same net import in each of some slots, negative for export.
    function _record(Home memory home, uint32 firstSlot, uint256 slots, int256 netWh) internal {
        for (uint32 slot = firstSlot; slot < firstSlot + slots; ++slot) {
            _recordOne(home, slot, 1, netWh);
        }
    }

    function _recordOne(Home memory home, uint32 slot, uint8 version, int256 netWh) internal {
        SignedReading[] memory readings = new SignedReading[](1);
        uint32 importWh = netWh > 0 ? uint32(uint256(netWh)) : 0;
        uint32 exportWh = netWh < 0 ? uint32(uint256(-netWh)) : 0;
        readings[0] = _signed(home.device, _reading(home.meter, slot, version, importWh, exportWh));
        assertEq(uint256(uint32(ledger.record(MARKET, slot, _asOf(slot), readings)[0].reason)), 0, "it is recorded");
    }

    // ------------------------------------------------------------------------------------------------------------ settle

    function _settleAt(uint32 number, uint32 index) internal {
        response.settle(number, _one(index));
    }

    /// Why the only commitment was not settled, zero if it was.
    function _settleReason(uint32 number, uint32 index) internal returns (bytes4 reason) {
        vm.recordLogs();
        response.settle(number, _one(index));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IDemandResponse.ResponseSettlementRefused.selector) {
                (, reason) = abi.decode(logs[i].data, (uint32, bytes4));
            }
        }
    }

    function _netOf(uint32 number, uint32 index) internal view returns (int256) {
        (, uint64 outcome) = response.commitmentOf(number, index);
        return Outcome.wrap(outcome).netMicro();
    }

    function _laneOf(uint32 number, uint32 index) internal view returns (Commitment) {
        (uint64 lane,) = response.commitmentOf(number, index);
        return Commitment.wrap(lane);
    }

    function _bookOf(uint32 number) internal view returns (EventBook memory) {
        (, EventBookWord word) = response.responseOf(number);
        return word.unpack();
    }

    function _headOf(uint32 number) internal view returns (EventHead memory) {
        (EventHeadWord word,) = response.responseOf(number);
        return word.unpack();
    }

    function _enrolmentOf(uint32 programme, uint32 asset) internal view returns (EnrolmentWord) {
        return EnrolmentWord.wrap(response.enrolmentOf(programme, asset));
    }
}
