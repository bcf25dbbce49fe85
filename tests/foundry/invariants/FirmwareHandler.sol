// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IFirmwareRegistry } from "../../../contracts/interfaces/IFirmwareRegistry.sol";
import { InstallReceipt, Installation } from "../../../contracts/types/InstallReceipt.sol";
import { Quorum } from "../../../contracts/types/KeySet.sol";
import { Release } from "../../../contracts/types/Release.sol";
import { Rollout, RolloutState } from "../../../contracts/types/Rollout.sol";
import { Fleet } from "../firmware/Fleet.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

/// One model with sixteen devices: releases, steps and receipts in any order, each tried whether or not it is allowed, and what must
/// come of each.
contract FirmwareHandler is Fleet {
    struct Answer {
        uint32 counter;
        uint32 blockNumber;
    }

    uint256 private constant DEVICES_COUNT = 16;

    DeviceKey[] private fleet;
    Release[] private releases;
    Answer[] private unreliable; // past blocks of which the contract has said no
    mapping(uint32 counter => mapping(address device => bool)) private wasIn;
    mapping(address device => uint32 counter) private ran;

    uint32 private latest;
    uint32 private floor;
    uint32 private full;
    mapping(bytes32 verb => uint256) public done;

    function setUp() public override {
        super.setUp();
        vm.roll(1_000);
        for (uint256 i = 0; i < DEVICES_COUNT; ++i) {
            fleet.push(_secpDevice(i));
            _enrol(fleet[i], prosumer.addr);
        }
    }

    // ---------------------------------------------------------------------------------------------------------- releases

    function release(uint256 seed) external {
        uint32 counter = uint32(latest + (seed % 4)); // also no higher than the latest
        uint32 named = uint32((seed >> 8) % (counter + 2)); // also above the counter, and below the floor
        Release memory next = _draftRelease(counter, named);
        next.leastReceipts = uint32(1 + (seed >> 40) % 4);
        next.failureLimitBp = uint16((seed >> 48) % 4) * 2_500;
        bool due = counter > latest && named <= counter && named >= floor;
        uint256 approvals = (seed >> 64) % 8 == 0 ? 2 : THRESHOLD;
        try firmware.release(next, _quorumOf(_commitmentOf(next), approvals)) {
            assertTrue(due && approvals == THRESHOLD, "counters increase, floors do not fall, three agree");
            releases.push(next);
            latest = counter;
            ++done["release"];
        } catch {
            assertTrue(!due || approvals < THRESHOLD, "what is due is released");
        }
    }

    function begin(uint256 seed) external {
        if (releases.length == 0) return;
        Release memory one = _some(seed);
        uint16 shareBp = uint16((seed >> 8) % 1_200);
        bool due = _stateOf(one.counter) == RolloutState.Proposed && shareBp > 0 && shareBp <= 1_000;
        Quorum memory quorum = _quorumOf(_startHash(one.counter, shareBp), THRESHOLD);
        try firmware.begin(one, shareBp, _deadline(), quorum) {
            assertTrue(due, "only what is proposed begins, with a tenth at most");
            _noteMembers(one.counter);
            ++done["begin"];
        } catch {
            assertTrue(!due, "what is proposed begins");
        }
    }

    function raise(uint256 seed) external {
        if (releases.length == 0) return;
        Release memory one = _some(seed);
        uint32 counter = one.counter;
        Rollout memory rollout = firmware.rolloutOf(MODEL, counter);
        uint16 shareBp = (seed >> 8) % 3 == 0 ? WHOLE : uint16(rollout.shareBp + (seed >> 16) % 4_000);
        bool due = (rollout.state == RolloutState.Canary || rollout.state == RolloutState.Ramp)
            && shareBp > rollout.shareBp && shareBp <= WHOLE;
        Quorum memory quorum = _quorumOf(_raiseHash(counter, shareBp, rollout.step), THRESHOLD);
        try firmware.raiseShare(MODEL, counter, shareBp, _deadline(), quorum) {
            assertTrue(due, "only a canary or a ramp is raised");
            _noteMembers(counter);
            if (shareBp == WHOLE) (full, floor) = (counter, one.floor > floor ? one.floor : floor);
            ++done[shareBp == WHOLE ? bytes32("raise to the whole") : bytes32("raise")];
        } catch {
            assertTrue(!due, "a canary or a ramp is raised");
        }
    }

    function pause(uint256 seed) external {
        if (releases.length == 0) return;
        uint32 counter = _some(seed).counter;
        bool due = _isTaking(_stateOf(counter));
        bytes32 structHash = _stopHash("RolloutPause", counter, _stepOf(counter));
        Quorum memory quorum = Quorum(_keys(), _signedFrom(_firmwareDigest(structHash), (seed >> 8) % KEYS, 1));
        try firmware.pause(MODEL, counter, _deadline(), quorum) {
            assertTrue(due, "what nobody installs is not paused");
            ++done["pause"];
        } catch {
            assertTrue(!due, "any key pauses what is installed");
        }
    }

    function resume(uint256 seed) external {
        if (releases.length == 0) return;
        uint32 counter = _some(seed).counter;
        bool due = _stateOf(counter) == RolloutState.Paused;
        uint256 approvals = (seed >> 8) % 4 == 0 ? 2 : THRESHOLD;
        bytes32 structHash = _stopHash("RolloutResume", counter, _stepOf(counter));
        try firmware.resume(MODEL, counter, _deadline(), _quorumOf(structHash, approvals)) {
            assertTrue(due && approvals == THRESHOLD, "three resume what is paused");
            ++done["resume"];
        } catch {
            assertTrue(!due || approvals < THRESHOLD, "three resume it");
        }
    }

    function revoke(uint256 seed) external {
        if (releases.length == 0 || seed % 3 != 0) return;
        uint32 counter = _some(seed >> 4).counter;
        uint32 since = uint32(block.number - (seed >> 16) % 20);
        uint32 before = firmware.rolloutOf(MODEL, counter).revokedSince;
        try firmware.revoke(MODEL, counter, since, _deadline(), _quorumOf(_revocationHash(counter, since), THRESHOLD)) {
            assertTrue(before == 0 || since < before, "a revocation only moves to an earlier block");
            ++done["revoke"];
        } catch {
            assertTrue(before != 0 && since >= before, "anything can be revoked");
        }
    }

    // ---------------------------------------------------------------------------------------------------------- receipts

    function tell(uint256 seed) external {
        if (releases.length == 0) return;
        uint32 counter = _some(seed).counter;
        DeviceKey memory device = fleet[(seed >> 8) % DEVICES_COUNT];
        uint16 code = (seed >> 16) % 3 == 0 ? 1 : 0;
        Rollout memory before = firmware.rolloutOf(MODEL, counter);
        Installation memory last = firmware.installationOf(device.id);
        bool mayInstall = _isTaking(before.state) && _positionOf(device.id, counter) < before.shareBp;
        try firmware.tell(_receipt(device, counter, code)) {
            assertTrue(mayInstall, "a paused ramp takes no install, and no ramp one from outside");
            assertTrue(_isNews(last, counter, code), "nothing is told twice");
            if (counter > last.told) _assertTally(counter, code, before);
            ++done[code == 0 ? bytes32("tell of success") : bytes32("tell of failure")];
        } catch {
            assertTrue(!mayInstall || !_isNews(last, counter, code), "what is new is taken");
        }
        Installation memory installation = firmware.installationOf(device.id);
        assertGe(installation.running, ran[device.id], "no device goes back");
        ran[device.id] = installation.running;
    }

    function _isNews(Installation memory last, uint32 counter, uint16 code) private pure returns (bool) {
        if (counter > last.told) return true;
        if (code != 0) return false;
        return counter == last.told ? last.failureCode != 0 : counter > last.running;
    }

    function _assertTally(uint32 counter, uint16 code, Rollout memory before) private {
        Rollout memory now_ = firmware.rolloutOf(MODEL, counter);
        assertEq(now_.told, before.told + 1, "it counts once");
        assertEq(now_.failures, before.failures + (code == 0 ? 0 : 1), "and so does its failure");
        bool isOver = now_.told >= now_.leastReceipts
            && uint256(now_.failures) * 10_000 > uint256(now_.told) * now_.failureLimitBp;
        assertTrue(isOver == (now_.state == RolloutState.Paused), "it pauses itself above its limit, and only there");
        if (isOver) ++done["pause by failures"];
    }

    function pass(uint256 seed) external {
        vm.roll(block.number + 1 + seed % 5);
        vm.warp(block.timestamp + 12);
        if (releases.length == 0) return;
        Answer memory asked = Answer(_some(seed).counter, uint32(block.number - 1 - (seed >> 8) % 10));
        if (!firmware.isReliableAt(MODEL, asked.counter, asked.blockNumber)) unreliable.push(asked);
        ++done["pass"];
    }

    // -------------------------------------------------------------------------------------------------- what must follow

    function assertLine() external view {
        (IFirmwareRegistry.Line memory line,) = firmware.lineOf(MODEL);
        assertEq(line.latest, latest, "the latest is the last that was released");
        assertEq(line.floor, floor, "the floor is the highest of those that were full, and never falls");
        assertEq(line.full, full, "the last that was full is the newest");
        assertLe(line.floor, line.full, "no floor is above what everyone may have");
        assertEq(firmware.floorAt(MODEL, block.number), line.floor, "the history ends with the present");
    }

    function assertReleases() external view {
        for (uint256 i = 0; i < releases.length; ++i) {
            uint32 counter = releases[i].counter;
            if (i > 0) assertTrue(counter > releases[i - 1].counter, "counters strictly increase");
            assertEq(firmware.commitmentOf(MODEL, counter), _commitmentOf(releases[i]), "what was released stays");
            Rollout memory rollout = firmware.rolloutOf(MODEL, counter);
            if (_isTaking(rollout.state)) {
                assertGe(counter, full, "what is older than a full one is taken no more");
                assertTrue(
                    rollout.told < rollout.leastReceipts
                        || uint256(rollout.failures) * 10_000 <= uint256(rollout.told) * rollout.failureLimitBp,
                    "failures above the limit end paused"
                );
            }
            _assertMembers(counter, rollout);
        }
    }

    function _assertMembers(uint32 counter, Rollout memory rollout) private view {
        for (uint256 k = 0; k < DEVICES_COUNT; ++k) {
            address device = fleet[k].id;
            bool isIn = _positionOf(device, counter) < rollout.shareBp;
            assertTrue(isIn == wasIn[counter][device], "who was in the ramp stays in it");
            bool isAllowed = isIn && _isTaking(rollout.state) && counter >= ran[device];
            assertTrue(firmware.isAllowed(device, counter) == isAllowed, "isAllowed says the same");
        }
    }

    /// Who is in the ramp after a step; nobody leaves it.
    function _noteMembers(uint32 counter) private {
        uint256 shareBp = firmware.rolloutOf(MODEL, counter).shareBp;
        for (uint256 k = 0; k < DEVICES_COUNT; ++k) {
            address device = fleet[k].id;
            bool isIn = _positionOf(device, counter) < shareBp;
            assertTrue(isIn || !wasIn[counter][device], "a raised ramp drops nobody");
            wasIn[counter][device] = isIn;
        }
    }

    /// For a past block the answer never turns from no to yes.
    function assertHistory() external view {
        for (uint256 i = 0; i < unreliable.length; ++i) {
            Answer memory asked = unreliable[i];
            assertFalse(firmware.isReliableAt(MODEL, asked.counter, asked.blockNumber), "no stays no");
        }
    }

    function _stateOf(uint32 counter) private view returns (RolloutState) {
        return firmware.stateOf(MODEL, counter);
    }

    function _isTaking(RolloutState state) private pure returns (bool) {
        return state == RolloutState.Canary || state == RolloutState.Ramp || state == RolloutState.Full;
    }

    /// One of the newest.
    function _some(uint256 seed) private view returns (Release memory) {
        uint256 count = releases.length;
        return releases[count - 1 - seed % (count < 3 ? count : 3)];
    }
}
