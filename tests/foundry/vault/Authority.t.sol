// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { IAccessManager } from "@openzeppelin/contracts/access/manager/IAccessManager.sol";

import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { House } from "../support/House.sol";
import { vm } from "../support/Vm.sol";

/// Delays of the roles that can move money.
contract AuthorityTest is House {
    uint32 private constant WEEK = 7 days;

    address private _module = address(0x30D);

    function test_setGrantDelay__given_a_longer_one__is_in_force_at_once() external {
        vm.prank(admin);
        authority.setGrantDelay(Roles.MODULE, WEEK);
        assertEq(authority.getRoleGrantDelay(Roles.MODULE), WEEK, "from now on");
    }

    function test_setGrantDelay__given_a_shorter_one__takes_the_difference() external {
        vm.startPrank(admin);
        authority.setGrantDelay(Roles.MODULE, WEEK);
        authority.setGrantDelay(Roles.MODULE, 1 days);
        vm.stopPrank();
        vm.warp(START + 6 days - 1);
        assertEq(authority.getRoleGrantDelay(Roles.MODULE), WEEK, "until the difference has passed");
        vm.warp(START + 6 days);
        assertEq(authority.getRoleGrantDelay(Roles.MODULE), 1 days, "then the shorter one");
    }

    function test_grantRole__given_the_grant_delay__lets_a_module_in_only_after_it() external {
        vm.startPrank(admin);
        authority.setGrantDelay(Roles.MODULE, WEEK);
        authority.grantRole(Roles.MODULE, _module, 0);
        vm.stopPrank();

        vm.warp(START + WEEK - 1);
        vm.prank(_module);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, _module));
        vault.lock(new IVault.Lock[](0));

        vm.warp(START + WEEK);
        vm.prank(_module);
        assertEq(vault.lock(new IVault.Lock[](0)).length, 0, "from then on");
    }

    // ---------------------------------------------------------------------------------------------- the targets themselves

    /// Else the admin would open `lock` to its own role and be through with every account in one transaction.
    function test_setTargetFunctionRole__given_the_targets_admin_delay__waits_a_week() external {
        _guard();
        for (uint256 i = 0; i < 2; ++i) {
            bytes[3] memory calls = _changes(i == 0 ? address(vault) : address(ledger));
            for (uint256 j = 0; j < calls.length; ++j) {
                vm.expectPartialRevert(IAccessManager.AccessManagerNotScheduled.selector);
                this.callAuthority(calls[j]);
            }
        }
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, admin));
        vm.prank(admin);
        vault.lock(new IVault.Lock[](0));
    }

    function test_setTargetFunctionRole__given_it_was_scheduled__works_after_a_week() external {
        _guard();
        bytes memory change = _changes(address(vault))[0];
        vm.startPrank(admin);
        authority.schedule(address(authority), change, 0);
        vm.warp(START + WEEK - 1);
        vm.expectPartialRevert(IAccessManager.AccessManagerNotReady.selector);
        authority.execute(address(authority), change);
        vm.warp(START + WEEK);
        authority.execute(address(authority), change);
        assertEq(authority.getTargetFunctionRole(address(vault), IVault.lock.selector), 0, "everybody could see it come");
        vm.stopPrank();
    }

    function test_setTargetAdminDelay__given_none_again__takes_a_week() external {
        _guard();
        vm.prank(admin);
        authority.setTargetAdminDelay(address(vault), 0);
        vm.warp(START + WEEK - 1);
        assertEq(authority.getTargetAdminDelay(address(vault)), WEEK, "until the difference has passed");
        vm.warp(START + WEEK);
        assertEq(authority.getTargetAdminDelay(address(vault)), 0, "then none");
    }

    /// Closing the Authority itself stops no call to others: its own functions are the admin's, closed or not.
    function test_setTargetClosed__given_the_authority_itself__stops_no_module() external {
        _guard();
        _grant(Roles.MODULE, _module);
        vm.prank(admin);
        authority.setTargetClosed(address(authority), true);
        vm.prank(_module);
        assertEq(vault.lock(new IVault.Lock[](0)).length, 0, "modules work");
        vm.prank(admin);
        authority.setTargetClosed(address(authority), false);
        assertFalse(authority.isTargetClosed(address(authority)), "and it opens again");
    }

    function _guard() private {
        vm.startPrank(admin);
        authority.setTargetAdminDelay(address(vault), WEEK);
        authority.setTargetAdminDelay(address(ledger), WEEK);
        vm.stopPrank();
    }

    /// What would let the admin in, keep all others out, or do both.
    function _changes(address target) private view returns (bytes[3] memory) {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = IVault.lock.selector;
        return [
            abi.encodeCall(authority.setTargetFunctionRole, (target, selectors, 0)),
            abi.encodeCall(authority.setTargetClosed, (target, true)),
            abi.encodeCall(authority.updateAuthority, (target, address(currency)))
        ];
    }

    /// What the admin says to the Authority. From outside, so that its revert can be expected.
    function callAuthority(bytes calldata call) external {
        vm.prank(admin);
        (bool done, bytes memory why) = address(authority).call(call);
        assembly {
            if iszero(done) { revert(add(why, 0x20), mload(why)) }
        }
    }
}
