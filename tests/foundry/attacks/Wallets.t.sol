// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { EnergyAuction } from "../../../contracts/EnergyAuction.sol";
import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { SmartWallet } from "../../../contracts/mocks/SmartWallet.sol";
import { ASK, BID, SignedOrder } from "../../../contracts/types/Order.sol";
import { Feeder, Home } from "../auction/Feeder.sol";
import { Wallet } from "../auction/Wallet.sol";
import { Party } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";
import { Bomb, Moody, Refuser } from "./BadWallets.sol";

/// A reverting or gas-eating ERC-1271 wallet: what it can do to those who share a batch, a slot or a market with it.
contract WalletsTest is Feeder {
    /// What a wallet's check may burn, and what judging any order costs.
    uint256 private constant MOST_A_WALLET = 120_000;

    Home private seller;
    Home private buyer;

    function setUp() public override {
        super.setUp();
        (seller, buyer) = (_home(2), _home(4));
    }

    function test_a_bad_wallet__given_a_batch_with_others__costs_its_cap_and_keeps_nobody_out() external {
        SignedOrder[] memory alone = new SignedOrder[](2);
        alone[0] = _signedBy(seller.owner, _order(seller, 1, ASK, 1_000, 200_000));
        alone[1] = _signedBy(buyer.owner, _order(buyer, 1, BID, 1_000, 240_000));
        SignedOrder[] memory all = new SignedOrder[](5);
        all[0] = _anyOf(_walletHome(1, address(new Refuser())));
        all[1] = _anyOf(_walletHome(2, address(new Wallet(address(0)))));
        all[2] = alone[0];
        all[3] = _anyOf(_walletHome(3, address(new Bomb())));
        all[4] = alone[1];
        uint256 start = vm.snapshotState();
        uint256 gas = _gasOf(alone);
        vm.revertToState(start);
        assertLe(_gasOf(all), gas + 3 * MOST_A_WALLET, "what the three cost who sends it");
        vm.revertToState(start);

        bytes4[] memory reasons = _place(all);
        assertReason(reasons[0], IEnergyAuction.WrongSigner.selector, "it reverted");
        assertReason(reasons[1], IEnergyAuction.WrongSigner.selector, "it burned its gas");
        assertReason(reasons[3], IEnergyAuction.WrongSigner.selector, "it answered at length");
        vm.warp(_gateOf(SLOT));
        auction.clear(MARKET, SLOT);
        assertEq(auction.clearingOf(MARKET, SLOT).volumeWh, 1_000, "the two others trade");
    }

    /// Whoever sends a wallet's order with so little gas that it cannot judge has the whole batch revert: never a refusal.
    function test_a_senders_gas__given_too_little_for_a_wallet__cannot_have_its_order_refused() external {
        Home memory shared = _walletHome(1, address(new SmartWallet(buyer.owner.addr)));
        SignedOrder[] memory orders = new SignedOrder[](1);
        orders[0] = _signedBy(buyer.owner, _order(shared, 1, BID, 1_000, 240_000));
        bytes memory call = abi.encodeCall(EnergyAuction.place, (orders));
        bool told;
        bool done;
        for (uint256 gas = 30_000; !done; gas += 2_500) {
            bytes memory answer;
            vm.prank(stranger.addr);
            (done, answer) = address(auction).call{ gas: gas }(call);
            told = told || bytes4(answer) == IEnergyAuction.GasTooLowForWallet.selector;
        }
        assertTrue(told, "and is told why");
        assertEq(auction.positionOf(shared.meter, SLOT).energyWh, 1_000, "the first call that went through placed it");
    }

    /// Only orders ask a wallet. One that turns bad once it has traded cannot hold up the slot, nor its own bill.
    function test_a_bad_wallet__given_it_turns_bad_after_its_trade__is_settled_like_anybody() external {
        Moody wallet = new Moody();
        Home memory moody = _walletHome(1, address(wallet));
        _assertPlaced(_place(_anyOf(moody)));
        _ask(seller, 1_000, 200_000);
        wallet.anger();
        vm.warp(_deadlineOf(SLOT));
        assertReason(_settle(seller, SLOT, 1, 0, 1_000), 0, "the seller");
        assertReason(_settleByDefault(moody, SLOT), 0, "the wallet, by anyone");
        assertTrue(auction.clearingOf(MARKET, SLOT).closed, "the slot closes");
        assertEq(_worthOf(seller.owner.addr), 10_000_000 + 200_000, "1 kWh at 0.20");
        assertEq(_worthOf(address(wallet)), 10_000_000 - 240_000, "with the fee");
        assertEq(vault.potOf(address(auction)), 0, "nothing stays behind");
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    /// A bid that its wallet is asked about, with no key's signature.
    function _anyOf(Home memory home) private view returns (SignedOrder memory) {
        return SignedOrder(_order(home, 1, BID, 1_000, 250_000), 0, 0);
    }

    function _gasOf(SignedOrder[] memory orders) private returns (uint256 gas) {
        bytes memory call = abi.encodeCall(EnergyAuction.place, (orders));
        gas = gasleft();
        (bool done,) = address(auction).call(call);
        gas -= gasleft();
        assertTrue(done, "the batch goes on");
    }

    function _walletHome(uint256 seed, address wallet) private returns (Home memory home) {
        home.owner = Party(wallet, 0);
        home.device = _secpDevice(700 + seed);
        _enrol(home.device, wallet);
        home.meter = _register(_registration(home.device.id, wallet));
        _deposit(wallet, 10_000_000);
    }
}
