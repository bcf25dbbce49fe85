// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Act } from "../types/Act.sol";
import { Cancel, SignedCancel } from "../types/Cancel.sol";
import { Delegation, DelegationWord } from "../types/Delegation.sol";
import { MarketTerms } from "../types/MarketTerms.sol";
import { Order, SignedOrder } from "../types/Order.sol";
import { SignedReading } from "../types/Reading.sol";

/// @title A uniform-price call auction per market and slot, settled by meter readings
/// @notice The rules stand in docs/market.md. Times: place and cancel before gate(slot); clear from then on; a reading from the
/// slot's end until its correction window closes; settlement without a reading from the reading deadline on.
/// @dev Batches never revert for one item: each ends in its own event. Whole calls revert for what concerns all items alike.
interface IEnergyAuction {
    struct Clearing {
        bool cleared;
        bool closed;
        bool traded;
        uint256 longSide; // the side that is rationed at the price: 0 none, BID or ASK
        uint256 priceTick; // without a trade: 0
        uint256 lowTick; // without a trade: the best bid, or 0xffff
        uint256 highTick; // without a trade: the best ask, or 0xffff
        uint256 volumeWh;
        uint256 sharedWh; // what the orders at the price tick on the long side share
        uint256 longWh; // the live energy of those orders
    }

    struct SlotState {
        uint256 pot; // collateral and price money of this slot within the auction's pot
        uint256 openBidWh; // energy of bids neither settled nor released whole
        uint256 openAskWh;
        uint256 boughtWh; // filled energy not yet settled; what remains at the close is dust
        uint256 soldWh;
    }

    struct Position {
        uint256 side; // 0: none
        uint256 version;
        uint256 tick;
        uint256 energyWh; // 0: cancelled
        uint256 filledWh; // once cleared
        bool released;
        bool settledByDefault;
    }

    event MarketCreated(uint32 indexed market, uint32 version, MarketTerms terms);
    /// @notice The terms are in force in `terms.fromSlot` and after.
    event MarketChanged(uint32 indexed market, uint32 version, MarketTerms terms);
    /// @notice What a Delegation says; no meters: for all that have no delegation of their own.
    event DelegationSet(
        address indexed account,
        address indexed delegate,
        uint32 market,
        uint32[] meters,
        uint32 maxEnergyWh,
        uint64 lowestAsk,
        uint64 highestBid,
        uint40 until
    );
    event Placed(bytes32 indexed digest, uint32 indexed meter, uint32 indexed slot, Order order);
    event Cancelled(bytes32 indexed digest, uint32 indexed meter, uint32 indexed slot, Cancel cancel);
    event OrderRefused(bytes32 indexed digest, uint32 indexed meter, uint32 indexed slot, bytes4 reason);
    /// @notice Prices in micro per kWh, net of the grid fee. Without a trade: price 0, and low and high are the best bid and
    /// the best ask, or type(uint256).max where there is none.
    event Cleared(
        uint32 indexed market,
        uint32 indexed slot,
        bool traded,
        uint256 price,
        uint256 low,
        uint256 high,
        uint256 volumeWh,
        uint8 longSide,
        uint256 sharedWh,
        uint256 longWh
    );
    /// @notice `cash` is floor((T - F + V) / 1000) of this version, in total, not the difference to an earlier one.
    /// `readingVersion` 0: settled without a reading.
    event Settled(
        uint32 indexed meter, uint32 indexed slot, uint8 readingVersion, uint32 boughtWh, uint32 soldWh, int256 cash
    );
    event SettlementRefused(uint32 indexed meter, uint32 indexed slot, bytes4 reason);
    /// @notice Collateral of unfilled energy went back to its account.
    event Released(uint32 indexed meter, uint32 indexed slot, uint256 amount);
    /// @notice Everybody is settled; the utility traded the dust, the operator got the residue.
    event SlotClosed(
        uint32 indexed market, uint32 indexed slot, uint256 bidDustWh, uint256 askDustWh, uint256 residue
    );

    // whole calls
    error UnknownMarket(uint32 market);
    error TermsNotAllowed(string rule);
    error GateNotClosed(uint32 slot, uint256 gateAt);
    error AlreadyCleared(uint32 market, uint32 slot);
    error NotCleared(uint32 market, uint32 slot);
    error ReadingTooLate(uint32 slot, uint256 correctionEndedAt);
    error ReadingDeadlineNotPassed(uint32 slot, uint256 deadlineAt);
    error BatchTooLarge(uint256 items, uint256 most);
    /// @notice The slot's place in the ring is a later slot's already, or the slot is out of reach: all of it is settled.
    error SlotForgotten();
    error DelegateIsZero();
    /// @notice Who sends a batch must give it enough gas for a wallet to judge, else its no would be the sender's.
    error GasTooLowForWallet();

    // reasons of single items
    error MarketUnknown();
    error GateClosed();
    error BeyondHorizon();
    /// @notice The slot's place in the ring is still that of a slot 256 earlier in which orders are neither settled nor released.
    /// Settle or release them first; anyone may. Whole calls revert with it as well.
    error RingBusy();
    error UtilityInArrears();
    error OrderExpired();
    error SideNotAllowed();
    error EnergyTooSmall();
    error EnergyTooLarge();
    error PriceOffGrid();
    error OrderMeterUnknown();
    error OrderMeterOfOtherMarket();
    /// @notice The slot lies outside the meter's bounds; of a silent meter also: it began before the meter was registered.
    error OrderMeterNotInForce();
    /// @notice More than the meter's capacity can take in, of a bid, or give, of an ask, in one slot.
    error EnergyAboveCapacity();
    error WrongSigner();
    error DuplicateInBatch();
    error VersionNotNewer();
    error LadderFull();
    error AlreadySettled();
    error NothingToRelease();
    error CancelMalformed();

