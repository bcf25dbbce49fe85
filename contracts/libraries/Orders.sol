// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IEnergyAuction } from "../interfaces/IEnergyAuction.sol";
import { Cancel } from "../types/Cancel.sol";
import { LANE_MAX } from "../types/LadderWord.sol";
import { MarketTerms } from "../types/MarketTerms.sol";
import { Meter, MeterBinding } from "../types/Meter.sol";
import { ASK, BID, Order } from "../types/Order.sol";
import { PositionWord, packPosition } from "../types/PositionWord.sol";
import { Markets, SlotContext } from "../types/Slot.sol";
import { SlotBook } from "../types/SlotBook.sol";
import { Consents } from "./Consents.sol";
import { Ladder } from "./Ladder.sol";
import { OrderLists } from "./OrderLists.sol";
import { SettlementMath } from "./SettlementMath.sol";
import { Slots } from "./Slots.sol";
import { Terms } from "./Terms.sol";

/// @title Judging, placing and taking out orders
/// @notice A cancellation is an order without energy: it takes the place of what its meter had there. Reasons are judged in the
/// order in which IEnergyAuction names them; the first one counts.
library Orders {
    using Consents for Consents.Consent;
    using Ladder for Ladder.Side;
    using OrderLists for OrderLists.List;
    using SettlementMath for MarketTerms;
    using Slots for SlotContext;
    using Terms for MarketTerms;

    /// What a call carries.
    struct Batch {
        OrderLists.List list;
        bytes32[] hashes; // hashStruct of each
        Consents.Consent consent;
        Meter[] meters;
        MeterBinding[] bindings; // none if no meter is bounded
        Item[] items;
    }

    /// One order or cancellation of a batch.
    struct Item {
        bytes32 digest;
        bytes4 reason; // why it was refused, or zero
        address account; // who pays `amount`, or gets it back
        int256 amount;
        PositionWord previous; // what stood at the position
        PositionWord position; // what is to stand there
    }

    /// First pass: what can be taken enters the ladder and marks its position. Else its item's `reason` says why not.
    function mark(SlotContext memory context, Markets storage markets, Batch memory batch, uint256 index) internal {
        Order order = batch.list.orderAt(index);
        Item memory item = batch.items[index];
        (bytes4 reason, uint256 tick) = _orderFault(context, order);
        Meter meter = batch.meters[index];
        if (reason == 0) {
            reason = meterFault(context, meter, meter.isBounded() ? batch.bindings[index] : MeterBinding.wrap(0));
        }
        if (reason == 0 && _isBeyondCapacity(context, order, meter)) {
            reason = IEnergyAuction.EnergyAboveCapacity.selector;
        }
        if (reason == 0) {
            item.account = meter.account();
            bool consented = _isConsented(context, markets, batch, index, item, order);
            if (!consented) reason = IEnergyAuction.WrongSigner.selector;
        }
        if (reason == 0) {
            item.position =
                packPosition(context.tag, order.version(), tick, order.energyWh(), order.side(), block.timestamp);
            reason = _take(context, markets, order.meter(), item);
        }
        item.reason = reason;
    }

    /// More than the meter could ever read in a slot is nothing that could be used or delivered.
    function _isBeyondCapacity(SlotContext memory context, Order order, Meter meter) private pure returns (bool) {
        uint256 capacityW = order.side() == BID ? meter.importCapacityW() : meter.exportCapacityW();
        unchecked {
            // both sides in watt seconds; 32 bits times 32 at most
            return !context.cancelling && uint256(order.energyWh()) * 3_600 > capacityW * context.slotLength;
        }
    }

    function _isConsented(
        SlotContext memory context,
        Markets storage markets,
        Batch memory batch,
        uint256 index,
        Item memory item,
        Order order
    ) private view returns (bool) {
        if (batch.consent.isSchedule) {
            return batch.consent.coversLine(markets, item.account, order, context.cancelling);
        }
        (bytes32 r, bytes32 vs) = batch.list.signatureAt(index);
        return Consents.covers(markets, item.account, order, context.cancelling, item.digest, r, vs);
    }

    function _take(SlotContext memory context, Markets storage markets, uint256 meter, Item memory item)
        private
        returns (bytes4)
    {
        PositionWord[256] storage positions = markets.positions[meter];
        PositionWord position = item.position;
        PositionWord previous = positions[context.index];
        bool current = previous.tagOf() == context.tag;
        if (current && previous.isPending()) return IEnergyAuction.DuplicateInBatch.selector;
        if (position.version() <= (current ? previous.version() : 0)) return IEnergyAuction.VersionNotNewer.selector;
        if (!context.cancelling) {
            Ladder.Side storage ladder = context.ladderOf(markets, position.side());
            bool done = ladder.add(context.tag, position.tick(), position.energyWh());
            if (!done) return IEnergyAuction.LadderFull.selector;
        }
        positions[context.index] = position.asPending();
        item.previous = previous;
        unchecked {
            // 40 bits of price times 30 of energy
            item.amount = int256(_collateralOf(context, position));
            if (current) item.amount -= int256(_collateralOf(context, previous));
        }
        return 0;
    }

    /// Last pass, once the collateral was locked: the order counts, and what it replaces does not any more. If it was not: as
    /// before.
    function finish(SlotContext memory context, Markets storage markets, Item memory item, uint256 meter) internal {
        bool paid = item.reason == 0;
        PositionWord coming = paid ? item.position : item.previous;
        PositionWord leaving = paid ? item.previous : item.position;
        markets.positions[meter][context.index] = coming;
        uint256 side = leaving.side();
        uint256 energyWh = leaving.energyWh();
        if (_isLive(context, leaving)) context.ladderOf(markets, side).remove(context.tag, leaving.tick(), energyWh);
        if (!paid) return;
        SlotBook memory book = context.book;
        if (_isLive(context, leaving)) book.shut(side, energyWh);
        book.open(coming.side(), coming.energyWh());
        unchecked {
            // what goes back was put there for the order that is replaced
            book.pot = uint256(int256(book.pot) + item.amount);
        }
        context.changed = true;
    }

    /// Why the meter has no part in the slot, or zero. The binding counts only if the meter is bounded.
    function meterFault(SlotContext memory context, Meter meter, MeterBinding binding) internal pure returns (bytes4) {
        if (Meter.unwrap(meter) == 0) return IEnergyAuction.OrderMeterUnknown.selector;
        if (meter.market() != context.market) return IEnergyAuction.OrderMeterOfOtherMarket.selector;
        if (meter.isBounded() && !binding.isWithin(context.slot)) return IEnergyAuction.OrderMeterNotInForce.selector;
        return 0;
    }

    function _orderFault(SlotContext memory context, Order order) private view returns (bytes4 reason, uint256 tick) {
        if (context.refusal != 0) return (context.refusal, 0);
        if (block.timestamp > order.deadline()) return (IEnergyAuction.OrderExpired.selector, 0);
        uint256 side = order.side();
        uint256 energyWh = order.energyWh();
        if (context.cancelling) {
            bool fine = Cancel.wrap(Order.unwrap(order)).isWellFormed();
            return (fine ? bytes4(0) : IEnergyAuction.CancelMalformed.selector, 0);
        }
        if (side != BID && side != ASK) return (IEnergyAuction.SideNotAllowed.selector, 0);
        if (energyWh < context.terms.minEnergyWh) return (IEnergyAuction.EnergyTooSmall.selector, 0);
        if (energyWh > LANE_MAX) return (IEnergyAuction.EnergyTooLarge.selector, 0);
        bool onGrid;
        (onGrid, tick) = context.terms.tickOf(side, order.limitPrice());
        if (!onGrid) reason = IEnergyAuction.PriceOffGrid.selector;
    }

    function _collateralOf(SlotContext memory context, PositionWord position) private pure returns (uint256) {
        return context.terms.collateral(position.side(), position.tick(), position.energyWh());
    }

    /// Whether the position is an order for this slot, and not of an earlier turn of the ring.
    function _isLive(SlotContext memory context, PositionWord position) private pure returns (bool) {
        return position.tagOf() == context.tag && position.energyWh() != 0;
    }
}
