// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { Address } from "@openzeppelin/contracts/utils/Address.sol";
import { Multicall } from "@openzeppelin/contracts/utils/Multicall.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import { IDERRegistry } from "./interfaces/IDERRegistry.sol";
import { IEnergyAuction } from "./interfaces/IEnergyAuction.sol";
import { IMeterLedger } from "./interfaces/IMeterLedger.sol";
import { IVault } from "./interfaces/IVault.sol";
import { AuctionDesk } from "./libraries/AuctionDesk.sol";
import { Batches } from "./libraries/Batches.sol";
import { Calls } from "./libraries/Calls.sol";
import { Consents } from "./libraries/Consents.sol";
import { Ladder } from "./libraries/Ladder.sol";
import { OrderDigest } from "./libraries/OrderDigest.sol";
import { OrderLists } from "./libraries/OrderLists.sol";
import { Orders } from "./libraries/Orders.sol";
import { Settlements } from "./libraries/Settlements.sol";
import { SignedActs } from "./libraries/SignedActs.sol";
import { Slots } from "./libraries/Slots.sol";
import { Terms } from "./libraries/Terms.sol";
import { Act } from "./types/Act.sol";
import { Cancel, SignedCancel } from "./types/Cancel.sol";
import { Delegation, DelegationWord } from "./types/Delegation.sol";
import { MarketTerms } from "./types/MarketTerms.sol";
import { Meter } from "./types/Meter.sol";
import { Order, SignedOrder } from "./types/Order.sol";
import { PositionWord } from "./types/PositionWord.sol";
import { Reading, SignedReading } from "./types/Reading.sol";
import { ringIndex, ringTag } from "./types/Ring.sol";
import { Markets, SlotContext } from "./types/Slot.sol";
import { SlotBook } from "./types/SlotBook.sol";

