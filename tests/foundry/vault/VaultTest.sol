// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { House } from "../support/House.sol";
import { Party, Signing } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";

/// The house with a module, and one way to ask the Vault for each thing.
abstract contract VaultTest is House {
    string internal constant VAULT = "Gridweave Vault";
    bytes32 internal constant REF = "reference";

    bytes32 private constant WITHDRAWAL_TYPEHASH =
        keccak256("Withdrawal(address account,address to,uint256 amount,uint256 nonce,uint256 deadline)");

    address internal module = address(0x30D);
    address internal home = address(0x1001);
    address internal neighbour = address(0x1002);

    function setUp() public virtual override {
        super.setUp();
        _grant(Roles.MODULE, module);
    }

    // -------------------------------------------------------------------------------------------------------------- lock

    function _lock(address account, int96 amount) internal returns (bytes4) {
        IVault.Lock[] memory items = new IVault.Lock[](1);
        items[0] = IVault.Lock(account, amount, REF);
        vm.prank(module);
        return vault.lock(items)[0];
    }

    /// Fills the module's pot from an account of its own.
    function _fillPot(uint96 amount) internal {
        address source = address(0xF111);
        _deposit(source, amount);
        assertReason(_lock(source, int96(amount)), 0, "the pot is filled");
    }

    // ------------------------------------------------------------------------------------------------------------ settle

    function _leg(address account, bool mayDebit, uint96 fromPot, int96 fromUtility)
        internal
        pure
        returns (IVault.Leg memory)
    {
        return IVault.Leg(account, mayDebit, fromPot, fromUtility, 0, REF);
    }

    function _settlement(uint256 legs) internal view returns (IVault.Settlement memory settlement) {
        settlement.utility = utility.addr;
        settlement.operator = operator.addr;
        settlement.holdUntil = uint40(block.timestamp);
        settlement.legs = new IVault.Leg[](legs);
    }

    function _settle(IVault.Settlement memory settlement) internal {
        vm.prank(module);
        vault.settle(settlement);
    }

    function _settleLeg(IVault.Leg memory leg) internal {
        IVault.Settlement memory settlement = _settlement(1);
        settlement.legs[0] = leg;
        _settle(settlement);
    }

    /// Makes `debtor` owe `creditor`, the one as a utility without funds, the other as a household.
    function _owe(address debtor, address creditor, uint96 amount) internal {
        IVault.Settlement memory settlement = _settlement(1);
        settlement.utility = creditor;
        settlement.legs[0] = _leg(debtor, false, 0, -int96(amount));
        _settle(settlement);
    }

    function _collect(address debtor, address creditor) internal returns (uint256) {
        vm.prank(module);
        return vault.collect(debtor, creditor);
    }

    // ---------------------------------------------------------------------------------------------------------- withdraw

    function _withdrawalDigest(address verifier, uint256 chain, address to, uint256 amount, Act memory act)
        internal
        pure
        returns (bytes32)
    {
        return Signing.digest(
            VAULT,
            verifier,
            chain,
            keccak256(abi.encode(WITHDRAWAL_TYPEHASH, act.signer, to, amount, act.nonce, act.deadline))
        );
    }

    function _withdrawalAct(Party memory by, address to, uint256 amount) internal returns (Act memory act) {
        act = _draft(by);
        act.signature = Signing.sign(by.key, _withdrawalDigest(address(vault), block.chainid, to, amount, act));
    }

    function _assertAccount(address account, uint256 available, uint256 held, uint256 arrear, string memory why)
        internal
        view
    {
        (uint256 available_, uint256 held_, uint256 arrear_) = vault.accountOf(account);
        assertEq(available_, available, string.concat(why, ": available"));
        assertEq(held_, held, string.concat(why, ": held"));
        assertEq(arrear_, arrear, string.concat(why, ": arrear"));
    }
}
