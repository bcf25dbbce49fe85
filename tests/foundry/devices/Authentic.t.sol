// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { Signing } from "../support/Signing.sol";
import { DeviceKey, Street } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

/// Every test runs for a device of either curve.
abstract contract AuthenticTest is Street {
    IDeviceRegistry.Status private constant ACTIVE = IDeviceRegistry.Status.Active;
    IDeviceRegistry.Status private constant SUSPENDED = IDeviceRegistry.Status.Suspended;
    IDeviceRegistry.Status private constant REVOKED = IDeviceRegistry.Status.Revoked;

    bytes32 private constant DIGEST = keccak256("what the device says");

    DeviceKey private _device;
    DeviceKey private _other;

    function _key(uint256 seed) internal virtual returns (DeviceKey memory);
    function _mirror(bytes32 s) internal virtual returns (bytes32);

    function setUp() public override {
        super.setUp();
        _device = _key(1);
        _other = _key(2);
        _enrol(_device, prosumer.addr);
        vm.warp(START + 1 days);
    }

    // -------------------------------------------------------------------------------------------------------- isAuthentic

    function test_isAuthentic__given_its_signature__is_true() external view {
        assertTrue(devices.isAuthentic(_device.id, DIGEST, _signature(_device)), "authentic");
    }

    function test_isAuthentic__given_another_key__is_false() external view {
        assertFalse(devices.isAuthentic(_device.id, DIGEST, _signature(_other)), "another's key");
    }

    function test_isAuthentic__given_another_digest__is_false() external view {
        assertFalse(devices.isAuthentic(_device.id, keccak256("else"), _signature(_device)), "another digest");
    }

    function test_isAuthentic__given_an_unknown_device__is_false() external view {
        assertFalse(devices.isAuthentic(_other.id, DIGEST, _signature(_other)), "not enrolled");
        assertFalse(devices.isAuthentic(address(0), DIGEST, new bytes(64)), "nobody");
    }

    function test_isAuthentic__given_any_other_length__is_false() external view {
        bytes memory signature = _signature(_device);
        assertFalse(devices.isAuthentic(_device.id, DIGEST, abi.encodePacked(signature, uint8(27))), "65 bytes");
        for (uint256 length = 0; length < 64; ++length) {
            assembly ("memory-safe") {
                mstore(signature, length)
            }
            assertFalse(devices.isAuthentic(_device.id, DIGEST, signature), "truncated");
        }
    }

    function test_isAuthentic__given_the_mirrored_signature__is_false() external {
        (bytes32 r, bytes32 s) = _signAs(_device, DIGEST);
        bytes memory mirrored = abi.encodePacked(r, _mirror(s));
        assertFalse(devices.isAuthentic(_device.id, DIGEST, mirrored), "malleable");
    }

    function test_isAuthentic__given_zeros__is_false() external view {
        assertFalse(devices.isAuthentic(_device.id, DIGEST, new bytes(64)), "r = s = 0");
    }

    function test_isAuthentic__given_it_is_suspended_or_revoked__is_false() external {
        _setStatus(_device.id, SUSPENDED, prosumer);
        assertFalse(devices.isAuthentic(_device.id, DIGEST, _signature(_device)), "suspended");
        _setStatus(_device.id, ACTIVE, operator);
        assertTrue(devices.isAuthentic(_device.id, DIGEST, _signature(_device)), "reinstated");
        _setStatus(_device.id, REVOKED, prosumer);
        assertFalse(devices.isAuthentic(_device.id, DIGEST, _signature(_device)), "revoked");
    }

    // ------------------------------------------------------------------------------------------------------ areAuthentic

    function test_areAuthentic__given_no_checks__gives_no_reasons() external view {
        assertEq(devices.areAuthentic(new IDeviceRegistry.Check[](0)).length, 0, "no reasons");
    }

    function test_areAuthentic__given_many__judges_each_alone() external view {
        IDeviceRegistry.Check[] memory checks = new IDeviceRegistry.Check[](4);
        checks[0] = _check(_device, block.timestamp);
        checks[1] = _check(_other, block.timestamp);
        checks[2] = _check(_device, block.timestamp);
        checks[2].s = bytes32(uint256(checks[2].s) ^ 1);
        checks[3] = _check(_device, block.timestamp);
        bytes4[] memory reasons = devices.areAuthentic(checks);

        assertEq(reasons.length, 4, "a reason each");
        assertReason(reasons[0], 0, "its own");
        assertReason(reasons[1], IDeviceRegistry.UnknownDevice.selector, "unknown");
        assertReason(reasons[2], IDeviceRegistry.DeviceSignatureInvalid.selector, "a bit off");
        assertReason(reasons[3], 0, "its own again");
    }

    function test_areAuthentic__given_the_mirrored_signature__refuses() external {
        IDeviceRegistry.Check memory check = _check(_device, block.timestamp);
        check.s = _mirror(check.s);
        assertReason(_judge(check), IDeviceRegistry.DeviceSignatureInvalid.selector, "malleable");
    }

    function test_areAuthentic__given_a_time_before_enrolment__refuses() external view {
        assertReason(_judgeAt(START), 0, "from its enrolment on");
        assertReason(_judgeAt(START - 1), IDeviceRegistry.UnknownDevice.selector, "before");
        assertReason(_judgeAt(0), IDeviceRegistry.UnknownDevice.selector, "long before");
    }

    function test_areAuthentic__given_it_was_suspended__judges_as_of_then() external {
        uint256 suspendedAt = block.timestamp;
        _setStatus(_device.id, SUSPENDED, operator);

        assertReason(_judgeAt(suspendedAt - 1), 0, "still active then");
        assertReason(_judgeAt(suspendedAt), IDeviceRegistry.DeviceSuspended.selector, "suspended from then on");
    }

    function test_areAuthentic__given_it_was_revoked__judges_as_of_then() external {
        uint256 revokedAt = block.timestamp;
        _setStatus(_device.id, REVOKED, prosumer);
        assertReason(_judgeAt(revokedAt - 1), 0, "still active then");
        assertReason(_judgeAt(revokedAt), IDeviceRegistry.DeviceRevoked.selector, "revoked from then on");
    }

    /// active since START | suspended | active | suspended | revoked, a day each
    function test_areAuthentic__given_a_long_history__knows_each_of_its_times() external {
        IDeviceRegistry.Status[4] memory changes = [SUSPENDED, ACTIVE, SUSPENDED, REVOKED];
        for (uint256 i = 0; i < changes.length; ++i) {
            vm.warp(START + (i + 1) * 1 days);
            _setStatus(_device.id, changes[i], operator);
        }
        bytes4[5] memory reasons = [
            bytes4(0),
            IDeviceRegistry.DeviceSuspended.selector,
            bytes4(0),
            IDeviceRegistry.DeviceSuspended.selector,
            IDeviceRegistry.DeviceRevoked.selector
        ];
        for (uint256 day = 0; day < reasons.length; ++day) {
            assertReason(_judgeAt(START + day * 1 days), reasons[day], "at the day's first second");
            assertReason(_judgeAt(START + (day + 1) * 1 days - 1), reasons[day], "at the day's last second");
        }
    }

    function test_areAuthentic__given_changes_within_one_second__counts_the_last() external {
        _setStatus(_device.id, SUSPENDED, operator);
        _setStatus(_device.id, ACTIVE, operator);
        assertReason(_judgeAt(block.timestamp), 0, "reinstated in the same second");
        assertReason(_judgeAt(block.timestamp - 1), 0, "active before");
        _setStatus(_device.id, SUSPENDED, operator);
        vm.warp(block.timestamp + 1);
        _setStatus(_device.id, REVOKED, operator);
        assertReason(_judgeAt(block.timestamp - 1), IDeviceRegistry.DeviceSuspended.selector, "suspended at last");
    }

    function _check(DeviceKey memory device, uint256 asOf) private pure returns (IDeviceRegistry.Check memory check) {
        check.device = device.id;
        check.asOf = uint40(asOf);
        check.digest = DIGEST;
        (check.r, check.s) = _signAs(device, DIGEST);
    }

    function _judgeAt(uint256 time) private view returns (bytes4) {
        return _judge(_check(_device, time));
    }

    function _judge(IDeviceRegistry.Check memory check) private view returns (bytes4) {
        IDeviceRegistry.Check[] memory checks = new IDeviceRegistry.Check[](1);
        checks[0] = check;
        return devices.areAuthentic(checks)[0];
    }

    function _signature(DeviceKey memory device) private pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = _signAs(device, DIGEST);
        return abi.encodePacked(r, s);
    }
}

contract AuthenticSecp256k1Test is AuthenticTest {
    function _key(uint256 seed) internal override returns (DeviceKey memory) {
        return _secpDevice(seed);
    }

    /// ERC-2098 has no room for a mirrored s, which needs the bit that holds the parity; this is the nearest to it.
    function _mirror(bytes32 vs) internal pure override returns (bytes32) {
        uint256 s = uint256(vs) & type(uint256).max >> 1;
        uint256 parity = 1 ^ (uint256(vs) >> 255);
        return bytes32(((Signing.SECP256K1_N - s) & type(uint256).max >> 1) | (parity << 255));
    }
}

/// Without the precompile: the same in Solidity.
contract AuthenticP256Test is AuthenticTest {
    function _key(uint256 seed) internal pure override returns (DeviceKey memory) {
        return _p256Device(seed);
    }

    function _mirror(bytes32 s) internal pure override returns (bytes32) {
        return Signing.mirroredP256(s);
    }
}

/// forge-config: default.evm_version = "osaka"
contract AuthenticP256PrecompileTest is AuthenticP256Test { }
