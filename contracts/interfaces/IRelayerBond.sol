// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Acknowledgement } from "../types/Acknowledgement.sol";
import { Act } from "../types/Act.sol";
import { Order, SignedOrder } from "../types/Order.sol";

/// @title What a relayer's acknowledgement is worth
/// @notice A relayer signs each order that it accepts: Acknowledgement(bytes32 request,bytes32 signatureHash,address sponsor,
/// uint40 commitBefore). Should the order have neither arrived in the auction nor been refused there by `commitBefore`, the
/// account of its meter gets a fixed compensation out of the sponsor's bond, and anyone who has the acknowledgement may claim it.
/// Amounts are millionths, times are chain time in seconds.
/// @dev An order has arrived once its meter and slot hold its version, or a newer one. That it was refused nothing in the auction
/// remembers, so an honest relayer proves it here: the order is placed once more, in this contract's call, and if it is refused
/// again that is noted. In one call nothing but the order itself is placed, so a relayer cannot make it fail by what goes before
/// it, and the note counts only for the very request and signature that were acknowledged.
/// Warning: a relayer, or the thief of its key, can use up a bond by acknowledging orders of its own and leaving them. The bond
/// is the most that a sponsor can lose, and what all who hold an acknowledgement share in, first come, first served.
interface IRelayerBond {
    /// @notice `amount` went from the sponsor's account into the bond, which is `bond` now, `leaving` of it about to leave.
    event BondPosted(
        address indexed sponsor, address indexed relayer, uint256 amount, uint256 bond, uint256 leaving
    );
    /// @notice `leaving` of the bond can be redeemed from `redeemableAt` on, and answers for claims until it is.
    event BondLeaving(
        address indexed sponsor, address indexed relayer, uint256 bond, uint256 leaving, uint256 redeemableAt
    );
    /// @notice All that was leaving, `amount`, went back to the sponsor's account.
    event BondRedeemed(address indexed sponsor, address indexed relayer, uint256 amount, uint256 bond);
    /// @notice `request`, which is the order or a schedule that holds it, was executed with a signature of that hash, and the order
    /// refused.
    event RefusalProved(
        bytes32 indexed digest, uint32 indexed meter, uint32 indexed slot, bytes32 request, bytes32 signatureHash
    );
    /// @notice `account` got `amount` for the order; `bond` and `leaving` are what is left.
    event Compensated(
        bytes32 indexed digest,
        address indexed sponsor,
        address indexed relayer,
        Order order,
        address account,
        uint256 amount,
        uint256 bond,
        uint256 leaving
    );

    error CompensationIsZero();
    error RelayerIsZero();
    /// @notice Held money and what the account owes cannot answer for others.
    error BondNotWithdrawable(uint256 withdrawable, uint256 amount);
    /// @notice Less than `asked` is left.
    error BondTooSmall(uint256 left, uint256 asked);
    /// @notice Nothing leaves the bond, or not before `redeemableAt`.
    error BondNotRedeemable(uint256 redeemableAt);
    /// @notice The relayer has until then.
    error CommitmentNotDue(uint256 commitBefore);
    /// @notice Claims end before a later slot can take the order's place in the auction.
    error ClaimTooLate(uint256 closedAt);
    /// @notice The order's version, or a newer one, stands in the auction since `takenAt`.
    error OrderArrived(uint256 version, uint256 takenAt);
    /// @notice That was proved in time, at `refusedAt`.
    error OrderWasRefused(uint256 refusedAt);
    /// @notice Once for each order and relayer, whichever request it was acknowledged in.
    error AlreadyCompensated(bytes32 digest, address relayer);

    /// @notice Moves `amount` of the sponsor's withdrawable balance into its bond for a relayer:
    /// PostBond(address sponsor,address relayer,uint256 amount,uint256 nonce,uint256 deadline) by the sponsor. Anyone may
    /// relay it.
    function post(address relayer, uint256 amount, Act calldata sponsor) external;
    /// @notice Begins to take `amount` more out of a bond:
    /// Unbond(address sponsor,address relayer,uint256 amount,uint256 nonce,uint256 deadline) by the sponsor. Anyone may relay
    /// it.
    /// Warning: all that leaves, what waits already included, waits for `unbondingTime` from now on.
    function unbond(address relayer, uint256 amount, Act calldata sponsor) external;
    /// @notice Pays what has left the bond to its sponsor's account. Anyone.
    function redeem(address sponsor, address relayer) external;

    /// @notice Compensates an acknowledged order that did not arrive. Anyone, from `commitBefore` on and before 64 slots after the
    /// order's. Once for each order and relayer.
    function claim(Order order, Acknowledgement calldata promise_) external;
    /// @notice The same for line `index` of an acknowledged schedule.
    function claimLine(
        address account,
        Order[] calldata orders,
        uint256 index,
        Acknowledgement calldata promise_
    ) external;
    /// @notice Places an order. If it is refused, and it was in time, that is noted: no claim then. Anyone.
    /// @dev Also noted if nobody may place at all, because the auction is stopped. Of too little gas the call reverts.
    function proveRefusal(SignedOrder calldata signed) external;
    /// @notice The same for the lines of a schedule; the signature is taken as the auction takes it.
    function proveScheduleRefusal(address account, Order[] calldata orders, bytes calldata signature) external;

    /// @return amount what answers for claims, `leaving` of it included
    /// @return leaving what can be redeemed from `redeemableAt` on
    function bondOf(address sponsor, address relayer)
        external
        view
        returns (uint256 amount, uint256 leaving, uint256 redeemableAt);
    /// @notice When it was first proved that an order is refused as part of `request` with that signature; zero: never.
    function refusedAt(bytes32 digest, bytes32 request, bytes32 signatureHash) external view returns (uint256);
    function isCompensated(bytes32 digest, address relayer) external view returns (bool);
    /// @notice The EIP-712 digest that the relayer signs.
    function digestOfAcknowledgement(bytes32 request, Acknowledgement calldata promise_) external view returns (bytes32);
    /// @notice What each order is compensated with.
    function compensation() external view returns (uint256);
    /// @notice How long what leaves a bond answers for claims: longer than any acknowledgement can be claimed.
    function unbondingTime() external view returns (uint256);
}
