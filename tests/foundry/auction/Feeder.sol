// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { EnergyAuction } from "../../../contracts/EnergyAuction.sol";
import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { IMeterLedger } from "../../../contracts/interfaces/IMeterLedger.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Cancel, SignedCancel } from "../../../contracts/types/Cancel.sol";
import { Delegation } from "../../../contracts/types/Delegation.sol";
import { MarketTerms } from "../../../contracts/types/MarketTerms.sol";
import { ASK, BID, Order, SignedOrder } from "../../../contracts/types/Order.sol";
import { SignedReading } from "../../../contracts/types/Reading.sol";
import { Party, Signing } from "../support/Signing.sol";
import { DeviceKey, Street } from "../support/Street.sol";
import { Vm, vm } from "../support/Vm.sol";

/// A home: who owns it, its device, and its meter.
struct Home {
    Party owner;
    DeviceKey device;
    uint32 meter;
}

/// The whole house with one market, in which homes order, and meters are read.
///
///   place, cancel | clear          | settle             | settleByDefault, settle | settleByDefault
///   --------------|----------------|--------------------|-------------------------|----------------> t
///               gate           slot's end        reading deadline         correction's end
abstract contract Feeder is Street {
    string internal constant AUCTION = "Gridweave EnergyAuction";

    uint256 internal constant FEE = 40_000;
    uint256 internal constant FEED_IN = 80_000;
    uint256 internal constant RETAIL = 360_000;
    /// A slot some hours ahead of START.
    uint32 internal constant SLOT = FIRST_SLOT + 8;

    bytes32 private constant TERMS_TYPEHASH = keccak256(
        "MarketTerms(uint40 minPrice,uint32 tickSize,uint16 tickCount,uint40 gridFee,uint40 feedInPrice,uint40 retailPrice,uint32 minEnergyWh,address utility,uint32 gateLead,uint32 readingWindow,uint32 correctionWindow,address operator,uint32 defaultWh,uint32 fromSlot)"
    );
    bytes32 private constant ORDER_TYPEHASH = keccak256(
        "Order(uint32 market,uint32 slot,uint32 meter,uint16 version,uint40 deadline,uint8 side,uint32 energyWh,uint64 limitPrice)"
    );
    bytes32 private constant CANCEL_TYPEHASH =
        keccak256("Cancel(uint32 market,uint32 slot,uint32 meter,uint16 version,uint40 deadline)");

    bytes32 private constant SCHEDULE_TYPEHASH = keccak256(
        "Schedule(address account,Order[] orders)Order(uint32 market,uint32 slot,uint32 meter,uint16 version,uint40 deadline,uint8 side,uint32 energyWh,uint64 limitPrice)"
    );

    bytes32 private constant CANCEL_SCHEDULE_TYPEHASH = keccak256(
        "CancelSchedule(address account,Cancel[] cancels)Cancel(uint32 market,uint32 slot,uint32 meter,uint16 version,uint40 deadline)"
    );
    bytes32 private constant DELEGATION_TYPEHASH = keccak256(
        "Delegation(address account,address delegate,uint32 market,uint32[] meters,uint32 maxEnergyWh,uint64 lowestAsk,uint64 highestBid,uint40 until,uint256 nonce,uint256 deadline)"
    );

    EnergyAuction internal auction;
    Party internal gridOperator = Signing.party("grid operator");

    function setUp() public virtual override {
        super.setUp();
        auction = new EnergyAuction(address(authority), vault, ledger, ders);
        _grant(Roles.MODULE, address(auction));
        _grant(Roles.RECORDER, address(auction));
        vm.startPrank(admin);
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = EnergyAuction.place.selector;
        authority.setTargetFunctionRole(address(auction), selectors, authority.PUBLIC_ROLE());
        selectors[0] = EnergyAuction.placeSchedule.selector;
        authority.setTargetFunctionRole(address(auction), selectors, authority.PUBLIC_ROLE());
        selectors[0] = EnergyAuction.createMarket.selector;
        authority.setTargetFunctionRole(address(auction), selectors, Roles.OPERATOR);
        selectors[0] = EnergyAuction.changeMarket.selector;
        authority.setTargetFunctionRole(address(auction), selectors, Roles.OPERATOR);
        vm.stopPrank();
        _createMarket(_terms());
        _deposit(utility.addr, 1_000_000_000);
    }

    // ----------------------------------------------------------------------------------------------------------- markets

    /// Prices 0.08 to 0.35 net, a fee of 0.04, feed-in 0.08, retail 0.36 a kWh.
    function _terms() internal view virtual returns (MarketTerms memory) {
        return MarketTerms({
            minPrice: 80_000,
            tickSize: 10_000,
            tickCount: 28,
            gridFee: uint40(FEE),
            feedInPrice: uint40(FEED_IN),
            retailPrice: uint40(RETAIL),
            minEnergyWh: 10,
            utility: utility.addr,
            gateLead: SLOT_LENGTH,
            readingWindow: 1 hours,
            correctionWindow: 6 hours,
            operator: gridOperator.addr,
            defaultWh: 500,
            fromSlot: 0
        });
    }

    function _marketAct(string memory kind, MarketTerms memory terms, Party memory by)
        internal
        returns (Act memory act)
    {
        act = _draft(by);
        bytes32 typeHash = keccak256(
            abi.encodePacked(
                kind,
                "(MarketTerms terms,uint256 nonce,uint256 deadline)MarketTerms(uint40 minPrice,uint32 tickSize,uint16 tickCount,uint40 gridFee,uint40 feedInPrice,uint40 retailPrice,uint32 minEnergyWh,address utility,uint32 gateLead,uint32 readingWindow,uint32 correctionWindow,address operator,uint32 defaultWh,uint32 fromSlot)"
            )
        );
        bytes32 structHash =
            keccak256(abi.encode(typeHash, keccak256(abi.encode(TERMS_TYPEHASH, terms)), act.nonce, act.deadline));
        act.signature = Signing.sign(by.key, _digest(AUCTION, address(auction), structHash));
    }

    function _createMarket(MarketTerms memory terms) internal returns (uint32) {
        return auction.createMarket(
            terms, _marketAct("CreateMarket", terms, operator), _marketAct("Underwrite", terms, utility)
        );
    }

    /// A change of MARKET as operator and utility sign it.
    function _changeActs(MarketTerms memory terms) internal returns (Act memory change, Act memory underwrite) {
        change = _changeAct("ChangeMarket", terms, operator);
        underwrite = _changeAct("UnderwriteChange", terms, utility);
    }

    function _changeAct(string memory kind, MarketTerms memory terms, Party memory by) internal returns (Act memory) {
        return _changeAct(kind, MARKET, terms, by);
    }

    function _changeAct(string memory kind, uint32 market, MarketTerms memory terms, Party memory by)
        internal
        returns (Act memory act)
    {
        act = _draft(by);
        bytes32 typeHash = keccak256(
            abi.encodePacked(
                kind,
                "(uint32 market,MarketTerms terms,uint256 nonce,uint256 deadline)MarketTerms(uint40 minPrice,uint32 tickSize,uint16 tickCount,uint40 gridFee,uint40 feedInPrice,uint40 retailPrice,uint32 minEnergyWh,address utility,uint32 gateLead,uint32 readingWindow,uint32 correctionWindow,address operator,uint32 defaultWh,uint32 fromSlot)"
            )
        );
        bytes32 termsHash = keccak256(abi.encode(TERMS_TYPEHASH, terms));
        bytes32 structHash = keccak256(abi.encode(typeHash, market, termsHash, act.nonce, act.deadline));
        act.signature = Signing.sign(by.key, _digest(AUCTION, address(auction), structHash));
    }

    // -------------------------------------------------------------------------------------------------------- delegation

    function _delegationAct(Delegation memory scope, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        bytes32 structHash = keccak256(
            abi.encode(
                DELEGATION_TYPEHASH,
                scope.account,
                scope.delegate,
                scope.market,
                keccak256(abi.encodePacked(scope.meters)),
                scope.maxEnergyWh,
                scope.lowestAsk,
                scope.highestBid,
                scope.until,
                act.nonce,
                act.deadline
            )
        );
        act.signature = Signing.sign(by.key, _digest(AUCTION, address(auction), structHash));
    }

    /// Lets `delegate` ask and, up to a limit, bid for all meters of the owner, for good.
    function _delegate(Party memory owner, Party memory delegate, uint64 highestBid) internal {
        Delegation memory scope = Delegation({
            account: owner.addr,
            delegate: delegate.addr,
            market: 0,
            meters: new uint32[](0),
            maxEnergyWh: 1_000,
            lowestAsk: 0,
            highestBid: highestBid,
            until: type(uint40).max
        });
        auction.setDelegation(scope, _delegationAct(scope, owner));
    }

    // ------------------------------------------------------------------------------------------------------------- homes

    /// A home with 10.00 in the Vault and a mandate; every other one has a P-256 key.
    function _home(uint256 seed) internal returns (Home memory home) {
        return _homeIn(MARKET, seed, true, seed % 2 == 1);
    }

    function _homeIn(uint32 market, uint256 seed, bool mandate, bool p256) internal returns (Home memory home) {
        home.owner = Signing.party(string(abi.encode("home", market, seed)));
        uint256 number = uint256(market) * 1e6 + seed;
        home.device = p256 ? _p256Device(number) : _secpDevice(number);
        _enrol(home.device, home.owner.addr);
        IDERRegistry.MeterRegistration memory registration = _registration(home.device.id, home.owner.addr);
        registration.market = market;
        home.meter = mandate ? _registerFor(registration, home.owner) : _register(registration);
        _deposit(home.owner.addr, 10_000_000);
    }

    // ------------------------------------------------------------------------------------------------------------ orders

    function _pack(
        uint32 market,
        uint32 slot,
        uint32 meter,
        uint16 version,
        uint256 deadline,
        uint8 side,
        uint256 energyWh,
        uint256 limitPrice
    ) internal pure returns (Order) {
        bytes memory head = abi.encodePacked(market, slot, meter, version);
        bytes memory tail = abi.encodePacked(uint40(deadline), side, uint32(energyWh), uint64(limitPrice));
        return Order.wrap(bytes32(bytes.concat(head, tail)));
    }

    /// An order for SLOT, good for an hour.
    function _order(Home memory home, uint16 version, uint8 side, uint256 energyWh, uint256 limitPrice)
        internal
        view
        returns (Order)
    {
        return _orderAt(SLOT, home, version, side, energyWh, limitPrice);
    }

    function _orderAt(uint32 slot, Home memory home, uint16 version, uint8 side, uint256 energyWh, uint256 limitPrice)
        internal
        view
        returns (Order)
    {
        return _pack(MARKET, slot, home.meter, version, block.timestamp + 1 hours, side, energyWh, limitPrice);
    }

    function _orderDigest(Order order) internal view returns (bytes32) {
        return _digest(AUCTION, address(auction), _orderHash(order));
    }

    function _orderHash(Order order) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                ORDER_TYPEHASH,
                order.market(),
                order.slot(),
                order.meter(),
                order.version(),
                order.deadline(),
                order.side(),
                order.energyWh(),
                order.limitPrice()
            )
        );
    }

    function _signedBy(Party memory by, Order order) internal view returns (SignedOrder memory) {
        (bytes32 r, bytes32 vs) = vm.signCompact(by.key, _orderDigest(order));
        return SignedOrder(order, r, vs);
    }

    function _cancel(Home memory home, uint16 version) internal view returns (Cancel) {
        Order order = _order(home, version, 0, 0, 0);
        return Cancel.wrap(Order.unwrap(order));
    }

    function _cancelAt(uint32 slot, Home memory home, uint16 version) internal view returns (Cancel) {
        return Cancel.wrap(Order.unwrap(_orderAt(slot, home, version, 0, 0, 0)));
    }

    /// A key's signature of a schedule for its own account.
    function _signedSchedule(Party memory by, Order[] memory orders) internal view returns (bytes memory) {
        return _signedSchedule(by, by.addr, orders);
    }

    function _signedSchedule(Party memory by, address account, Order[] memory orders)
        internal
        view
        returns (bytes memory)
    {
        bytes32[] memory hashes = new bytes32[](orders.length);
        for (uint256 i = 0; i < orders.length; ++i) {
            hashes[i] = _orderHash(orders[i]);
        }
        bytes32 structHash = keccak256(abi.encode(SCHEDULE_TYPEHASH, account, keccak256(abi.encodePacked(hashes))));
        (bytes32 r, bytes32 vs) = vm.signCompact(by.key, _digest(AUCTION, address(auction), structHash));
        return abi.encodePacked(r, vs);
    }

    function _signedCancels(Party memory by, address account, Cancel[] memory cancels)
        internal
        view
        returns (bytes memory)
    {
        bytes32[] memory hashes = new bytes32[](cancels.length);
        for (uint256 i = 0; i < cancels.length; ++i) {
            hashes[i] = _cancelHash(cancels[i]);
        }
        bytes32 structHash =
            keccak256(abi.encode(CANCEL_SCHEDULE_TYPEHASH, account, keccak256(abi.encodePacked(hashes))));
        (bytes32 r, bytes32 vs) = vm.signCompact(by.key, _digest(AUCTION, address(auction), structHash));
        return abi.encodePacked(r, vs);
    }

    function _cancelHash(Cancel item) private pure returns (bytes32) {
        return keccak256(
            abi.encode(CANCEL_TYPEHASH, item.market(), item.slot(), item.meter(), item.version(), item.deadline())
        );
    }

    function _signedBy(Party memory by, Cancel item) internal view returns (SignedCancel memory) {
        (bytes32 r, bytes32 vs) = vm.signCompact(by.key, _digest(AUCTION, address(auction), _cancelHash(item)));
        return SignedCancel(item, r, vs);
    }

    // ------------------------------------------------------------------------------------------------------------- calls

    function _placeSchedule(address account, Order[] memory orders, bytes memory signature)
        internal
        returns (bytes4[] memory)
    {
        vm.recordLogs();
        auction.placeSchedule(account, orders, signature);
        return _reasons(orders.length);
    }

    function _cancelSchedule(address account, Cancel[] memory cancels, bytes memory signature)
        internal
        returns (bytes4[] memory)
    {
        vm.recordLogs();
        auction.cancelSchedule(account, cancels, signature);
        return _reasons(cancels.length);
    }

    /// Places one order and returns why it was refused, or zero.
    function _place(SignedOrder memory signed) internal returns (bytes4) {
        SignedOrder[] memory orders = new SignedOrder[](1);
        orders[0] = signed;
        return _place(orders)[0];
    }

    function _place(SignedOrder[] memory orders) internal returns (bytes4[] memory) {
        vm.recordLogs();
        auction.place(orders);
        return _reasons(orders.length);
    }

    function _bid(Home memory home, uint256 energyWh, uint256 limitPrice) internal {
        _assertPlaced(_place(_signedBy(home.owner, _order(home, 1, BID, energyWh, limitPrice))));
    }

    function _ask(Home memory home, uint256 energyWh, uint256 limitPrice) internal {
        _assertPlaced(_place(_signedBy(home.owner, _order(home, 1, ASK, energyWh, limitPrice))));
    }

    function _cancelOne(SignedCancel memory signed) internal returns (bytes4) {
        SignedCancel[] memory cancels = new SignedCancel[](1);
        cancels[0] = signed;
        vm.recordLogs();
        auction.cancel(cancels);
        return _reasons(1)[0];
    }

    function _settle(Home memory home, uint32 slot, uint8 version, uint32 importWh, uint32 exportWh)
        internal
        returns (bytes4)
    {
        return _settle(slot, _signed(home.device, _reading(home.meter, slot, version, importWh, exportWh)));
    }

    function _settle(uint32 slot, SignedReading memory signed) internal returns (bytes4) {
        SignedReading[] memory readings = new SignedReading[](1);
        readings[0] = signed;
        vm.recordLogs();
        auction.settle(MARKET, slot, readings);
        return _reasons(1)[0];
    }

    function _settleByDefault(Home memory home, uint32 slot) internal returns (bytes4) {
        vm.recordLogs();
        auction.settleByDefault(MARKET, slot, _one(home.meter));
        return _reasons(1)[0];
    }

    function _release(Home memory home, uint32 slot) internal returns (bytes4) {
        vm.recordLogs();
        auction.release(MARKET, slot, _one(home.meter));
        return _reasons(1)[0];
    }

    function _one(uint32 meter) internal pure returns (uint32[] memory meters) {
        meters = new uint32[](1);
        meters[0] = meter;
    }

    /// What became of each item, in the order of its events.
    function _reasons(uint256 count) private returns (bytes4[] memory) {
        return _reasonsOf(vm.getRecordedLogs(), count);
    }

    function _reasonsOf(Vm.Log[] memory logs, uint256 count) internal pure returns (bytes4[] memory reasons) {
        reasons = new bytes4[](count);
        uint256 found;
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            if (topic == IEnergyAuction.OrderRefused.selector || topic == IEnergyAuction.SettlementRefused.selector) {
                reasons[found++] = abi.decode(logs[i].data, (bytes4));
            } else if (topic == IMeterLedger.ReadingRefused.selector) {
                (, reasons[found++]) = abi.decode(logs[i].data, (uint8, bytes4));
            } else if (
                topic == IEnergyAuction.Placed.selector || topic == IEnergyAuction.Cancelled.selector
                    || topic == IEnergyAuction.Settled.selector || topic == IEnergyAuction.Released.selector
            ) {
                ++found;
            }
        }
        assertEq(found, count, "each item ends in one event");
    }

    function _assertPlaced(bytes4 reason) internal pure {
        assertReason(reason, 0, "placed");
    }

    // ------------------------------------------------------------------------------------------------------------- times

    function _gateOf(uint32 slot) internal view returns (uint256) {
        return uint256(slot) * SLOT_LENGTH - _terms().gateLead;
    }

    function _endOf(uint32 slot) internal pure returns (uint256) {
        return (uint256(slot) + 1) * SLOT_LENGTH;
    }

    function _deadlineOf(uint32 slot) internal view returns (uint256) {
        return _endOf(slot) + _terms().readingWindow;
    }

    function _correctionEndOf(uint32 slot) internal view returns (uint256) {
        return _endOf(slot) + _terms().correctionWindow;
    }

    // ------------------------------------------------------------------------------------------------------------- state

    /// Everything that an order, a cancellation or a settlement of `home` in `slot` could have changed.
    function _stateOf(Home memory home, uint32 slot) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                auction.positionOf(home.meter, slot),
                auction.slotStateOf(MARKET, slot),
                auction.clearingOf(MARKET, slot),
                auction.depthOf(MARKET, slot, BID),
                auction.depthOf(MARKET, slot, ASK),
                _moneyOf(home.owner.addr),
                vault.potOf(address(auction)),
                vault.totalTracked()
            )
        );
    }

    function _moneyOf(address account) internal view returns (bytes memory) {
        (uint256 available, uint256 held, uint256 arrear) = vault.accountOf(account);
        return abi.encode(available, held, arrear);
    }

    /// available - owed + what is owed to it by the utility: what an account has, whatever the path to it.
    function _worthOf(address account) internal view returns (int256) {
        (uint256 available,, uint256 arrear) = vault.accountOf(account);
        return int256(available) - int256(arrear) + int256(vault.owed(utility.addr, account));
    }
}
