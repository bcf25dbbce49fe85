// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Vault } from "../../../contracts/Vault.sol";
import { EnrolmentWord } from "../../../contracts/types/AssetEnrolment.sol";
import { EventBook } from "../../../contracts/types/EventBook.sol";
import { EventHead } from "../../../contracts/types/EventHead.sol";
import { ProgrammeTerms } from "../../../contracts/types/Programme.sol";
import { vm } from "../support/Vm.sol";
import { Flexible, Responding } from "../response/Responding.sol";

/// Lives of one firm programme in any order: events are announced, assets called, opt out, are dispatched, read, read anew and settled.
contract ResponseHandler is Responding {
    uint256 public constant HOMES = 6;
    int256 private constant BASELINE_WH = 5_000;

    uint32 public programme;
    uint32[] public numbers;
    uint256 public settlements;
    uint256 public charged;
    Flexible[] private _street;

    function prepare() external {
        super.setUp();
        programme = _openProgramme(_programme());
        for (uint256 i = 0; i < HOMES; ++i) {
            _street.push(_flexible(i));
            _enrolAsset(
                _offer(programme, _street[i].asset, 4_000, uint64(100_000 + 10_000 * (i / 2)), int32(BASELINE_WH)),
                1,
                _street[i].home.owner
            );
        }
    }

    function homeOf(uint256 i) external view returns (address) {
        return _street[i].home.owner.addr;
    }

    function wordOf(uint256 i) external view returns (EnrolmentWord) {
        return _enrolmentOf(programme, _street[i].asset);
    }

    function money() external view returns (Vault) {
        return vault;
    }

    function pot() external view returns (uint256) {
        return vault.potOf(address(response));
    }

    function count() external view returns (uint256) {
        return numbers.length;
    }

    function eventOf(uint256 i) external view returns (EventHead memory, EventBook memory) {
        return (_headOf(numbers[i]), _bookOf(numbers[i]));
    }

    function termsOf() external view returns (ProgrammeTerms memory) {
        return _programme();
    }

    // -------------------------------------------------------------------------------------------------------------- acts

    function wait(uint256 slots) external {
        vm.warp(block.timestamp + _bound(slots, 1, 20) * SLOT_LENGTH);
    }

    /// Announces an event, and calls some of the homes at once.
    function announce(uint256 ahead, uint256 targetW, uint256 homes) external {
        uint32 slot = uint32(block.timestamp / SLOT_LENGTH + _bound(ahead, 10, 40));
        numbers.push(_announce(programme, slot, SLOTS, uint32(_bound(targetW, 1, 30_000))));
        for (uint256 i = 0; i < HOMES; ++i) {
            if ((homes >> i) & 1 == 1) _call(numbers[numbers.length - 1], _street[i].asset);
        }
    }

    function call(uint256 which, uint256 home) external {
        _call(_pick(which), _street[home % HOMES].asset);
    }

    function optOut(uint256 which, uint256 index) external {
        uint32 number = which % 4 == 0 ? _pick(which) : _newest();
        index = index % _headOf(number).called;
        uint32 asset = _laneOf(number, uint32(index)).asset();
        for (uint256 i = 0; i < HOMES; ++i) {
            if (_street[i].asset == asset) _optOut(number, uint32(index), _street[i].home.owner);
        }
    }

    function dispatch(uint256 which, uint256 batch) external {
        uint32 number = which % 8 == 0 ? _pick(which) : _newest();
        if (block.timestamp < uint256(_headOf(number).firstSlot) * SLOT_LENGTH - GATE) _toGate(_headOf(number).firstSlot);
        response.dispatch(number, _bound(batch, 1, HOMES));
    }

    /// A reading of a slot, a first one or one that corrects it.
    function read(uint256 which, uint256 home, uint256 slot, int256 netWh, uint256 version) external {
        EventHead memory head = _headOf(_pick(which));
        uint32 at = head.firstSlot + uint32(slot % SLOTS);
        if (block.timestamp < uint256(at + 1) * SLOT_LENGTH) vm.warp(uint256(at + 1) * SLOT_LENGTH);
        if (block.timestamp > uint256(head.firstSlot + SLOTS) * SLOT_LENGTH + 6 hours) return;
        int256 net = _bound(netWh, -1_000, 800) * 10;
        _recordOne(_street[home % HOMES].home, at, uint8(_bound(version, 1, 3)), net);
    }

    function settle(uint256 which, uint256 index) external {
        uint32 number = _pick(which);
        EventHead memory head = _headOf(number);
        uint256 due = uint256(head.firstSlot + SLOTS + 4) * SLOT_LENGTH;
        if (block.timestamp < due) vm.warp(due);
        uint32 at = uint32(index % head.called);
        _settleAt(number, at);
        ++settlements;
        if (_netOf(number, at) < 0) ++charged;
    }

    /// Seldom.
    function cancel(uint256 which) external {
        if (which % 8 == 0) _cancel(_pick(which));
    }

    function close(uint256 which) external {
        response.close(_pick(which));
    }

    function _newest() private view returns (uint32) {
        return numbers[numbers.length - 1];
    }

    function _pick(uint256 which) private view returns (uint32) {
        return numbers[which % numbers.length];
    }
}
