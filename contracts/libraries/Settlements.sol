// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

import { IEnergyAuction } from "../interfaces/IEnergyAuction.sol";
import { IVault } from "../interfaces/IVault.sol";
import { MarketTerms } from "../types/MarketTerms.sol";
import { Meter } from "../types/Meter.sol";
import { BID } from "../types/Order.sol";
import { PositionWord } from "../types/PositionWord.sol";
import { Markets, Slot, SlotContext } from "../types/Slot.sol";
import { SlotBook } from "../types/SlotBook.sol";
import { Batches } from "./Batches.sol";
import { Calls } from "./Calls.sol";
import { ClearingMath } from "./ClearingMath.sol";
import { SettlementMath } from "./SettlementMath.sol";
import { Slots } from "./Slots.sol";

/// @title From cash to what the Vault is asked for
/// @notice Only a meter's first settlement in a slot touches the slot's books; a later one moves the difference between the
/// utility, the account and the operator.
library Settlements {
    using Batches for IVault;
    using Calls for uint256;
    using ClearingMath for IEnergyAuction.Clearing;
    using SettlementMath for MarketTerms;
    using Slots for SlotContext;

    /// A settlement under way.
    struct Batch {
        uint256 call; // see Batches
        uint256 legs; // written so far
        int256 toOperator;
        uint256 advanced; // by the utility, in place of the slot's pot
        Part part; // the meter at hand
    }

    /// One meter's part in a slot.
    struct Part {
        uint256 meter;
        Meter terms;
        PositionWord position; // zero without an order
        uint256 boughtWh;
        uint256 soldWh;
    }

    /// Turns `part` to a meter.
    function turn(SlotContext memory context, Markets storage markets, Part memory part, uint256 meter, Meter terms)
        internal
        view
    {
        PositionWord position = context.positionAt(markets, meter);
        if (position.tagOf() != context.tag) position = PositionWord.wrap(0);
        uint256 filledWh = context.clearing.fill(position.side(), position.tick(), position.energyWh());
        bool isBid = position.side() == BID;
        part.meter = meter;
        part.terms = terms;
        part.position = position;
        part.boughtWh = isBid ? filledWh : 0;
        part.soldWh = isBid ? 0 : filledWh;
    }

    /// Whether all that the position can get back has gone back.
    function isReleased(Part memory part) internal pure returns (bool) {
        return part.position.isReleased() || part.boughtWh + part.soldWh == part.position.energyWh();
    }

    /// Settles the meter at hand for the first time: its position leaves the books, and the slot's pot pays what it owes it.
    /// @return total the account's cash
    function pay(SlotContext memory context, Batch memory batch, uint256 importWh, uint256 exportWh)
        internal
        pure
        returns (int256 total)
    {
        Part memory part = batch.part;
        (int256 trade, int256 account, int256 operator, int256 hold) =
            context.terms.cash(context.price, part.boughtWh, part.soldWh, importWh, exportWh);
        unchecked {
            // 40 bits of price times 33 of energy, and sums of 256 such, stay far below the 96 of a leg
            batch.toOperator += operator;
            total = trade + account;
            uint256 fromPot;
            if (part.position.energyWh() != 0) {
                // never negative: the collateral covers what the energy may cost
                uint256 due = uint256(int256(_shut(context, part)) + trade);
                SlotBook memory book = context.book;
                fromPot = due < book.pot ? due : book.pot;
                book.pot -= fromPot;
                // only the bids' dust can be missing: the utility, which will buy it at the close, advances it
                due -= fromPot;
                batch.advanced += due;
                account += int256(due);
            }
            _write(context, batch, fromPot, account, hold);
        }
    }

    /// Settles it again: the utility and the operator make up for the difference to an earlier reading.
    function repay(
        SlotContext memory context,
        Batch memory batch,
        uint256 importWh,
        uint256 exportWh,
        uint256 beforeImportWh,
        uint256 beforeExportWh
    ) internal pure returns (int256 total) {
        int256[4] memory cash = _cash(context, batch.part, importWh, exportWh);
        int256[4] memory before = _cash(context, batch.part, beforeImportWh, beforeExportWh);
        batch.toOperator += cash[2] - before[2];
        _write(context, batch, 0, cash[1] - before[1], cash[3] - before[3]);
        return cash[0] + cash[1];
    }

    function _cash(SlotContext memory context, Part memory part, uint256 importWh, uint256 exportWh)
        private
        pure
        returns (int256[4] memory cash)
    {
        (cash[0], cash[1], cash[2], cash[3]) =
            context.terms.cash(context.price, part.boughtWh, part.soldWh, importWh, exportWh);
    }

    /// The import that stands in for the reading that the meter at hand never sent.
    function defaultImport(SlotContext memory context, Batch memory batch) internal pure returns (uint256) {
        return context.terms.defaultImport(batch.part.boughtWh);
    }

    function _write(
        SlotContext memory context,
        Batch memory batch,
        uint256 fromPot,
        int256 fromUtility,
        int256 hold
    ) private pure {
        Part memory part = batch.part;
        uint256 leg = Batches.legAt(batch.call, batch.legs);
        unchecked {
            // at most the batch's items
            ++batch.legs;
        }
        leg.set(0, uint160(part.terms.account()));
        leg.set(1, part.terms.hasMandate() ? 1 : 0);
        leg.set(2, fromPot);
        leg.set(3, uint256(fromUtility));
        leg.set(4, uint256(hold));
        leg.set(5, uint256(part.position.refOf(context.market, context.slot, part.meter)));
    }

    /// Gives back the collateral of what was not filled, for the meter at hand.
    /// @return amount of which the position is relieved
    /// @return fromPot what of it the slot's pot pays; the utility advances the rest, as for a settlement
    function release(SlotContext memory context, Markets storage markets, Batch memory batch)
        internal
        returns (uint256 amount, uint256 fromPot)
    {
        Part memory part = batch.part;
        PositionWord position = part.position;
        SlotBook memory book = context.book;
        uint256 filledWh = part.boughtWh + part.soldWh;
        amount = _collateralOf(context, position, position.energyWh()) - _collateralOf(context, position, filledWh);
        fromPot = Math.min(amount, book.pot);
        book.pot -= fromPot;
        context.setPosition(markets, part.meter, position.asReleased());
        context.changed = true;
        if (filledWh == 0) book.shut(position.side(), position.energyWh());
        if (fromPot == amount) return (amount, fromPot);

        batch.advanced += amount - fromPot;
        _write(context, batch, 0, int256(amount - fromPot), 0);
    }

    /// Closes the slot once no order is live: the utility buys the bids' dust, less what it has advanced, or sells the asks',
    /// and the operator gets what remains of the pot. Then has the Vault pay.
    function conclude(SlotContext memory context, Markets storage markets, Batch memory batch, IVault vault)
        internal
    {
        SlotBook memory book = context.book;
        uint256 call = batch.call;
        if (batch.advanced != 0) {
            Slot storage place = context.placeOf(markets);
            place.clearing = place.clearing.withAdvanced(place.clearing.advanced() + batch.advanced);
        }
        bool closing = !book.closed && !book.isLive();
        int256 potToUtility;
        uint256 residue;
        if (closing) {
            potToUtility = _dust(context, markets);
            residue = uint256(int256(book.pot) - potToUtility);
            context.changed = true;
            book.pot = 0;
            book.closed = true;
        }
        context.save(markets);
        if (!closing && batch.legs == 0) return;

        call.set(1, uint160(context.terms.utility));
        call.set(2, uint160(context.terms.operator));
        // Before the slot's end there are only releases, which hold nothing, and its corrections may end later than a hold can.
        uint256 endsAt = context.endsAt();
        call.set(3, block.timestamp < endsAt ? 0 : endsAt + context.terms.correctionWindow);
        call.set(4, uint256(batch.toOperator));
        call.set(5, uint256(potToUtility));
        call.set(6, residue);
        vault.settleAll(call, batch.legs);
        if (closing) emitClosed(context, residue);
    }

    function emitClosed(SlotContext memory context, uint256 residue) internal {
        SlotBook memory book = context.book;
        emit IEnergyAuction.SlotClosed(
            uint32(context.market), uint32(context.slot), book.boughtWh, book.soldWh, residue
        );
    }

    function emitSettled(SlotContext memory context, Part memory part, uint8 version, int256 total) internal {
        uint32 boughtWh = uint32(part.boughtWh); // at most the order's 30 bits
        emit IEnergyAuction.Settled(
            uint32(part.meter), uint32(context.slot), version, boughtWh, uint32(part.soldWh), total
        );
    }

    /// What the utility gets of the pot for the asks' dust, or, negative, still owes it for the bids'.
    function _dust(SlotContext memory context, Markets storage markets) private view returns (int256) {
        uint256 boughtWh = context.book.boughtWh;
        if (boughtWh == 0) return int256(context.price * context.book.soldWh / SettlementMath.WH_PER_KWH);
        uint256 due = Math.ceilDiv(context.price * boughtWh, SettlementMath.WH_PER_KWH);
        return int256(context.placeOf(markets).clearing.advanced()) - int256(due);
    }

    /// @return collateral what is still put down for the position
    function _shut(SlotContext memory context, Part memory part) private pure returns (uint256 collateral) {
        PositionWord position = part.position;
        SlotBook memory book = context.book;
        uint256 energyWh = position.energyWh();
        bool released = position.isReleased();
        context.changed = true;
        unchecked {
            // one of them is zero, and what was filled was counted when the slot was cleared
            uint256 filledWh = part.boughtWh + part.soldWh;
            book.boughtWh -= part.boughtWh;
            book.soldWh -= part.soldWh;
            // released without a fill, it has left the books before
            if (!released || filledWh != 0) book.shut(position.side(), energyWh);
            if (released) energyWh = filledWh;
        }
        return _collateralOf(context, position, energyWh);
    }

    function _collateralOf(SlotContext memory context, PositionWord position, uint256 energyWh)
        private
        pure
        returns (uint256)
    {
        return context.terms.collateral(position.side(), position.tick(), energyWh);
    }
}