    /// @notice CreateMarket(MarketTerms terms,uint256 nonce,uint256 deadline) by an operator and
    /// Underwrite(MarketTerms terms,uint256 nonce,uint256 deadline) by the utility, which consents to be the other side of every
    /// deviation. `terms.fromSlot` of a first version is set to the current slot.
    function createMarket(MarketTerms calldata terms, Act calldata operator, Act calldata utility)
        external
        returns (uint32 market);

    /// @notice ChangeMarket(uint32 market,MarketTerms terms,uint256 nonce,uint256 deadline) by an operator and
    /// UnderwriteChange(uint32 market,MarketTerms terms,uint256 nonce,uint256 deadline) by the utility, which stays the same. The
    /// change begins in `terms.fromSlot`, beyond the order horizon, so that no order spans two versions; the one before it must
    /// be in force. Else TermsNotAllowed.
    function changeMarket(uint32 market, MarketTerms calldata terms, Act calldata operator, Act calldata utility) external;
    /// @notice Delegation(address account,address delegate,uint32 market,uint32[] meters,uint32 maxEnergyWh,uint64 lowestAsk,
    /// uint64 highestBid,uint40 until,uint256 nonce,uint256 deadline) by the account: until then the delegate's key may sign
    /// orders within that scope, cancels and schedules of them, for meters of the account. At most 256 meters.
    function setDelegation(Delegation calldata scope, Act calldata act) external;

    /// @notice Places or replaces orders. Each is signed by its meter's account or a delegate of it and ends in Placed or OrderRefused, which carries
    /// the first reason that holds, in the order in which this interface declares them, but for CancelMalformed; then the
    /// Vault's InArrears and AvailableTooSmall.
    /// @dev Restricted to the public role, so that the emergency stop closes it. At most 256 items. A replacement pays, or gets
    /// back, exactly the difference; until it is paid its ladder must have room for both.
    function place(SignedOrder[] calldata orders) external;
    /// @notice The same for many slots and meters of one account, under one signature:
    /// Schedule(address account,Order[] orders). Each line ends as an order of its own would, under the same digest, and can be
    /// replaced and cancelled alone.
    /// @param signature 64 bytes (ERC-2098) by the account or a delegate, or whatever the account's ERC-1271 wallet takes
    function placeSchedule(address account, Order[] calldata orders, bytes calldata signature) external;
    /// @notice Cancels orders: stores the version with energy 0 and returns the collateral. Each ends in Cancelled or OrderRefused.
    /// A cancellation without an order is kept as well, so that one under way comes too late. CancelMalformed follows OrderExpired.
    function cancel(SignedCancel[] calldata cancels) external;
    /// @notice The same under one signature: CancelSchedule(address account,Cancel[] cancels).
    function cancelSchedule(address account, Cancel[] calldata cancels, bytes calldata signature) external;
    /// @notice Finds the slot's price. Anyone, from the gate on, once.
    function clear(uint32 market, uint32 slot) external;
    /// @notice Records readings and pays them at once; clears the slot first if nobody has.
    /// Each ends in Settled or in the ledger's ReadingRefused.
    function settle(uint32 market, uint32 slot, SignedReading[] calldata readings) external;
    /// @notice Settles silent meters after the reading deadline. Each ends in Settled or SettlementRefused.
    function settleByDefault(uint32 market, uint32 slot, uint32[] calldata meters) external;
    /// @notice Frees the collateral of what was not filled, once cleared. Each ends in Released or SettlementRefused.
    function release(uint32 market, uint32 slot, uint32[] calldata meters) external;
    /// @notice Pays `creditor` what the market's utility owes it, as far as it can.
    function collect(uint32 market, address creditor) external returns (uint256 paid);

    function marketCount() external view returns (uint32);
    /// @notice The terms in force in `slot`; UnknownMarket before the first.
    function termsOf(uint32 market, uint32 slot) external view returns (MarketTerms memory);
    /// @dev This and what follows revert with RingBusy or SlotForgotten while the slot's place in the ring is another slot's.
    function clearingOf(uint32 market, uint32 slot) external view returns (Clearing memory);
    function slotStateOf(uint32 market, uint32 slot) external view returns (SlotState memory);
    function positionOf(uint32 meter, uint32 slot) external view returns (Position memory);
    /// @notice Live energy at each tick of one side, `tickCount` values.
    function depthOf(uint32 market, uint32 slot, uint8 side) external view returns (uint32[] memory energyWh);
    function digestOfOrder(Order order) external view returns (bytes32);
    function digestOfCancel(Cancel cancel) external view returns (bytes32);
    function digestOfSchedule(address account, Order[] calldata orders) external view returns (bytes32);
    function digestOfCancelSchedule(address account, Cancel[] calldata cancels) external view returns (bytes32);
    /// @notice The scope that was set for that meter; meter 0: for all without one of their own. Zero: none.
    function delegationOf(address account, address delegate, uint32 meter) external view returns (DelegationWord);
    /// @notice The newest version that was placed or cancelled there, and when; zero if none, or if a later slot has its place.
    /// @dev Never reverts, so that others can build on it.
    function lastVersionOf(uint32 meter, uint32 slot) external view returns (uint16 version, uint40 takenAt);
}
