// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IRelayerBond } from "../../../contracts/interfaces/IRelayerBond.sol";
import { Acknowledgement } from "../../../contracts/types/Acknowledgement.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { ASK, BID, Order, SignedOrder } from "../../../contracts/types/Order.sol";
import { Home } from "../auction/Feeder.sol";
import { vm } from "../support/Vm.sol";
import { Bonded } from "./Bonded.sol";

/// A relayer that acknowledges and leaves, with whatever it can think of to get away with it.
contract WithholdsTest is Bonded {
    uint256 private constant HOMES = 5;

    Home[] private homes;
    SignedOrder[] private orders;
    Acknowledgement[] private promises;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < HOMES; ++i) {
            homes.push(_home(10 + i));
            uint8 side = i % 2 == 0 ? BID : ASK;
            uint256 limit = side == BID ? 250_000 : 200_000;
            Order order = _pack(MARKET, SLOT, homes[i].meter, 1, type(uint40).max, side, 1_000, limit);
            orders.push(_signedBy(homes[i].owner, order));
            promises.push(_acknowledged(orders[i]));
        }
    }

    function test_attack__a_relayer_that_withholds__pays_everybody_whom_it_left() external {
        uint256[HOMES] memory before = _balances();
        _tryToProve();
        _tryToLeave();
        vm.warp(_gateOf(SLOT));
        _tryTooLate();
        for (uint256 i = 0; i < HOMES; ++i) {
            vm.prank(stranger.addr);
            bond.claim(orders[i].order, promises[i]);
        }
        uint256[HOMES] memory found = _balances();
        for (uint256 i = 0; i < HOMES; ++i) {
            assertEq(found[i], before[i] + COMPENSATION, "each has its compensation");
        }
        assertEq(_amountOf(), STAKE - HOMES * COMPENSATION, "out of the bond");
        assertEq(vault.potOf(address(bond)), _amountOf(), "and nothing else of it");
    }

    /// Anyone may place what it left, as long as the gate is open: then nobody has lost anything.
    function test_attack__a_relayer_that_withholds__cannot_keep_an_order_out() external {
        for (uint256 i = 0; i < HOMES; ++i) {
            _assertPlaced(_place(orders[i]));
        }
        vm.warp(_gateOf(SLOT));
        auction.clear(MARKET, SLOT);
        assertTrue(auction.clearingOf(MARKET, SLOT).traded, "the market took place");
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.OrderArrived.selector, 1, START));
        bond.claim(orders[0].order, promises[0]);
    }

    /// Signatures that were not acknowledged, and gas that is too little: none of it counts.
    function _tryToProve() private {
        SignedOrder memory spoilt = orders[0];
        spoilt.r = bytes32(uint256(spoilt.r) + 1);
        bond.proveRefusal(spoilt);
        Order[] memory alone = new Order[](1);
        alone[0] = orders[0].order;
        bytes memory borrowed = abi.encodePacked(orders[0].r, orders[0].vs);
        bond.proveScheduleRefusal(homes[0].owner.addr, alone, borrowed);
        for (uint256 gasLimit = 40_000; gasLimit < 120_000; gasLimit += 10_000) {
            uint256 snapshot = vm.snapshotState();
            (bool done,) = address(bond).call{ gas: gasLimit }(abi.encodeCall(bond.proveRefusal, (orders[1])));
            bytes32 signatureHash = keccak256(abi.encodePacked(orders[1].r, orders[1].vs));
            assertEq(bond.refusedAt(_orderDigest(orders[1].order), _orderDigest(orders[1].order), signatureHash), 0, "no refusal");
            assertFalse(done, "nothing came of it");
            vm.revertToState(snapshot);
        }
    }

    /// The sponsor runs with the bond: it answers for another week.
    function _tryToLeave() private {
        _unbond(STAKE);
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.BondNotRedeemable.selector, START + 7 days));
        bond.redeem(sponsor.addr, relayer.addr);
        Act memory act = _bondAct("Unbond", relayer, relayer.addr, 1);
        vm.expectRevert(abi.encodeWithSelector(IRelayerBond.BondTooSmall.selector, 0, 1));
        bond.unbond(relayer.addr, 1, act);
    }

    /// After the gate it places, and proves, what can no longer be placed.
    function _tryTooLate() private {
        SignedOrder[] memory late = orders;
        auction.place(late);
        for (uint256 i = 0; i < HOMES; ++i) {
            bond.proveRefusal(late[i]);
            bytes32 signatureHash = keccak256(abi.encodePacked(late[i].r, late[i].vs));
            assertEq(bond.refusedAt(_orderDigest(late[i].order), _orderDigest(late[i].order), signatureHash), 0, "no refusal");
        }
    }

    function _balances() private view returns (uint256[HOMES] memory found) {
        for (uint256 i = 0; i < HOMES; ++i) {
            found[i] = _availableOf(homes[i].owner.addr);
        }
    }
}
