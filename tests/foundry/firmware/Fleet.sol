// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { FirmwareRegistry } from "../../../contracts/FirmwareRegistry.sol";
import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { InstallReceipt } from "../../../contracts/types/InstallReceipt.sol";
import { Approval, KeySet, Quorum } from "../../../contracts/types/KeySet.sol";
import { Release } from "../../../contracts/types/Release.sol";
import { RolloutState } from "../../../contracts/types/Rollout.sol";
import { Party, Signing } from "../support/Signing.sol";
import { DeviceKey, Street } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

/// A maker's model with five release keys, three of which must agree, and devices of that model. Type strings stand here a second
/// time, so that the contract's own are not their own judge.
abstract contract Fleet is Street {
    string internal constant FIRMWARE = "Gridweave FirmwareRegistry";
    uint256 internal constant KEYS = 5;
    uint8 internal constant THRESHOLD = 3;
    uint16 internal constant CANARY = 500;
    uint16 internal constant WHOLE = 10_000;
    uint32 internal constant LEAST = 4;
    uint16 internal constant LIMIT = 2_500;

    bytes32 private constant RELEASE_TYPEHASH = keccak256(
        "FirmwareRelease(uint32 model,uint32 counter,uint32 floor,uint64 imageSize,bytes32 imageHash,bytes32 manifestHash,bytes32 bomHash,string source,uint32 leastReceipts,uint16 failureLimitBp,uint256 deadline)"
    );
    bytes32 private constant RECEIPT_TYPEHASH =
        keccak256("InstallReceipt(address device,uint32 model,uint32 counter,uint16 failureCode,uint40 time)");

    FirmwareRegistry internal firmware;
    Party[] internal signers; // ascending

    function setUp() public virtual override {
        super.setUp();
        firmware = new FirmwareRegistry(address(authority), devices);
        vm.startPrank(admin);
        _open(address(firmware), FirmwareRegistry.openModel.selector, Roles.MAKER);
        vm.stopPrank();
        Party[] memory parties = _parties("release key ", KEYS);
        for (uint256 i = 0; i < KEYS; ++i) {
            signers.push(parties[i]);
        }
        KeySet memory keys = _keys();
        Act memory act = _openingAct(MODEL, keys, maker);
        firmware.openModel(MODEL, Quorum(keys, _signed(_openingDigest(MODEL, keys, act), THRESHOLD)), act);
    }

    // -------------------------------------------------------------------------------------------------------------- keys

    /// Ascending by address.
    function _parties(string memory name, uint256 count) internal pure returns (Party[] memory found) {
        found = new Party[](count);
        for (uint256 i = 0; i < count; ++i) {
            Party memory one = Signing.party(string(abi.encodePacked(name, vm.toString(i))));
            uint256 place = i;
            for (; place > 0 && found[place - 1].addr > one.addr; --place) {
                found[place] = found[place - 1];
            }
            found[place] = one;
        }
    }

    function _keySet(uint32 version, uint8 threshold, Party[] memory members) internal pure returns (KeySet memory keys) {
        keys = KeySet(version, threshold, new address[](members.length));
        for (uint256 i = 0; i < members.length; ++i) {
            keys.members[i] = members[i].addr;
        }
    }

    function _keys() internal view returns (KeySet memory) {
        return _keySet(1, THRESHOLD, signers);
    }

    function _hashOf(KeySet memory keys) internal pure returns (bytes32) {
        return keccak256(abi.encode(keys.version, keys.threshold, keccak256(abi.encodePacked(keys.members))));
    }

    /// By the first `count` release keys.
    function _signed(bytes32 digest, uint256 count) internal view returns (Approval[] memory) {
        return _signedFrom(digest, 0, count);
    }

    function _signedFrom(bytes32 digest, uint256 from, uint256 count) internal view returns (Approval[] memory approvals) {
        approvals = new Approval[](count);
        for (uint256 i = 0; i < count; ++i) {
            approvals[i] = _approval(signers[from + i], digest);
        }
    }

    function _approval(Party memory by, bytes32 digest) internal pure returns (Approval memory) {
        return Approval(by.addr, Signing.sign(by.key, digest));
    }

    function _signedBy(Party[] memory parties, bytes32 digest) internal pure returns (Approval[] memory approvals) {
        approvals = new Approval[](parties.length);
        for (uint256 i = 0; i < parties.length; ++i) {
            approvals[i] = _approval(parties[i], digest);
        }
    }

    function _quorumOf(bytes32 structHash, uint256 count) internal view returns (Quorum memory) {
        return Quorum(_keys(), _signed(_firmwareDigest(structHash), count));
    }

    function _firmwareDigest(bytes32 structHash) internal view returns (bytes32) {
        return _digest(FIRMWARE, address(firmware), structHash);
    }

    function _openingAct(uint32 model, KeySet memory keys, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        act.signature = Signing.sign(by.key, _openingDigest(model, keys, act));
    }

    function _openingDigest(uint32 model, KeySet memory keys, Act memory act) internal view returns (bytes32) {
        bytes32 typeHash = keccak256(
            "ModelOpening(uint32 model,address maker,uint8 threshold,address[] keys,uint256 nonce,uint256 deadline)"
        );
        bytes32 members = keccak256(abi.encodePacked(keys.members));
        return _firmwareDigest(
            keccak256(abi.encode(typeHash, model, act.signer, keys.threshold, members, act.nonce, act.deadline))
        );
    }

    function _changeDigest(KeySet memory next) internal view returns (bytes32) {
        bytes32 typeHash =
            keccak256("ReleaseKeyChange(uint32 model,uint32 version,uint8 threshold,address[] keys,uint256 deadline)");
        bytes32 members = keccak256(abi.encodePacked(next.members));
        return _firmwareDigest(
            keccak256(abi.encode(typeHash, MODEL, next.version, next.threshold, members, _deadline()))
        );
    }

    function _deadline() internal view returns (uint256) {
        return block.timestamp + 1 hours;
    }

    // ---------------------------------------------------------------------------------------------------------- releases

    function _draftRelease(uint32 counter, uint32 floor) internal view returns (Release memory) {
        return Release({
            model: MODEL,
            counter: counter,
            floor: floor,
            imageSize: 524_288,
            imageHash: keccak256(abi.encode("image", counter)),
            manifestHash: keccak256(abi.encode("manifest", counter)),
            bomHash: keccak256(abi.encode("bom", counter)),
            source: "https://example.org/meter-firmware@4f1c2f0",
            leastReceipts: LEAST,
            failureLimitBp: LIMIT,
            deadline: _deadline()
        });
    }

    function _commitmentOf(Release memory release) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                RELEASE_TYPEHASH,
                release.model,
                release.counter,
                release.floor,
                release.imageSize,
                release.imageHash,
                release.manifestHash,
                release.bomHash,
                keccak256(bytes(release.source)),
                release.leastReceipts,
                release.failureLimitBp,
                release.deadline
            )
        );
    }

    function _release(uint32 counter, uint32 floor) internal returns (Release memory release) {
        release = _draftRelease(counter, floor);
        firmware.release(release, _quorumOf(_commitmentOf(release), THRESHOLD));
    }

    function _startHash(uint32 counter, uint16 shareBp) internal view returns (bytes32) {
        bytes32 typeHash = keccak256("RolloutStart(uint32 model,uint32 counter,uint16 shareBp,uint256 deadline)");
        return keccak256(abi.encode(typeHash, MODEL, counter, shareBp, _deadline()));
    }

    function _begin(Release memory release, uint16 shareBp) internal {
        Quorum memory quorum = _quorumOf(_startHash(release.counter, shareBp), THRESHOLD);
        firmware.begin(release, shareBp, _deadline(), quorum);
    }

    function _raiseHash(uint32 counter, uint16 shareBp, uint16 step) internal view returns (bytes32) {
        bytes32 typeHash =
            keccak256("RolloutRaise(uint32 model,uint32 counter,uint16 shareBp,uint16 step,uint256 deadline)");
        return keccak256(abi.encode(typeHash, MODEL, counter, shareBp, step, _deadline()));
    }

    function _raise(uint32 counter, uint16 shareBp) internal {
        Quorum memory quorum = _quorumOf(_raiseHash(counter, shareBp, _stepOf(counter)), THRESHOLD);
        firmware.raiseShare(MODEL, counter, shareBp, _deadline(), quorum);
    }

    /// RolloutPause or RolloutResume.
    function _stopHash(string memory kind, uint32 counter, uint16 step) internal view returns (bytes32) {
        bytes32 typeHash =
            keccak256(abi.encodePacked(kind, "(uint32 model,uint32 counter,uint16 step,uint256 deadline)"));
        return keccak256(abi.encode(typeHash, MODEL, counter, step, _deadline()));
    }

    function _pause(uint32 counter) internal {
        firmware.pause(
            MODEL, counter, _deadline(), _quorumOf(_stopHash("RolloutPause", counter, _stepOf(counter)), 1)
        );
    }

    function _resume(uint32 counter) internal {
        bytes32 structHash = _stopHash("RolloutResume", counter, _stepOf(counter));
        firmware.resume(MODEL, counter, _deadline(), _quorumOf(structHash, THRESHOLD));
    }

    function _revocationHash(uint32 counter, uint32 sinceBlock) internal view returns (bytes32) {
        bytes32 typeHash =
            keccak256("ReleaseRevocation(uint32 model,uint32 counter,uint32 sinceBlock,uint256 deadline)");
        return keccak256(abi.encode(typeHash, MODEL, counter, sinceBlock, _deadline()));
    }

    function _revoke(uint32 counter, uint32 sinceBlock) internal {
        Quorum memory quorum = _quorumOf(_revocationHash(counter, sinceBlock), THRESHOLD);
        firmware.revoke(MODEL, counter, sinceBlock, _deadline(), quorum);
    }

    /// Released and begun; a tenth of the devices at most is in the ramp.
    function _canary(uint32 counter) internal returns (Release memory release) {
        release = _release(counter, 0);
        _begin(release, CANARY);
    }

    function _full(uint32 counter, uint32 floor) internal returns (Release memory release) {
        release = _release(counter, floor);
        _begin(release, CANARY);
        _raise(counter, WHOLE);
    }

    function _stepOf(uint32 counter) internal view returns (uint16) {
        return firmware.rolloutOf(MODEL, counter).step;
    }

    function _assertState(uint32 counter, RolloutState state, string memory why) internal view {
        assertEq(uint256(firmware.stateOf(MODEL, counter)), uint256(state), why);
    }

    // ---------------------------------------------------------------------------------------------------------- receipts

    /// A device of the model, enrolled, whose position is in [from, until).
    function _deviceAt(uint32 counter, uint256 from, uint256 until, uint256 seed)
        internal
        returns (DeviceKey memory device)
    {
        for (uint256 i = 0;; ++i) {
            device = _secpDevice(uint256(keccak256(abi.encode(seed, i))));
            uint256 position = _positionOf(device.id, counter);
            if (position >= from && position < until) break;
        }
        _enrol(device, prosumer.addr);
    }

    function _positionOf(address device, uint32 counter) internal pure returns (uint256) {
        return uint256(keccak256(abi.encodePacked(device, MODEL, counter))) % WHOLE;
    }

    function _receipt(DeviceKey memory device, uint32 counter, uint16 failureCode)
        internal
        view
        returns (InstallReceipt memory receipt)
    {
        receipt = InstallReceipt(device.id, MODEL, counter, failureCode, uint40(block.timestamp), "");
        _sign(receipt, device);
    }

    function _sign(InstallReceipt memory receipt, DeviceKey memory device) internal view {
        bytes32 structHash = keccak256(
            abi.encode(
                RECEIPT_TYPEHASH, receipt.device, receipt.model, receipt.counter, receipt.failureCode, receipt.time
            )
        );
        (bytes32 r, bytes32 s) = _signAs(device, _firmwareDigest(structHash));
        receipt.signature = abi.encodePacked(r, s);
    }

    function _tell(DeviceKey memory device, uint32 counter, uint16 failureCode) internal {
        firmware.tell(_receipt(device, counter, failureCode));
    }

    function _statusOf(IDeviceRegistry.Status status, DeviceKey memory device, Party memory by) internal {
        _setStatus(device.id, status, by);
    }
}
