// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { LocalCurrency } from "../../../contracts/LocalCurrency.sol";
import { Vault } from "../../../contracts/Vault.sol";
import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { Test } from "../support/Test.sol";
import { vm } from "../support/Vm.sol";
import { VaultStore } from "./VaultStore.sol";

/// Does to the Vault what parties and a module can do, in any order, and tells the store what that should come to.
contract VaultHandler is Test {
    uint256 public constant PARTIES = 7; // two utilities, an operator and four homes

    Vault private immutable _vault;
    LocalCurrency private immutable _currency;
    VaultStore private immutable _store;
    address private immutable _admin;

    constructor(Vault vault, LocalCurrency currency, VaultStore store, address admin) {
        _vault = vault;
        _currency = currency;
        _store = store;
        _admin = admin;
    }

    function party(uint256 i) public pure returns (address) {
        return address(uint160(0xA000 + (i % PARTIES)));
    }

    // ------------------------------------------------------------------------------------------------------------- money

    function deposit(uint256 who, uint256 amount) external {
        amount = _bound(amount, 1, 1e9);
        _currency.mint(address(this), amount);
        _currency.approve(address(_vault), amount);
        _vault.deposit(party(who), amount);
        _store.addDeposit(amount);
        _store.addCash(party(who), int256(amount));
        _store.count("deposit");
    }

    function withdraw(uint256 who, uint256 amount) external {
        uint256 most = _vault.withdrawableOf(party(who));
        if (most == 0) return;
        amount = _bound(amount, 1, most);
        vm.prank(party(who));
        _vault.withdraw(address(0xCA5), amount);
        _store.addWithdrawal(amount);
        _store.addCash(party(who), -int256(amount));
        _store.count("withdraw");
    }

    function withdrawTooMuch(uint256 who, uint256 above) external {
        uint256 amount = _vault.withdrawableOf(party(who)) + _bound(above, 1, 1e9);
        vm.prank(party(who));
        try _vault.withdraw(address(0xCA5), amount) {
            _store.addWithdrawnAboveWithdrawable();
        } catch { }
    }

    function sendBare(uint256 amount) external {
        amount = _bound(amount, 1, 1e6);
        _currency.mint(address(_vault), amount);
        _store.addBareTransfer(int256(amount));
    }

    function skim() external {
        uint256 surplus = _store.bareTransfers();
        if (surplus == 0) return;
        vm.prank(_admin);
        _vault.skim(address(0x5C1));
        _store.addBareTransfer(-int256(surplus));
    }

    // ------------------------------------------------------------------------------------------------------------ module

    function lock(uint256 who, uint256 amount, bool back) external {
        address account = party(who);
        uint256 most = back ? _min(_store.locked(account), _store.pot()) : 1e9;
        if (most == 0) return;
        int256 signed = int256(_bound(amount, 1, most));
        if (back) signed = -signed;
        IVault.Lock[] memory items = new IVault.Lock[](1);
        items[0] = IVault.Lock(account, int96(signed), "lock");
        if (_vault.lock(items)[0] != 0) return;

        _store.addCash(account, -signed);
        _store.addLocked(account, signed);
        _store.addPot(signed);
        _store.count("lock");
    }

    /// One settlement of up to three legs, of any signs, with a fee, dust and residue.
    function settle(uint256 seed, uint256[3] calldata pots, int256[3] calldata flows, uint256[3] calldata holds, bool even)
        external
    {
        IVault.Settlement memory settlement;
        settlement.utility = party(seed % 2);
        settlement.operator = even ? party(2) : party((seed >> 8) % 3);
        settlement.holdUntil = uint40(block.timestamp + _bound(seed >> 16, 0, _vault.holdLength()));
        settlement.legs = new IVault.Leg[](1 + (seed >> 24) % 3);
        for (uint256 i = 0; i < settlement.legs.length; ++i) {
            settlement.legs[i] = _leg(seed >> (32 + 8 * i), pots[i], flows[i], holds[i]);
            _bookLeg(settlement, settlement.legs[i]);
        }
        _addRest(settlement, seed >> 64);
        _vault.settle(settlement);
        _store.count("settle");
    }

    function _leg(uint256 seed, uint256 fromPot, int256 fromUtility, uint256 hold)
        private
        view
        returns (IVault.Leg memory leg)
    {
        leg.account = party(seed);
        leg.mayDebit = seed & 0x80 != 0;
        leg.fromPot = uint96(_bound(fromPot, 0, _min(_store.pot(), 1e8)));
        leg.fromUtility = int96(_bound(fromUtility, -1e9, 1e9));
        leg.hold = int96(uint96(_bound(hold, 0, 1e8)));
    }

    function _bookLeg(IVault.Settlement memory settlement, IVault.Leg memory leg) private {
        _store.addPot(-int256(uint256(leg.fromPot)));
        _store.addCash(leg.account, int256(uint256(leg.fromPot)) + leg.fromUtility);
        _store.addCash(settlement.utility, -int256(leg.fromUtility));
        if (leg.hold != 0) {
            _store.addHold(leg.account, settlement.holdUntil, uint96(leg.hold), _vault.holdLength());
        }
    }

    function _addRest(IVault.Settlement memory settlement, uint256 seed) private {
        settlement.toOperator = int96(_bound(int256(seed & 0xffffffff) - 0x80000000, -1e8, 1e8));
        uint256 pot = _store.pot();
        settlement.potToOperator = uint96(_bound(seed >> 32, 0, _min(pot, 1e7)));
        int256 least = -int256(uint256(settlement.potToOperator));
        int256 most = int256(_min(pot - settlement.potToOperator, 1e7));
        settlement.potToUtility = int96(_bound(int256((seed >> 64) & 0xffffff) - 0x800000, least, most));

        _store.addPot(-int256(settlement.potToUtility) - int256(uint256(settlement.potToOperator)));
        _store.addCash(settlement.utility, int256(settlement.potToUtility) - settlement.toOperator);
        _store.addCash(settlement.operator, int256(uint256(settlement.potToOperator)) + settlement.toOperator);
    }

    function collect(uint256 debtor, uint256 creditor) external {
        if (_vault.collect(party(debtor), party(creditor)) != 0) _store.count("collect");
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + _bound(time, 1, uint256(_vault.holdLength()) * 5 / 4));
    }
}
