// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Acknowledgement } from "../../../contracts/types/Acknowledgement.sol";
import { ASK, BID, Order, SignedOrder } from "../../../contracts/types/Order.sol";
import { Home } from "../auction/Feeder.sol";
import { Bonded } from "../bond/Bonded.sol";
import { Party, Signing } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";

/// Two sponsors, two relayers and three homes: acknowledges, places, leaves, proves and claims, and remembers what each order has
/// come to, so that BondInvariants can say what must follow.
contract BondHandler is Bonded {
    struct Given {
        uint256 who;
        SignedOrder signed;
        Acknowledgement promise_;
    }

    uint256 private constant HOMES = 3;

    Home[] private homes;
    Party[] private sponsors;
    Party[] private relayers;
    Given[] private given;
    mapping(bytes32 digest => uint256 time) private arrivedAt;
    mapping(bytes32 digest => mapping(bytes32 signatureHash => uint256 time)) private refusedAt;
    mapping(uint256 home => mapping(uint32 slot => uint16)) private versions; // the newest that the auction has
    mapping(bytes32 digest => mapping(address relayer => bool)) private paid;
    mapping(address sponsor => mapping(address relayer => uint256 time)) private lastUnbonding;

    uint256 public posted = STAKE;
    uint256 public redeemed;
    uint256 public compensated;
    mapping(bytes32 verb => uint256) public done;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < HOMES; ++i) {
            homes.push(_home(100 + 2 * i));
        }
        sponsors.push(sponsor);
        relayers.push(relayer);
        sponsors.push(Signing.party("other sponsor"));
        relayers.push(Signing.party("other relayer"));
        _deposit(sponsors[1].addr, STAKE);
    }

    // -------------------------------------------------------------------------------------------------------------- bonds

    function post(uint256 seed) external {
        _choose(seed);
        uint256 most = vault.withdrawableOf(sponsor.addr);
        uint256 amount = most < 2 ? most : (seed >> 8) % most;
        _post(amount);
        posted += amount;
        ++done["post"];
    }

    function unbond(uint256 seed) external {
        _choose(seed);
        (uint256 amount, uint256 leaving,) = bond.bondOf(sponsor.addr, relayer.addr);
        _unbond((seed >> 8) % (amount - leaving + 1));
        lastUnbonding[sponsor.addr][relayer.addr] = block.timestamp;
        ++done["unbond"];
    }

    function redeem(uint256 seed) external {
        _choose(seed);
        (, uint256 leaving,) = bond.bondOf(sponsor.addr, relayer.addr);
        try bond.redeem(sponsor.addr, relayer.addr) {
            uint256 since = lastUnbonding[sponsor.addr][relayer.addr];
            assertTrue(block.timestamp >= since + bond.unbondingTime(), "nothing leaves before its time");
            redeemed += leaving;
            ++done["redeem"];
        } catch { }
    }

    function deposit(uint256 seed) external {
        if (seed % 3 == 0) _deposit(homes[(seed >> 4) % HOMES].owner.addr, 1 + (seed >> 8) % STAKE);
        else _deposit(sponsors[seed % 2].addr, 1 + (seed >> 8) % COMPENSATION);
        ++done["deposit"];
    }

    /// A home has little left, so that orders are refused.
    function withdraw(uint256 seed) external {
        address account = homes[seed % HOMES].owner.addr;
        uint256 most = vault.withdrawableOf(account);
        if (most < 2) return;
        vm.prank(account);
        vault.withdraw(account, most - most / 8);
        ++done["withdraw"];
    }

    // ------------------------------------------------------------------------------------------------------------- orders

    /// A relayer's promise about a new order.
    function acknowledge(uint256 seed) external {
        _choose(seed);
        uint256 who = (seed >> 8) % HOMES;
        uint32 slot = uint32(block.timestamp / SLOT_LENGTH) + 2 + uint32((seed >> 16) % 3);
        uint16 version = versions[who][slot] + 1 + uint16((seed >> 24) % 2);
        uint8 side = (seed >> 32) % 2 == 0 ? BID : ASK;
        uint256 until = (seed >> 40) % 4 == 0 ? block.timestamp + 600 : type(uint40).max;
        uint256 energyWh = 10 + (seed >> 48) % 900;
        Order order = _pack(MARKET, slot, homes[who].meter, version, until, side, energyWh, 250_000);
        SignedOrder memory signed = _signedBy(homes[who].owner, order);
        uint256 before = (seed >> 80) % 3 == 0 ? block.timestamp + 300 : _gateOf(slot);
        bytes32 signatureHash = keccak256(abi.encodePacked(signed.r, signed.vs));
        given.push(Given(who, signed, _acknowledged(relayer, _orderDigest(order), signatureHash, before)));
        ++done["acknowledge"];
    }

    function place(uint256 seed) external {
        if (given.length == 0) return;
        Given storage one = _some(seed);
        _place(one.signed);
        _noteArrival(one, "place");
    }

    function prove(uint256 seed) external {
        if (given.length == 0) return;
        Given storage one = _some(seed);
        bond.proveRefusal(one.signed);
        if (_noteArrival(one, "prove a good one")) return;
        _noteRefusal(_orderDigest(one.signed.order), one.promise_.signatureHash);
    }

    /// A signature that nobody acknowledged: it proves nothing about the one that was.
    function proveAnother(uint256 seed) external {
        if (given.length == 0) return;
        Given storage one = _some(seed);
        SignedOrder memory spoilt = SignedOrder(one.signed.order, one.signed.r, one.signed.vs ^ bytes32(uint256(1)));
        bond.proveRefusal(spoilt);
        assertTrue(!_hasArrived(one), "nobody's signature places nothing");
        ++done["prove another"];
    }

    /// The order's signature put under a schedule of that one order: it proves nothing either.
    function borrow(uint256 seed) external {
        if (given.length == 0) return;
        Given storage one = _some(seed);
        Order[] memory orders = new Order[](1);
        orders[0] = one.signed.order;
        bytes memory signature = abi.encodePacked(one.signed.r, one.signed.vs);
        bond.proveScheduleRefusal(homes[one.who].owner.addr, orders, signature);
        assertTrue(!_hasArrived(one), "nobody signed that schedule");
        ++done["borrow"];
    }

    function _noteArrival(Given storage one, bytes32 verb) private returns (bool) {
        if (!_hasArrived(one)) return false;
        Order order = one.signed.order;
        versions[one.who][order.slot()] = order.version();
        arrivedAt[_orderDigest(order)] = block.timestamp;
        ++done[verb];
        return true;
    }

    /// Whether it is there since this act.
    function _hasArrived(Given storage one) private view returns (bool) {
        Order order = one.signed.order;
        (uint256 version, uint256 takenAt) = auction.lastVersionOf(order.meter(), order.slot());
        return version == order.version() && version > versions[one.who][order.slot()] && takenAt == block.timestamp;
    }

    function _noteRefusal(bytes32 digest, bytes32 signatureHash) private {
        uint256 noted = bond.refusedAt(digest, digest, signatureHash);
        if (refusedAt[digest][signatureHash] == 0 && noted == block.timestamp) ++done["prove"];
        assertTrue(
            refusedAt[digest][signatureHash] == 0 || refusedAt[digest][signatureHash] == noted, "the first proof counts"
        );
        refusedAt[digest][signatureHash] = noted;
    }

    // ------------------------------------------------------------------------------------------------------------- claims

    /// Pays exactly if the promise is due and broken, nobody was paid for it, and the bond can pay.
    function claim(uint256 seed) external {
        if (given.length == 0) return;
        Given storage one = _some(seed);
        address account = homes[one.who].owner.addr;
        uint256 before = _availableOf(account);
        bool due = _isOwed(one);
        (uint256 amount,,) = bond.bondOf(one.promise_.sponsor, one.promise_.relayer);
        bool payable_ = due && amount >= COMPENSATION;
        try bond.claim(one.signed.order, one.promise_) {
            assertTrue(payable_, "only a broken promise pays, once");
            assertEq(_availableOf(account), before + COMPENSATION, "the account has it");
            paid[_orderDigest(one.signed.order)][one.promise_.relayer] = true;
            compensated += COMPENSATION;
            ++done["claim"];
        } catch {
            assertTrue(!payable_, "a broken promise pays");
            if (due) ++done["claim of too little"];
        }
    }

    function _isOwed(Given storage one) private view returns (bool) {
        Order order = one.signed.order;
        bytes32 digest = _orderDigest(order);
        uint256 before = one.promise_.commitBefore;
        if (block.timestamp < before || paid[digest][one.promise_.relayer]) return false;
        if (block.timestamp >= (uint256(order.slot()) + 64) * SLOT_LENGTH) return false;
        if (versions[one.who][order.slot()] > order.version()) return false;
        // another order of the same version is as good
        (uint256 version, uint256 takenAt) = auction.lastVersionOf(order.meter(), order.slot());
        if (version == order.version() && takenAt < before) return false;
        assertTrue(arrivedAt[digest] == 0 || arrivedAt[digest] >= before, "what arrived in time is there");
        uint256 refused = refusedAt[digest][one.promise_.signatureHash];
        return refused == 0 || refused >= before;
    }

    /// Mostly a part of a slot; seldom as long as a bond waits.
    function pass(uint256 seed) external {
        uint256 time = 1 + seed % SLOT_LENGTH;
        if ((seed >> 32) % 20 == 0) time += 65 * uint256(SLOT_LENGTH);
        if ((seed >> 32) % 20 == 1) time += bond.unbondingTime();
        vm.warp(block.timestamp + time);
        ++done["pass"];
    }

    /// One of the newest promises.
    function _some(uint256 seed) private view returns (Given storage) {
        uint256 count = given.length;
        return given[count - 1 - seed % (count < 12 ? count : 12)];
    }

    /// Whose turn it is.
    function _choose(uint256 seed) private {
        sponsor = sponsors[seed % 2];
        relayer = relayers[(seed >> 1) % 2];
    }

    // -------------------------------------------------------------------------------------------------- what must follow

    /// the bond's pot = sum of bonds = posted - redeemed - compensated
    function assertPot() external view {
        uint256 sum;
        for (uint256 i = 0; i < 4; ++i) {
            (uint256 amount, uint256 leaving,) = bond.bondOf(sponsors[i % 2].addr, relayers[i / 2].addr);
            assertLe(leaving, amount, "what leaves is a part of it");
            sum += amount;
        }
        assertEq(sum, vault.potOf(address(bond)), "the pot is the sum of bonds");
        assertEq(sum, posted - redeemed - compensated, "which is what was put down and not taken");
    }

    /// accounts + pots = tracked <= tokens
    function assertConservation() external view {
        uint256 sum = vault.potOf(address(auction)) + vault.potOf(address(bond)) + _availableOf(home.owner.addr);
        sum += _availableOf(utility.addr) + _availableOf(gridOperator.addr);
        sum += _availableOf(sponsors[0].addr) + _availableOf(sponsors[1].addr);
        for (uint256 i = 0; i < HOMES; ++i) {
            sum += _availableOf(homes[i].owner.addr);
        }
        assertEq(sum, vault.totalTracked(), "accounts + pots = tracked");
        assertLe(sum, currency.balanceOf(address(vault)), "tracked <= tokens held");
    }

    /// Every sponsor takes back what is left.
    function tearDown() external {
        for (uint256 i = 0; i < 4; ++i) {
            _choose(i);
            (uint256 amount, uint256 leaving,) = bond.bondOf(sponsor.addr, relayer.addr);
            _unbond(amount - leaving);
        }
        vm.warp(block.timestamp + bond.unbondingTime());
        for (uint256 i = 0; i < 4; ++i) {
            _choose(i);
            (uint256 amount,,) = bond.bondOf(sponsor.addr, relayer.addr);
            if (amount == 0) continue;
            bond.redeem(sponsor.addr, relayer.addr);
            redeemed += amount;
        }
        assertEq(vault.potOf(address(bond)), 0, "nothing stays in the pot");
    }
}
