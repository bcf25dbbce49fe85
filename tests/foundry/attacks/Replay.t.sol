// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { EnergyAuction } from "../../../contracts/EnergyAuction.sol";
import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Delegation } from "../../../contracts/types/Delegation.sol";
import { BID, Order, SignedOrder } from "../../../contracts/types/Order.sol";
import { Feeder, Home } from "../auction/Feeder.sol";
import { Party, Signing } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";

/// Nonce and schedule replay: the thief has every signature that the home ever gave, and sends them where it likes.
contract ReplayTest is Feeder {
    bytes32 private constant WITHDRAWAL_TYPEHASH =
        keccak256("Withdrawal(address account,address to,uint256 amount,uint256 nonce,uint256 deadline)");
    uint256 private constant LINES = 3;

    Home private home;

    function setUp() public override {
        super.setUp();
        home = _home(2);
    }

    // ------------------------------------------------------------------------------------------------------------- orders

    function test_replay__given_an_order_again__places_it_once() external {
        SignedOrder memory first = _signedBy(home.owner, _order(home, 1, BID, 1_000, 250_000));
        _assertPlaced(_place(first));
        _assertRefused(first, IEnergyAuction.VersionNotNewer.selector, "while it stands");
        SignedOrder memory second = _signedBy(home.owner, _order(home, 2, BID, 100, 250_000));
        _assertPlaced(_place(second));
        _assertRefused(first, IEnergyAuction.VersionNotNewer.selector, "once it was replaced");
        assertReason(_cancelOne(_signedBy(home.owner, _cancel(home, 3))), 0, "cancelled");
        _assertRefused(first, IEnergyAuction.VersionNotNewer.selector, "once it was cancelled");
        _assertRefused(second, IEnergyAuction.VersionNotNewer.selector, "nor what came after it");
        assertEq(_availableOf(home.owner.addr), 10_000_000, "nothing is locked");
    }

    function test_replay__given_a_version_used_before__keeps_the_first() external {
        _bid(home, 1_000, 250_000);
        SignedOrder memory other = _signedBy(home.owner, _order(home, 1, BID, 5_000, 390_000));
        _assertRefused(other, IEnergyAuction.VersionNotNewer.selector, "the home signed twice, one counts");
    }

    /// 256 slots later the same words of storage are empty again; the order names its slot.
    function test_replay__given_an_order_of_an_earlier_turn_of_the_ring__finds_its_gate_closed() external {
        Order order = _pack(MARKET, SLOT, home.meter, 1, type(uint40).max, BID, 1_000, 250_000);
        SignedOrder memory signed = _signedBy(home.owner, order);
        _assertPlaced(_place(signed));
        vm.warp(_endOf(SLOT + 240));
        auction.clear(MARKET, SLOT);
        _release(home, SLOT);
        _assertPlaced(_place(_signedBy(home.owner, _orderAt(SLOT + 256, home, 1, BID, 10, 250_000))));
        assertReason(_place(signed), IEnergyAuction.GateClosed.selector, "for ever");
        assertEq(_availableOf(home.owner.addr), 10_000_000 - 2_500, "the new order alone is paid");
    }

    // ---------------------------------------------------------------------------------------------------------- schedules

    function test_replay__given_a_schedule_again__places_each_line_once() external {
        Order[] memory lines = _lines();
        bytes memory signature = _signedSchedule(home.owner, lines);
        _placeSchedule(home.owner.addr, lines, signature);
        assertReason(_cancelOne(_signedBy(home.owner, _cancelAt(SLOT + 1, home, 2))), 0, "a line is cancelled");
        uint256 available = _availableOf(home.owner.addr);
        bytes4[] memory reasons = _placeSchedule(home.owner.addr, lines, signature);
        for (uint256 i = 0; i < LINES; ++i) {
            assertReason(reasons[i], IEnergyAuction.VersionNotNewer.selector, "a line is an order: once");
        }
        assertEq(_availableOf(home.owner.addr), available, "nothing more is locked");
    }

    /// The signature says all lines or none: of a line taken out it says nothing.
    function test_replay__given_lines_of_a_schedule_as_orders__refuses_them() external {
        Order[] memory lines = _lines();
        bytes memory signature = _signedSchedule(home.owner, lines);
        (bytes32 r, bytes32 vs) = abi.decode(signature, (bytes32, bytes32));
        for (uint256 i = 0; i < LINES; ++i) {
            _assertRefused(SignedOrder(lines[i], r, vs), IEnergyAuction.WrongSigner.selector, "as an order");
            Order[] memory one = new Order[](1);
            one[0] = lines[i];
            bytes4[] memory reasons = _placeSchedule(home.owner.addr, one, signature);
            assertReason(reasons[0], IEnergyAuction.WrongSigner.selector, "as a schedule of its own");
        }
        assertEq(_availableOf(home.owner.addr), 10_000_000, "nothing is locked");
    }

    // ------------------------------------------------------------------------------------------------ elsewhere

    function test_replay__given_another_chain__refuses_order_and_schedule() external {
        SignedOrder memory signed = _signedBy(home.owner, _order(home, 1, BID, 1_000, 250_000));
        Order[] memory lines = _lines();
        bytes memory signature = _signedSchedule(home.owner, lines);
        vm.chainId(block.chainid + 1);
        _assertForeign(signed, lines, signature);
    }

    /// A second auction over the same meters and the same Vault.
    function test_replay__given_another_auction__refuses_order_and_schedule() external {
        SignedOrder memory signed = _signedBy(home.owner, _order(home, 1, BID, 1_000, 250_000));
        Order[] memory lines = _lines();
        bytes memory signature = _signedSchedule(home.owner, lines);
        auction = new EnergyAuction(address(authority), vault, ledger, ders);
        _grant(Roles.MODULE, address(auction));
        vm.startPrank(admin);
        _open(address(auction), EnergyAuction.place.selector, authority.PUBLIC_ROLE());
        _open(address(auction), EnergyAuction.placeSchedule.selector, authority.PUBLIC_ROLE());
        _open(address(auction), EnergyAuction.createMarket.selector, Roles.OPERATOR);
        vm.stopPrank();
        assertEq(_createMarket(_terms()), MARKET, "the same number");
        _assertForeign(signed, lines, signature);
        _bid(home, 1_000, 250_000); // what is signed for it is placed
    }

    // --------------------------------------------------------------------------------------------------------------- acts

    function test_replay__given_a_delegation_taken_back__gives_it_no_second_time() external {
        Party memory agent = Signing.party("agent");
        Delegation memory scope = Delegation({
            account: home.owner.addr,
            delegate: agent.addr,
            market: MARKET,
            meters: _one(home.meter),
            maxEnergyWh: 5_000,
            lowestAsk: 0,
            highestBid: 390_000,
            until: type(uint40).max
        });
        Act memory given = _delegationAct(scope, home.owner);
        auction.setDelegation(scope, given);
        scope.until = 0;
        auction.setDelegation(scope, _delegationAct(scope, home.owner));
        scope.until = type(uint40).max;
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.NonceUsed.selector, home.owner.addr, given.nonce));
        auction.setDelegation(scope, given);
        SignedOrder memory signed = _signedBy(agent, _order(home, 1, BID, 5_000, 390_000));
        _assertRefused(signed, IEnergyAuction.WrongSigner.selector, "taken back");
    }

    function test_replay__given_a_withdrawal_again__pays_once() external {
        Act memory act = _draft(home.owner);
        bytes32 hash = keccak256(
            abi.encode(WITHDRAWAL_TYPEHASH, home.owner.addr, home.owner.addr, 1_000_000, act.nonce, act.deadline)
        );
        act.signature = Signing.sign(home.owner.key, _digest("Gridweave Vault", address(vault), hash));
        vault.withdrawBySig(home.owner.addr, 1_000_000, act);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.NonceUsed.selector, home.owner.addr, act.nonce));
        vault.withdrawBySig(home.owner.addr, 1_000_000, act);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.NonceUsed.selector, home.owner.addr, act.nonce));
        vault.withdrawBySig(stranger.addr, 1_000_000, act);
        assertEq(currency.balanceOf(home.owner.addr), 1_000_000, "once, and to the home");
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    function _lines() private view returns (Order[] memory lines) {
        lines = new Order[](LINES);
        for (uint32 i = 0; i < LINES; ++i) {
            lines[i] = _orderAt(SLOT + i, home, 1, BID, 1_000, 250_000);
        }
    }

    function _assertForeign(SignedOrder memory signed, Order[] memory lines, bytes memory signature) private {
        _assertRefused(signed, IEnergyAuction.WrongSigner.selector, "signed for another");
        bytes4[] memory reasons = _placeSchedule(home.owner.addr, lines, signature);
        for (uint256 i = 0; i < LINES; ++i) {
            assertReason(reasons[i], IEnergyAuction.WrongSigner.selector, "the schedule too");
        }
        assertEq(_availableOf(home.owner.addr), 10_000_000, "nothing is locked");
    }

    function _assertRefused(SignedOrder memory signed, bytes4 reason, string memory why) private {
        bytes32 before = _stateOf(home, signed.order.slot());
        assertReason(_place(signed), reason, why);
        assertEq(_stateOf(home, signed.order.slot()), before, "nothing changed");
    }
}
