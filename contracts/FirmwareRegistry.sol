// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { Checkpoints } from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import { IDeviceRegistry } from "./interfaces/IDeviceRegistry.sol";
import { IFirmwareRegistry } from "./interfaces/IFirmwareRegistry.sol";
import { ReleaseKeys } from "./libraries/ReleaseKeys.sol";
import { SignedActs } from "./libraries/SignedActs.sol";
import { Act } from "./types/Act.sol";
import { Installation, InstallationWord, InstallReceipt } from "./types/InstallReceipt.sol";
import { KeySet, Quorum } from "./types/KeySet.sol";
import { Release } from "./types/Release.sol";
import { Rollout, RolloutState, RolloutWord, WHOLE_BP, rampPosition } from "./types/Rollout.sol";

/// @title FirmwareRegistry
/// @notice See IFirmwareRegistry. A release is two words: its hash from the beginning, its rollout once that begins. Where they lie is
/// relied upon by devices, which prove them against a block's state root.
contract FirmwareRegistry is IFirmwareRegistry, SignedActs {
    using Checkpoints for Checkpoints.Trace224;
    using ReleaseKeys for KeySet;
    using ReleaseKeys for Quorum;

    struct Model {
        // slot 0
        Line line;
        // slot 1: hash of the present key set
        bytes32 keys;
        // slot 2: floors by the block in which they came into force
        Checkpoints.Trace224 floors;
        // slot 3: struct hashes
        mapping(uint32 counter => bytes32) releases;
        // slot 4
        mapping(uint32 counter => RolloutWord) rollouts;
    }

    bytes32 private constant MODEL_OPENING_TYPEHASH = keccak256(
        "ModelOpening(uint32 model,address maker,uint8 threshold,address[] keys,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant RELEASE_KEY_CHANGE_TYPEHASH =
        keccak256("ReleaseKeyChange(uint32 model,uint32 version,uint8 threshold,address[] keys,uint256 deadline)");
    bytes32 private constant ROLLOUT_START_TYPEHASH =
        keccak256("RolloutStart(uint32 model,uint32 counter,uint16 shareBp,uint256 deadline)");
    bytes32 private constant ROLLOUT_RAISE_TYPEHASH =
        keccak256("RolloutRaise(uint32 model,uint32 counter,uint16 shareBp,uint16 step,uint256 deadline)");
    bytes32 private constant ROLLOUT_PAUSE_TYPEHASH =
        keccak256("RolloutPause(uint32 model,uint32 counter,uint16 step,uint256 deadline)");
    bytes32 private constant ROLLOUT_RESUME_TYPEHASH =
        keccak256("RolloutResume(uint32 model,uint32 counter,uint16 step,uint256 deadline)");
    bytes32 private constant RELEASE_REVOCATION_TYPEHASH =
        keccak256("ReleaseRevocation(uint32 model,uint32 counter,uint32 sinceBlock,uint256 deadline)");

    /// A release reaches nobody at once, whoever approves it.
    uint16 public constant CANARY_BP = 1_000;
    /// Of a device's clock, ahead of the chain's. Seconds.
    uint256 public constant CLOCK_TOLERANCE = 300;
    uint256 private constant MAX_RECEIPTS = 256;
    /// What a receipt takes at most, with a P-256 key and no precompile, and a 64th of it is kept back.
    uint256 private constant GAS_FOR_RECEIPT = 500_000;

    IDeviceRegistry private immutable _devices;

    mapping(uint32 model => Model) private _models;
    mapping(address device => InstallationWord) private _installations;

    constructor(address authority, IDeviceRegistry devices)
        EIP712("Gridweave FirmwareRegistry", "1")
        AccessManaged(authority)
    {
        _devices = devices;
    }

    // -------------------------------------------------------------------------------------------------------------- keys

    /// @inheritdoc IFirmwareRegistry
    function openModel(uint32 model, Quorum calldata first, Act calldata maker) external {
        Model storage opened = _models[model];
        if (opened.line.maker != address(0)) revert ModelAlreadyOpen(model, opened.line.maker);
        KeySet calldata keys = first.keys;
        keys.requireSound(1);
        bytes32 structHash = keccak256(
            abi.encode(
                MODEL_OPENING_TYPEHASH,
                model,
                maker.signer,
                keys.threshold,
                keys.membersHash(),
                maker.nonce,
                maker.deadline
            )
        );
        _consume(maker, structHash);
        _requireRole(maker.signer);
        first.requireApproved(_hashTypedDataV4(structHash), keys.threshold);

        opened.line.maker = maker.signer;
        opened.keys = keys.hash();
        emit ModelOpened(model, maker.signer, keys.threshold, keys.members);
    }

    /// @inheritdoc IFirmwareRegistry
    /// @dev The version is the nonce: one that was used is not the next.
    function changeKeys(uint32 model, KeySet calldata next, uint256 deadline, Quorum calldata present) external {
        Model storage changed = _openModel(model);
        _requirePresent(model, changed, present.keys);
        next.requireSound(present.keys.version + 1);
        bytes32 structHash = keccak256(
            abi.encode(
                RELEASE_KEY_CHANGE_TYPEHASH, model, next.version, next.threshold, next.membersHash(), deadline
            )
        );
        _requireInTime(deadline);
        present.requireHandedOver(next, _hashTypedDataV4(structHash));

        changed.keys = next.hash();
        emit ReleaseKeysChanged(model, next.version, next.threshold, next.members);
    }

    // ---------------------------------------------------------------------------------------------------------- releases

    /// @inheritdoc IFirmwareRegistry
    /// @dev The counter is the nonce: it only rises.
    function release(Release calldata release_, Quorum calldata quorum) external {
        (uint32 number, uint32 counter) = (release_.model, release_.counter);
        Model storage model = _openModel(number);
        Line memory line = model.line;
        if (counter <= line.latest) revert CounterNotIncreasing(counter, line.latest);
        if (release_.floor < line.floor) revert FloorLowered(release_.floor, line.floor);
        _requireComplete(release_);
        bytes32 commitment = release_.structHash();
        _requireThreshold(number, model, quorum, commitment, release_.deadline);

        model.line.latest = counter;
        model.releases[counter] = commitment;
        emit FirmwareReleased(number, counter, commitment, release_);
    }

    function _requireComplete(Release calldata release_) private pure {
        if (release_.floor > release_.counter) revert FloorAboveCounter(release_.floor, release_.counter);
        if (release_.imageSize == 0 || release_.imageHash == 0 || release_.manifestHash == 0) {
            revert ReleaseIncomplete();
        }
        if (release_.leastReceipts == 0 || release_.failureLimitBp > WHOLE_BP) {
            revert FailureLimitOutOfRange(release_.leastReceipts, release_.failureLimitBp);
        }
    }

    /// @inheritdoc IFirmwareRegistry
    /// @dev No nonce: a rollout begins once.
    function begin(Release calldata release_, uint16 shareBp, uint256 deadline, Quorum calldata quorum) external {
        (uint32 number, uint32 counter) = (release_.model, release_.counter);
        Model storage model = _openModel(number);
        Rollout memory rollout = _requireState(number, model, counter, RolloutState.Proposed);
        bytes32 commitment = model.releases[counter];
        if (release_.structHash() != commitment) revert WrongRelease(number, counter, commitment);
        if (shareBp == 0 || shareBp > CANARY_BP) revert CanaryOutOfRange(shareBp, CANARY_BP);
        bytes32 structHash = keccak256(abi.encode(ROLLOUT_START_TYPEHASH, number, counter, shareBp, deadline));
        _requireThreshold(number, model, quorum, structHash, deadline);

        rollout.state = RolloutState.Canary;
        rollout.shareBp = shareBp;
        rollout.leastReceipts = release_.leastReceipts;
        rollout.failureLimitBp = release_.failureLimitBp;
        rollout.floor = release_.floor;
        rollout.begunAt = uint32(block.number);
        _step(number, model, counter, rollout);
    }

    /// @inheritdoc IFirmwareRegistry
    function raiseShare(uint32 model, uint32 counter, uint16 shareBp, uint256 deadline, Quorum calldata quorum) external {
        Model storage raised = _openModel(model);
        Rollout memory rollout = _standing(model, raised, counter);
        if (rollout.state != RolloutState.Canary && rollout.state != RolloutState.Ramp) {
            revert WrongRolloutState(model, counter, rollout.state);
        }
        if (shareBp <= rollout.shareBp || shareBp > WHOLE_BP) revert ShareNotRaised(shareBp, rollout.shareBp);
        bytes32 structHash =
            keccak256(abi.encode(ROLLOUT_RAISE_TYPEHASH, model, counter, shareBp, rollout.step, deadline));
        _requireThreshold(model, raised, quorum, structHash, deadline);

        rollout.state = shareBp == WHOLE_BP ? RolloutState.Full : RolloutState.Ramp;
        rollout.shareBp = shareBp;
        if (rollout.state == RolloutState.Full) _complete(model, raised, counter, rollout.floor);
        _step(model, raised, counter, rollout);
    }

    /// Newer ones of the model may have been released, but none is full, else this one were superseded.
    function _complete(uint32 number, Model storage model, uint32 counter, uint32 floor) private {
        Line memory line = model.line;
        line.full = counter;
        // an older release that was full first may have asked for more
        if (floor > line.floor) {
            line.floor = floor;
            model.floors.push(uint32(block.number), floor);
            emit FloorRaised(number, floor);
        }
        model.line = line;
    }

    /// @inheritdoc IFirmwareRegistry
    function pause(uint32 model, uint32 counter, uint256 deadline, Quorum calldata one) external {
        Model storage paused = _openModel(model);
        Rollout memory rollout = _standing(model, paused, counter);
        if (!rollout.isTaking()) revert WrongRolloutState(model, counter, rollout.state);
        _requirePresent(model, paused, one.keys);
        _requireInTime(deadline);
        bytes32 structHash = keccak256(abi.encode(ROLLOUT_PAUSE_TYPEHASH, model, counter, rollout.step, deadline));
        one.requireApproved(_hashTypedDataV4(structHash), 1);

        _pause(model, counter, rollout, one.approvals[0].signer);
        paused.rollouts[counter] = rollout.pack();
    }

    function _pause(uint32 model, uint32 counter, Rollout memory rollout, address by) private {
        rollout.resumesTo = rollout.state;
        rollout.state = RolloutState.Paused;
        ++rollout.step;
        emit RolloutPaused(model, counter, by, rollout.told, rollout.failures, rollout.step);
    }

    /// @inheritdoc IFirmwareRegistry
    function resume(uint32 model, uint32 counter, uint256 deadline, Quorum calldata quorum) external {
        Model storage resumed = _openModel(model);
        Rollout memory rollout = _requireState(model, resumed, counter, RolloutState.Paused);
        bytes32 structHash = keccak256(abi.encode(ROLLOUT_RESUME_TYPEHASH, model, counter, rollout.step, deadline));
        _requireThreshold(model, resumed, quorum, structHash, deadline);

        rollout.state = rollout.resumesTo;
        rollout.resumesTo = RolloutState.Unknown;
        _step(model, resumed, counter, rollout);
    }

    function _step(uint32 number, Model storage model, uint32 counter, Rollout memory rollout) private {
        ++rollout.step;
        rollout.clearTally();
        model.rollouts[counter] = rollout.pack();
        emit RolloutStepped(number, counter, rollout.state, rollout.shareBp, rollout.step);
    }

    /// @inheritdoc IFirmwareRegistry
    /// @dev No step is named: whoever could take one in time would keep a release from being revoked.
    function revoke(uint32 model, uint32 counter, uint32 sinceBlock, uint256 deadline, Quorum calldata quorum) external {
        Model storage revoked = _openModel(model);
        Rollout memory rollout = _standing(model, revoked, counter);
        if (sinceBlock == 0 || sinceBlock > block.number) revert RevocationOutOfRange(sinceBlock);
        if (rollout.revokedSince != 0 && sinceBlock >= rollout.revokedSince) {
            revert RevocationNotEarlier(model, counter, rollout.revokedSince);
        }
        bytes32 structHash =
            keccak256(abi.encode(RELEASE_REVOCATION_TYPEHASH, model, counter, sinceBlock, deadline));
        _requireThreshold(model, revoked, quorum, structHash, deadline);

        rollout.state = RolloutState.Revoked;
        rollout.revokedSince = sinceBlock;
        revoked.rollouts[counter] = rollout.pack();
        emit ReleaseRevoked(model, counter, sinceBlock);
    }

    // ---------------------------------------------------------------------------------------------------------- receipts

    /// @inheritdoc IFirmwareRegistry
    function tell(InstallReceipt calldata receipt) public {
        (address device, uint32 number, uint32 counter) = (receipt.device, receipt.model, receipt.counter);
        Model storage model = _openModel(number);
        Installation memory last = _installations[device].unpack();
        if (last.told == 0 || last.model != number) _requireModel(device, number, model.line.maker);
        Rollout memory rollout = _standing(number, model, counter);
        if (!rollout.isTaking()) revert WrongRolloutState(number, counter, rollout.state);
        uint256 position = rampPosition(device, number, counter);
        if (position >= rollout.shareBp) revert NotInRamp(device, position, rollout.shareBp);
        if (receipt.time > block.timestamp + CLOCK_TOLERANCE) revert ReceiptFromFuture(device, receipt.time);
        // what it told before it told of a newer release is not remembered, so an older one never counts
        bool counts = counter > last.told;
        _note(receipt, last);
        if (!_devices.isAuthentic(device, _hashTypedDataV4(receipt.structHash()), receipt.signature)) {
            _refuse(device);
        }

        emit InstallTold(device, number, counter, receipt.failureCode, receipt.time);
        if (!counts) return;
        ++rollout.told;
        if (receipt.failureCode != 0) ++rollout.failures;
        if (rollout.isOverLimit()) _pause(number, counter, rollout, address(0));
        model.rollouts[counter] = rollout.pack();
    }

    /// A device's maker and model never change, so this is asked before its first receipt only.
    function _requireModel(address id, uint32 model, address maker) private view {
        IDeviceRegistry.Device memory device = _devices.deviceOf(id);
        if (device.status == IDeviceRegistry.Status.Unknown) revert IDeviceRegistry.UnknownDevice(id);
        if (device.model != model || device.maker != maker) revert WrongModel(id, device.maker, device.model);
    }

    /// Takes down what the device tells.
    function _note(InstallReceipt calldata receipt, Installation memory last) private {
        uint32 counter = receipt.counter;
        bool runs = receipt.failureCode == 0;
        if (counter == last.told && (last.failureCode == 0 || !runs)) revert ReceiptTold(receipt.device, counter);
        if (counter < last.told && (counter <= last.running || !runs)) {
            revert ReceiptOutdated(receipt.device, counter, last.told);
        }

        last.model = receipt.model;
        if (counter >= last.told) (last.told, last.failureCode) = (counter, receipt.failureCode);
        if (runs) (last.running, last.runningSince) = (counter, uint32(block.number));
        _installations[receipt.device] = last.pack();
    }

    /// Says why a device's word is not taken.
    function _refuse(address id) private view {
        IDeviceRegistry.Status status = _devices.deviceOf(id).status;
        if (status == IDeviceRegistry.Status.Revoked) revert IDeviceRegistry.DeviceRevoked(id);
        if (status == IDeviceRegistry.Status.Suspended) revert IDeviceRegistry.DeviceSuspended(id);
        revert IDeviceRegistry.DeviceSignatureInvalid(id);
    }

    /// @inheritdoc IFirmwareRegistry
    function tellMany(InstallReceipt[] calldata receipts) external returns (bytes4[] memory reasons) {
        if (receipts.length > MAX_RECEIPTS) revert TooManyReceipts(receipts.length, MAX_RECEIPTS);
        reasons = new bytes4[](receipts.length);
        for (uint256 i = 0; i < receipts.length; ++i) {
            InstallReceipt calldata receipt = receipts[i];
            // else who sends it could have a receipt refused for want of gas
            if (gasleft() < GAS_FOR_RECEIPT) revert GasTooLowForReceipt();
            try this.tell(receipt) { }
            catch (bytes memory reason) {
                reasons[i] = bytes4(reason);
                emit ReceiptRefused(receipt.device, receipt.model, receipt.counter, bytes4(reason));
            }
        }
    }

    // ------------------------------------------------------------------------------------------------------ requirements

    function _openModel(uint32 number) private view returns (Model storage model) {
        model = _models[number];
        if (model.line.maker == address(0)) revert UnknownModel(number);
    }

    function _requireInTime(uint256 deadline) private view {
        if (block.timestamp > deadline) revert ActExpired(deadline);
    }

    function _requirePresent(uint32 number, Model storage model, KeySet calldata keys) private view {
        bytes32 present = model.keys;
        if (keys.hash() != present) revert WrongKeySet(number, present);
    }

    function _requireThreshold(
        uint32 number,
        Model storage model,
        Quorum calldata quorum,
        bytes32 structHash,
        uint256 deadline
    ) private view {
        _requireInTime(deadline);
        _requirePresent(number, model, quorum.keys);
        quorum.requireApproved(_hashTypedDataV4(structHash), quorum.keys.threshold);
    }

    /// The rollout of a release that there is, in the state that it is in.
    function _standing(uint32 number, Model storage model, uint32 counter) private view returns (Rollout memory rollout) {
        rollout = _rolloutOf(model, counter);
        if (rollout.state == RolloutState.Unknown) revert UnknownRelease(number, counter);
    }

    function _requireState(uint32 number, Model storage model, uint32 counter, RolloutState state)
        private
        view
        returns (Rollout memory rollout)
    {
        rollout = _standing(number, model, counter);
        if (rollout.state != state) revert WrongRolloutState(number, counter, rollout.state);
    }

    function _rolloutOf(Model storage model, uint32 counter) private view returns (Rollout memory rollout) {
        rollout = model.rollouts[counter].unpack();
        if (rollout.state == RolloutState.Revoked) return rollout;
        if (rollout.state == RolloutState.Unknown) {
            if (model.releases[counter] == 0) return rollout;
            rollout.state = RolloutState.Proposed;
        }
        if (counter < model.line.full) rollout.state = RolloutState.Superseded;
    }

    // --------------------------------------------------------------------------------------------------------- judgement

    /// @inheritdoc IFirmwareRegistry
    function isAllowed(address device, uint32 counter) external view returns (bool) {
        IDeviceRegistry.Device memory found = _devices.deviceOf(device);
        Model storage model = _models[found.model];
        if (found.status != IDeviceRegistry.Status.Active || found.maker != model.line.maker) return false;
        Rollout memory rollout = _rolloutOf(model, counter);
        return rollout.isTaking() && counter >= _installations[device].unpack().running
            && rampPosition(device, found.model, counter) < rollout.shareBp;
    }

    /// @inheritdoc IFirmwareRegistry
    function isReliableAt(uint32 model, uint32 counter, uint256 blockNumber) public view returns (bool) {
        Model storage found = _models[model];
        RolloutWord rollout = found.rollouts[counter];
        if (rollout.begunAt() == 0 || blockNumber < rollout.begunAt()) return false;
        if (rollout.revokedSince() != 0 && blockNumber >= rollout.revokedSince()) return false;
        return counter >= floorAt(model, blockNumber);
    }

    /// @inheritdoc IFirmwareRegistry
    function isDeviceReliableAt(address device, uint32 counter, uint256 blockNumber) external view returns (bool) {
        IDeviceRegistry.Device memory found = _devices.deviceOf(device);
        if (found.maker == address(0) || found.maker != _models[found.model].line.maker) return false;
        return isReliableAt(found.model, counter, blockNumber);
    }

    // ----------------------------------------------------------------------------------------------------------- getters

    /// @inheritdoc IFirmwareRegistry
    function stateOf(uint32 model, uint32 counter) external view returns (RolloutState) {
        return _rolloutOf(_models[model], counter).state;
    }

    /// @inheritdoc IFirmwareRegistry
    function rolloutOf(uint32 model, uint32 counter) external view returns (Rollout memory) {
        return _rolloutOf(_models[model], counter);
    }

    /// @inheritdoc IFirmwareRegistry
    function lineOf(uint32 model) external view returns (Line memory line, bytes32 keys) {
        return (_models[model].line, _models[model].keys);
    }

    /// @inheritdoc IFirmwareRegistry
    function floorAt(uint32 model, uint256 blockNumber) public view returns (uint32) {
        uint32 until = blockNumber > type(uint32).max ? type(uint32).max : uint32(blockNumber);
        return uint32(_models[model].floors.upperLookupRecent(until));
    }

    /// @inheritdoc IFirmwareRegistry
    function commitmentOf(uint32 model, uint32 counter) external view returns (bytes32 commitment) {
        return _models[model].releases[counter];
    }

    /// @inheritdoc IFirmwareRegistry
    function installationOf(address device) external view returns (Installation memory) {
        return _installations[device].unpack();
    }

    /// @inheritdoc IFirmwareRegistry
    function positionOf(address device, uint32 model, uint32 counter) external pure returns (uint256) {
        return rampPosition(device, model, counter);
    }
}
