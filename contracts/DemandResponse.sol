// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { Address } from "@openzeppelin/contracts/utils/Address.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import { IDERRegistry } from "./interfaces/IDERRegistry.sol";
import { IDemandResponse } from "./interfaces/IDemandResponse.sol";
import { IDeviceRegistry } from "./interfaces/IDeviceRegistry.sol";
import { IEnergyAuction } from "./interfaces/IEnergyAuction.sol";
import { IMeterLedger } from "./interfaces/IMeterLedger.sol";
import { IResponseGauge } from "./interfaces/IResponseGauge.sol";
import { IVault } from "./interfaces/IVault.sol";
import { Batches } from "./libraries/Batches.sol";
import { Calls } from "./libraries/Calls.sol";
import { Lookups } from "./libraries/Lookups.sol";
import { ResponseDesk } from "./libraries/ResponseDesk.sol";
import { ResponseMath } from "./libraries/ResponseMath.sol";
import { SignedActs } from "./libraries/SignedActs.sol";
import { Act } from "./types/Act.sol";
import { AssetEnrolment, EnrolmentWord, packEnrolment } from "./types/AssetEnrolment.sol";
import {
    Commitment,
    LANES_PER_WORD,
    MAX_POWER_W,
    Outcome,
    commitment,
    laneOf,
    withLane
} from "./types/Commitment.sol";
import { LANE_BITS, LANE_MAX, LadderWord } from "./types/LadderWord.sol";
import { Called, FIXED } from "./types/Measuring.sol";
import { Meter, MeterBinding } from "./types/Meter.sol";
import { MeterCalls } from "./types/MeterCalls.sol";
import { BID } from "./types/Order.sol";
import { Programme, ProgrammeTerms } from "./types/Programme.sol";
import { EventBook, EventBookWord } from "./types/EventBook.sol";
import { EventHead, EventHeadWord } from "./types/EventHead.sol";
import { ResponseEvent } from "./types/ResponseEvent.sol";
import { RuleTerms } from "./types/ResponseRule.sol";
import { Responses, pairKey } from "./types/Responses.sol";

