// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import { IDERRegistry } from "../interfaces/IDERRegistry.sol";
import { IEnergyAuction } from "../interfaces/IEnergyAuction.sol";
import { IMeterLedger } from "../interfaces/IMeterLedger.sol";
import { IVault } from "../interfaces/IVault.sol";
import { Act } from "../types/Act.sol";
import { packClearing } from "../types/ClearingWord.sol";
import { Delegation, DelegationWord } from "../types/Delegation.sol";
import { MarketTerms } from "../types/MarketTerms.sol";
import { Meter, MeterBinding } from "../types/Meter.sol";
import { PositionWord, packPosition } from "../types/PositionWord.sol";
import { HORIZON } from "../types/Ring.sol";
import { Markets, Slot, SlotContext } from "../types/Slot.sol";
import { SlotBook } from "../types/SlotBook.sol";
import { StoredTerms, packTerms } from "../types/StoredTerms.sol";
import { Batches } from "./Batches.sol";
import { ClearingMath } from "./ClearingMath.sol";
import { Orders } from "./Orders.sol";
import { Settlements } from "./Settlements.sol";
import { SignedActs } from "./SignedActs.sol";
import { Slots } from "./Slots.sol";
import { Terms } from "./Terms.sol";

/// @title The part of EnergyAuction that is seldom called
/// @notice EnergyAuction deploys it with itself and runs it on its own storage, for 24,576 bytes do not hold both. Nothing
/// else ever calls it, and it cannot be exchanged.
/// @dev Warning: the storage of both is laid out alike, SignedActs first, `_markets` next.
contract AuctionDesk is SignedActs {
    using Batches for IDERRegistry;
    using Batches for IVault;
    using Batches for uint256;
    using Orders for SlotContext;
    using Settlements for SlotContext;
    using Settlements for Settlements.Part;
    using Slots for SlotContext;
    using Terms for MarketTerms;

    /// Meters of a call.
    struct Batch {
        Meter[] meters;
        MeterBinding[] bindings;
        Settlements.Batch settlement;
    }

    /// Items of one call.
    uint256 private constant MAX_BATCH = 256;

    bytes32 private constant CREATE_MARKET_TYPEHASH = keccak256(
        "CreateMarket(MarketTerms terms,uint256 nonce,uint256 deadline)MarketTerms(uint40 minPrice,uint32 tickSize,uint16 tickCount,uint40 gridFee,uint40 feedInPrice,uint40 retailPrice,uint32 minEnergyWh,address utility,uint32 gateLead,uint32 readingWindow,uint32 correctionWindow,address operator,uint32 defaultWh,uint32 fromSlot)"
    );
    bytes32 private constant UNDERWRITE_TYPEHASH = keccak256(
        "Underwrite(MarketTerms terms,uint256 nonce,uint256 deadline)MarketTerms(uint40 minPrice,uint32 tickSize,uint16 tickCount,uint40 gridFee,uint40 feedInPrice,uint40 retailPrice,uint32 minEnergyWh,address utility,uint32 gateLead,uint32 readingWindow,uint32 correctionWindow,address operator,uint32 defaultWh,uint32 fromSlot)"
    );

    bytes32 private constant CHANGE_MARKET_TYPEHASH = keccak256(
        "ChangeMarket(uint32 market,MarketTerms terms,uint256 nonce,uint256 deadline)MarketTerms(uint40 minPrice,uint32 tickSize,uint16 tickCount,uint40 gridFee,uint40 feedInPrice,uint40 retailPrice,uint32 minEnergyWh,address utility,uint32 gateLead,uint32 readingWindow,uint32 correctionWindow,address operator,uint32 defaultWh,uint32 fromSlot)"
    );
    bytes32 private constant UNDERWRITE_CHANGE_TYPEHASH = keccak256(
        "UnderwriteChange(uint32 market,MarketTerms terms,uint256 nonce,uint256 deadline)MarketTerms(uint40 minPrice,uint32 tickSize,uint16 tickCount,uint40 gridFee,uint40 feedInPrice,uint40 retailPrice,uint32 minEnergyWh,address utility,uint32 gateLead,uint32 readingWindow,uint32 correctionWindow,address operator,uint32 defaultWh,uint32 fromSlot)"
    );
    bytes32 private constant DELEGATION_TYPEHASH = keccak256(
        "Delegation(address account,address delegate,uint32 market,uint32[] meters,uint32 maxEnergyWh,uint64 lowestAsk,uint64 highestBid,uint40 until,uint256 nonce,uint256 deadline)"
    );

    IVault private immutable _vault;
    IMeterLedger private immutable _ledger;
    IDERRegistry private immutable _registry;
    uint32 private immutable _slotLength;
    address private immutable _self = address(this);

    Markets private _markets;

    constructor(address authority, IVault vault, IMeterLedger ledger, IDERRegistry registry)
        EIP712("Gridweave EnergyAuction", "1")
        AccessManaged(authority)
    {
        _vault = vault;
        _ledger = ledger;
        _registry = registry;
        _slotLength = ledger.slotLength();
    }

    // ----------------------------------------------------------------------------------------------------------- markets

    /// See IEnergyAuction.
    function createMarket(MarketTerms memory terms, Act calldata operator, Act calldata utility)
        external
        onlyForAuction
        returns (uint32 market)
    {
        bytes32 hash = _validated(terms);
        _consume(operator, keccak256(abi.encode(CREATE_MARKET_TYPEHASH, hash, operator.nonce, operator.deadline)));
        _requireRole(operator.signer);
        if (utility.signer != terms.utility) revert SignerNotAllowed(utility.signer);
        _consume(utility, keccak256(abi.encode(UNDERWRITE_TYPEHASH, hash, utility.nonce, utility.deadline)));

        market = uint32(++_markets.count);
        terms.fromSlot = uint32(Slots.currentSlot(_slotLength));
        _markets.versions[market].push(packTerms(terms));
        emit IEnergyAuction.MarketCreated(market, 1, terms);
    }

    /// See IEnergyAuction.
    function changeMarket(uint32 market, MarketTerms memory terms, Act calldata operator, Act calldata utility)
        external
        onlyForAuction
    {
        bytes32 hash = _validated(terms);
        _consume(
            operator,
            keccak256(abi.encode(CHANGE_MARKET_TYPEHASH, market, hash, operator.nonce, operator.deadline))
        );
        _requireRole(operator.signer);
        if (utility.signer != terms.utility) revert SignerNotAllowed(utility.signer);
        _consume(
            utility,
            keccak256(abi.encode(UNDERWRITE_CHANGE_TYPEHASH, market, hash, utility.nonce, utility.deadline))
        );

        uint256 current = Slots.currentSlot(_slotLength);
        SlotContext memory context;
        context.load(_markets, market, type(uint32).max);
        Terms.requireRule(context.terms.fromSlot <= current, "the change before it is in force");
        Terms.requireRule(context.terms.utility == terms.utility, "the utility stays");
        Terms.requireRule(terms.fromSlot > current + HORIZON, "a change begins beyond the horizon");
        StoredTerms[] storage versions = _markets.versions[market];
        versions.push(packTerms(terms));
        emit IEnergyAuction.MarketChanged(market, uint32(versions.length), terms);
    }

    /// @return hash of the terms, as they were signed
    function _validated(MarketTerms memory terms) private view returns (bytes32 hash) {
        terms.validate(_slotLength, _vault.holdLength());
        return terms.hash();
    }

    /// See IEnergyAuction.
    function collect(uint32 market, address creditor) external onlyForAuction returns (uint256 paid) {
        SlotContext memory context;
        context.load(_markets, market, Slots.currentSlot(_slotLength));
        return _vault.collect(context.terms.utility, creditor);
    }

    // -------------------------------------------------------------------------------------------------------- delegation

    /// See IEnergyAuction.
    function setDelegation(Delegation calldata scope, Act calldata act) external onlyForAuction {
        if (act.signer != scope.account) revert SignerNotAllowed(act.signer);
        if (scope.delegate == address(0)) revert IEnergyAuction.DelegateIsZero();
        uint32[] calldata meters = scope.meters;
        if (meters.length > MAX_BATCH) revert IEnergyAuction.BatchTooLarge(meters.length, MAX_BATCH);
        _consume(act, _delegationHash(scope, act));

        mapping(uint256 => DelegationWord) storage scopes = _markets.delegations[scope.account][scope.delegate];
        DelegationWord word = scope.pack();
        if (meters.length == 0) scopes[0] = word;
        for (uint256 i = 0; i < meters.length; ++i) {
            if (meters[i] == 0) revert IDERRegistry.UnknownMeter(0);
            scopes[meters[i]] = word;
        }
        emit IEnergyAuction.DelegationSet(
            scope.account,
            scope.delegate,
            scope.market,
            meters,
            scope.maxEnergyWh,
            scope.lowestAsk,
            scope.highestBid,
            scope.until
        );
    }

    function _delegationHash(Delegation calldata scope, Act calldata act) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                DELEGATION_TYPEHASH,
                scope.account,
                scope.delegate,
                scope.market,
                keccak256(abi.encodePacked(scope.meters)),
                scope.maxEnergyWh,
                scope.lowestAsk,
                scope.highestBid,
                scope.until,
                act.nonce,
                act.deadline
            )
        );
    }

    // -------------------------------------------------------------------------------------------------------------- clear

    /// See IEnergyAuction.
    function clear(uint32 market, uint32 slot) external onlyForAuction {
        SlotContext memory context = _open(market, slot);
        if (context.book.cleared) revert IEnergyAuction.AlreadyCleared(market, slot);
        _clear(context);
        context.save(_markets);
    }

    function _clear(SlotContext memory context) private {
        uint256 gateAt = context.gateAt();
        if (block.timestamp < gateAt) revert IEnergyAuction.GateNotClosed(uint32(context.slot), gateAt);

        Slot storage stored = context.placeOf(_markets);
        IEnergyAuction.Clearing memory clearing = context.clearing;
        ClearingMath.clear(clearing, stored.bids, stored.asks, context.tag);
        stored.clearing = packClearing(clearing);
        if (clearing.traded) context.price = context.terms.priceAt(clearing.priceTick);
        SlotBook memory book = context.book;
        context.changed = true;
        book.cleared = true;
        book.boughtWh = clearing.volumeWh;
        book.soldWh = clearing.volumeWh;
        _emitCleared(context, clearing);
        if (book.isLive()) return;

        book.closed = true;
        context.emitClosed(0);
    }

    function _emitCleared(SlotContext memory context, IEnergyAuction.Clearing memory clearing) private {
        emit IEnergyAuction.Cleared(
            uint32(context.market),
            uint32(context.slot),
            clearing.traded,
            context.price,
            _priceOrNone(context, clearing.lowTick),
            _priceOrNone(context, clearing.highTick),
            clearing.volumeWh,
            uint8(clearing.longSide),
            clearing.sharedWh,
            clearing.longWh
        );
    }

    function _priceOrNone(SlotContext memory context, uint256 tick) private pure returns (uint256) {
        return tick == ClearingMath.NONE ? type(uint256).max : context.terms.priceAt(tick);
    }

    // ------------------------------------------------------------------------------------------------ silence and release

    /// See IEnergyAuction.
    function settleByDefault(uint32 market, uint32 slot, uint32[] memory meters) external onlyForAuction {
        (SlotContext memory context, Batch memory batch) = _openCleared(market, slot, meters);
        uint256 deadlineAt = context.endsAt() + context.terms.readingWindow;
        if (block.timestamp < deadlineAt) revert IEnergyAuction.ReadingDeadlineNotPassed(slot, deadlineAt);

        for (uint256 i = 0; i < meters.length; ++i) {
            if (_isRefused(context, batch, meters[i], i, false)) continue;
            Settlements.Part memory part = batch.settlement.part;
            PositionWord position = part.position;
            if (position.tagOf() != context.tag) position = packPosition(context.tag, 0, 0, 0, 0, 0);
            context.setPosition(_markets, meters[i], position.asSettledByDefault());
            int256 total = context.pay(batch.settlement, context.defaultImport(batch.settlement), 0);
            context.emitSettled(part, 0, total);
        }
        context.conclude(_markets, batch.settlement, _vault);
    }

    /// See IEnergyAuction.
    function release(uint32 market, uint32 slot, uint32[] memory meters) external onlyForAuction {
        (SlotContext memory context, Batch memory batch) = _openCleared(market, slot, meters);
        uint256 locks = Batches.openLocks(meters.length);
        for (uint256 i = 0; i < meters.length; ++i) {
            if (_isRefused(context, batch, meters[i], i, true)) {
                locks.setLock(i, address(0), 0, 0);
                continue;
            }
            (uint256 amount, uint256 fromPot) = context.release(_markets, batch.settlement);
            Settlements.Part memory part = batch.settlement.part;
            bytes32 ref = part.position.refOf(market, slot, meters[i]);
            locks.setLock(i, part.terms.account(), -int256(fromPot), ref);
            emit IEnergyAuction.Released(meters[i], slot, amount);
        }
        _vault.lockAll(locks);
        context.conclude(_markets, batch.settlement, _vault);
    }

    function _openCleared(uint32 market, uint32 slot, uint32[] memory meters)
        private
        view
        returns (SlotContext memory context, Batch memory batch)
    {
        if (meters.length > MAX_BATCH) revert IEnergyAuction.BatchTooLarge(meters.length, MAX_BATCH);
        context = _open(market, slot);
        if (!context.book.cleared) revert IEnergyAuction.NotCleared(market, slot);
        (batch.meters, batch.bindings) = _registry.askMetering(meters);
        batch.settlement.call = Batches.openSettlement(meters.length);
    }

    function _open(uint32 market, uint32 slot) private view returns (SlotContext memory context) {
        context.slotLength = _slotLength;
        context.open(_markets, market, slot);
    }

    /// Turns the settlement to the meter, and logs why it can neither be settled by default nor get anything back, if so.
    function _isRefused(SlotContext memory context, Batch memory batch, uint32 meter, uint256 index, bool releasing)
        private
        returns (bool)
    {
        Settlements.Part memory part = batch.settlement.part;
        Meter terms = batch.meters[index];
        MeterBinding binding = batch.bindings[index];
        context.turn(_markets, part, meter, terms);
        bytes4 reason = context.meterFault(terms, binding);
        // Who has an order was there before its slot began; who is silent may not have been.
        if (reason == 0 && !releasing && binding.registeredAt() > context.startsAt()) {
            reason = IEnergyAuction.OrderMeterNotInForce.selector;
        }
        if (reason == 0) {
            (uint8 version,,) = _ledger.readingOf(meter, uint32(context.slot));
            if (version != 0 || part.position.isSettledByDefault()) {
                reason = IEnergyAuction.AlreadySettled.selector;
            } else if (releasing && part.isReleased()) {
                reason = IEnergyAuction.NothingToRelease.selector;
            }
        }
        if (reason == 0) return false;
        emit IEnergyAuction.SettlementRefused(meter, uint32(context.slot), reason);
        return true;
    }

    /// On its own the desk has no markets, and shall have none.
    modifier onlyForAuction() {
        if (address(this) == _self) revert IEnergyAuction.UnknownMarket(0);
        _;
    }
}
