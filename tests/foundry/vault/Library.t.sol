// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { IAccessManager } from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import { IERC20Errors } from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Address } from "@openzeppelin/contracts/utils/Address.sol";
import { Errors } from "@openzeppelin/contracts/utils/Errors.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { Authority } from "../../../contracts/Authority.sol";
import { Vault } from "../../../contracts/Vault.sol";
import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { vm } from "../support/Vm.sol";
import { VaultTest } from "./VaultTest.sol";

/// A token that says that it did nothing.
contract IdleToken is ERC20 {
    constructor() ERC20("Idle", "IDL") { }

    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// Answers every call with a revert that says nothing.
contract Mute {
    fallback() external {
        revert();
    }
}

/// The library's own errors, as far as a caller of our contracts can get them.
contract LibraryTest is VaultTest {
    uint48 private constant WEEK = 7 days;
    bytes private _skim;

    function setUp() public override {
        super.setUp();
        _skim = abi.encodeCall(IVault.skim, (home));
        vm.startPrank(admin);
        _open(address(vault), Vault.skim.selector, Roles.OPERATOR);
        authority.grantRole(Roles.OPERATOR, operator.addr, uint32(WEEK)); // a delay for whoever has none yet
        vm.stopPrank();
        vm.warp(START + 2 * WEEK);
    }

    // -------------------------------------------------------------------------------------------------- what is scheduled

    function test_schedule__given_no_role__reverts() external {
        vm.prank(stranger.addr);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessManager.AccessManagerUnauthorizedCall.selector, stranger.addr, vault, IVault.skim.selector
            )
        );
        authority.schedule(address(vault), _skim, 0);
    }

    function test_schedule__given_it_is_scheduled__reverts() external {
        bytes32 id = _scheduled();
        vm.prank(operator.addr);
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerAlreadyScheduled.selector, id));
        authority.schedule(address(vault), _skim, 0);
    }

    function test_execute__given_nothing_scheduled__reverts() external {
        vm.prank(operator.addr);
        vm.expectPartialRevert(IAccessManager.AccessManagerNotScheduled.selector);
        authority.execute(address(vault), _skim);
    }

    function test_execute__given_it_was_left_for_a_week__reverts() external {
        bytes32 id = _scheduled();
        vm.warp(block.timestamp + 2 * WEEK + 1);
        vm.prank(operator.addr);
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerExpired.selector, id));
        authority.execute(address(vault), _skim);
    }

    function test_cancel__given_a_stranger__reverts() external {
        _scheduled();
        vm.prank(stranger.addr);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessManager.AccessManagerUnauthorizedCancel.selector,
                stranger.addr,
                operator.addr,
                vault,
                IVault.skim.selector
            )
        );
        authority.cancel(operator.addr, address(vault), _skim);
    }

    function test_consumeScheduledOp__given_nobody_asked_for_it__reverts() external {
        vm.prank(stranger.addr);
        vm.expectRevert();
        authority.consumeScheduledOp(operator.addr, _skim); // a caller without code cannot even be asked

        vm.prank(address(vault));
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManager.AccessManagerUnauthorizedConsume.selector, address(vault))
        );
        authority.consumeScheduledOp(operator.addr, _skim);
    }

    /// Seconds since 1970 fit 48 bits for nine million years.
    function test_schedule__given_time_beyond_its_field__reverts() external {
        vm.warp(1 << 48);
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 48, 1 << 48));
        authority.canCall(operator.addr, address(vault), IVault.skim.selector);
    }

    // ------------------------------------------------------------------------------------------------------------- roles

    function test_constructor__given_no_admin__reverts() external {
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManager.AccessManagerInvalidInitialAdmin.selector, address(0))
        );
        new Authority(address(0));
    }

    function test_grantRole__given_a_stranger__reverts() external {
        vm.prank(stranger.addr);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManager.AccessManagerUnauthorizedAccount.selector, stranger.addr, 0)
        );
        authority.grantRole(Roles.MODULE, stranger.addr, 0);
    }

    function test_renounceRole__given_another_address__reverts() external {
        vm.prank(operator.addr);
        vm.expectRevert(IAccessManager.AccessManagerBadConfirmation.selector);
        authority.renounceRole(Roles.OPERATOR, stranger.addr);
    }

    function test_labelRole__given_the_admins__reverts() external {
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerLockedRole.selector, 0));
        authority.labelRole(0, "nobody's");
    }

    function test_updateAuthority__given_no_contract__reverts() external {
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedInvalidAuthority.selector, home));
        authority.updateAuthority(address(vault), home);
    }

    // --------------------------------------------------------------------------------------------------- calls of others

    function test_execute__given_no_contract__reverts() external {
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(Address.AddressEmptyCode.selector, home));
        authority.execute(home, _skim);
    }

    function test_execute__given_a_revert_without_a_reason__reverts() external {
        address mute = address(new Mute());
        vm.prank(admin);
        vm.expectRevert(Errors.FailedCall.selector);
        authority.execute(mute, _skim);
    }

    // ------------------------------------------------------------------------------------------------------------- token

    function test_deposit__given_a_token_that_does_nothing__reverts() external {
        IdleToken token = new IdleToken();
        Vault other = new Vault(address(authority), token, HOLD_LENGTH);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, token));
        other.deposit(home, 1);
    }

    function test_transferFrom__given_no_allowance__reverts() external {
        currency.mint(home, 5);
        vm.prank(stranger.addr);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, stranger.addr, 0, 5)
        );
        currency.transferFrom(home, stranger.addr, 5);
    }

    function test_transferFrom__given_nobody__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidApprover.selector, address(0)));
        currency.transferFrom(address(0), home, 0);
    }

    function test_transfer__given_nobody_to_send_or_to_get_it__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0)));
        currency.transfer(address(0), 0);
        vm.prank(address(0));
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidSender.selector, address(0)));
        currency.transfer(home, 0);
    }

    function test_approve__given_nobody__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidSpender.selector, address(0)));
        currency.approve(address(0), 1);
    }

    function test_permit__given_no_signature_or_the_other_s__reverts() external {
        uint256 deadline = block.timestamp;
        vm.expectRevert(ECDSA.ECDSAInvalidSignature.selector);
        currency.permit(home, stranger.addr, 1, deadline, 5, bytes32(uint256(1)), bytes32(uint256(1)));

        bytes32 high = bytes32(type(uint256).max / 2 + 1);
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, high));
        currency.permit(home, stranger.addr, 1, deadline, 27, bytes32(uint256(1)), high);
    }

    /// The admin asks first for an operator with a delay.
    function _scheduled() private returns (bytes32 id) {
        vm.prank(operator.addr);
        (id,) = authority.schedule(address(vault), _skim, 0);
    }
}
