// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";

import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { LocalCurrency } from "../../../contracts/LocalCurrency.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Delegation } from "../../../contracts/types/Delegation.sol";
import { MarketTerms } from "../../../contracts/types/MarketTerms.sol";
import { BID, SignedOrder } from "../../../contracts/types/Order.sol";
import { SignedReading } from "../../../contracts/types/Reading.sol";
import { Feeder, Home } from "../auction/Feeder.sol";
import { Party, Signing } from "../support/Signing.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

/// A stolen relayer key: an account with gas, without a role, that can send whatever it likes to whom it likes.
contract KeysTest is Feeder {
    Home private home;
    Party private thief;
    bytes32 private money;

    function setUp() public override {
        super.setUp();
        home = _home(2);
        _bid(home, 1_000, 250_000);
        thief = stranger;
        money = _allMoney();
    }

    function test_a_stolen_relayer_key__given_what_modules_may__is_refused() external {
        IVault.Lock[] memory locks = new IVault.Lock[](2);
        locks[0] = IVault.Lock(home.owner.addr, 1_000_000, 0);
        locks[1] = IVault.Lock(thief.addr, -1_000_000, 0);
        _refuses(address(vault), abi.encodeCall(vault.lock, (locks)), "take from an account, pay itself");
        IVault.Settlement memory settlement;
        (settlement.utility, settlement.operator) = (utility.addr, thief.addr);
        settlement.toOperator = 1_000_000;
        _refuses(address(vault), abi.encodeCall(vault.settle, (settlement)), "have the utility pay it");
        _refuses(address(vault), abi.encodeCall(vault.collect, (utility.addr, thief.addr)), "collect a debt");
        SignedReading[] memory readings = new SignedReading[](1);
        readings[0] = _signed(home.device, _reading(home.meter, SLOT, 1, 0, 0));
        vm.warp(_endOf(SLOT));
        _refuses(address(ledger), abi.encodeCall(ledger.record, (MARKET, SLOT, _asOf(SLOT), readings)), "record unpaid readings");
        _assertNothingMoved();
    }

    function test_a_stolen_relayer_key__given_what_the_admin_and_minters_may__is_refused() external {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = IVault.lock.selector;
        address to = address(authority);
        _refuses(to, abi.encodeCall(AccessManager.grantRole, (Roles.MODULE, thief.addr, 0)), "make itself a module");
        _refuses(to, abi.encodeCall(AccessManager.grantRole, (Roles.OPERATOR, thief.addr, 0)), "or an operator");
        _refuses(to, abi.encodeCall(AccessManager.setGrantDelay, (Roles.MODULE, 0)), "shorten a delay");
        _refuses(to, abi.encodeCall(AccessManager.setTargetFunctionRole, (address(vault), selectors, 0)), "open lock");
        _refuses(to, abi.encodeCall(AccessManager.setTargetClosed, (address(auction), true)), "stop the market");
        _refuses(address(currency), abi.encodeCall(LocalCurrency.mint, (thief.addr, 1_000_000)), "mint");
        _refuses(address(vault), abi.encodeCall(vault.skim, (thief.addr)), "skim");
        _refuses(address(vault), abi.encodeCall(vault.withdraw, (thief.addr, 1)), "withdraw what it has not");
        bytes memory pull = abi.encodeCall(currency.transferFrom, (address(vault), thief.addr, 1_000_000));
        _refuses(address(currency), pull, "pull tokens out of the Vault");
        _assertNothingMoved();
    }

    /// It signs in the names of those whose word counts.
    function test_a_stolen_relayer_key__given_acts_that_it_forges__is_refused() external {
        DeviceKey memory device = _secpDevice(99);
        IDeviceRegistry.Enrolment memory enrolment = _enrolment(device, thief.addr);
        for (uint256 i = 0; i < 2; ++i) {
            Act memory act = _endorse(enrolment, i == 0 ? _as(maker) : thief);
            bytes32[2] memory possession = _possession(device, thief.addr, act);
            _refuses(address(devices), abi.encodeCall(devices.enrol, (enrolment, act, possession)), "enrol a device");
        }
        IDeviceRegistry.Status revoked = IDeviceRegistry.Status.Revoked;
        Act memory status = _statusAct(home.device.id, revoked, _as(operator));
        bytes memory call = abi.encodeCall(devices.setStatus, (home.device.id, revoked, status));
        _refuses(address(devices), call, "revoke a meter");
        IDERRegistry.MeterRegistration memory meter = _registration(device.id, home.owner.addr);
        call = abi.encodeCall(ders.registerMeter, (meter, _operatorAct(meter, _as(operator)), Signing.none()));
        _refuses(address(ders), call, "register one to the home's account");
        MarketTerms memory terms = _terms();
        Act memory create = _marketAct("CreateMarket", terms, _as(operator));
        call = abi.encodeCall(auction.createMarket, (terms, create, _marketAct("Underwrite", terms, _as(utility))));
        _refuses(address(auction), call, "open a market of the utility's");
        Delegation memory scope =
            Delegation(home.owner.addr, thief.addr, 0, new uint32[](0), 5_000, 0, 390_000, type(uint40).max);
        call = abi.encodeCall(auction.setDelegation, (scope, _delegationAct(scope, _as(home.owner))));
        _refuses(address(auction), call, "become the home's delegate");
        call = abi.encodeCall(vault.withdrawBySig, (thief.addr, 1_000_000, _withdrawal(_as(home.owner), thief.addr)));
        _refuses(address(vault), call, "withdraw the home's money");
        _assertNothingMoved();
    }

    function test_a_stolen_relayer_key__given_orders_and_readings_that_it_forges__is_refused() external {
        Party memory forger = _as(home.owner);
        bytes4 reason = _place(_signedBy(forger, _order(home, 2, BID, 5_000, 390_000)));
        assertReason(reason, IEnergyAuction.WrongSigner.selector, "an order");
        assertReason(_cancelOne(_signedBy(forger, _cancel(home, 2))), IEnergyAuction.WrongSigner.selector, "a cancel");
        assertEq(auction.positionOf(home.meter, SLOT).version, 1, "the home's own stands");
        vm.warp(_endOf(SLOT));
        DeviceKey memory forged = home.device;
        forged.key = thief.key;
        reason = _settle(SLOT, _signed(forged, _reading(home.meter, SLOT, 1, 5_000, 0)));
        assertReason(reason, IDeviceRegistry.DeviceSignatureInvalid.selector, "a reading");
        _assertNothingMoved();
    }

    /// All that is left to it: what the relayer was given, which does what its signers said, and what anybody may.
    function test_a_stolen_relayer_key__given_what_the_service_accepted__does_what_its_signers_said() external {
        Act memory act = _withdrawal(home.owner, home.owner.addr);
        vm.startPrank(thief.addr);
        vault.withdrawBySig(home.owner.addr, 1_000_000, act);
        SignedOrder[] memory orders = new SignedOrder[](1);
        orders[0] = _signedBy(home.owner, _order(home, 2, BID, 100, 250_000));
        auction.place(orders);
        vm.stopPrank();
        assertEq(currency.balanceOf(home.owner.addr), 1_000_000, "paid to the home");
        assertEq(_availableOf(home.owner.addr), 9_000_000 - 25_000, "0.25 x 100 Wh, as the home signed");
        assertEq(currency.balanceOf(thief.addr) + _availableOf(thief.addr), 0, "nothing to the thief");
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    /// Who claims to be another.
    function _as(Party memory party) private view returns (Party memory) {
        return Party(party.addr, thief.key);
    }

    function _withdrawal(Party memory by, address to) private returns (Act memory act) {
        act = _draft(by);
        bytes32 typeHash =
            keccak256("Withdrawal(address account,address to,uint256 amount,uint256 nonce,uint256 deadline)");
        bytes32 hash = keccak256(abi.encode(typeHash, by.addr, to, 1_000_000, act.nonce, act.deadline));
        act.signature = Signing.sign(by.key, _digest("Gridweave Vault", address(vault), hash));
    }

    function _refuses(address target, bytes memory call, string memory what) private {
        vm.prank(thief.addr);
        (bool done,) = target.call(call);
        assertFalse(done, what);
    }

    function _allMoney() private view returns (bytes32) {
        return keccak256(
            abi.encode(
                _moneyOf(home.owner.addr),
                _moneyOf(utility.addr),
                _moneyOf(thief.addr),
                vault.potOf(address(auction)),
                vault.potOf(thief.addr),
                currency.balanceOf(address(vault)),
                currency.totalSupply()
            )
        );
    }

    function _assertNothingMoved() private view {
        assertEq(_allMoney(), money, "no money moved");
        assertEq(currency.balanceOf(thief.addr), 0, "and none came to the thief");
    }
}
