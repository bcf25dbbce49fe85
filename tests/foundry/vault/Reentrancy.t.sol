// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { ReentrancyGuard } from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import { Vault } from "../../../contracts/Vault.sol";
import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { CallbackToken, ITokenHook } from "../../../contracts/mocks/CallbackToken.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Party, Signing } from "../support/Signing.sol";
import { Test } from "../support/Test.sol";
import { vm } from "../support/Vm.sol";
import { VaultTest } from "./VaultTest.sol";

/// Comes back into the Vault with each of `calls` whenever the token calls it, and remembers how that ended.
contract Attacker is ITokenHook, Test {
    Vault private immutable _vault;
    IERC20 private immutable _token;

    bytes[] private _calls;
    uint256 public attempts;
    uint256 public successes;
    bytes4 public otherError;
    bool public uncovered;

    constructor(Vault vault_, IERC20 token) {
        _vault = vault_;
        _token = token;
        token.approve(address(vault_), type(uint256).max);
    }

    function arm(bytes memory call_) external {
        _calls.push(call_);
    }

    function tokenMoves(address, address, uint256) external {
        // A reader in the middle must find the Vault covered, too.
        if (_vault.totalTracked() > _token.balanceOf(address(_vault))) uncovered = true;
        for (uint256 i = 0; i < _calls.length; ++i) {
            ++attempts;
            (bool done, bytes memory answer) = address(_vault).call(_calls[i]);
            if (done) ++successes;
            else if (bytes4(answer) != ReentrancyGuard.ReentrancyGuardReentrantCall.selector) otherError = bytes4(answer);
        }
    }

    function deposit(address account, uint256 amount) external {
        _vault.deposit(account, amount);
    }

    function withdraw(address to, uint256 amount) external {
        _vault.withdraw(to, amount);
    }
}

contract ReentrancyTest is VaultTest {
    uint256 private constant STAKE = 1_000;

    CallbackToken private _token;
    Vault private _target;
    Attacker private _attacker;

    function setUp() public override {
        super.setUp();
        _token = new CallbackToken();
        _target = new Vault(address(authority), _token, HOLD_LENGTH);
        _attacker = new Attacker(_target, _token);

        _token.mint(address(_attacker), STAKE);
        _attacker.deposit(address(_attacker), STAKE / 2);
        // Others' money, and some of nobody's.
        _token.mint(address(this), STAKE);
        _token.approve(address(_target), STAKE);
        _target.deposit(home, STAKE);
        _token.mint(address(_target), 77);

        _token.setHook(address(_attacker), _attacker);
        // An admin, so that not even skim is closed to it by its role.
        _grant(0, address(_attacker));
    }

    function test_deposit__given_a_payer_that_comes_back__lets_nothing_in() external {
        _armAll();
        _attacker.deposit(address(_attacker), 100);
        _assertNothingGained(STAKE / 2 + 100, STAKE / 2 - 100);
    }

    function test_depositWithPermit__given_an_account_that_comes_back__lets_nothing_in() external {
        _armAll();
        _token.mint(prosumer.addr, 100);
        _token.setHook(prosumer.addr, _attacker);
        (uint8 v, bytes32 r, bytes32 s) = _permit();
        _target.depositWithPermit(prosumer.addr, 100, START + 1 hours, v, r, s);
        _assertNothingGained(STAKE / 2, STAKE / 2);
    }

    function test_withdraw__given_a_payee_that_comes_back__lets_nothing_in() external {
        _armAll();
        _attacker.withdraw(address(_attacker), 100);
        _assertNothingGained(STAKE / 2 - 100, STAKE / 2 + 100);
    }

    function test_withdrawBySig__given_a_payee_that_comes_back__lets_nothing_in() external {
        _token.mint(address(this), 100);
        _token.approve(address(_target), 100);
        _target.deposit(prosumer.addr, 100);
        _armAll();
        _target.withdrawBySig(address(_attacker), 60, _withdrawal(60));
        _assertNothingGained(STAKE / 2, STAKE / 2 + 60);
    }

    function test_skim__given_a_payee_that_comes_back__lets_nothing_in() external {
        _armAll();
        vm.prank(admin);
        _target.skim(address(_attacker));
        _assertNothingGained(STAKE / 2, STAKE / 2 + 77);
    }

    /// The Vault's books stand still while a token moves, so a module may even work from within.
    function test_lock__given_a_module_called_by_the_token__finds_books_that_agree() external {
        vm.startPrank(admin);
        _open(address(_target), IVault.lock.selector, Roles.MODULE);
        authority.grantRole(Roles.MODULE, address(_attacker), 0);
        vm.stopPrank();
        IVault.Lock[] memory items = new IVault.Lock[](1);
        items[0] = IVault.Lock(address(_attacker), 400, REF);
        _attacker.arm(abi.encodeCall(IVault.lock, (items)));

        _attacker.withdraw(address(_attacker), 100);

        (uint256 available,,) = _target.accountOf(address(_attacker));
        assertEq(_attacker.successes(), 1, "locked from within");
        assertEq(available, STAKE / 2 - 100 - 400, "available == stake - withdrawn - locked");
        assertEq(_target.potOf(address(_attacker)), 400, "pot == locked");
        assertEq(_target.totalTracked(), STAKE + STAKE / 2 - 100, "totalTracked == deposits - withdrawn");
    }

    /// Everything that moves tokens.
    function _armAll() private {
        (uint8 v, bytes32 r, bytes32 s) = _permit();
        _attacker.arm(abi.encodeCall(IVault.deposit, (address(_attacker), 10)));
        _attacker.arm(
            abi.encodeCall(IVault.depositWithPermit, (prosumer.addr, 100, START + 1 hours, v, r, s))
        );
        _attacker.arm(abi.encodeCall(IVault.withdraw, (address(_attacker), 10)));
        _attacker.arm(abi.encodeCall(IVault.withdrawBySig, (address(_attacker), 10, _withdrawal(10))));
        _attacker.arm(abi.encodeCall(IVault.skim, (address(_attacker))));
    }

    function _assertNothingGained(uint256 available, uint256 tokens) private view {
        (uint256 available_,,) = _target.accountOf(address(_attacker));
        assertEq(_attacker.attempts(), 5, "five ways in were tried");
        assertEq(_attacker.successes(), 0, "none was open");
        assertReason(_attacker.otherError(), 0, "the guard closed each");
        assertFalse(_attacker.uncovered(), "totalTracked <= tokens held, in the middle too");
        assertEq(available_, available, "the attacker's account");
        assertEq(_token.balanceOf(address(_attacker)), tokens, "the attacker's tokens");
        assertLe(_target.totalTracked(), _token.balanceOf(address(_target)), "totalTracked <= tokens held");
        (uint256 others,,) = _target.accountOf(home);
        assertEq(others, STAKE, "others' money");
    }

    function _permit() private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                prosumer.addr,
                address(_target),
                100,
                0,
                START + 1 hours
            )
        );
        return vm.sign(prosumer.key, Signing.digest("Callback Token", address(_token), block.chainid, structHash));
    }

    function _withdrawal(uint256 amount) private returns (Act memory act) {
        act = _draft(prosumer);
        act.signature = Signing.sign(
            prosumer.key, _withdrawalDigest(address(_target), block.chainid, address(_attacker), amount, act)
        );
    }
}
