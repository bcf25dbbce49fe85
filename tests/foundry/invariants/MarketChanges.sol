// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { IMeterLedger } from "../../../contracts/interfaces/IMeterLedger.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { MarketTerms } from "../../../contracts/types/MarketTerms.sol";
import { Feeder, Home } from "../auction/Feeder.sol";
import { Signing } from "../support/Signing.sol";
import { Vm } from "../support/Vm.sol";

/// What changes over time, by the operator: terms and meters beyond the horizon, devices at once. Remembers from when on.
abstract contract MarketChanges is Feeder {
    /// A value from a slot, or a time, on.
    struct Since {
        uint256 since;
        uint256 value;
    }

    uint256 internal constant HOMES = 12;
    uint256 private constant BEYOND = 193;

    Home[] internal homes;
    uint32[] internal marketOf;
    mapping(uint32 market => Since[]) private _defaults;
    mapping(uint256 home => Since[]) private _meters;
    mapping(uint256 home => Since[]) private _activities;

    uint256 public calls;
    mapping(bytes32 verb => uint256) public done;

    modifier counted() {
        ++calls;
        _;
    }

    /// Two markets with the same rules and short windows, so that a run sees all of a slot's life; the second has no fee.
    function _shortTerms(uint32 market) internal view returns (MarketTerms memory terms) {
        terms = _terms();
        terms.gridFee = market == 2 ? 20_000 : 0;
        terms.feedInPrice = 70_000;
        terms.readingWindow = SLOT_LENGTH;
        terms.correctionWindow = 4 * SLOT_LENGTH;
    }

    function _openMarkets() internal {
        for (uint32 market = 2; market < 4; ++market) {
            _createMarket(_shortTerms(market));
            _defaults[market].push(Since(0, _shortTerms(market).defaultWh));
        }
    }

    function _settleIn(uint256 who) internal {
        uint32 market = uint32(2 + who % 2);
        marketOf.push(market);
        homes.push(_homeIn(market, who, _hasMandate(who), who % 4 == 1));
        _meters[who].push(Since(0, homes[who].meter));
        _activities[who].push(Since(0, 1));
    }

    function _hasMandate(uint256 who) private pure returns (bool) {
        return who < 10;
    }

    // -------------------------------------------------------------------------------------------------------------- acts

    /// Another default from a slot beyond the horizon on, if the change before is in force.
    function change(uint256 seed) external counted {
        uint32 market = uint32(2 + seed % 2);
        MarketTerms memory terms = _shortTerms(market);
        terms.defaultWh = uint32(200 + (seed >> 8) % 600);
        terms.fromSlot = _now() + uint32(BEYOND + (seed >> 32) % 8);
        Act memory operators = _changeAct("ChangeMarket", market, terms, operator);
        Act memory utilitys = _changeAct("UnderwriteChange", market, terms, utility);
        try auction.changeMarket(market, terms, operators, utilitys) { }
        catch {
            return;
        }
        _defaults[market].push(Since(terms.fromSlot, terms.defaultWh));
        ++done["change"];
    }

    /// A home's device gets another meter from a slot beyond the horizon on, if the one before has begun.
    function move(uint256 seed) external counted {
        uint256 who = seed % HOMES;
        uint32 fromSlot = _now() + uint32(BEYOND + (seed >> 32) % 8);
        IDERRegistry.MeterRegistration memory to = _registration(homes[who].device.id, homes[who].owner.addr);
        to.market = marketOf[who];
        to.mandated = _hasMandate(who);
        Act memory mandate = to.mandated ? _mandateAct(to, homes[who].owner) : Signing.none();
        try ders.moveMeter(to, fromSlot, _moveAct(to, fromSlot, operator), mandate) returns (uint32 meter) {
            _meters[who].push(Since(fromSlot, meter));
            ++done["move"];
        } catch { }
    }

    /// Suspends a home's device, or takes it back.
    function suspend(uint256 seed) external counted {
        uint256 who = seed % HOMES;
        bool active = _newest(_activities[who], block.timestamp) == 0;
        // few are suspended at a time
        if (!active && (seed >> 8) % 4 != 0) return;
        IDeviceRegistry.Status status = active ? IDeviceRegistry.Status.Active : IDeviceRegistry.Status.Suspended;
        _setStatus(homes[who].device.id, status, operator);
        _activities[who].push(Since(block.timestamp, active ? 1 : 0));
        ++done[active ? bytes32("reinstate") : bytes32("suspend")];
    }

    // ------------------------------------------------------------------------------------------------------------- memory

    /// The home's meter in that slot.
    function _meterIn(uint256 who, uint32 slot) internal view returns (uint32) {
        return uint32(_newest(_meters[who], slot));
    }

    function _defaultIn(uint32 market, uint32 slot) internal view returns (uint256) {
        return _newest(_defaults[market], slot);
    }

    /// A reading is refused for its device's standing exactly if that was suspended when orders could be taken back last.
    function _checkStandings(Vm.Log[] memory logs, uint256 who, uint32 slot) internal view {
        uint256 judgedAt = _gateOf(slot) - 1;
        bool active = _newest(_activities[who], judgedAt < START ? START : judgedAt) == 1;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (uint256(logs[i].topics.length < 2 ? bytes32(0) : logs[i].topics[1]) != _meterIn(who, slot)) continue;
            if (logs[i].topics[0] == IMeterLedger.ReadingRecorded.selector) {
                assertTrue(active, "recorded: its device was active");
            } else if (logs[i].topics[0] == IMeterLedger.ReadingRefused.selector) {
                (, bytes4 reason) = abi.decode(logs[i].data, (uint8, bytes4));
                bool suspended = reason == IDeviceRegistry.DeviceSuspended.selector;
                assertTrue(!suspended || !active, "nobody is suspended after the gate");
            }
        }
    }

    function _newest(Since[] storage list, uint256 when) private view returns (uint256) {
        for (uint256 i = list.length; i > 0; --i) {
            if (list[i - 1].since <= when) return list[i - 1].value;
        }
        return 0;
    }

    function _now() internal view returns (uint32) {
        return uint32(block.timestamp / SLOT_LENGTH);
    }
}
