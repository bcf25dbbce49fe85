// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Delegation, DelegationWord } from "../../../contracts/types/Delegation.sol";
import { ASK, BID, Order } from "../../../contracts/types/Order.sol";
import { Party, Signing } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";
import { Feeder, Home } from "./Feeder.sol";

/// setDelegation, and what a delegate may then sign
contract DelegateTest is Feeder {
    Home private home;
    Party private agent = Signing.party("agent");

    function setUp() public override {
        super.setUp();
        home = _home(1);
    }

    // ---------------------------------------------------------------------------------------------------- setDelegation

    function test_setDelegation__given_anothers_signature__reverts() external {
        Delegation memory scope = _scope();
        Act memory act = _delegationAct(scope, stranger);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, stranger.addr));
        auction.setDelegation(scope, act);
        act.signer = home.owner.addr;
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, home.owner.addr));
        auction.setDelegation(scope, act);
    }

    function test_setDelegation__given_a_wider_scope_than_signed__reverts() external {
        Delegation memory scope = _scope();
        Act memory act = _delegationAct(scope, home.owner);
        scope.maxEnergyWh += 1;
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, home.owner.addr));
        auction.setDelegation(scope, act);
    }

    function test_setDelegation__given_it_again__reverts() external {
        Delegation memory scope = _scope();
        Act memory act = _delegationAct(scope, home.owner);
        auction.setDelegation(scope, act);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.NonceUsed.selector, home.owner.addr, act.nonce));
        auction.setDelegation(scope, act);
    }

    function test_setDelegation__given_no_delegate__or_meter_0__reverts() external {
        Delegation memory scope = _scope();
        scope.delegate = address(0);
        Act memory act = _delegationAct(scope, home.owner);
        vm.expectRevert(IEnergyAuction.DelegateIsZero.selector);
        auction.setDelegation(scope, act);
        scope = _scope();
        scope.meters = _one(0);
        act = _delegationAct(scope, home.owner);
        vm.expectRevert(abi.encodeWithSelector(IDERRegistry.UnknownMeter.selector, 0));
        auction.setDelegation(scope, act);
    }

    function test_setDelegation__given_a_scope__keeps_and_tells_it() external {
        Delegation memory scope = _scope();
        Act memory act = _delegationAct(scope, home.owner);
        vm.expectEmit(address(auction));
        emit IEnergyAuction.DelegationSet(
            home.owner.addr, agent.addr, MARKET, scope.meters, 1_000, 150_000, 250_000, scope.until
        );
        auction.setDelegation(scope, act);
        assertTrue(
            DelegationWord.unwrap(auction.delegationOf(home.owner.addr, agent.addr, home.meter)) != 0, "it stands"
        );
    }

    // --------------------------------------------------------------------------------------------------- what it may say

    function test_place__given_a_key_without_delegation__refuses() external {
        assertReason(_say(BID, 500, 200_000), IEnergyAuction.WrongSigner.selector, "nobody's delegate");
    }

    function test_place__given_an_order_beyond_the_scope__refuses() external {
        _allow(_scope());
        assertReason(_say(BID, 1_001, 200_000), IEnergyAuction.WrongSigner.selector, "more energy");
        assertReason(_say(BID, 500, 260_000), IEnergyAuction.WrongSigner.selector, "a dearer bid");
        assertReason(_say(ASK, 500, 140_000), IEnergyAuction.WrongSigner.selector, "a cheaper ask");
        assertReason(_say(BID, 1_000, 250_000), 0, "up to the limits");
    }

    function test_place__given_another_market_or_meter__refuses() external {
        Delegation memory scope = _scope();
        scope.market = MARKET + 1;
        _allow(scope);
        assertReason(_say(BID, 500, 200_000), IEnergyAuction.WrongSigner.selector, "another market");
        scope = _scope();
        scope.meters = _one(home.meter + 1);
        _allow(scope);
        assertReason(_say(BID, 500, 200_000), IEnergyAuction.WrongSigner.selector, "another meter");
    }

    function test_place__given_a_delegation_that_has_ended__refuses() external {
        Delegation memory scope = _scope();
        scope.until = uint40(block.timestamp + 60);
        _allow(scope);
        vm.warp(block.timestamp + 59);
        assertReason(_say(BID, 500, 200_000), 0, "the last second");
        vm.warp(block.timestamp + 1);
        Order order = _order(home, 2, BID, 500, 200_000);
        assertReason(_place(_signedBy(agent, order)), IEnergyAuction.WrongSigner.selector, "over");
    }

    function test_place__given_a_delegation_taken_back__refuses() external {
        Delegation memory scope = _scope();
        _allow(scope);
        scope.until = 0;
        _allow(scope);
        assertReason(_say(BID, 500, 200_000), IEnergyAuction.WrongSigner.selector, "taken back");
    }

    function test_place__given_a_delegation_by_a_former_owner__refuses() external {
        _allow(_scope());
        Home memory other = _home(2);
        Order order = _order(other, 1, BID, 500, 200_000);
        assertReason(
            _place(_signedBy(agent, order)), IEnergyAuction.WrongSigner.selector, "a delegation is one account's"
        );
    }

    function test_place__given_a_scope_for_the_meter_and_one_for_all__obeys_the_meters_own() external {
        Delegation memory wide = _scope();
        wide.meters = new uint32[](0);
        wide.market = 0;
        wide.maxEnergyWh = 5_000;
        _allow(wide);
        assertReason(_say(BID, 4_000, 200_000), 0, "for all meters");
        Delegation memory narrow = _scope();
        narrow.maxEnergyWh = 100;
        _allow(narrow);
        Order order = _order(home, 2, BID, 4_000, 200_000);
        assertReason(_place(_signedBy(agent, order)), IEnergyAuction.WrongSigner.selector, "the meter's own is narrower");
    }

    function test_place__given_a_scope_without_asks__refuses_asks() external {
        Delegation memory scope = _scope();
        scope.lowestAsk = type(uint64).max;
        _allow(scope);
        assertReason(_say(ASK, 500, 350_000), IEnergyAuction.WrongSigner.selector, "no asks");
    }

    function test_cancel__given_a_delegate__cancels_what_the_account_ordered() external {
        _allow(_scope());
        _assertPlaced(_place(_signedBy(home.owner, _order(home, 1, BID, 5_000, 300_000))));
        assertReason(_cancelOne(_signedBy(agent, _cancel(home, 2))), 0, "whatever its energy");
        assertEq(_availableOf(home.owner.addr), 10_000_000, "and the account has it back");
    }

    function test_placeSchedule__given_a_delegate__judges_line_by_line() external {
        _allow(_scope());
        Order[] memory lines = new Order[](3);
        lines[0] = _orderAt(SLOT, home, 1, BID, 1_000, 200_000);
        lines[1] = _orderAt(SLOT + 1, home, 1, BID, 1_001, 200_000);
        lines[2] = _orderAt(SLOT + 2, home, 1, ASK, 1_000, 150_000);
        bytes4[] memory reasons =
            _placeSchedule(home.owner.addr, lines, _signedSchedule(agent, home.owner.addr, lines));
        _assertPlaced(reasons[0]);
        assertReason(reasons[1], IEnergyAuction.WrongSigner.selector, "beyond the scope");
        _assertPlaced(reasons[2]);
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    function _scope() private view returns (Delegation memory) {
        return Delegation({
            account: home.owner.addr,
            delegate: agent.addr,
            market: MARKET,
            meters: _one(home.meter),
            maxEnergyWh: 1_000,
            lowestAsk: 150_000,
            highestBid: 250_000,
            until: uint40(block.timestamp + 1 days)
        });
    }

    function _allow(Delegation memory scope) private {
        auction.setDelegation(scope, _delegationAct(scope, home.owner));
    }

    function _say(uint8 side, uint256 energyWh, uint256 limit) private returns (bytes4) {
        return _place(_signedBy(agent, _order(home, 1, side, energyWh, limit)));
    }
}
