// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Authority } from "../../../contracts/Authority.sol";
import { DERRegistry } from "../../../contracts/DERRegistry.sol";
import { DeviceRegistry } from "../../../contracts/DeviceRegistry.sol";
import { LocalCurrency } from "../../../contracts/LocalCurrency.sol";
import { MeterLedger } from "../../../contracts/MeterLedger.sol";
import { Vault } from "../../../contracts/Vault.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Party, Signing } from "./Signing.sol";
import { Test } from "./Test.sol";
import { vm } from "./Vm.sol";

/// The house without its auction: every contract deployed, every role granted, nobody in it yet.
abstract contract House is Test {
    uint32 internal constant SLOT_LENGTH = 900;
    uint32 internal constant HOLD_LENGTH = 7 days;
    uint256 internal constant START = 1_800_000_000; // a multiple of SLOT_LENGTH
    uint32 internal constant FIRST_SLOT = uint32(START / SLOT_LENGTH);

    address internal admin = address(0xAD);
    Party internal operator = Signing.party("operator");
    Party internal maker = Signing.party("maker");
    Party internal utility = Signing.party("utility");
    Party internal prosumer = Signing.party("prosumer");
    Party internal stranger = Signing.party("stranger");

    Authority internal authority;
    LocalCurrency internal currency;
    Vault internal vault;
    DeviceRegistry internal devices;
    DERRegistry internal ders;
    MeterLedger internal ledger;

    uint256 private _nonces;

    function setUp() public virtual {
        vm.warp(START);
        authority = new Authority(admin);
        currency = new LocalCurrency(address(authority));
        vault = new Vault(address(authority), currency, HOLD_LENGTH);
        devices = new DeviceRegistry(address(authority));
        ders = new DERRegistry(address(authority), devices, SLOT_LENGTH);
        ledger = new MeterLedger(address(authority), ders, devices);
        _grantRoles();
    }

    function _grantRoles() private {
        vm.startPrank(admin);
        _open(address(currency), LocalCurrency.mint.selector, Roles.MINTER);
        _open(address(vault), Vault.lock.selector, Roles.MODULE);
        _open(address(vault), Vault.settle.selector, Roles.MODULE);
        _open(address(vault), Vault.collect.selector, Roles.MODULE);
        _open(address(devices), DeviceRegistry.enrol.selector, Roles.MAKER);
        _open(address(devices), DeviceRegistry.registerBatch.selector, Roles.MAKER);
        _open(address(devices), DeviceRegistry.setStatus.selector, Roles.OPERATOR);
        _open(address(devices), DeviceRegistry.closeBatch.selector, Roles.OPERATOR);
        _open(address(devices), DeviceRegistry.noteCompromise.selector, Roles.OPERATOR);
        _open(address(ders), DERRegistry.registerMeter.selector, Roles.OPERATOR);
        _open(address(ders), DERRegistry.moveMeter.selector, Roles.OPERATOR);
        _open(address(ders), DERRegistry.endMeter.selector, Roles.OPERATOR);
        _open(address(ders), DERRegistry.registerAsset.selector, Roles.OPERATOR);
        _open(address(ledger), MeterLedger.record.selector, Roles.RECORDER);
        authority.grantRole(Roles.MINTER, address(this), 0);
        authority.grantRole(Roles.OPERATOR, operator.addr, 0);
        authority.grantRole(Roles.MAKER, maker.addr, 0);
        vm.stopPrank();
    }

    /// Lets `role` call one function. By the admin.
    function _open(address target, bytes4 selector, uint64 role) internal {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = selector;
        authority.setTargetFunctionRole(target, selectors, role);
    }

    function _grant(uint64 role, address account) internal {
        vm.prank(admin);
        authority.grantRole(role, account, 0);
    }

    // -------------------------------------------------------------------------------------------------------------- acts

    function _nextNonce() internal returns (uint256) {
        return ++_nonces;
    }

    /// An act of `by` with an empty signature, a fresh nonce and an hour to live.
    function _draft(Party memory by) internal returns (Act memory act) {
        act.signer = by.addr;
        act.nonce = _nextNonce();
        act.deadline = block.timestamp + 1 hours;
    }

    function _digest(string memory name, address verifier, bytes32 structHash) internal view returns (bytes32) {
        return Signing.digest(name, verifier, block.chainid, structHash);
    }

    // ------------------------------------------------------------------------------------------------------------- money

    function _deposit(address account, uint256 amount) internal {
        currency.mint(address(this), amount);
        currency.approve(address(vault), amount);
        vault.deposit(account, amount);
    }

    function _availableOf(address account) internal view returns (uint256 available) {
        (available,,) = vault.accountOf(account);
    }

    function _heldOf(address account) internal view returns (uint256 held) {
        (, held,) = vault.accountOf(account);
    }

    function _arrearOf(address account) internal view returns (uint256 arrear) {
        (,, arrear) = vault.accountOf(account);
    }
}
