// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { SettlementHarness } from "../../../contracts/mocks/SettlementHarness.sol";
import { Cancel, SignedCancel } from "../../../contracts/types/Cancel.sol";
import { MarketTerms } from "../../../contracts/types/MarketTerms.sol";
import { ASK, BID, Order, SignedOrder } from "../../../contracts/types/Order.sol";
import { SignedReading } from "../../../contracts/types/Reading.sol";
import { Party, Signing } from "../support/Signing.sol";
import { Vm, vm } from "../support/Vm.sol";
import { MarketChanges } from "./MarketChanges.sol";
import { Line, Sheet, Stage } from "./MarketSheets.sol";

/// Does what people do: two markets, twelve meters, two of them without a mandate, a quarter of them with a P-256 key. Remembers what
/// it did, so that MarketInvariants can say what must follow.
contract MarketHandler is MarketChanges {
    uint64 private constant AGENTS_HIGHEST_BID = 220_000;

    SettlementHarness private math;
    Party private agent = Signing.party("agent");
    Sheet[] public sheets;
    mapping(uint32 market => mapping(uint32 slot => uint256)) private sheetNumber; // + 1
    mapping(uint256 home => mapping(uint32 slot => Line)) private lines;
    mapping(uint256 home => int256) public cashIn; // deposits less withdrawals
    int256 public operatorGain;

    function setUp() public override {
        super.setUp();
        math = new SettlementHarness();
        _openMarkets();
        for (uint256 i = 0; i < HOMES; ++i) {
            _settleIn(i);
            cashIn[i] = 10_000_000;
            if (i % 4 != 3) _delegate(homes[i].owner, agent, AGENTS_HIGHEST_BID);
        }
        vm.warp(START + SLOT_LENGTH);
    }

    // -------------------------------------------------------------------------------------------------------------- orders

    /// Places or replaces up to three orders of neighbours for one slot.
    function place(uint256 seed) external counted {
        uint256 first = seed % HOMES;
        uint32 slot = _now() + 2 + uint32((seed >> 8) % 3);
        uint256 count = 1 + (seed >> 16) % 3;
        SignedOrder[] memory orders = new SignedOrder[](count);
        uint256[] memory who = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            who[i] = (first + 2 * i) % HOMES;
            orders[i] = _drawOrder(who[i], slot, uint256(keccak256(abi.encode(seed, i))));
        }
        vm.recordLogs();
        auction.place(orders);
        bytes4[] memory reasons = _reasonsOf(vm.getRecordedLogs(), count);
        for (uint256 i = 0; i < count; ++i) {
            if (reasons[i] == 0) _remember(who[i], orders[i].order);
        }
    }

    /// An agent's schedule for three slots of one home, which let it.
    function schedule(uint256 seed) external counted {
        (uint256 who, uint32 first) = (seed % HOMES, _now() + 2);
        Order[] memory orders = new Order[](3);
        for (uint32 i = 0; i < 3; ++i) {
            orders[i] = _draw(who, first + (i + uint32((seed >> 8) % 3)) % 3, uint256(keccak256(abi.encode(seed, i))));
        }
        address account = homes[who].owner.addr;
        bytes4[] memory reasons = _placeSchedule(account, orders, _signedSchedule(agent, account, orders));
        for (uint256 i = 0; i < 3; ++i) {
            // all but every fourth home delegated, up to a limit
            bool within = who % 4 != 3 && (orders[i].side() == ASK || orders[i].limitPrice() <= AGENTS_HIGHEST_BID);
            bool good = within ? reasons[i] != IEnergyAuction.WrongSigner.selector : reasons[i] != 0;
            assertTrue(good, "a delegate speaks within its scope alone");
            if (reasons[i] != 0) continue;
            _remember(who, orders[i]);
            ++done["schedule"];
        }
    }

    function _drawOrder(uint256 who, uint32 slot, uint256 draw) private view returns (SignedOrder memory) {
        return _signedBy(homes[who].owner, _draw(who, slot, draw));
    }

    function _draw(uint256 who, uint32 slot, uint256 draw) private view returns (Order) {
        Line storage line = lines[who][slot];
        uint8 side = draw % 2 == 0 ? BID : ASK;
        // mostly where both sides meet; few energies, so that ticks are shared and leave dust
        uint256 tick = 10 + (draw >> 8) % 5;
        uint256 limit = 80_000 + 10_000 * tick + (side == BID && marketOf[who] == 2 ? 20_000 : 0);
        uint256 energyWh = 10 + (draw >> 16) % 700;
        uint256 until = block.timestamp + 1 hours;
        return _pack(marketOf[who], slot, _meterIn(who, slot), line.version + 1, until, side, energyWh, limit);
    }

    function _remember(uint256 who, Order order) private {
        Line storage line = lines[who][order.slot()];
        bool replaced = line.side != 0;
        delete lines[who][order.slot()];
        line.version = order.version();
        line.side = order.side();
        line.energyWh = order.energyWh();
        uint256 fee = order.side() == BID && marketOf[who] == 2 ? 20_000 : 0;
        line.tick = (order.limitPrice() - fee - 80_000) / 10_000;
        _sheet(marketOf[who], order.slot());
        ++done[replaced ? bytes32("replace") : bytes32("place")];
    }

    function cancel(uint256 seed) external counted {
        uint256 who = seed % HOMES;
        uint32 slot = _now() + 2 + uint32((seed >> 8) % 3);
        // whoever has an order there first, else somebody without
        for (uint256 i = 0; i < 3 * HOMES && lines[who][slot].side == 0; ++i) {
            who = (who + 1) % HOMES;
            if (i % HOMES == HOMES - 1) slot = slot == _now() + 4 ? _now() + 2 : slot + 1;
        }
        Line storage line = lines[who][slot];
        Order order = _pack(
            marketOf[who], slot, _meterIn(who, slot), line.version + 1, block.timestamp, 0, 0, 0
        );
        SignedCancel[] memory cancels = new SignedCancel[](1);
        cancels[0] = _signedBy(homes[who].owner, Cancel.wrap(Order.unwrap(order)));
        vm.recordLogs();
        auction.cancel(cancels);
        if (_reasonsOf(vm.getRecordedLogs(), 1)[0] != 0) return;
        if (line.side != 0) ++done["cancel"];
        uint16 version = line.version + 1;
        delete lines[who][slot];
        line.version = version;
        _sheet(marketOf[who], slot);
    }

    // ------------------------------------------------------------------------------------------------------ clear, settle

    function clear(uint256 seed) external counted {
        (bool found, uint256 number) = _someSheet(seed, Stage.Uncleared);
        if (!found) return;
        Sheet storage sheet = sheets[number];
        vm.recordLogs();
        try auction.clear(sheet.market, sheet.slot) {
            ++done["clear"];
        } catch {
            return;
        }
        _noteClose();
        _noteClearing(sheet);
    }

    /// A first reading, or a correction, of up to two meters of one slot; clears the slot if nobody has.
    function settle(uint256 seed) external counted {
        // mostly a slot of the last five, which is when readings and corrections are taken
        uint256 who = seed % HOMES;
        uint32 slot = _now() - 1 - uint32((seed >> 8) % 5);
        uint256 other = (who + 2) % HOMES;
        SignedReading[] memory readings = new SignedReading[](2);
        readings[0] = _drawReading(who, slot, seed);
        readings[1] = _drawReading(other, slot, seed >> 64);
        vm.recordLogs();
        try auction.settle(marketOf[who], slot, readings) { }
        catch {
            return;
        }
        Vm.Log[] memory logs = _noteClose();
        Sheet storage sheet = _sheet(marketOf[who], slot);
        if (!sheet.cleared) _noteClearing(sheet);
        _checkStandings(logs, who, slot);
        _checkStandings(logs, other, slot);
        if (_isSettled(logs, who, slot)) _noteReading(who, readings[0]);
        if (_isSettled(logs, other, slot)) _noteReading(other, readings[1]);
    }

    function _drawReading(uint256 who, uint32 slot, uint256 draw) private view returns (SignedReading memory) {
        // a sunny day
        uint32 importWh = uint32((draw >> 16) % 500);
        uint32 exportWh = uint32((draw >> 32) % 1_500);
        uint8 version = lines[who][slot].reading + 1;
        return _signed(homes[who].device, _reading(_meterIn(who, slot), slot, version, importWh, exportWh));
    }

    function settleByDefault(uint256 seed) external counted {
        (bool found, uint256 number) = _someSheet(seed, Stage.Overdue);
        if (!found) return;
        Sheet storage sheet = sheets[number];
        uint256 who = _silentIn(sheet, seed >> 40);
        vm.recordLogs();
        try auction.settleByDefault(sheet.market, sheet.slot, _one(_meterIn(who, sheet.slot))) { }
        catch {
            return;
        }
        if (_isSettled(_noteClose(), who, sheet.slot)) _noteDefault(who, sheet);
    }

    function release(uint256 seed) external counted {
        (bool found, uint256 number) = _someSheet(seed, Stage.Open);
        if (!found) return;
        Sheet storage sheet = sheets[number];
        uint256 who = _silentIn(sheet, seed >> 40);
        vm.recordLogs();
        try auction.release(sheet.market, sheet.slot, _one(_meterIn(who, sheet.slot))) { }
        catch {
            return;
        }
        if (_reasonsOf(_noteClose(), 1)[0] != 0) return;
        lines[who][sheet.slot].released = true;
        ++done["release"];
    }

    // -------------------------------------------------------------------------------------------------------------- money

    function deposit(uint256 seed) external counted {
        // the utility is seldom at it, so that it owes many at a time
        uint256 who = (seed >> 4) % 8 == 0 ? HOMES : seed % HOMES;
        uint256 amount = 1 + (seed >> 16) % 2_000_000;
        _deposit(who == HOMES ? utility.addr : homes[who].owner.addr, amount);
        if (who < HOMES) cashIn[who] += int256(amount);
        ++done["deposit"];
    }

    function withdraw(uint256 seed) external counted {
        // the utility is as often at it as all others
        uint256 who = (seed >> 4) % 2 == 0 ? HOMES : seed % HOMES;
        address account = who == HOMES ? utility.addr : homes[who].owner.addr;
        uint256 most = vault.withdrawableOf(account);
        // the utility leaves nothing behind, so that it comes to owe
        uint256 amount = who == HOMES ? most : most / 4;
        if (amount == 0) return;
        vm.prank(account);
        vault.withdraw(account, amount);
        if (who < HOMES) cashIn[who] -= int256(amount);
        ++done["withdraw"];
    }

    function collect(uint256 seed) external counted {
        uint256 who = seed % HOMES;
        for (uint256 i = 0; i < HOMES && vault.owed(utility.addr, homes[who].owner.addr) == 0; ++i) {
            who = (who + 1) % HOMES;
        }
        if (auction.collect(marketOf[who], homes[who].owner.addr) != 0) ++done["collect"];
    }

    /// Mostly a part of a slot; seldom all of the ring.
    function pass(uint256 seed) external counted {
        uint256 time = 1 + seed % (SLOT_LENGTH * 3 / 2);
        if ((seed >> 32) % 40 == 0) time += 250 * uint256(SLOT_LENGTH);
        vm.warp(block.timestamp + time);
        ++done["pass"];
    }

    // ------------------------------------------------------------------------------------------------------------ memory

    function _noteClearing(Sheet storage sheet) internal {
        IEnergyAuction.Clearing memory clearing = auction.clearingOf(sheet.market, sheet.slot);
        sheet.cleared = true;
        sheet.price = clearing.traded ? 80_000 + 10_000 * clearing.priceTick : 0;
        sheet.volume = clearing.volumeWh;
        for (uint256 who = sheet.market - 2; who < HOMES; who += 2) {
            Line storage line = lines[who][sheet.slot];
            if (line.side == 0) continue;
            uint256 filled = auction.positionOf(_meterIn(who, sheet.slot), sheet.slot).filledWh;
            if (line.side == BID) line.bought = filled;
            else line.sold = filled;
        }
    }

    function _noteReading(uint256 who, SignedReading memory signed) private {
        Line storage line = lines[who][signed.reading.slot()];
        ++done[
            line.reading != 0 ? bytes32("correct") : line.defaulted ? bytes32("read after all") : bytes32("settle")
        ];
        line.reading = signed.reading.version();
        _noteCash(who, line, signed.reading.slot(), signed.reading.importWh(), signed.reading.exportWh());
    }

    function _noteDefault(uint256 who, Sheet storage sheet) internal {
        Line storage line = lines[who][sheet.slot];
        line.defaulted = true;
        uint256 least = _defaultIn(sheet.market, sheet.slot);
        uint256 importWh = line.bought > least ? line.bought : least;
        _noteCash(who, line, sheet.slot, importWh, 0);
        ++done["default"];
    }

    function _noteCash(uint256 who, Line storage line, uint32 slot, uint256 importWh, uint256 exportWh) private {
        MarketTerms memory terms = _shortTerms(marketOf[who]);
        uint256 price = _sheet(marketOf[who], slot).price;
        (int256 trade, int256 account, int256 operator,) =
            math.cash(terms, price, line.bought, line.sold, importWh, exportWh);
        assertTrue(operator >= 0, "the operator's part is never negative");
        operatorGain += operator - line.operator;
        (line.trade, line.cash, line.operator) = (trade, trade + account, operator);
    }

    /// The residues of slots that closed are the operator's.
    function _noteClose() internal returns (Vm.Log[] memory logs) {
        logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IEnergyAuction.SlotClosed.selector) continue;
            (,, uint256 residue) = abi.decode(logs[i].data, (uint256, uint256, uint256));
            operatorGain += int256(residue);
            _sheet(uint32(uint256(logs[i].topics[1])), uint32(uint256(logs[i].topics[2]))).closed = true;
            ++done["close"];
        }
    }

    function _isSettled(Vm.Log[] memory logs, uint256 who, uint32 slot) internal view returns (bool) {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IEnergyAuction.Settled.selector) continue;
            if (uint256(logs[i].topics[1]) == _meterIn(who, slot)) return true;
        }
        return false;
    }

    function _sheet(uint32 market, uint32 slot) private returns (Sheet storage) {
        uint256 number = sheetNumber[market][slot];
        if (number == 0) {
            sheets.push(Sheet(market, slot, false, false, 0, 0));
            number = sheets.length;
            sheetNumber[market][slot] = number;
        }
        return sheets[number - 1];
    }

    /// The first slot at that stage, from a random one of the newest on.
    function _someSheet(uint256 seed, Stage stage) private view returns (bool, uint256 number) {
        uint256 count = sheets.length;
        uint256 reach = count < 16 ? count : 16;
        for (uint256 i = 0; i < reach; ++i) {
            number = count - 1 - (seed % reach + i) % reach;
            Sheet storage sheet = sheets[number];
            uint256 endsAt = _endOf(sheet.slot);
            bool fits = stage == Stage.Uncleared
                ? !sheet.cleared && block.timestamp >= endsAt - 2 * SLOT_LENGTH
                : stage == Stage.Open
                    ? sheet.cleared && !sheet.closed
                    : sheet.cleared && block.timestamp >= endsAt + SLOT_LENGTH;
            if (fits) return (true, number);
        }
        return (false, 0);
    }

    /// A home of the slot's market that is not settled there, with an order if there is one.
    function _silentIn(Sheet storage sheet, uint256 seed) private view returns (uint256 who) {
        for (uint256 i = 0; i < HOMES / 2; ++i) {
            who = (seed % (HOMES / 2) + i) % (HOMES / 2) * 2 + (sheet.market - 2);
            Line storage line = lines[who][sheet.slot];
            if (line.side != 0 && !line.defaulted && line.reading == 0 && !(line.released && seed % 4 != 0)) return who;
        }
    }

    // -------------------------------------------------------------------------------------------------- what must follow

    function sheetCount() external view returns (uint256) {
        return sheets.length;
    }

    /// accounts + pots = tracked <= tokens
    function assertConservation() external view {
        uint256 sum = vault.potOf(address(auction)) + _availableOf(utility.addr) + _availableOf(gridOperator.addr);
        for (uint256 i = 0; i < HOMES; ++i) {
            sum += _availableOf(homes[i].owner.addr);
        }
        assertEq(sum, vault.totalTracked(), "accounts + pots = tracked");
        assertLe(sum, currency.balanceOf(address(vault)), "tracked <= tokens held");
    }

    /// available - owed + owed to it = deposits - withdrawals + cash of every slot - collateral put down: linear in cash.
    function assertWorths() external view {
        for (uint256 i = 0; i < HOMES; ++i) {
            int256 worth = cashIn[i];
            for (uint256 j = 0; j < sheets.length; ++j) {
                if (sheets[j].market != marketOf[i]) continue;
                Line storage line = lines[i][sheets[j].slot];
                worth += line.cash - int256(_collateralOf(i, line));
            }
            assertEq(_worthOf(homes[i].owner.addr), worth, "available - owed + owed to it is linear in cash");
        }
        assertEq(_worthOf(gridOperator.addr), operatorGain, "the operator has fees, rounding and residues");
        assertTrue(operatorGain >= 0, "and never less than nothing");
    }

    /// Slot by slot: pots, claims, dust, ladder. The pots sum up to the auction's.
    function assertSlots() external view {
        uint256 pots;
        for (uint256 i = 0; i < sheets.length; ++i) {
            Sheet storage sheet = sheets[i];
            try auction.slotStateOf(sheet.market, sheet.slot) returns (IEnergyAuction.SlotState memory state) {
                pots += state.pot;
                if (sheet.closed) _assertClosed(sheet, state);
                else _assertOpen(sheet, state);
            } catch {
                assertTrue(sheet.closed || _isIdle(sheet), "only a slot that nobody needs is forgotten");
            }
        }
        assertEq(pots, vault.potOf(address(auction)), "sum of the slots' pots = the auction's pot");
    }

    function _assertClosed(Sheet storage sheet, IEnergyAuction.SlotState memory state) private view {
        uint256 bought;
        uint256 sold;
        for (uint256 who = sheet.market - 2; who < HOMES; who += 2) {
            bought += lines[who][sheet.slot].bought;
            sold += lines[who][sheet.slot].sold;
        }
        assertEq(bought + state.boughtWh, sold + state.soldWh, "bought + bid dust = sold + ask dust");
        assertEq(bought + state.boughtWh, sheet.volume, "and both are the volume");
        assertEq(state.pot, 0, "a closed slot keeps nothing");
        assertEq(state.openBidWh + state.openAskWh, 0, "nobody is open");
    }

    function _assertOpen(Sheet storage sheet, IEnergyAuction.SlotState memory state) private view {
        int256 base; // what would be in the pot without any advance
        int256 claims;
        int256 trades;
        uint256[3] memory open;
        uint256 bought;
        for (uint256 who = sheet.market - 2; who < HOMES; who += 2) {
            Line storage line = lines[who][sheet.slot];
            if (line.side == 0) continue;
            int256 trade = _floorKilo(int256(sheet.price) * (int256(line.sold) - int256(line.bought)));
            trades += trade;
            bought += line.bought;
            if (line.reading != 0 || line.defaulted) {
                base -= trade;
                continue;
            }
            int256 kept = int256(_collateralOf(who, line));
            base += kept;
            claims += kept + trade;
            if (!line.released || line.bought + line.sold != 0) open[line.side] += line.energyWh;
        }
        assertEq(state.openBidWh, open[BID], "open bids = live positions");
        assertEq(state.openAskWh, open[ASK], "open asks = live positions");
        int256 advanced = int256(state.pot) - base;
        int256 dust = sheet.cleared ? int256((sheet.price * (sheet.volume - bought) + 999) / 1_000) : int256(0);
        assertTrue(advanced >= 0 && advanced <= dust, "the utility advances no more than the dust costs");
        assertTrue(int256(state.pot) + dust - advanced >= claims, "pot + what the dust will bring covers all claims");
        if (!sheet.cleared) _assertLadder(sheet, open);
    }

    function _assertLadder(Sheet storage sheet, uint256[3] memory open) private view {
        for (uint8 side = BID; side <= ASK; ++side) {
            uint32[] memory depth = auction.depthOf(sheet.market, sheet.slot, side);
            uint256 sum;
            for (uint256 tick = 0; tick < depth.length; ++tick) {
                sum += depth[tick];
            }
            assertEq(sum, open[side], "energy in the ladder = live positions");
        }
    }

    function _isIdle(Sheet storage sheet) internal view returns (bool) {
        for (uint256 who = sheet.market - 2; who < HOMES; who += 2) {
            Line storage line = lines[who][sheet.slot];
            if (line.side != 0 && !line.defaulted && line.reading == 0) return false;
        }
        return true;
    }

    /// What is still put down for a line.
    function _collateralOf(uint256 who, Line storage line) private view returns (uint256) {
        if (line.side == 0 || line.reading != 0 || line.defaulted) return 0;
        uint256 energyWh = line.released ? line.bought + line.sold : line.energyWh;
        if (energyWh == 0) return 0;
        uint256 net = 80_000 + 10_000 * line.tick;
        uint256 atRisk = line.side == ASK ? RETAIL - net : net + (marketOf[who] == 2 ? 20_000 : 0);
        uint256 exact = (atRisk * energyWh + 999) / 1_000;
        return exact < 1_000 ? 1_000 : exact;
    }

    function _floorKilo(int256 x) private pure returns (int256) {
        return x >= 0 ? x / 1_000 : -((-x + 999) / 1_000);
    }
}
