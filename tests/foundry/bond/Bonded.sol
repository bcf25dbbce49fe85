// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { RelayerBond } from "../../../contracts/RelayerBond.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Acknowledgement } from "../../../contracts/types/Acknowledgement.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { BID, Order, SignedOrder } from "../../../contracts/types/Order.sol";
import { Feeder, Home } from "../auction/Feeder.sol";
import { Party, Signing } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";

/// A market whose relayer has a bond of 10.00.
///
///   acknowledged | commitBefore: the gate                   | 64 slots after the order's
///   -------------|------------------------------------------|------------------------------> t
///   placed, or refused and proved to be        claim
abstract contract Bonded is Feeder {
    string internal constant BOND = "Gridweave RelayerBond";
    uint96 internal constant COMPENSATION = 1_000_000;
    uint256 internal constant STAKE = 10_000_000;

    bytes32 private constant ACKNOWLEDGEMENT_TYPEHASH =
        keccak256("Acknowledgement(bytes32 request,bytes32 signatureHash,address sponsor,uint40 commitBefore)");

    RelayerBond internal bond;
    Party internal relayer = Signing.party("relayer");
    Party internal sponsor = Signing.party("sponsor");
    Home internal home;

    function setUp() public virtual override {
        super.setUp();
        bond = new RelayerBond(address(authority), vault, auction, ders, COMPENSATION);
        _grant(Roles.MODULE, address(bond));
        home = _home(2);
        _deposit(sponsor.addr, 2 * STAKE);
        _post(STAKE);
    }

    function _post(uint256 amount) internal {
        bond.post(relayer.addr, amount, _bondAct("PostBond", sponsor, relayer.addr, amount));
    }

    function _unbond(uint256 amount) internal {
        bond.unbond(relayer.addr, amount, _bondAct("Unbond", sponsor, relayer.addr, amount));
    }

    /// PostBond or Unbond as `by` signs it.
    function _bondAct(string memory kind, Party memory by, address relayer_, uint256 amount)
        internal
        returns (Act memory act)
    {
        act = _draft(by);
        bytes32 typeHash =
            keccak256(abi.encodePacked(kind, "(address sponsor,address relayer,uint256 amount,uint256 nonce,uint256 deadline)"));
        bytes32 structHash = keccak256(abi.encode(typeHash, by.addr, relayer_, amount, act.nonce, act.deadline));
        act.signature = Signing.sign(by.key, _digest(BOND, address(bond), structHash));
    }

    /// The relayer's promise about an order, as its service gives it.
    function _acknowledged(SignedOrder memory signed) internal view returns (Acknowledgement memory) {
        bytes32 signatureHash = keccak256(abi.encodePacked(signed.r, signed.vs));
        return _acknowledged(relayer, _orderDigest(signed.order), signatureHash, _gateOf(signed.order.slot()));
    }

    function _acknowledged(Party memory by, bytes32 request, bytes32 signatureHash, uint256 commitBefore)
        internal
        view
        returns (Acknowledgement memory promise_)
    {
        promise_.relayer = by.addr;
        promise_.sponsor = sponsor.addr;
        promise_.signatureHash = signatureHash;
        promise_.commitBefore = uint40(commitBefore);
        bytes32 structHash =
            keccak256(abi.encode(ACKNOWLEDGEMENT_TYPEHASH, request, signatureHash, sponsor.addr, commitBefore));
        (promise_.r, promise_.vs) = vm.signCompact(by.key, _digest(BOND, address(bond), structHash));
    }

    /// A bid of the home for SLOT that is good until long after the gate.
    function _signedBid(uint16 version, uint256 energyWh) internal view returns (SignedOrder memory) {
        return _signedBidAt(SLOT, version, energyWh);
    }

    function _signedBidAt(uint32 slot, uint16 version, uint256 energyWh) internal view returns (SignedOrder memory) {
        Order order = _pack(MARKET, slot, home.meter, version, type(uint40).max, BID, energyWh, 250_000);
        return _signedBy(home.owner, order);
    }

    function _amountOf() internal view returns (uint256 amount) {
        (amount,,) = bond.bondOf(sponsor.addr, relayer.addr);
    }
}