/// @title DemandResponse
/// @notice See IDemandResponse. Four commitments share a word, and an event's offers lie in a ladder of eight, so that the margin
/// costs the same whatever the number of assets.
/// @dev Called are only contracts of the same deployment, and ERC-1271 wallets by static call.
contract DemandResponse is IDemandResponse, SignedActs {
    using Batches for IVault;
    using Batches for uint256;
    using Calls for uint256;
    using Lookups for address;
    using ResponseMath for EventBook;
    using ResponseMath for ProgrammeTerms;
    using ResponseMath for ResponseMath.Measured;

    bytes32 private constant BASELINE_AGREEMENT_TYPEHASH =
        keccak256("BaselineAgreement(uint32 programme,uint32 asset,int32 fixedWh,uint256 nonce,uint256 deadline)");
    bytes32 private constant OPT_OUT_TYPEHASH =
        keccak256("ResponseOptOut(uint32 number,uint32 index,uint256 nonce,uint256 deadline)");

    // Words of what others tell: how many, and the places of some.
    uint256 private constant ASSET_WORDS = 8;
    uint256 private constant ASSET_METER = 0;
    uint256 private constant ASSET_NAMEPLATE_W = 3;
    uint256 private constant ASSET_FEEDER = 5;
    uint256 private constant MARKET_WORDS = 14;
    uint256 private constant MARKET_FEED_IN = 4;
    uint256 private constant POSITION_WORDS = 7;
    uint256 private constant POSITION_SIDE = 0;
    uint256 private constant POSITION_FILLED_WH = 4;

    uint256 private constant MAX_CALLS = 256;
    uint256 private constant MAX_SETTLEMENTS = 64;

    IVault private immutable _vault;
    IDERRegistry private immutable _ders;
    IDeviceRegistry private immutable _devices;
    IEnergyAuction private immutable _auction;
    IResponseGauge private immutable _gauge;
    uint32 private immutable _slotLength;
    /// What is seldom called has no room in here.
    address private immutable _desk;

    Responses private _books;

    constructor(
        address authority,
        IVault vault,
        IMeterLedger ledger,
        IDERRegistry ders,
        IDeviceRegistry devices,
        IEnergyAuction auction,
        IResponseGauge gauge
    ) EIP712("Gridweave DemandResponse", "1") AccessManaged(authority) {
        _vault = vault;
        _ders = ders;
        _devices = devices;
        _auction = auction;
        _gauge = gauge;
        _slotLength = ledger.slotLength();
        _desk = address(new ResponseDesk(authority, vault, ledger, ders, auction, gauge));
    }

    // ------------------------------------------------------------------------------------------------ programmes and rules

    /// @inheritdoc IDemandResponse
    function openProgramme(ProgrammeTerms calldata, Act calldata) external returns (uint32) {
        return _askDesk();
    }

    /// @inheritdoc IDemandResponse
    function openRule(RuleTerms calldata, Act calldata) external returns (uint32) {
        return _askDesk();
    }

    /// @inheritdoc IDemandResponse
    function endRule(uint32, Act calldata) external {
        _tellDesk();
    }

    /// @inheritdoc IDemandResponse
    function announce(uint32, uint32, uint16, uint32, Act calldata) external returns (uint32) {
        return _askDesk();
    }

    /// @inheritdoc IDemandResponse
    function trigger(uint32, uint32) external returns (uint32) {
        return _askDesk();
    }

    /// @inheritdoc IDemandResponse
    function cancel(uint32, Act calldata) external {
        _tellDesk();
    }

    /// @inheritdoc IDemandResponse
    function draw(uint32) external {
        _tellDesk();
    }

    /// @inheritdoc IDemandResponse
    function close(uint32) external {
        _tellDesk();
    }

    function _askDesk() private returns (uint32) {
        return abi.decode(_tellDesk(), (uint32));
    }

    function _tellDesk() private returns (bytes memory) {
        return Address.functionDelegateCall(_desk, msg.data);
    }

    // --------------------------------------------------------------------------------------------------------- enrolment

    /// @inheritdoc IDemandResponse
    /// @dev The enrolment's version is its nonce, so that no other word is written.
    function enrol(AssetEnrolment calldata enrolment, Act calldata owner, Act calldata operator) external {
        ProgrammeTerms memory terms = _termsOf(enrolment.programme);
        if (block.timestamp > owner.deadline) revert ActExpired(owner.deadline);
        (uint32 meter, address account) = _admit(terms, enrolment);
        if (owner.signer != account) revert SignerNotAllowed(owner.signer);
        uint256 open = _books.meters[meter].open();
        if (open != 0) revert MeterCommitted(meter, open);
        bytes32 digest = _hashTypedDataV4(enrolment.structHash(owner.nonce, owner.deadline));
        if (!SignatureChecker.isValidSignatureNow(account, digest, owner.signature)) revert WrongSignature(account);
        if (terms.method == FIXED && enrolment.committedW != 0) _agree(terms.payer, enrolment, operator);
        _write(terms, enrolment, owner.nonce, meter, account);
    }

    function _write(
        ProgrammeTerms memory terms,
        AssetEnrolment calldata enrolment,
        uint256 version,
        uint32 meter,
        address account
    ) private {
        uint256 key = pairKey(enrolment.programme, enrolment.asset);
        EnrolmentWord before = _books.enrolments[key];
        if (version <= before.version() || version > type(uint24).max) {
            revert EnrolmentNotNewer(version, before.version());
        }
        uint256 bond = _bondOf(terms, enrolment.committedW, terms.maxEventSlots);
        uint256 tick = enrolment.committedW == 0 ? 0 : (enrolment.askPrice - terms.minPrice) / terms.tickSize;
        EnrolmentWord word = packEnrolment(enrolment, version, tick, bond, meter);
        _books.enrolments[key] = word;
        emit AssetEnrolled(enrolment.programme, enrolment.asset, word);

        _moveBond(account, int256(bond) - int256(before.bond()), key);
    }

    /// @return meter the asset's
    /// @return account the meter's
    function _admit(ProgrammeTerms memory terms, AssetEnrolment calldata enrolment)
        private
        view
        returns (uint32 meter, address account)
    {
        uint256 asset = address(_ders).lookUp(IDERRegistry.assetOf.selector, enrolment.asset, ASSET_WORDS);
        meter = uint32(asset.get(ASSET_METER));
        if (meter == 0) revert IDERRegistry.UnknownAsset(enrolment.asset);
        uint32[] memory ids = new uint32[](1);
        ids[0] = meter;
        (Meter[] memory meters, MeterBinding[] memory bindings) = _ders.meteringOf(ids);
        account = meters[0].account();
        uint256 powerW = enrolment.committedW;
        // whoever leaves need not fit
        if (powerW == 0) return (meter, account);

        uint256 most = asset.get(ASSET_NAMEPLATE_W);
        if (most > MAX_POWER_W) most = MAX_POWER_W;
        if (powerW > most) revert PowerOutOfRange(powerW, most);
        uint32 feeder = uint32(asset.get(ASSET_FEEDER));
        if (feeder != terms.feeder) revert OtherFeeder(feeder, terms.feeder);
        if (meters[0].market() != terms.market) revert OtherMarket(meters[0].market(), terms.market);
        if (meters[0].isBounded() && !bindings[0].isWithin(block.timestamp / _slotLength)) {
            revert IDERRegistry.AssetMeterNotInForce(enrolment.asset, meter);
        }
        address device = bindings[0].device();
        if (!_isActive(device)) revert IDERRegistry.DeviceNotActive(device);
        if (!_isOnGrid(terms, enrolment.askPrice)) revert AskOffGrid(enrolment.askPrice);
        if (terms.method != FIXED && enrolment.fixedWh != 0) revert BaselineNotDue();
    }

    /// Of an active device nothing is wrong but the signature, which is judged last: none is given. It reads a fifth of `deviceOf`.
    function _isActive(address device) private view returns (bool) {
        IDeviceRegistry.Check[] memory checks = new IDeviceRegistry.Check[](1);
        (checks[0].device, checks[0].asOf) = (device, uint40(block.timestamp));
        return _devices.areAuthentic(checks)[0] == IDeviceRegistry.DeviceSignatureInvalid.selector;
    }

    function _isOnGrid(ProgrammeTerms memory terms, uint256 askPrice) private pure returns (bool) {
        if (askPrice < terms.minPrice || askPrice > terms.highestPrice()) return false;
        return (askPrice - terms.minPrice) % terms.tickSize == 0;
    }

    function _agree(address payer, AssetEnrolment calldata enrolment, Act calldata operator) private {
        if (operator.signer != payer) revert NotPayer(operator.signer, payer);
        _consume(
            operator,
            keccak256(
                abi.encode(
                    BASELINE_AGREEMENT_TYPEHASH,
                    enrolment.programme,
                    enrolment.asset,
                    enrolment.fixedWh,
                    operator.nonce,
                    operator.deadline
                )
            )
        );
    }

    /// What silence costs in an event of that many slots.
    function _bondOf(ProgrammeTerms memory terms, uint256 powerW, uint256 slots) private view returns (uint256) {
        unchecked {
            // 48 bits times 41 times 7
            return terms.firm ? terms.silenceCost(_energyOf(powerW)) * slots : 0;
        }
    }

    function _moveBond(address account, int256 amount, uint256 ref) private {
        if (amount == 0) return;
        uint256 locks = Batches.openLocks(1);
        locks.setLock(0, account, amount, bytes32(ref));
        if (_vault.lockAll(locks)[0] != 0) revert BondNotPaid(account, uint256(amount));
    }

    // ------------------------------------------------------------------------------------------------------ call, opt out

    /// One call while it takes assets in.
    struct Calling {
        uint32 number;
        EventHead head;
        ProgrammeTerms terms;
        uint32 index; // of the next asset
        uint256 word; // of its commitment
        uint32[] taken;
    }

    /// @inheritdoc IDemandResponse
    function call(uint32 number, uint32[] calldata assets) external {
        _requireFew(assets.length, MAX_CALLS);
        Calling memory calling;
        calling.number = number;
        EventHead memory head = _openHead(number);
        calling.head = head;
        calling.terms = _termsOf(head.programme);
        uint256 gateAt = _gateAt(head);
        if (block.timestamp >= gateAt) revert CallTooLate(number, gateAt);

        uint32 first = head.called;
        calling.index = first;
        calling.word = _books.commitments[pairKey(number, first / LANES_PER_WORD)];
        calling.taken = new uint32[](assets.length);
        for (uint256 i = 0; i < assets.length; ++i) {
            bytes4 reason = _take(calling, assets[i]);
            if (reason != 0) emit CallRefused(number, assets[i], reason);
        }
        _saveCalls(calling, first);
    }

    function _take(Calling memory calling, uint32 asset) private returns (bytes4 reason) {
        EventHead memory head = calling.head;
        EnrolmentWord enrolment = _books.enrolments[pairKey(head.programme, asset)];
        reason = _callFault(calling.terms, head, enrolment);
        if (reason == 0) reason = _offer(calling.number, head, enrolment);
        if (reason != 0) return reason;
        uint32 index = calling.index;
        Commitment lane = commitment(asset, enrolment.committedW(), enrolment.tick());
        calling.word = withLane(calling.word, index, Commitment.unwrap(lane));
        calling.taken[index - head.called] = asset;
        calling.index = ++index;
        if (index % LANES_PER_WORD == 0) {
            _books.commitments[pairKey(calling.number, index / LANES_PER_WORD - 1)] = calling.word;
            calling.word = 0;
        }
    }

    function _saveCalls(Calling memory calling, uint32 first) private {
        (uint32 number, uint32 index) = (calling.number, calling.index);
        if (index % LANES_PER_WORD != 0) {
            _books.commitments[pairKey(number, index / LANES_PER_WORD)] = calling.word;
        }
        calling.head.called = index;
        _books.events[number].head = calling.head.pack();
        uint32[] memory taken = calling.taken;
        assembly ("memory-safe") {
            // no more than were given
            mstore(taken, sub(index, first))
        }
        emit AssetsCalled(number, first, taken);
    }

    function _callFault(ProgrammeTerms memory terms, EventHead memory head, EnrolmentWord enrolment)
        private
        view
        returns (bytes4)
    {
        uint256 powerW = enrolment.committedW();
        if (powerW == 0) return NotEnrolled.selector;
        if (enrolment.maxSlots() < head.slots) return LongerThanAgreed.selector;
        if (enrolment.isComfort(head.offset, head.slots)) return InComfortHours.selector;
        return enrolment.bond() < _bondOf(terms, powerW, head.slots) ? BondSpent.selector : bytes4(0);
    }

    /// Takes the meter's slots and puts the offer into the ladder, if both can be.
    function _offer(uint32 number, EventHead memory head, EnrolmentWord enrolment) private returns (bytes4) {
        uint32 meter = enrolment.meter();
        MeterCalls calls = _books.meters[meter];
        if (calls.busyUntil() > head.firstSlot) return MeterBusy.selector;
        ResponseEvent storage event_ = _books.events[number];
        uint256 tick = enrolment.tick();
        LadderWord offers = event_.ladder[tick >> 3];
        unchecked {
            // 30 and 24 bits; the lane has room, so its neighbours stay as they are
            if (offers.laneAt(tick & 7) + enrolment.committedW() > LANE_MAX) return TickFull.selector;
            event_.ladder[tick >> 3] =
                LadderWord.wrap(LadderWord.unwrap(offers) + (enrolment.committedW() << ((tick & 7) * LANE_BITS)));
            _books.meters[meter] = calls.calledFor(head.day, uint256(head.firstSlot) + head.slots);
        }
        return 0;
    }

    /// @inheritdoc IDemandResponse
    function optOut(uint32 number, uint32 index, Act calldata owner) external {
        EventHead memory head = _openHead(number);
        Commitment lane = _laneOf(number, index, head.called);
        EnrolmentWord enrolment = _books.enrolments[pairKey(head.programme, lane.asset())];
        if (owner.signer != _meterOf(enrolment.meter()).account()) revert SignerNotAllowed(owner.signer);
        if (lane.isVoid()) revert HasOptedOut(number, index);
        _consume(owner, keccak256(abi.encode(OPT_OUT_TYPEHASH, number, index, owner.nonce, owner.deadline)));

        uint256 from = 0;
        if (block.timestamp < _gateAt(head)) {
            _leave(number, index, lane, head, enrolment.meter());
        } else {
            from = _leaveLate(number, index, head);
        }
        emit AssetOptedOut(number, lane.asset(), index, uint8(from));
    }

    function _leave(uint32 number, uint32 index, Commitment lane, EventHead memory head, uint32 meter) private {
        ResponseEvent storage event_ = _books.events[number];
        uint256 tick = lane.tick();
        uint256 offers = LadderWord.unwrap(event_.ladder[tick >> 3]);
        event_.ladder[tick >> 3] = LadderWord.wrap(offers - (lane.powerW() << ((tick & 7) * LANE_BITS)));
        _setLane(number, index, lane.asVoid());
        _books.meters[meter] =
            _books.meters[meter].optedOut(head.day, head.firstSlot, uint256(head.firstSlot) + head.slots);
        EventBook memory book = event_.book.unpack();
        ++book.settled;
        event_.book = book.pack();
    }

    function _leaveLate(uint32 number, uint32 index, EventHead memory head) private returns (uint256 from) {
        uint256 endsAt = _endsAt(head);
        if (block.timestamp >= endsAt) revert ResponseHasEnded(number, endsAt);
        uint256 startsAt = uint256(head.firstSlot) * _slotLength;
        from = 1;
        unchecked {
            // times; a slot that has begun counts as before
            if (block.timestamp > startsAt) from += (block.timestamp - startsAt + _slotLength - 1) / _slotLength;
        }
        uint256 key = pairKey(number, index / LANES_PER_WORD);
        uint256 word = _books.outcomes[key];
        Outcome outcome = Outcome.wrap(laneOf(word, index));
        if (outcome.lateFrom() != 0) revert HasOptedOut(number, index);
        _books.outcomes[key] = withLane(word, index, Outcome.unwrap(outcome.withLateFrom(from)));
    }

    // ---------------------------------------------------------------------------------------------------------- dispatch

    /// @inheritdoc IDemandResponse
    function dispatch(uint32 number, uint256 count) external {
        _requireFew(count, MAX_CALLS);
        EventHead memory head = _openHead(number);
        _requireDispatchable(number, head);
        ResponseEvent storage event_ = _books.events[number];
        EventBook memory book = event_.book.unpack();
        if (book.dispatched == 0) {
            uint256 offeredW = book.findMargin(event_.ladder, head.targetW);
            emit MarginFound(number, book.margin, book.sharedW, book.longW, offeredW);
        }
        uint256 until = book.dispatched + count;
        if (until > head.called) until = head.called;
        _giveSetpoints(number, book, until);
        event_.book = book.pack();
    }

    function _requireDispatchable(uint32 number, EventHead memory head) private view {
        uint256 gateAt = _gateAt(head);
        if (block.timestamp < gateAt) revert BeforeGate(number, gateAt);
        uint256 startsAt = uint256(head.firstSlot) * _slotLength;
        if (block.timestamp >= startsAt) revert ResponseHasStarted(number, startsAt);
        if (!head.drawn && _books.programmes[head.programme].terms.drawBps < ResponseMath.WHOLE_BPS) revert ResponseNotDrawn(number);
    }

    /// At the margin the share takes the place of what was offered; elsewhere the margin tells the setpoint.
    function _giveSetpoints(uint32 number, EventBook memory book, uint256 until) private {
        uint256 index = book.dispatched;
        while (index < until) {
            uint256 key = pairKey(number, index / LANES_PER_WORD);
            uint256 before = _books.commitments[key];
            uint256 word = before;
            do {
                Commitment lane = Commitment.wrap(laneOf(word, index));
                if (!lane.isVoid()) {
                    uint256 setpointW = book.setpointOf(lane.tick(), lane.powerW());
                    if (setpointW != 0) book.given = true;
                    if (lane.tick() == book.margin) {
                        word = withLane(word, index, Commitment.unwrap(lane.withPower(setpointW)));
                    }
                    emit SetpointGiven(number, lane.asset(), uint32(index), uint32(setpointW));
                }
                ++index;
            } while (index < until && index % LANES_PER_WORD != 0);
            if (word != before) _books.commitments[key] = word;
        }
        book.dispatched = uint32(index);
    }

    // ------------------------------------------------------------------------------------------------------------ settle

    /// What the commitments of one call share.
    struct Batch {
        uint32 number;
        EventHead head;
        ProgrammeTerms terms;
        EventBook book;
        uint256 endsAt;
        uint256 budget; // millionths
        uint256 feedIn; // 1 + micro per kWh, once it was asked
        bool isFinal; // nothing that was paid can be taken back
        uint256 legs;
        uint256 fromBonds; // millionths, to the payer
        uint256 money; // the settlement, as Batches lays it out
    }

    /// One commitment of it.
    struct Part {
        uint32 index;
        Commitment lane;
        Outcome outcome;
        uint256 enrolmentKey;
        EnrolmentWord enrolment;
        uint32 meter;
        int256 net;
    }

    /// @inheritdoc IDemandResponse
    function settle(uint32 number, uint32[] calldata indices) external {
        _requireFew(indices.length, MAX_SETTLEMENTS);
        Batch memory batch = _openBatch(number, indices.length);
        for (uint256 i = 0; i < indices.length; ++i) {
            Part memory part = _partOf(batch, indices[i]);
            bytes4 reason = _settleOne(batch, part);
            if (reason != 0) emit ResponseSettlementRefused(number, indices[i], reason);
        }
        _books.events[number].book = batch.book.pack();
        if (batch.legs != 0) _pay(batch);
    }

    function _openBatch(uint32 number, uint256 most) private view returns (Batch memory batch) {
        EventHead memory head = _headOf(number);
        batch.number = number;
        batch.head = head;
        batch.endsAt = _endsAt(head);
        if (!head.cancelled) {
            if (block.timestamp < batch.endsAt) revert ResponseNotEnded(number, batch.endsAt);
            if (head.closed) revert ResponseIsClosed(number);
        }
        batch.terms = _termsOf(head.programme);
        batch.book = _books.events[number].book.unpack();
        batch.money = Batches.openSettlement(most);
        batch.isFinal = block.timestamp >= batch.endsAt + batch.terms.finalAfter;
        batch.budget = batch.terms.budgetOf(head, _slotLength);
    }

    function _partOf(Batch memory batch, uint32 index) private view returns (Part memory part) {
        part.index = index;
        part.lane = _laneOf(batch.number, index, batch.head.called);
        part.outcome = Outcome.wrap(laneOf(_books.outcomes[pairKey(batch.number, index / LANES_PER_WORD)], index));
        part.enrolmentKey = pairKey(batch.head.programme, part.lane.asset());
        part.enrolment = _books.enrolments[part.enrolmentKey];
        part.meter = part.enrolment.meter();
    }

    function _settleOne(Batch memory batch, Part memory part) private returns (bytes4) {
        Commitment lane = part.lane;
        if (lane.isVoid()) return NothingCommitted.selector;
        uint256 setpointW = _setpointOf(batch, part);
        if (setpointW == 0) {
            if (lane.isSettled()) return SettlementUnchanged.selector;
            _finish(batch, part);
            emit CommitmentReleased(batch.number, lane.asset(), part.index);
            return 0;
        }
        ResponseMath.Measured memory measured = _measure(batch, part, setpointW);
        bool inTime = block.timestamp < batch.endsAt + batch.terms.readingWindow;
        if (measured.missing != 0 && inTime) return ReadingsMissing.selector;

        (uint256 pay, uint256 penalty) = batch.terms.moneyOf(measured);
        int256 before = part.outcome.netMicro();
        int256 least = -int256(part.enrolment.bond()) + (before < 0 ? before : int256(0));
        int256 net = int256(pay) - int256(penalty);
        if (net < least) net = least;
        if (lane.isSettled() && net == before) return SettlementUnchanged.selector;
        part.net = net;
        _owe(batch, part, before);
        if (!lane.isSettled()) _finish(batch, part);
        _setOutcome(batch, part);
        _emitSettled(batch, part, measured, pay, penalty);
        return 0;
    }

    function _setpointOf(Batch memory batch, Part memory part) private pure returns (uint256) {
        if (batch.head.cancelled || part.index >= batch.book.dispatched) return 0;
        return part.lane.tick() > batch.book.margin ? 0 : part.lane.powerW();
    }

    function _measure(Batch memory batch, Part memory part, uint256 setpointW)
        private
        view
        returns (ResponseMath.Measured memory measured)
    {
        EventHead memory head = batch.head;
        (measured.hasBaseline, measured.baselineWh, measured.actualWh, measured.missing, measured.ratioBps) = _gauge
            .measure(
            batch.terms.measuring(),
            part.meter,
            Called(head.firstSlot, head.slots, head.noticeAt),
            _books.meters[part.meter].eventDaysBefore(head.day)
        );
        if (batch.terms.method == FIXED) {
            for (uint256 i = 0; i < head.slots; ++i) {
                measured.baselineWh[i] = part.enrolment.fixedWh();
            }
        }
        measured.committedWh = _energyOf(setpointW);
        measured.price = batch.terms.priceAt(part.lane.tick());
        measured.lateFrom = part.outcome.lateFrom();
        if (!batch.terms.up && measured.hasBaseline) _addCredit(batch, part.meter, measured);
    }

    /// What the market pays the meter besides. Most meters have no order in those slots and export nothing, so it is asked little.
    function _addCredit(Batch memory batch, uint32 meter, ResponseMath.Measured memory measured) private view {
        EventHead memory head = batch.head;
        measured.boughtWh = _boughtBy(meter, head);
        uint256 credited = 0;
        for (uint256 i = 0; i < head.slots; ++i) {
            credited |= measured.creditedWh(i);
        }
        if (credited == 0) return;
        if (batch.feedIn == 0) {
            uint256 market = address(_auction).lookUp(
                IEnergyAuction.termsOf.selector, batch.terms.market, head.firstSlot, MARKET_WORDS
            );
            batch.feedIn = 1 + market.get(MARKET_FEED_IN);
        }
        measured.feedIn = batch.feedIn - 1;
    }

    /// On the market, net, per slot.
    function _boughtBy(uint32 meter, EventHead memory head) private view returns (int256[] memory boughtWh) {
        boughtWh = new int256[](head.slots);
        for (uint256 i = 0; i < head.slots; ++i) {
            uint256 version =
                address(_auction).lookUp(IEnergyAuction.lastVersionOf.selector, meter, head.firstSlot + i, 2).get(0);
            if (version == 0) continue;
            uint256 position = address(_auction).lookUp(
                IEnergyAuction.positionOf.selector, meter, head.firstSlot + i, POSITION_WORDS
            );
            int256 filledWh = int256(position.get(POSITION_FILLED_WH));
            boughtWh[i] = position.get(POSITION_SIDE) == BID ? filledWh : -filledWh;
        }
    }

    /// What moves from `before` to the part's net: out of the budget or the bond first, else between account and payer.
    function _owe(Batch memory batch, Part memory part, int256 before) private {
        unchecked {
            // amounts of 56 bits; what leaves budget and bond is in them
            int256 change = _above(part.net) - _above(before);
            int256 fromBond = _above(-part.net) - _above(-before);
            int256 fromPayer = change;
            uint256 fromPot = 0;
            if (change > 0) {
                uint256 left = batch.budget - batch.book.spent;
                fromPot = uint256(change) < left ? uint256(change) : left;
                batch.book.spent += uint72(fromPot);
                fromPayer -= int256(fromPot);
            }
            if (fromBond > 0) {
                EnrolmentWord enrolment = part.enrolment;
                _books.enrolments[part.enrolmentKey] = enrolment.withBond(enrolment.bond() - uint256(fromBond));
                batch.fromBonds += uint256(fromBond);
            } else {
                // a later reading proves that it was charged too much
                fromPayer -= fromBond;
            }
            Meter meter = _meterOf(part.meter);
            uint256 leg = batch.money.legAt(batch.legs++);
            leg.set(0, uint160(meter.account()));
            leg.set(1, meter.hasMandate() ? 1 : 0);
            leg.set(2, fromPot);
            leg.set(3, uint256(fromPayer));
            leg.set(4, batch.isFinal ? 0 : uint256(change));
            leg.set(5, pairKey(batch.number, part.index));
        }
    }

    function _above(int256 amount) private pure returns (int256) {
        return amount > 0 ? amount : int256(0);
    }

    /// Its meter is free for other terms.
    function _finish(Batch memory batch, Part memory part) private {
        ++batch.book.settled;
        _setLane(batch.number, part.index, part.lane.asSettled());
        _books.meters[part.meter] = _books.meters[part.meter].settled();
    }

    function _setOutcome(Batch memory batch, Part memory part) private {
        uint256 key = pairKey(batch.number, part.index / LANES_PER_WORD);
        _books.outcomes[key] =
            withLane(_books.outcomes[key], part.index, Outcome.unwrap(part.outcome.withNet(part.net)));
    }

    function _emitSettled(
        Batch memory batch,
        Part memory part,
        ResponseMath.Measured memory measured,
        uint256 pay,
        uint256 penalty
    ) private {
        emit ResponseSettled(
            batch.number,
            part.lane.asset(),
            part.index,
            measured.baselineWh,
            measured.actualWh,
            measured.missing,
            measured.ratioBps,
            measured.hasBaseline,
            pay,
            penalty,
            part.net
        );
    }

    function _pay(Batch memory batch) private {
        uint256 money = batch.money;
        address payer = batch.terms.payer;
        money.set(1, uint160(payer));
        money.set(2, uint160(payer));
        money.set(3, batch.endsAt + batch.terms.finalAfter);
        money.set(4, 0);
        money.set(5, batch.fromBonds);
        money.set(6, 0);
        _vault.settleAll(money, batch.legs);
    }

    // ----------------------------------------------------------------------------------------------------------- helpers

    function _requireFew(uint256 given, uint256 most) private pure {
        if (given > most) revert TooManyAssets(given, most);
    }

    function _termsOf(uint32 programme) private view returns (ProgrammeTerms memory terms) {
        terms = _books.programmes[programme].load();
        if (terms.payer == address(0)) revert UnknownProgramme(programme);
    }

    function _headOf(uint32 number) private view returns (EventHead memory) {
        EventHeadWord word = _books.events[number].head;
        if (EventHeadWord.unwrap(word) == 0) revert UnknownResponse(number);
        return word.unpack();
    }

    function _openHead(uint32 number) private view returns (EventHead memory head) {
        head = _headOf(number);
        if (head.cancelled) revert ResponseIsCancelled(number);
    }

    function _gateAt(EventHead memory head) private view returns (uint256) {
        return uint256(head.firstSlot) * _slotLength - _books.programmes[head.programme].terms.optOutLead;
    }

    function _endsAt(EventHead memory head) private view returns (uint256) {
        unchecked {
            // 33 bits times 32
            return (uint256(head.firstSlot) + head.slots) * _slotLength;
        }
    }

    /// Wh per slot, rounded down.
    function _energyOf(uint256 powerW) private view returns (uint256) {
        unchecked {
            // 24 bits times 32
            return powerW * _slotLength / 3_600;
        }
    }

    function _meterOf(uint32 meter) private view returns (Meter) {
        uint32[] memory ids = new uint32[](1);
        ids[0] = meter;
        return _ders.metersOf(ids)[0];
    }

    function _laneOf(uint32 number, uint32 index, uint256 called) private view returns (Commitment) {
        if (index >= called) revert UnknownCommitment(number, index);
        return Commitment.wrap(laneOf(_books.commitments[pairKey(number, index / LANES_PER_WORD)], index));
    }

    function _setLane(uint32 number, uint32 index, Commitment lane) private {
        uint256 key = pairKey(number, index / LANES_PER_WORD);
        _books.commitments[key] = withLane(_books.commitments[key], index, Commitment.unwrap(lane));
    }

    // ----------------------------------------------------------------------------------------------------------- getters

    /// @inheritdoc IDemandResponse
    function programmeOf(uint32 programme) external view returns (uint256[4] memory words) {
        Programme storage found = _books.programmes[programme];
        assembly ("memory-safe") {
            for { let i := 0 } lt(i, 4) { i := add(i, 1) } { mstore(add(words, shl(5, i)), sload(add(found.slot, i))) }
        }
    }

    /// @inheritdoc IDemandResponse
    function ruleOf(uint32 rule) external view returns (uint256, uint256) {
        return (_books.rules[rule].terms, _books.rules[rule].tally);
    }

    /// @inheritdoc IDemandResponse
    function enrolmentOf(uint32 programme, uint32 asset) external view returns (uint256) {
        return EnrolmentWord.unwrap(_books.enrolments[pairKey(programme, asset)]);
    }

    /// @inheritdoc IDemandResponse
    function responseOf(uint32 number) external view returns (EventHeadWord head, EventBookWord book) {
        return (_books.events[number].head, _books.events[number].book);
    }

    /// @inheritdoc IDemandResponse
    function commitmentOf(uint32 number, uint32 index) external view returns (uint64, uint64) {
        uint256 key = pairKey(number, index / LANES_PER_WORD);
        return (laneOf(_books.commitments[key], index), laneOf(_books.outcomes[key], index));
    }

    /// @inheritdoc IDemandResponse
    function callsOf(uint32 meter) external view returns (uint256) {
        return MeterCalls.unwrap(_books.meters[meter]);
    }
}
