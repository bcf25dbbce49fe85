// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IDERRegistry } from "../interfaces/IDERRegistry.sol";
import { IDemandResponse } from "../interfaces/IDemandResponse.sol";
import { IEnergyAuction } from "../interfaces/IEnergyAuction.sol";
import { IResponseGauge } from "../interfaces/IResponseGauge.sol";
import { IVault } from "../interfaces/IVault.sol";
import { EnrolmentWord } from "../types/AssetEnrolment.sol";
import { Commitment, LANES_PER_WORD, Outcome, laneOf, withLane } from "../types/Commitment.sol";
import { EventBook } from "../types/EventBook.sol";
import { EventHead } from "../types/EventHead.sol";
import { Called, FIXED } from "../types/Measuring.sol";
import { Meter } from "../types/Meter.sol";
import { BID } from "../types/Order.sol";
import { ProgrammeTerms } from "../types/Programme.sol";
import { Responses, pairKey } from "../types/Responses.sol";
import { Batches } from "./Batches.sol";
import { Calls } from "./Calls.sol";
import { Lookups } from "./Lookups.sol";
import { ResponseBooks } from "./ResponseBooks.sol";
import { ResponseMath } from "./ResponseMath.sol";

/// @title What an event pays and charges
/// @notice An event's books are loaded once for a call, changed in memory and saved once; the Vault is asked once.
library ResponseSettlements {
    using Batches for IVault;
    using Batches for uint256;
    using Calls for uint256;
    using Lookups for address;
    using ResponseBooks for IDERRegistry;
    using ResponseBooks for Responses;
    using ResponseMath for ProgrammeTerms;
    using ResponseMath for ResponseMath.Measured;

    /// What the commitments of one call share.
    struct Batch {
        uint32 number;
        EventHead head;
        ProgrammeTerms terms;
        uint256 slotLength;
        IVault vault;
        IDERRegistry ders;
        IEnergyAuction auction;
        IResponseGauge gauge;
        // from here on `open` fills it
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

    // Words of what the auction tells: how many, and the places of some.
    uint256 private constant MARKET_WORDS = 14;
    uint256 private constant MARKET_FEED_IN = 4;
    uint256 private constant VERSION_WORDS = 2;
    uint256 private constant POSITION_WORDS = 7;
    uint256 private constant POSITION_SIDE = 0;
    uint256 private constant POSITION_FILLED_WH = 4;

    /// Turns to the event's books, for up to `most` commitments.
    function open(Batch memory batch, Responses storage books, uint256 most) internal view {
        EventHead memory head = batch.head;
        batch.endsAt = ResponseBooks.endsAt(head, batch.slotLength);
        if (!head.cancelled) {
            if (block.timestamp < batch.endsAt) {
                revert IDemandResponse.ResponseNotEnded(batch.number, batch.endsAt);
            }
            if (head.closed) revert IDemandResponse.ResponseIsClosed(batch.number);
        }
        batch.book = books.events[batch.number].book.unpack();
        batch.money = Batches.openSettlement(most);
        batch.isFinal = block.timestamp >= batch.endsAt + batch.terms.finalAfter;
        batch.budget = batch.terms.budgetOf(head, batch.slotLength);
    }

    /// Settles one commitment, or logs why not.
    function settle(Batch memory batch, Responses storage books, uint32 index) internal {
        Part memory part = _partOf(batch, books, index);
        bytes4 reason = _settleOne(batch, books, part);
        if (reason != 0) emit IDemandResponse.ResponseSettlementRefused(batch.number, index, reason);
    }

    function _partOf(Batch memory batch, Responses storage books, uint32 index) private view returns (Part memory part) {
        part.index = index;
        part.lane = books.commitmentAt(batch.number, index, batch.head.called);
        part.outcome = Outcome.wrap(laneOf(books.outcomes[pairKey(batch.number, index / LANES_PER_WORD)], index));
        part.enrolmentKey = pairKey(batch.head.programme, part.lane.asset());
        part.enrolment = books.enrolments[part.enrolmentKey];
        part.meter = part.enrolment.meter();
    }

    function _settleOne(Batch memory batch, Responses storage books, Part memory part) private returns (bytes4) {
        Commitment lane = part.lane;
        if (lane.isVoid()) return IDemandResponse.NothingCommitted.selector;
        uint256 setpointW = _setpointOf(batch, part);
        if (setpointW == 0) {
            if (lane.isSettled()) return IDemandResponse.SettlementUnchanged.selector;
            _finish(batch, books, part);
            emit IDemandResponse.CommitmentReleased(batch.number, lane.asset(), part.index);
            return 0;
        }
        ResponseMath.Measured memory measured = _measure(batch, books, part, setpointW);
        bool inTime = block.timestamp < batch.endsAt + batch.terms.readingWindow;
        if (measured.missing != 0 && inTime) return IDemandResponse.ReadingsMissing.selector;

        (uint256 pay, uint256 penalty) = batch.terms.moneyOf(measured);
        int256 before = part.outcome.netMicro();
        int256 least = -int256(part.enrolment.bond()) + (before < 0 ? before : int256(0));
        int256 net = int256(pay) - int256(penalty);
        if (net < least) net = least;
        if (lane.isSettled() && net == before) return IDemandResponse.SettlementUnchanged.selector;
        part.net = net;
        _owe(batch, books, part, before);
        if (!lane.isSettled()) _finish(batch, books, part);
        _setOutcome(batch, books, part);
        _emitSettled(batch, part, measured, pay, penalty);
        return 0;
    }

    function _setpointOf(Batch memory batch, Part memory part) private pure returns (uint256) {
        if (batch.head.cancelled || part.index >= batch.book.dispatched) return 0;
        return part.lane.tick() > batch.book.margin ? 0 : part.lane.powerW();
    }

    function _measure(Batch memory batch, Responses storage books, Part memory part, uint256 setpointW)
        private
        view
        returns (ResponseMath.Measured memory measured)
    {
        EventHead memory head = batch.head;
        (measured.hasBaseline, measured.baselineWh, measured.actualWh, measured.missing, measured.ratioBps) = batch
            .gauge
            .measure(
            batch.terms.measuring(),
            part.meter,
            Called(head.firstSlot, head.slots, head.noticeAt),
            books.meters[part.meter].eventDaysBefore(head.day)
        );
        if (batch.terms.method == FIXED) {
            for (uint256 i = 0; i < head.slots; ++i) {
                measured.baselineWh[i] = part.enrolment.fixedWh();
            }
        }
        measured.committedWh = ResponseBooks.energyOf(setpointW, batch.slotLength);
        measured.price = batch.terms.priceAt(part.lane.tick());
        measured.lateFrom = part.outcome.lateFrom();
        if (!batch.terms.up && measured.hasBaseline) _addCredit(batch, part.meter, measured);
    }

    /// What the market pays the meter besides. Most meters have no order in those slots and export nothing, so it is asked little.
    function _addCredit(Batch memory batch, uint32 meter, ResponseMath.Measured memory measured) private view {
        EventHead memory head = batch.head;
        measured.boughtWh = _boughtBy(batch.auction, meter, head);
        uint256 credited = 0;
        for (uint256 i = 0; i < head.slots; ++i) {
            credited |= measured.creditedWh(i);
        }
        if (credited == 0) return;
        if (batch.feedIn == 0) {
            uint256 market = address(batch.auction).lookUp(
                IEnergyAuction.termsOf.selector, batch.terms.market, head.firstSlot, MARKET_WORDS
            );
            batch.feedIn = 1 + market.get(MARKET_FEED_IN);
        }
        measured.feedIn = batch.feedIn - 1;
    }

    /// On the market, net, per slot.
    function _boughtBy(IEnergyAuction auction, uint32 meter, EventHead memory head)
        private
        view
        returns (int256[] memory boughtWh)
    {
        boughtWh = new int256[](head.slots);
        for (uint256 i = 0; i < head.slots; ++i) {
            uint256 version =
                address(auction).lookUp(IEnergyAuction.lastVersionOf.selector, meter, head.firstSlot + i, VERSION_WORDS).get(0);
            if (version == 0) continue;
            uint256 position = address(auction).lookUp(
                IEnergyAuction.positionOf.selector, meter, head.firstSlot + i, POSITION_WORDS
            );
            int256 filledWh = int256(position.get(POSITION_FILLED_WH));
            boughtWh[i] = position.get(POSITION_SIDE) == BID ? filledWh : -filledWh;
        }
    }

    /// What moves from `before` to the part's net: out of the budget or the bond first, else between account and payer.
    function _owe(Batch memory batch, Responses storage books, Part memory part, int256 before) private {
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
                books.enrolments[part.enrolmentKey] = enrolment.withBond(enrolment.bond() - uint256(fromBond));
                batch.fromBonds += uint256(fromBond);
            } else {
                // a later reading proves that it was charged too much
                fromPayer -= fromBond;
            }
            Meter meter = batch.ders.meterOf(part.meter);
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
    function _finish(Batch memory batch, Responses storage books, Part memory part) private {
        ++batch.book.settled;
        books.setCommitment(batch.number, part.index, part.lane.asSettled());
        books.meters[part.meter] = books.meters[part.meter].settled();
    }

    function _setOutcome(Batch memory batch, Responses storage books, Part memory part) private {
        uint256 key = pairKey(batch.number, part.index / LANES_PER_WORD);
        books.outcomes[key] =
            withLane(books.outcomes[key], part.index, Outcome.unwrap(part.outcome.withNet(part.net)));
    }

    function _emitSettled(
        Batch memory batch,
        Part memory part,
        ResponseMath.Measured memory measured,
        uint256 pay,
        uint256 penalty
    ) private {
        emit IDemandResponse.ResponseSettled(
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

    /// Writes the event's books and moves the money, by one call.
    function conclude(Batch memory batch, Responses storage books) internal {
        books.events[batch.number].book = batch.book.pack();
        if (batch.legs == 0) return;
        uint256 money = batch.money;
        address payer = batch.terms.payer;
        money.set(1, uint160(payer));
        money.set(2, uint160(payer));
        money.set(3, batch.endsAt + batch.terms.finalAfter);
        money.set(4, 0);
        money.set(5, batch.fromBonds);
        money.set(6, 0);
        batch.vault.settleAll(money, batch.legs);
    }
}
