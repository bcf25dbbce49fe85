// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IEnergyAuction } from "../interfaces/IEnergyAuction.sol";
import { Cancel } from "../types/Cancel.sol";
import { LANE_MAX } from "../types/LadderWord.sol";
import { MarketTerms } from "../types/MarketTerms.sol";
import { Meter, MeterBinding } from "../types/Meter.sol";
import { ASK, BID, Order, SignedOrder } from "../types/Order.sol";
import { PositionWord, packPosition } from "../types/PositionWord.sol";
import { Markets, SlotContext } from "../types/Slot.sol";
import { SlotBook } from "../types/SlotBook.sol";
import { CompactSignatures } from "./CompactSignatures.sol";
import { Ladder } from "./Ladder.sol";
import { SettlementMath } from "./SettlementMath.sol";
import { Slots } from "./Slots.sol";
import { Terms } from "./Terms.sol";

/// @title Judging, placing and taking out orders
/// @notice A cancellation is an order without energy: it takes the place of what its meter had there. Reasons are judged in the
/// order in which IEnergyAuction names them; the first one counts.
library Orders {
    using Ladder for Ladder.Side;
    using SettlementMath for MarketTerms;
    using Slots for SlotContext;
    using Terms for MarketTerms;

    /// One order or cancellation of a batch.
    struct Item {
        bytes32 digest;
        bytes4 reason; // why it was refused, or zero
        address account; // who pays `amount`, or gets it back
        int256 amount;
        PositionWord previous; // what stood at the position
        PositionWord position; // what is to stand there
    }

    /// First pass: what can be taken enters the ladder and marks its position. Else `item.reason` says why not.
    function mark(
        SlotContext memory context,
        Markets storage markets,
        Item memory item,
        SignedOrder calldata signed,
        Meter meter
    ) internal {
        Order order = signed.order;
        (bytes4 reason, uint256 tick) = _orderFault(context, order);
        if (reason == 0) reason = meterFault(context, order.meter(), meter);
        if (reason == 0) {
            address account = meter.account();
            if (CompactSignatures.isSignedBy(account, item.digest, signed.r, signed.vs)) {
                item.account = account;
                item.position = packPosition(context.tag, order.version(), tick, order.energyWh(), order.side());
                reason = _take(context, markets, order.meter(), item);
            } else {
                reason = IEnergyAuction.WrongSigner.selector;
            }
        }
        item.reason = reason;
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
            item.amount = int256(_collateralOf(context, position)) - int256(_collateralOf(context, previous));
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

    /// Why the meter has no part in the slot, or zero.
    function meterFault(SlotContext memory context, uint32 id, Meter meter) internal view returns (bytes4) {
        if (Meter.unwrap(meter) == 0) return IEnergyAuction.OrderMeterUnknown.selector;
        if (meter.market() != context.market) return IEnergyAuction.OrderMeterOfOtherMarket.selector;
        if (meter.isBounded() && !isInForce(context, id)) return IEnergyAuction.OrderMeterNotInForce.selector;
        return 0;
    }

    /// Whether the meter was registered when the slot began, and the slot is within its bounds.
    function isInForce(SlotContext memory context, uint32 id) internal view returns (bool) {
        uint32[] memory ids = new uint32[](1);
        ids[0] = id;
        (, MeterBinding[] memory bindings) = context.registry.meteringOf(ids);
        uint256 until = bindings[0].untilSlot();
        if (bindings[0].registeredAt() > context.startsAt()) return false;
        return context.slot >= bindings[0].fromSlot() && (until == 0 || context.slot < until);
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
        if (!_isLive(context, position)) return 0;
        return context.terms.collateral(position.side(), position.tick(), position.energyWh());
    }

    /// Whether the position is an order for this slot, and not of an earlier turn of the ring.
    function _isLive(SlotContext memory context, PositionWord position) private pure returns (bool) {
        return position.tagOf() == context.tag && position.energyWh() != 0;
    }
}