/// @title EnergyAuction
/// @notice See IEnergyAuction. Every function loads a slot's books once, changes them in memory, and saves them once.
/// Many calls fit one transaction (Multicall), so that slots are cleared and settled in bulk.
/// @dev Called are only contracts of the same deployment, and ERC-1271 wallets by static call.
contract EnergyAuction is IEnergyAuction, SignedActs, Multicall {
    using Batches for IDERRegistry;
    using Batches for IMeterLedger;
    using Batches for IVault;
    using Batches for uint256;
    using Calls for uint256;
    using Ladder for Ladder.Side;
    using OrderDigest for Order;
    using OrderDigest for OrderLists.List;
    using OrderDigest for bytes32[];
    using OrderLists for OrderLists.List;
    using Orders for SlotContext;
    using Settlements for SlotContext;
    using Settlements for Settlements.Part;
    using Slots for SlotContext;
    using Terms for MarketTerms;

    /// Items of one call.
    uint256 private constant MAX_BATCH = 256;

    IVault private immutable _vault;
    IMeterLedger private immutable _ledger;
    IDERRegistry private immutable _registry;
    uint32 private immutable _slotLength;
    /// What is seldom called has no room in here.
    address private immutable _desk;

    Markets private _markets;

    constructor(address authority, IVault vault, IMeterLedger ledger, IDERRegistry registry)
        EIP712("Gridweave EnergyAuction", "1")
        AccessManaged(authority)
    {
        _vault = vault;
        _ledger = ledger;
        _registry = registry;
        _slotLength = ledger.slotLength();
        _desk = address(new AuctionDesk(authority, vault, ledger, registry));
    }

    // ----------------------------------------------------------------------------------------------------------- markets

    /// @inheritdoc IEnergyAuction
    function createMarket(MarketTerms calldata, Act calldata, Act calldata) external returns (uint32 market) {
        return uint32(abi.decode(_askDesk(), (uint256)));
    }

    /// @inheritdoc IEnergyAuction
    function changeMarket(uint32, MarketTerms calldata, Act calldata, Act calldata) external {
        _askDesk();
    }

    /// @inheritdoc IEnergyAuction
    function collect(uint32, address) external returns (uint256 paid) {
        return abi.decode(_askDesk(), (uint256));
    }

    /// @inheritdoc IEnergyAuction
    function setDelegation(Delegation calldata, Act calldata) external {
        _askDesk();
    }

    function _askDesk() private returns (bytes memory) {
        return Address.functionDelegateCall(_desk, msg.data);
    }

    // ------------------------------------------------------------------------------------------------------ place, cancel

    /// @inheritdoc IEnergyAuction
    function place(SignedOrder[] calldata orders) external restricted {
        _commitEach(OrderLists.listOf(orders), false);
    }

    /// @inheritdoc IEnergyAuction
    function placeSchedule(address account, Order[] calldata orders, bytes calldata signature) external restricted {
        _commitSchedule(OrderLists.listOf(orders), account, signature, false);
    }

    /// @inheritdoc IEnergyAuction
    function cancel(SignedCancel[] calldata cancels) external {
        _commitEach(OrderLists.listOf(cancels), true);
    }

    /// @inheritdoc IEnergyAuction
    function cancelSchedule(address account, Cancel[] calldata cancels, bytes calldata signature) external {
        _commitSchedule(OrderLists.listOf(cancels), account, signature, true);
    }

    function _commitEach(OrderLists.List memory list, bool cancelling) private {
        Orders.Batch memory batch;
        batch.list = list;
        batch.hashes = list.hashesOf(cancelling);
        _commit(batch, cancelling);
    }

    function _commitSchedule(
        OrderLists.List memory list,
        address account,
        bytes calldata signature,
        bool cancelling
    ) private {
        Orders.Batch memory batch;
        batch.list = list;
        batch.hashes = list.hashesOf(cancelling);
        bytes32 digest = batch.hashes.digestOfSchedule(account, _domainSeparatorV4(), cancelling);
        batch.consent = Consents.ofSchedule(account, digest, signature);
        _commit(batch, cancelling);
    }

    /// @dev In three passes, since the Vault is asked once a batch: mark each order that could be taken; lock all collateral;
    /// then finish what was paid and take back what was not. A replaced order stays in the ladder until the new one is paid.
    function _commit(Orders.Batch memory batch, bool cancelling) private {
        OrderLists.List memory list = batch.list;
        uint256 count = _bounded(list.count);
        (batch.meters, batch.bindings) = _registry.askMetering(list);
        batch.items = new Orders.Item[](count);
        uint256 locks = Batches.openLocks(count);
        SlotContext memory context = _context();
        context.cancelling = cancelling;
        bytes32 domain = _domainSeparatorV4();
        for (uint256 i = 0; i < count; ++i) {
            Order order = list.orderAt(i);
            Orders.Item memory item = batch.items[i];
            _enter(context, order);
            item.digest = OrderDigest.seal(batch.hashes[i], domain);
            context.mark(_markets, batch, i);
            locks.setLock(i, item.account, item.amount, order.position()); // of a refused order: nothing
        }
        bytes4[] memory reasons = _vault.lockAll(locks);
        for (uint256 i = 0; i < count; ++i) {
            Order order = list.orderAt(i);
            Orders.Item memory item = batch.items[i];
            if (item.reason == 0) {
                item.reason = reasons[i];
                _resume(context, order);
                context.finish(_markets, item, order.meter());
            }
            _emitCommitted(item, order, cancelling);
        }
        context.save(_markets);
    }

    function _emitCommitted(Orders.Item memory item, Order order, bool cancelling) private {
        uint32 meter = order.meter();
        uint32 slot = order.slot();
        if (item.reason != 0) emit OrderRefused(item.digest, meter, slot, item.reason);
        else if (cancelling) emit Cancelled(item.digest, meter, slot, Cancel.wrap(Order.unwrap(order)));
        else emit Placed(item.digest, meter, slot, order);
    }

    /// Turns to the slot of an order, if the last one was for another. Marking changes no books.
    function _enter(SlotContext memory context, Order order) private view {
        uint256 market = order.market();
        uint256 slot = order.slot();
        // there is no market 0
        if (context.market == market && context.slot == slot && market != 0) return;
        context.enter(_markets, market, slot);
        if (context.cancelling || context.refusal != 0) return;
        if (_owes(context, context.terms.utility)) context.refusal = UtilityInArrears.selector;
    }

    /// Turns back to it, once the books of another are saved.
    function _resume(SlotContext memory context, Order order) private {
        uint256 market = order.market();
        uint256 slot = order.slot();
        if (context.market == market && context.slot == slot) return;
        context.save(_markets);
        context.resume(_markets, market, slot);
    }

    /// Nothing in a batch changes it before the last order is marked.
    function _owes(SlotContext memory context, address utility) private view returns (bool) {
        if (context.utilityAsked != utility) {
            (,, uint256 arrear) = _vault.accountOf(utility);
            context.utilityAsked = utility;
            context.utilityOwes = arrear != 0;
        }
        return context.utilityOwes;
    }

    // -------------------------------------------------------------------------------------------------------------- clear

    /// @inheritdoc IEnergyAuction
    function clear(uint32, uint32) external {
        _askDesk();
    }

    // ------------------------------------------------------------------------------------------------------------- settle

    /// @inheritdoc IEnergyAuction
    function settle(uint32 market, uint32 slot, SignedReading[] calldata readings) external {
        uint256 count = _bounded(readings.length);
        SlotContext memory context = _open(market, slot);
        uint256 endsAt = context.endsAt();
        if (block.timestamp < endsAt) revert IMeterLedger.ReadingTooEarly(slot, endsAt);
        endsAt += context.terms.correctionWindow;
        if (block.timestamp >= endsAt) revert ReadingTooLate(slot, endsAt);
        if (!context.book.cleared) {
            Address.functionDelegateCall(_desk, abi.encodeCall(IEnergyAuction.clear, (market, slot)));
            context = _open(market, slot);
        }

        uint256 results = _ledger.recordAll(market, slot, context.gateAt() - 1, readings);
        Settlements.Batch memory batch;
        batch.call = Batches.openSettlement(count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 result = results.resultAt(i);
            // its reason, zero if it was stored
            if (result.get(0) == 0) _settle(context, batch, readings[i].reading, result);
        }
        context.conclude(_markets, batch, _vault);
    }

    function _settle(SlotContext memory context, Settlements.Batch memory batch, Reading reading, uint256 result)
        private
    {
        context.turn(_markets, batch.part, reading.meter(), Meter.wrap(result.get(1)));
        uint256 importWh = reading.importWh();
        uint256 exportWh = reading.exportWh();
        int256 total;
        if (result.get(2) != 0) {
            // an earlier version, with its import and export
            total = context.repay(batch, importWh, exportWh, result.get(3), result.get(4));
        } else if (batch.part.position.isSettledByDefault()) {
            total = context.repay(batch, importWh, exportWh, context.defaultImport(batch), 0);
        } else {
            total = context.pay(batch, importWh, exportWh);
        }
        context.emitSettled(batch.part, reading.version(), total);
    }

    /// @inheritdoc IEnergyAuction
    function settleByDefault(uint32, uint32, uint32[] calldata) external {
        _askDesk();
    }

    /// @inheritdoc IEnergyAuction
    function release(uint32, uint32, uint32[] calldata) external {
        _askDesk();
    }

    function _context() private view returns (SlotContext memory context) {
        context.slotLength = _slotLength;
        context.registry = _registry;
    }

    function _bounded(uint256 items) private pure returns (uint256) {
        if (items > MAX_BATCH) revert BatchTooLarge(items, MAX_BATCH);
        return items;
    }

    // ------------------------------------------------------------------------------------------------------------ getters

    /// @inheritdoc IEnergyAuction
    function marketCount() external view returns (uint32) {
        return uint32(_markets.count);
    }

    /// @inheritdoc IEnergyAuction
    function termsOf(uint32 market, uint32 slot) external view returns (MarketTerms memory) {
        SlotContext memory context = _context();
        context.load(_markets, market, slot);
        return context.terms;
    }

    /// @inheritdoc IEnergyAuction
    function clearingOf(uint32 market, uint32 slot) external view returns (Clearing memory) {
        return _open(market, slot).clearing;
    }

    /// @inheritdoc IEnergyAuction
    function slotStateOf(uint32 market, uint32 slot) external view returns (SlotState memory state) {
        SlotBook memory book = _open(market, slot).book;
        state.pot = book.pot;
        state.openBidWh = book.openBidWh;
        state.openAskWh = book.openAskWh;
        state.boughtWh = book.boughtWh;
        state.soldWh = book.soldWh;
    }

    /// @inheritdoc IEnergyAuction
    function positionOf(uint32 meter, uint32 slot) external view returns (Position memory view_) {
        uint32[] memory ids = new uint32[](1);
        ids[0] = meter;
        Meter terms = _registry.metersOf(ids)[0];
        Settlements.Part memory part;
        _open(terms.market(), slot).turn(_markets, part, meter, terms);
        PositionWord position = part.position;
        view_.side = position.side();
        view_.version = position.version();
        view_.tick = position.tick();
        view_.energyWh = position.energyWh();
        view_.filledWh = part.boughtWh + part.soldWh;
        view_.released = position.isReleased();
        view_.settledByDefault = position.isSettledByDefault();
    }

    /// @inheritdoc IEnergyAuction
    function depthOf(uint32 market, uint32 slot, uint8 side) external view returns (uint32[] memory energyWh) {
        SlotContext memory context = _open(market, slot);
        Ladder.Side storage ladder = context.ladderOf(_markets, side);
        energyWh = new uint32[](context.terms.tickCount);
        for (uint256 tick = 0; tick < energyWh.length; ++tick) {
            energyWh[tick] = uint32(ladder.energyAt(context.tag, tick));
        }
    }

    /// @inheritdoc IEnergyAuction
    function digestOfOrder(Order order) external view returns (bytes32) {
        return order.digest(_domainSeparatorV4(), false);
    }

    /// @inheritdoc IEnergyAuction
    function digestOfCancel(Cancel item) external view returns (bytes32) {
        return Order.wrap(Cancel.unwrap(item)).digest(_domainSeparatorV4(), true);
    }

    /// @inheritdoc IEnergyAuction
    function digestOfSchedule(address account, Order[] calldata orders) external view returns (bytes32) {
        return OrderLists.listOf(orders).hashesOf(false).digestOfSchedule(account, _domainSeparatorV4(), false);
    }

    /// @inheritdoc IEnergyAuction
    function digestOfCancelSchedule(address account, Cancel[] calldata cancels) external view returns (bytes32) {
        return OrderLists.listOf(cancels).hashesOf(true).digestOfSchedule(account, _domainSeparatorV4(), true);
    }

    /// @inheritdoc IEnergyAuction
    function delegationOf(address account, address delegate, uint32 meter) external view returns (DelegationWord) {
        return _markets.delegations[account][delegate][meter];
    }

    /// @inheritdoc IEnergyAuction
    function lastVersionOf(uint32 meter, uint32 slot) external view returns (uint16 version, uint40 takenAt) {
        PositionWord position = _markets.positions[meter][ringIndex(slot)];
        if (position.tagOf() != ringTag(slot)) return (0, 0);
        return (uint16(position.version()), uint40(position.takenAt()));
    }

    function _open(uint32 market, uint32 slot) private view returns (SlotContext memory context) {
        context = _context();
        context.open(_markets, market, slot);
    }
}
