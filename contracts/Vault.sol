// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuard } from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import { IVault } from "./interfaces/IVault.sol";
import { Debts } from "./libraries/Debts.sol";
import { SignedActs } from "./libraries/SignedActs.sol";
import { Account, HELD_FAR, HELD_NEAR, HELD_NOWHERE, MAX_ARREAR, MAX_AVAILABLE } from "./types/Account.sol";
import { Act } from "./types/Act.sol";

/// @title Vault
/// @notice See IVault. Storage is written before a token moves, and no token moves in `lock`, `settle` and `collect`.
contract Vault is IVault, SignedActs, ReentrancyGuard {
    using Debts for Debts.List;
    using SafeERC20 for IERC20;

    /// A word that a reference can point to, so that its place is computed once.
    struct Holder {
        Account word;
    }

    /// What the legs of one settlement share. The utility's word is kept here, and in storage only while others may see it.
    struct Batch {
        address utility;
        Account utilityWord;
        uint256 period;
        uint256 holdShift; // of the bucket that keeps this settlement's holds
    }

    bytes32 private constant WITHDRAWAL_TYPEHASH =
        keccak256("Withdrawal(address account,address to,uint256 amount,uint256 nonce,uint256 deadline)");

    /// How many creditors one credit pays, so that nobody's creditors make it too dear.
    uint256 private constant MAX_CREDITORS_PAID = 4;

    IERC20 private immutable _currency;
    uint32 private immutable _holdLength;
    /// Hold periods count from the one of the Vault's birth, so that 16 bits last.
    uint256 private immutable _birthPeriod;

    uint256 private _totalTracked;
    mapping(address account => Holder) private _accounts;
    mapping(address module => uint256) private _pots;
    mapping(address debtor => Debts.List) private _debts;

    constructor(address authority, IERC20 currency_, uint32 holdLength_)
        EIP712("Gridweave Vault", "1")
        AccessManaged(authority)
    {
        if (holdLength_ == 0) revert HoldLengthIsZero();

        _currency = currency_;
        _holdLength = holdLength_;
        _birthPeriod = block.timestamp / holdLength_;
    }

    // ------------------------------------------------------------------------------------------------ deposit and withdraw

    /// @inheritdoc IVault
    function deposit(address account, uint256 amount) external nonReentrant {
        _deposit(account, msg.sender, amount);
    }

    /// @inheritdoc IVault
    function depositWithPermit(address account, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        nonReentrant
    {
        IERC20Permit(address(_currency)).permit(account, address(this), amount, deadline, v, r, s);
        _deposit(account, account, amount);
    }

    /// The tokens come first: what arrived is compared, and until then nothing here has changed.
    function _deposit(address account, address payer, uint256 amount) private {
        if (account == address(0)) revert AccountIsZero();
        if (amount == 0) revert ZeroAmount();
        uint256 tracked = _totalTracked;
        if (amount > MAX_AVAILABLE - tracked) revert VaultFull(tracked, amount);

        uint256 before = _currency.balanceOf(address(this));
        _currency.safeTransferFrom(payer, address(this), amount);
        uint256 received = _currency.balanceOf(address(this)) - before;
        if (received != amount) revert AmountNotReceived(amount, received);

        _totalTracked = tracked + amount;
        (Account credited,) = _credit(account, _load(account), amount);
        _accounts[account].word = credited;
        emit Deposited(account, payer, amount, credited.available());
    }

    /// @inheritdoc IVault
    function withdraw(address to, uint256 amount) external nonReentrant {
        _withdraw(msg.sender, to, amount);
    }

    /// @inheritdoc IVault
    function withdrawBySig(address to, uint256 amount, Act calldata act) external nonReentrant {
        _consume(
            act, keccak256(abi.encode(WITHDRAWAL_TYPEHASH, act.signer, to, amount, act.nonce, act.deadline))
        );
        _withdraw(act.signer, to, amount);
    }

    function _withdraw(address account, address to, uint256 amount) private {
        if (amount == 0) revert ZeroAmount();
        Account word = _load(account);
        uint256 most = _withdrawable(word);
        if (amount > most) revert WithdrawalAboveWithdrawable(account, most, amount);

        word = word.debited(amount);
        _accounts[account].word = word;
        _totalTracked -= amount;
        emit Withdrawn(account, to, amount, word.available());

        _currency.safeTransfer(to, amount);
    }

    function _withdrawable(Account account) private pure returns (uint256) {
        uint256 kept = account.held() + account.arrear();
        uint256 available = account.available();
        return available > kept ? available - kept : 0;
    }

    /// @inheritdoc IVault
    function skim(address to) external restricted nonReentrant {
        uint256 balance = _currency.balanceOf(address(this));
        uint256 tracked = _totalTracked;
        if (balance <= tracked) revert ZeroAmount();
        uint256 amount = balance - tracked;
        emit Skimmed(to, amount);

        _currency.safeTransfer(to, amount);
    }

    // -------------------------------------------------------------------------------------------------------------- lock

    /// @inheritdoc IVault
    function lock(Lock[] calldata items) external restricted returns (bytes4[] memory reasons) {
        reasons = new bytes4[](items.length);
        uint256 period = _period();
        uint256 pot = _pots[msg.sender];
        for (uint256 i = 0; i < items.length; ++i) {
            Lock calldata item = items[i];
            int256 amount = item.amount;
            if (amount == 0) continue;
            address account = item.account;
            Holder storage holder = _accounts[account];
            Account word = holder.word.asOf(period);
            if (amount > 0) {
                bytes4 reason = _refusal(word, uint256(amount));
                if (reason != 0) {
                    reasons[i] = reason;
                    continue;
                }
                word = word.moved(-amount);
                // Below 2^72, as all that is tracked.
                unchecked {
                    pot += uint256(amount);
                }
            } else {
                pot = _takeFromPot(pot, uint256(-amount));
                (word,) = _credit(account, word, uint256(-amount));
            }
            holder.word = word;
            emit Locked(account, msg.sender, item.ref, amount, word.available());
        }
        _pots[msg.sender] = pot;
    }

    function _refusal(Account word, uint256 amount) private pure returns (bytes4) {
        if (word.arrear() != 0) return InArrears.selector;
        return word.available() < amount ? AvailableTooSmall.selector : bytes4(0);
    }

    function _takeFromPot(uint256 pot, uint256 amount) private view returns (uint256) {
        if (amount > pot) revert PotTooSmall(msg.sender, pot, amount);
        return pot - amount;
    }

    // ------------------------------------------------------------------------------------------------------------ settle

    /// @inheritdoc IVault
    function settle(Settlement calldata settlement) external restricted {
        address utility = settlement.utility;
        if (utility == address(0) || settlement.operator == address(0)) revert AccountIsZero();

        Batch memory batch = Batch(utility, _load(utility), _period(), _holdShift(settlement.holdUntil));
        uint256 pot = _pots[msg.sender];
        Leg[] calldata legs = settlement.legs;
        for (uint256 i = 0; i < legs.length; ++i) {
            Leg calldata leg = legs[i];
            uint256 fromPot = leg.fromPot;
            pot = _takeFromPot(pot, fromPot);
            _settleLeg(leg, batch, int256(fromPot));
        }
        _accounts[utility].word = batch.utilityWord;
        _pots[msg.sender] = _balance(settlement, pot);
        _emitBalanced(settlement);
    }

    function _settleLeg(Leg calldata leg, Batch memory batch, int256 fromPot) private {
        address account = leg.account;
        int256 fromUtility = leg.fromUtility;
        Holder storage holder = _accounts[account];
        Account word = holder.word.asOf(batch.period);
        bool plain = _isPlain(word, batch.utilityWord, fromPot, fromUtility, leg.mayDebit) && account != batch.utility;
        if (plain) {
            // Amounts of 96 and balances of 72 bits: no sum leaves 98.
            unchecked {
                batch.utilityWord = batch.utilityWord.moved(-fromUtility);
                word = word.moved(fromPot + fromUtility);
            }
        } else {
            _accounts[batch.utility].word = batch.utilityWord;
            word = _settleWithDebts(leg, batch.utility, _load(account));
        }
        int256 hold = leg.hold;
        if (hold != 0) word = word.holding(batch.holdShift, hold);

        holder.word = word;
        if (!plain) batch.utilityWord = _accounts[batch.utility].word;
        emit Paid(account, msg.sender, leg.ref, uint256(fromPot), fromUtility, hold, word.available());
    }

    /// Whether neither side owes anything, before or after: then a leg is two additions.
    function _isPlain(Account word, Account utilityWord, int256 fromPot, int256 fromUtility, bool mayDebit)
        private
        pure
        returns (bool)
    {
        if (word.arrear() | utilityWord.arrear() != 0) return false;
        // Amounts of 96 and balances of 72 bits: no sum leaves 98.
        unchecked {
            int256 least = mayDebit ? -int256(word.available()) : int256(0);
            return fromUtility <= int256(utilityWord.available()) && fromPot + fromUtility >= least;
        }
    }

    function _settleWithDebts(Leg calldata leg, address utility, Account word) private returns (Account) {
        address account = leg.account;
        uint256 kept = 0;
        if (leg.fromPot != 0) (word, kept) = _credit(account, word, leg.fromPot);

        int256 fromUtility = leg.fromUtility;
        if (fromUtility == 0 || account == utility) return word;
        if (fromUtility > 0) return _payFrom(utility, account, word, uint256(fromUtility));
        uint256 allowed = leg.mayDebit ? word.available() : kept;
        return _payTo(utility, account, word, uint256(-fromUtility), allowed);
    }

    /// `payer` pays `amount` to the account whose word is at hand, and owes what it cannot pay.
    function _payFrom(address payer, address account, Account word, uint256 amount) private returns (Account) {
        Account paying = _load(payer);
        uint256 paid = _min(paying.available(), amount);
        if (paid != 0) {
            _accounts[payer].word = paying.debited(paid);
            (word,) = _credit(account, word, paid);
        }
        // slither-disable-next-line incorrect-equality
        return paid == amount ? word : _owe(account, word, payer, account, amount - paid);
    }

    /// The account whose word is at hand pays `amount` to `payee`, at most `allowed`, and owes the rest.
    function _payTo(address payee, address account, Account word, uint256 amount, uint256 allowed)
        private
        returns (Account)
    {
        uint256 paid = _min(allowed, amount);
        if (paid != 0) {
            word = word.debited(paid);
            Account receiving = _load(payee);
            if (receiving.arrear() == 0) {
                _accounts[payee].word = receiving.credited(paid);
            } else {
                // The account itself may be among the payee's creditors.
                _accounts[account].word = word;
                (receiving,) = _credit(payee, receiving, paid);
                _accounts[payee].word = receiving;
                word = _accounts[account].word;
            }
        }
        // slither-disable-next-line incorrect-equality
        return paid == amount ? word : _owe(account, word, account, payee, amount - paid);
    }

    /// What follows the legs: fee and rounding between utility and operator, dust and residue of the pot.
    function _balance(Settlement calldata settlement, uint256 pot) private returns (uint256) {
        address utility = settlement.utility;
        address operator = settlement.operator;

        int256 toOperator = settlement.toOperator;
        if (toOperator != 0 && utility != operator) {
            _accounts[operator].word = toOperator > 0
                ? _payFrom(utility, operator, _load(operator), uint256(toOperator))
                : _payAll(utility, operator, uint256(-toOperator));
        }

        uint256 potToOperator = settlement.potToOperator;
        int256 potToUtility = settlement.potToUtility;
        if (potToUtility > 0) {
            pot = _takeFromPot(pot, uint256(potToUtility));
            _store(utility, uint256(potToUtility));
        } else if (potToUtility < 0) {
            uint256 due = uint256(-potToUtility);
            if (due > potToOperator) revert PotTooSmall(msg.sender, potToOperator, due);
            Account paying = _load(utility);
            uint256 paid = _min(paying.available(), due);
            _accounts[utility].word = paying.debited(paid);
            pot += paid;
            potToOperator -= due - paid;
            if (paid != due && utility != operator) {
                _accounts[operator].word = _owe(operator, _load(operator), utility, operator, due - paid);
            }
        }
        if (potToOperator != 0) {
            pot = _takeFromPot(pot, potToOperator);
            _store(operator, potToOperator);
        }
        return pot;
    }

    function _payAll(address payee, address account, uint256 amount) private returns (Account) {
        Account word = _load(account);
        return _payTo(payee, account, word, amount, word.available());
    }

    function _emitBalanced(Settlement calldata settlement) private {
        emit Balanced(
            msg.sender,
            settlement.utility,
            settlement.operator,
            settlement.toOperator,
            settlement.potToUtility,
            settlement.potToOperator,
            _accounts[settlement.utility].word.available(),
            _accounts[settlement.operator].word.available()
        );
    }

    // ------------------------------------------------------------------------------------------------------------- debts

    /// @inheritdoc IVault
    function collect(address debtor, address creditor) external restricted returns (uint256 paid) {
        paid = _min(_accounts[debtor].word.available(), _debts[debtor].owedTo(creditor));
        if (paid != 0) _payDebt(debtor, creditor, paid);
    }

    /// Credits `amount` to the account whose word is at hand; its creditors come first.
    function _credit(address account, Account word, uint256 amount) private returns (Account, uint256 kept) {
        word = word.credited(amount);
        if (word.arrear() == 0) return (word, amount);

        _accounts[account].word = word;
        kept = amount;
        for (uint256 i = 0; i < MAX_CREDITORS_PAID && kept != 0; ++i) {
            address creditor = _debts[account].oldest();
            if (creditor == address(0)) break;
            uint256 paid = _min(kept, _debts[account].owedTo(creditor));
            _payDebt(account, creditor, paid);
            kept -= paid;
        }
        return (_accounts[account].word, kept);
    }

    function _store(address account, uint256 amount) private {
        (Account word,) = _credit(account, _load(account), amount);
        _accounts[account].word = word;
    }

    /// No recursion: the creditor's own creditors wait for `collect`, else a ring of debts would never end.
    function _payDebt(address debtor, address creditor, uint256 amount) private {
        Account paying = _load(debtor).debited(amount);
        _accounts[debtor].word = paying;
        Account receiving = _load(creditor).credited(amount);
        _accounts[creditor].word = receiving;
        emit DebtPaid(debtor, creditor, amount, paying.available(), receiving.available());

        _relieve(debtor, creditor, amount);
    }

    /// Records that `debtor` owes `amount` more to `creditor`, one of whom is the account whose word is at hand.
    function _owe(address account, Account word, address debtor, address creditor, uint256 amount)
        private
        returns (Account)
    {
        _accounts[account].word = word;
        uint256 cancelled = _min(_debts[creditor].owedTo(debtor), amount);
        if (cancelled != 0) _relieve(creditor, debtor, cancelled);
        if (cancelled != amount) _burden(debtor, creditor, amount - cancelled);
        return _accounts[account].word;
    }

    function _burden(address debtor, address creditor, uint256 amount) private {
        if (debtor == address(0) || creditor == address(0)) revert AccountIsZero();
        Account word = _load(debtor);
        uint256 arrear = word.arrear() + amount;
        if (arrear > MAX_ARREAR) revert ArrearTooLarge(debtor, arrear);
        _accounts[debtor].word = word.indebted(amount);
        emit DebtChanged(debtor, creditor, _debts[debtor].increase(creditor, amount));
    }

    function _relieve(address debtor, address creditor, uint256 amount) private {
        _accounts[debtor].word = _load(debtor).relieved(amount);
        emit DebtChanged(debtor, creditor, _debts[debtor].decrease(creditor, amount));
    }

    // ------------------------------------------------------------------------------------------------------ hold periods

    function _period() private view returns (uint256) {
        return block.timestamp / _holdLength - _birthPeriod;
    }

    function _load(address account) private view returns (Account) {
        return _accounts[account].word.asOf(_period());
    }

    /// A hold until time u ends with u's own period: it lasts up to one hold length beyond u, never less.
    function _holdShift(uint256 holdUntil) private view returns (uint256) {
        uint256 current = block.timestamp / _holdLength;
        uint256 last = holdUntil / _holdLength;
        if (last < current) return HELD_NOWHERE;
        if (last > current + 1) revert HoldTooFar(holdUntil, (current + 2) * _holdLength);
        return last > current ? HELD_FAR : HELD_NEAR;
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    // ----------------------------------------------------------------------------------------------------------- getters

    /// @inheritdoc IVault
    function accountOf(address account) external view returns (uint256 available, uint256 held, uint256 arrear) {
        Account word = _load(account);
        return (word.available(), word.held(), word.arrear());
    }

    /// @inheritdoc IVault
    function withdrawableOf(address account) external view returns (uint256) {
        return _withdrawable(_load(account));
    }

    /// @inheritdoc IVault
    function potOf(address module) external view returns (uint256) {
        return _pots[module];
    }

    /// @inheritdoc IVault
    function owed(address debtor, address creditor) external view returns (uint256) {
        return _debts[debtor].owedTo(creditor);
    }

    /// @inheritdoc IVault
    function totalTracked() external view returns (uint256) {
        return _totalTracked;
    }

    /// @inheritdoc IVault
    function currency() external view returns (address) {
        return address(_currency);
    }

    /// @inheritdoc IVault
    function holdLength() external view returns (uint32) {
        return _holdLength;
    }
}
