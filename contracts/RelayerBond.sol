// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import { IDERRegistry } from "./interfaces/IDERRegistry.sol";
import { IEnergyAuction } from "./interfaces/IEnergyAuction.sol";
import { IRelayerBond } from "./interfaces/IRelayerBond.sol";
import { IVault } from "./interfaces/IVault.sol";
import { CompactSignatures } from "./libraries/CompactSignatures.sol";
import { SignedActs } from "./libraries/SignedActs.sol";
import { Acknowledgement } from "./types/Acknowledgement.sol";
import { Act } from "./types/Act.sol";
import { ASK, BID, Order, SignedOrder } from "./types/Order.sol";
import { HORIZON, RING } from "./types/Ring.sol";

/// @title RelayerBond
/// @notice See IRelayerBond. The bonds lie in this contract's pot of the Vault; no token moves here.
contract RelayerBond is IRelayerBond, SignedActs {
    /// In one word. The Vault holds less than 2**72.
    struct Bond {
        uint96 amount;
        uint96 leaving; // of it
        uint40 redeemableAt;
    }

    bytes32 private constant POST_BOND_TYPEHASH =
        keccak256("PostBond(address sponsor,address relayer,uint256 amount,uint256 nonce,uint256 deadline)");
    bytes32 private constant UNBOND_TYPEHASH =
        keccak256("Unbond(address sponsor,address relayer,uint256 amount,uint256 nonce,uint256 deadline)");
    uint256 private constant LEAST_UNBONDING = 7 days;

    IVault private immutable _vault;
    IEnergyAuction private immutable _auction;
    IDERRegistry private immutable _registry;
    uint256 private immutable _slotLength;
    uint256 private immutable _compensation;

    mapping(address sponsor => mapping(address relayer => Bond)) private _bonds;
    mapping(bytes32 digest => mapping(bytes32 executed => uint256)) private _refusedAt;
    mapping(bytes32 digest => mapping(address relayer => bool)) private _compensated;

    constructor(
        address authority,
        IVault vault,
        IEnergyAuction auction,
        IDERRegistry registry,
        uint96 compensation_
    ) EIP712("Gridweave RelayerBond", "1") AccessManaged(authority) {
        if (compensation_ == 0) revert CompensationIsZero();

        _vault = vault;
        _auction = auction;
        _registry = registry;
        _slotLength = registry.slotLength();
        _compensation = compensation_;
    }

    // -------------------------------------------------------------------------------------------------------------- bonds

    /// @inheritdoc IRelayerBond
    function post(address relayer, uint256 amount, Act calldata sponsor) external {
        if (relayer == address(0)) revert RelayerIsZero();
        _consume(sponsor, _hash(POST_BOND_TYPEHASH, relayer, amount, sponsor));
        address account = sponsor.signer;
        // else a bond, claimed by its own sponsor, would free what a correction window holds
        uint256 most = _vault.withdrawableOf(account);
        if (amount > most) revert BondNotWithdrawable(most, amount);

        Bond storage bond = _bonds[account][relayer];
        bond.amount += uint96(amount);
        emit BondPosted(account, relayer, amount, bond.amount, bond.leaving);

        _move(account, int256(amount), bytes32(uint256(uint160(relayer))));
    }

    /// @inheritdoc IRelayerBond
    function unbond(address relayer, uint256 amount, Act calldata sponsor) external {
        _consume(sponsor, _hash(UNBOND_TYPEHASH, relayer, amount, sponsor));
        Bond storage bond = _bonds[sponsor.signer][relayer];
        uint256 staying = bond.amount - bond.leaving;
        if (amount > staying) revert BondTooSmall(staying, amount);

        bond.leaving += uint96(amount);
        bond.redeemableAt = uint40(block.timestamp + unbondingTime());
        emit BondLeaving(sponsor.signer, relayer, bond.amount, bond.leaving, bond.redeemableAt);
    }

    /// @inheritdoc IRelayerBond
    function redeem(address sponsor, address relayer) external {
        Bond storage bond = _bonds[sponsor][relayer];
        uint96 amount = bond.leaving;
        if (amount == 0 || block.timestamp < bond.redeemableAt) revert BondNotRedeemable(bond.redeemableAt);

        bond.amount -= amount;
        bond.leaving = 0;
        emit BondRedeemed(sponsor, relayer, amount, bond.amount);

        _move(sponsor, -int256(uint256(amount)), bytes32(uint256(uint160(relayer))));
    }

    /// The sponsor is named: one key may own several wallets.
    function _hash(bytes32 typeHash, address relayer, uint256 amount, Act calldata act) private pure returns (bytes32) {
        return keccak256(abi.encode(typeHash, act.signer, relayer, amount, act.nonce, act.deadline));
    }

    /// Into the pot, or, negative, out of it. Of what is withdrawable only the Vault's other reason can be left.
    function _move(address account, int256 amount, bytes32 ref) private {
        IVault.Lock[] memory items = new IVault.Lock[](1);
        items[0] = IVault.Lock({ account: account, amount: int96(amount), ref: ref });
        if (_vault.lock(items)[0] == 0) return;
        (,, uint256 arrear) = _vault.accountOf(account);
        revert IVault.InArrears(account, arrear);
    }

    // ------------------------------------------------------------------------------------------------------------- claims

    /// @inheritdoc IRelayerBond
    function claim(Order order, Acknowledgement calldata promise_) external {
        bytes32 digest = _auction.digestOfOrder(order);
        _claim(order, digest, digest, promise_);
    }

    /// @inheritdoc IRelayerBond
    function claimLine(
        address account,
        Order[] calldata orders,
        uint256 index,
        Acknowledgement calldata promise_
    ) external {
        bytes32 request = _auction.digestOfSchedule(account, orders);
        Order order = orders[index];
        _claim(order, _auction.digestOfOrder(order), request, promise_);
    }

    function _claim(Order order, bytes32 digest, bytes32 request, Acknowledgement calldata promise_) private {
        address relayer = promise_.relayer;
        bytes32 signed = _hashTypedDataV4(promise_.structHash(request));
        if (relayer == address(0) || CompactSignatures.signerOf(signed, promise_.r, promise_.vs) != relayer) {
            revert WrongSignature(relayer);
        }
        if (!_isOrder(order)) revert IEnergyAuction.SideNotAllowed();
        _requireBroken(order, digest, request, promise_);
        if (_compensated[digest][relayer]) revert AlreadyCompensated(digest, relayer);
        Bond storage bond = _bonds[promise_.sponsor][relayer];
        uint256 left = bond.amount;
        if (left < _compensation) revert BondTooSmall(left, _compensation);

        _compensated[digest][relayer] = true;
        left -= _compensation;
        bond.amount = uint96(left);
        if (bond.leaving > left) bond.leaving = uint96(left);
        address account = _accountOf(order.meter());
        emit Compensated(
            digest, promise_.sponsor, relayer, order, account, _compensation, bond.amount, bond.leaving
        );

        _move(account, -int256(_compensation), order.position());
    }

    /// The order neither arrived nor was refused in time.
    function _requireBroken(Order order, bytes32 digest, bytes32 request, Acknowledgement calldata promise_)
        private
        view
    {
        uint256 commitBefore = promise_.commitBefore;
        if (block.timestamp < commitBefore) revert CommitmentNotDue(commitBefore);
        uint256 closedAt = (order.slot() + RING - HORIZON) * _slotLength;
        if (block.timestamp >= closedAt) revert ClaimTooLate(closedAt);

        (uint256 version, uint256 takenAt) = _auction.lastVersionOf(order.meter(), order.slot());
        // who has sent a newer version since holds nobody to the old one
        if (version > order.version() || (version == order.version() && takenAt < commitBefore)) {
            revert OrderArrived(version, takenAt);
        }
        uint256 refused = _refusedAt[digest][_executed(request, promise_.signatureHash)];
        if (refused != 0 && refused < commitBefore) revert OrderWasRefused(refused);
    }

    /// Else no program could read the order in the events.
    function _isOrder(Order order) private pure returns (bool) {
        return order.side() == BID || order.side() == ASK;
    }

    function _accountOf(uint32 meter) private view returns (address account) {
        uint32[] memory ids = new uint32[](1);
        ids[0] = meter;
        account = _registry.metersOf(ids)[0].account();
        if (account == address(0)) revert IEnergyAuction.OrderMeterUnknown();
    }

    // ----------------------------------------------------------------------------------------------------------- refusals

    /// @inheritdoc IRelayerBond
    function proveRefusal(SignedOrder calldata signed) external {
        SignedOrder[] memory orders = new SignedOrder[](1);
        orders[0] = signed;
        try _auction.place(orders) { }
        catch (bytes memory fault) {
            _requireStopped(fault);
        }
        bytes32 request = _auction.digestOfOrder(signed.order);
        _note(signed.order, request, keccak256(abi.encodePacked(signed.r, signed.vs)));
    }

    /// @inheritdoc IRelayerBond
    function proveScheduleRefusal(address account, Order[] calldata orders, bytes calldata signature) external {
        try _auction.placeSchedule(account, orders, signature) { }
        catch (bytes memory fault) {
            _requireStopped(fault);
        }
        bytes32 request = _auction.digestOfSchedule(account, orders);
        bytes32 signatureHash = keccak256(signature);
        for (uint256 i = 0; i < orders.length; ++i) {
            _note(orders[i], request, signatureHash);
        }
    }

    /// A whole call fails for what its sender did, such as too little gas, unless nobody may place. The authority, asked with too
    /// little gas, answers so as well: then less is left here than a note takes, 63 in 64 parts having gone into the call.
    function _requireStopped(bytes memory fault) private pure {
        if (bytes4(fault) == IAccessManaged.AccessManagedUnauthorized.selector) return;
        assembly ("memory-safe") {
            revert(add(fault, 0x20), mload(fault))
        }
    }

    /// Notes that the order was refused just now, if it did not arrive and could have.
    function _note(Order order, bytes32 request, bytes32 signatureHash) private {
        (uint256 version,) = _auction.lastVersionOf(order.meter(), order.slot());
        if (version >= order.version() || !_isOrder(order) || !_isInTime(order)) return;

        bytes32 digest = _auction.digestOfOrder(order);
        // the first counts: a later one could come after the commitment was due
        bytes32 executed = _executed(request, signatureHash);
        if (_refusedAt[digest][executed] != 0) return;
        _refusedAt[digest][executed] = block.timestamp;
        emit RefusalProved(digest, order.meter(), order.slot(), request, signatureHash);
    }

    /// What was executed: else the signature of one request, put under another, would prove that both are refused.
    function _executed(bytes32 request, bytes32 signatureHash) private pure returns (bytes32) {
        return keccak256(abi.encode(request, signatureHash));
    }

    /// Whether an order for that market and slot can be placed now: too early or too late is a promise that should not have been
    /// given, or was not kept.
    function _isInTime(Order order) private view returns (bool) {
        if (block.timestamp > order.deadline()) return false;
        uint256 slot = order.slot();
        if (slot > block.timestamp / _slotLength + HORIZON || block.timestamp >= slot * _slotLength) return false;
        // a line of no market keeps nobody from proving the lines beside it
        if (order.market() == 0 || order.market() > _auction.marketCount()) return false;
        uint256 lead = _auction.termsOf(order.market(), order.slot()).gateLead;
        return block.timestamp + lead < slot * _slotLength;
    }

    // ------------------------------------------------------------------------------------------------------------ getters

    /// @inheritdoc IRelayerBond
    function bondOf(address sponsor, address relayer) external view returns (uint256, uint256, uint256) {
        Bond memory bond = _bonds[sponsor][relayer];
        return (bond.amount, bond.leaving, bond.redeemableAt);
    }

    /// @inheritdoc IRelayerBond
    function refusedAt(bytes32 digest, bytes32 request, bytes32 signatureHash) external view returns (uint256) {
        return _refusedAt[digest][_executed(request, signatureHash)];
    }

    /// @inheritdoc IRelayerBond
    function isCompensated(bytes32 digest, address relayer) external view returns (bool) {
        return _compensated[digest][relayer];
    }

    /// @inheritdoc IRelayerBond
    function digestOfAcknowledgement(bytes32 request, Acknowledgement calldata promise_)
        external
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(promise_.structHash(request));
    }

    /// @inheritdoc IRelayerBond
    function compensation() external view returns (uint256) {
        return _compensation;
    }

    /// @inheritdoc IRelayerBond
    function unbondingTime() public view returns (uint256) {
        uint256 ring = RING * _slotLength;
        return ring > LEAST_UNBONDING ? ring : LEAST_UNBONDING;
    }
}
