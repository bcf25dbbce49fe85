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
import { ResponseBooks } from "./libraries/ResponseBooks.sol";
import { ResponseDesk } from "./libraries/ResponseDesk.sol";
import { ResponseMath } from "./libraries/ResponseMath.sol";
import { ResponseSettlements } from "./libraries/ResponseSettlements.sol";
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
import { FIXED } from "./types/Measuring.sol";
import { Meter, MeterBinding } from "./types/Meter.sol";
import { MeterCalls } from "./types/MeterCalls.sol";
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
    using ResponseBooks for IDERRegistry;
    using ResponseBooks for Responses;
    using ResponseMath for EventBook;
    using ResponseMath for ProgrammeTerms;
    using ResponseSettlements for ResponseSettlements.Batch;

    bytes32 private constant BASELINE_AGREEMENT_TYPEHASH =
        keccak256("BaselineAgreement(uint32 programme,uint32 asset,int32 fixedWh,uint256 nonce,uint256 deadline)");
    bytes32 private constant OPT_OUT_TYPEHASH =
        keccak256("ResponseOptOut(uint32 number,uint32 index,uint256 nonce,uint256 deadline)");

    // Words of an asset: how many, and the places of some.
    uint256 private constant ASSET_WORDS = 8;
    uint256 private constant ASSET_METER = 0;
    uint256 private constant ASSET_NAMEPLATE_W = 3;
    uint256 private constant ASSET_FEEDER = 5;

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
            return terms.firm ? terms.silenceCost(ResponseBooks.energyOf(powerW, _slotLength)) * slots : 0;
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
        Commitment lane = _books.commitmentAt(number, index, head.called);
        EnrolmentWord enrolment = _books.enrolments[pairKey(head.programme, lane.asset())];
        if (owner.signer != _ders.meterOf(enrolment.meter()).account()) revert SignerNotAllowed(owner.signer);
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
        _books.setCommitment(number, index, lane.asVoid());
        _books.meters[meter] =
            _books.meters[meter].optedOut(head.day, head.firstSlot, uint256(head.firstSlot) + head.slots);
        EventBook memory book = event_.book.unpack();
        ++book.settled;
        event_.book = book.pack();
    }

    function _leaveLate(uint32 number, uint32 index, EventHead memory head) private returns (uint256 from) {
        uint256 endsAt = ResponseBooks.endsAt(head, _slotLength);
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

    /// @inheritdoc IDemandResponse
    function settle(uint32 number, uint32[] calldata indices) external {
        _requireFew(indices.length, MAX_SETTLEMENTS);
        ResponseSettlements.Batch memory batch;
        (batch.number, batch.head, batch.slotLength) = (number, _headOf(number), _slotLength);
        (batch.vault, batch.ders, batch.auction, batch.gauge) = (_vault, _ders, _auction, _gauge);
        batch.terms = _termsOf(batch.head.programme);
        batch.open(_books, indices.length);
        for (uint256 i = 0; i < indices.length; ++i) {
            batch.settle(_books, indices[i]);
        }
        batch.conclude(_books);
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
