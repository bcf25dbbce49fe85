// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import { IEnergyAuction } from "../interfaces/IEnergyAuction.sol";
import { IMeterLedger } from "../interfaces/IMeterLedger.sol";
import { IVault } from "../interfaces/IVault.sol";
import { Act } from "../types/Act.sol";
import { MarketTerms } from "../types/MarketTerms.sol";
import { Markets, SlotContext } from "../types/Slot.sol";
import { packTerms } from "../types/StoredTerms.sol";
import { SignedActs } from "./SignedActs.sol";
import { Slots } from "./Slots.sol";
import { Terms } from "./Terms.sol";

/// @title The part of EnergyAuction that creates markets
/// @notice EnergyAuction deploys it with itself and runs it on its own storage, for 24,576 bytes do not hold both. Nothing
/// else ever calls it, and it cannot be exchanged.
/// @dev Warning: the storage of both is laid out alike, SignedActs first, `_markets` next.
contract MarketDesk is SignedActs {
    using Slots for SlotContext;
    using Terms for MarketTerms;

    bytes32 private constant CREATE_MARKET_TYPEHASH = keccak256(
        "CreateMarket(MarketTerms terms,uint256 nonce,uint256 deadline)MarketTerms(uint40 minPrice,uint32 tickSize,uint16 tickCount,uint40 gridFee,uint40 feedInPrice,uint40 retailPrice,uint32 minEnergyWh,address utility,uint32 gateLead,uint32 readingWindow,uint32 correctionWindow,address operator,uint32 defaultWh,uint32 fromSlot)"
    );
    bytes32 private constant UNDERWRITE_TYPEHASH = keccak256(
        "Underwrite(MarketTerms terms,uint256 nonce,uint256 deadline)MarketTerms(uint40 minPrice,uint32 tickSize,uint16 tickCount,uint40 gridFee,uint40 feedInPrice,uint40 retailPrice,uint32 minEnergyWh,address utility,uint32 gateLead,uint32 readingWindow,uint32 correctionWindow,address operator,uint32 defaultWh,uint32 fromSlot)"
    );

    IVault private immutable _vault;
    uint32 private immutable _slotLength;
    address private immutable _self = address(this);

    Markets private _markets;

    constructor(address authority, IVault vault, IMeterLedger ledger)
        EIP712("Gridweave EnergyAuction", "1")
        AccessManaged(authority)
    {
        _vault = vault;
        _slotLength = ledger.slotLength();
    }

    /// See IEnergyAuction.
    function createMarket(MarketTerms memory terms, Act calldata operator, Act calldata utility)
        external
        returns (uint32 market)
    {
        _requireAuction();
        terms.validate(_slotLength, _vault.holdLength());
        bytes32 hash = terms.hash();
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
    function collect(uint32 market, address creditor) external returns (uint256 paid) {
        _requireAuction();
        SlotContext memory context;
        context.load(_markets, market, Slots.currentSlot(_slotLength));
        return _vault.collect(context.terms.utility, creditor);
    }

    /// On its own the desk has no markets, and shall have none.
    function _requireAuction() private view {
        if (address(this) == _self) revert IEnergyAuction.UnknownMarket(0);
    }
}
