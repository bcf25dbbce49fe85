// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { Installation } from "../../../contracts/types/InstallReceipt.sol";
import { Release } from "../../../contracts/types/Release.sol";
import { RolloutState } from "../../../contracts/types/Rollout.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";
import { Fleet } from "./Fleet.sol";

/// isAllowed, isReliableAt, isDeviceReliableAt and the getters
contract JudgementTest is Fleet {
    function test_isAllowed__follows_the_rollout() external {
        DeviceKey memory device = _deviceAt(1, 0, CANARY, 0);
        DeviceKey memory late = _deviceAt(1, CANARY, WHOLE, 1);
        assertFalse(firmware.isAllowed(device.id, 1), "nothing released");
        Release memory release = _release(1, 0);
        assertFalse(firmware.isAllowed(device.id, 1), "proposed");
        _begin(release, CANARY);
        assertTrue(firmware.isAllowed(device.id, 1), "canary");
        assertFalse(firmware.isAllowed(late.id, 1), "no canary");
        _pause(1);
        assertFalse(firmware.isAllowed(device.id, 1), "paused");
        _resume(1);
        _raise(1, WHOLE);
        assertTrue(firmware.isAllowed(device.id, 1), "full");
        assertTrue(firmware.isAllowed(late.id, 1), "full for all");
        _revoke(1, 1);
        assertFalse(firmware.isAllowed(device.id, 1), "revoked");
    }

    function test_isAllowed__given_a_device_out_of_service_or_unknown__is_false() external {
        _full(1, 0);
        DeviceKey memory device = _deviceAt(1, 0, WHOLE, 0);
        assertTrue(firmware.isAllowed(device.id, 1), "active");
        _setStatus(device.id, IDeviceRegistry.Status.Suspended, operator);
        assertFalse(firmware.isAllowed(device.id, 1), "suspended");
        assertFalse(firmware.isAllowed(address(1), 1), "unknown");
    }

    function test_isAllowed__given_a_newer_one_that_runs__is_false() external {
        DeviceKey memory device = _deviceAt(2, 0, CANARY, 0);
        _full(1, 0);
        _canary(2);
        assertTrue(firmware.isAllowed(device.id, 1), "either");
        _tell(device, 2, 8);
        assertTrue(firmware.isAllowed(device.id, 1), "the newer one failed");
        _tell(device, 2, 0);
        assertFalse(firmware.isAllowed(device.id, 1), "no way back");
        assertTrue(firmware.isAllowed(device.id, 2), "it may have it again");
    }

    function testFuzz_positionOf__raised_share__never_drops_a_device(uint256 seed, uint16 low, uint16 high) external view {
        address device = address(uint160(uint256(keccak256(abi.encode(seed)))));
        uint256 position = firmware.positionOf(device, MODEL, uint32(seed));
        assertEq(position, uint256(keccak256(abi.encodePacked(device, MODEL, uint32(seed)))) % 10_000, "anyone's hash");
        low = uint16(_bound(low, 1, WHOLE));
        high = uint16(_bound(high, low, WHOLE));
        if (position < low) assertTrue(position < high, "still in it");
        assertTrue(position < WHOLE, "full is everyone");
    }

    function test_isReliableAt__given_a_revocation__ends_with_its_block() external {
        vm.roll(100);
        Release memory release = _release(1, 0);
        vm.roll(110);
        _begin(release, CANARY);
        vm.roll(200);
        assertFalse(firmware.isReliableAt(MODEL, 1, 109), "nobody could run it");
        assertTrue(firmware.isReliableAt(MODEL, 1, 110), "from its beginning on");
        _revoke(1, 150);
        assertTrue(firmware.isReliableAt(MODEL, 1, 149), "before");
        assertFalse(firmware.isReliableAt(MODEL, 1, 150), "since");
        assertFalse(firmware.isReliableAt(MODEL, 1, 200), "ever since");
        _revoke(1, 120);
        assertFalse(firmware.isReliableAt(MODEL, 1, 149), "known better now");
    }

    function test_isReliableAt__given_a_raised_floor__leaves_the_past() external {
        vm.roll(100);
        _full(1, 0);
        vm.roll(200);
        _full(3, 2);
        vm.roll(300);
        assertTrue(firmware.isReliableAt(MODEL, 1, 199), "as it was then");
        assertFalse(firmware.isReliableAt(MODEL, 1, 200), "below the floor");
        assertTrue(firmware.isReliableAt(MODEL, 3, 200), "above");
        assertFalse(firmware.isReliableAt(MODEL, 2, 200), "never released");
    }

    /// Devices that cannot have a newer one yet still count on the one they run.
    function test_isReliableAt__given_paused_or_superseded__stands() external {
        _full(1, 0);
        _canary(2);
        _pause(2);
        _full(3, 0);
        _assertState(1, RolloutState.Superseded, "superseded");
        assertTrue(firmware.isReliableAt(MODEL, 1, block.number), "superseded");
        assertTrue(firmware.isReliableAt(MODEL, 2, block.number), "paused");
    }

    function test_isDeviceReliableAt__looks_up_the_model() external {
        DeviceKey memory device = _deviceAt(1, 0, WHOLE, 0);
        assertFalse(firmware.isDeviceReliableAt(device.id, 1, block.number), "nothing released");
        _full(1, 0);
        assertTrue(firmware.isDeviceReliableAt(device.id, 1, block.number), "its own model's");
        assertFalse(firmware.isDeviceReliableAt(address(1), 1, block.number), "unknown");
        assertFalse(firmware.isDeviceReliableAt(device.id, 2, block.number), "no such release");
    }

    function test_getters__given_nothing__are_empty() external view {
        _assertState(1, RolloutState.Unknown, "state");
        assertEq(firmware.commitmentOf(MODEL, 1), bytes32(0), "commitment");
        assertEq(firmware.floorAt(MODEL, block.number), 0, "floor");
        Installation memory installation = firmware.installationOf(address(1));
        assertEq(installation.told + installation.running, 0, "installation");
    }
}
