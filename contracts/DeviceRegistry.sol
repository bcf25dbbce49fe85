// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { Multicall } from "@openzeppelin/contracts/utils/Multicall.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { MerkleProof } from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import { P256 } from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import { Checkpoints } from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import { IDeviceRegistry } from "./interfaces/IDeviceRegistry.sol";
import { IERC1056 } from "./interfaces/IERC1056.sol";
import { DeviceActs } from "./libraries/DeviceActs.sol";
import { DeviceKeys } from "./libraries/DeviceKeys.sol";
import { Secp256k1 } from "./libraries/Secp256k1.sol";
import { SignedActs } from "./libraries/SignedActs.sol";
import { Words } from "./libraries/Words.sol";
import { Act } from "./types/Act.sol";
import { Holding, Origin } from "./types/Holding.sol";
import { PublicKey } from "./types/PublicKey.sol";
import { Standing, standingOf } from "./types/Standing.sol";

/// @title DeviceRegistry
/// @notice See IDeviceRegistry. A device is two words: how it stands, and whose it is. Judging a secp256k1 signature reads the
/// first, a P-256 one two more if the key was kept.
contract DeviceRegistry is IDeviceRegistry, IERC1056, SignedActs, Multicall {
    using Checkpoints for Checkpoints.Trace160;
    using DeviceKeys for PublicKey;

    struct Record {
        // slot 0
        Standing standing;
        // slot 1
        Holding holding;
        // slots 2 and 3: the current key, if it was kept since it is that
        PublicKey kept;
        // slot 4: the statuses between the first one and the present one, each with the time it began
        Checkpoints.Trace160 earlier;
        // slot 5
        Proposal proposal;
        // slot 6
        Offer offer;
        // slot 7: spans of blocks in which a key was in doubt and which ended with another key
        Span[] doubts;
    }

    struct Proposal {
        address key;
        KeyKind keyKind;
        uint16 nonce; // the device's when it was proposed: whatever moves that undoes it
        uint40 readyAt;
    }

    struct Offer {
        address to;
        uint40 until;
    }

    /// Blocks, the first inclusive, the second exclusive.
    struct Span {
        uint32 from;
        uint32 until;
    }

    struct Batch {
        uint32 origin;
        bool isClosed;
    }

    /// How long a device has to object to a key that its owner proposes.
    uint256 public constant ROTATION_DELAY = 7 days;

    /// Until when a key that counts is valid, as ERC-1056 says it.
    uint256 private constant FOREVER = type(uint256).max;

    uint8 private constant ACTIVE = uint8(Status.Active);

    mapping(address device => Record) private _records;
    mapping(bytes32 root => Batch) private _batches;
    mapping(uint256 number => Origin) private _origins;
    /// Of devices that their makers endorse one by one.
    mapping(address maker => mapping(uint32 model => uint32 number)) private _originsOfMakers;
    uint32 private _originCount;

    constructor(address authority) EIP712("Gridweave DeviceRegistry", "1") AccessManaged(authority) { }

    // --------------------------------------------------------------------------------------------------------- enrolment

    /// @inheritdoc IDeviceRegistry
    function enrol(Enrolment calldata enrolment, Act calldata maker, bytes32[2] calldata possession) external {
        PublicKey memory key = PublicKey(enrolment.x, enrolment.y);
        address device = enrolment.device;
        if (device != key.nameOf()) revert WrongDeviceId(device, key.nameOf());
        _consume(maker, DeviceActs.endorsement(enrolment, maker));
        if (!_hasRole(maker.signer)) revert NotAMaker(maker.signer);

        uint32 origin = _originsOfMakers[maker.signer][enrolment.model];
        if (origin == 0) {
            origin = _newOrigin(maker.signer, enrolment.model);
            _originsOfMakers[maker.signer][enrolment.model] = origin;
        }
        _create(key, enrolment.keyKind, enrolment.owner, origin, bytes32(0));
        if (enrolment.keyKind == KeyKind.P256) _records[device].kept = key;

        _requireSigned(
            device,
            enrolment.keyKind,
            key,
            DeviceActs.possession(device, maker.signer, enrolment.owner, maker.deadline),
            possession
        );
    }

    /// @inheritdoc IDeviceRegistry
    function registerBatch(bytes32 root, uint32 model, uint32 size, Act calldata maker) external {
        if (_batches[root].origin != 0) revert BatchAlreadyRegistered(root);
        _consume(maker, DeviceActs.batchRegistration(root, model, size, maker));
        if (!_hasRole(maker.signer)) revert NotAMaker(maker.signer);

        _batches[root].origin = _newOrigin(maker.signer, model);
        emit BatchRegistered(root, maker.signer, model, size);
    }

    /// @inheritdoc IDeviceRegistry
    function closeBatch(bytes32 root, Act calldata act) external {
        Batch storage batch = _openBatch(root);
        _consume(act, DeviceActs.batchClosing(root, act));
        if (act.signer != _origins[batch.origin].maker) _requireRole(act.signer);

        batch.isClosed = true;
        emit BatchClosed(root, act.signer);
    }

    /// @inheritdoc IDeviceRegistry
    function claim(Claim calldata claim_, bytes32[] calldata proof, bytes32[2] calldata signature) external {
        _requireInTime(claim_.deadline);
        address device = claim_.key.nameOf();
        uint32 origin = _openBatch(claim_.batch).origin;
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(device, claim_.keyKind))));
        if (!MerkleProof.verifyCalldata(proof, claim_.batch, leaf)) revert NotInBatch(device, claim_.batch);

        _create(claim_.key, claim_.keyKind, claim_.owner, origin, claim_.batch);
        _requireSigned(device, claim_.keyKind, claim_.key, DeviceActs.claim(device, claim_), signature);
    }

    function _openBatch(bytes32 root) private view returns (Batch storage batch) {
        batch = _batches[root];
        if (batch.origin == 0) revert UnknownBatch(root);
        if (batch.isClosed) revert BatchIsClosed(root);
    }

    function _newOrigin(address maker, uint32 model) private returns (uint32 number) {
        number = ++_originCount;
        _origins[number] = Origin(maker, model);
    }

    function _create(PublicKey memory key, KeyKind kind, address owner, uint32 number, bytes32 batch) private {
        address device = key.nameOf();
        Record storage record = _records[device];
        if (Standing.unwrap(record.standing) != 0) revert DeviceAlreadyEnrolled(device);
        if (owner == address(0)) revert OwnerIsZero();
        if (!key.isOnCurve(uint8(kind))) revert KeyNotOnCurve(key.x, key.y);

        record.standing = standingOf(device, ACTIVE, uint8(kind), block.timestamp, block.number);
        record.holding = Holding(owner, number, uint32(block.timestamp), 0);
        Origin memory origin = _origins[number];
        emit DeviceEnrolled(device, origin.maker, owner, origin.model, batch);
        emit DIDOwnerChanged(device, owner, 0);
        key.tell(device, uint8(kind), FOREVER, 0);
    }

    // -------------------------------------------------------------------------------------------------------------- keys

    /// @inheritdoc IDeviceRegistry
    function rotate(Rotation calldata rotation, bytes32[2] calldata signature) external {
        address device = rotation.device;
        Standing standing = _records[device].standing;
        PublicKey memory present = rotation.present;
        _requireActive(device, standing);
        _requireInTime(rotation.deadline);
        _requirePresent(device, standing, present);
        bytes32 structHash = DeviceActs.rotation(rotation, standing.nonce());
        _requireSigned(device, KeyKind(standing.keyKind()), present, structHash, signature);
        _replaceKey(device, standing, present, rotation.next, uint8(rotation.keyKind));
    }

    /// @inheritdoc IDeviceRegistry
    function proposeRotation(address device, KeyKind keyKind, PublicKey calldata next, Act calldata owner) external {
        Record storage record = _records[device];
        Standing standing = record.standing;
        _requireInService(device, standing);
        PublicKey memory key = next;
        if (!key.isOnCurve(uint8(keyKind))) revert KeyNotOnCurve(key.x, key.y);
        _consume(owner, DeviceActs.proposal(device, keyKind, key, owner));
        if (owner.signer != record.holding.owner) revert SignerNotAllowed(owner.signer);

        uint40 readyAt = uint40(block.timestamp + ROTATION_DELAY);
        record.proposal = Proposal(key.nameOf(), keyKind, standing.nonce(), readyAt);
        emit RotationProposed(device, keyKind, key.x, key.y, readyAt);
    }

    /// @inheritdoc IDeviceRegistry
    function vetoRotation(address device, PublicKey calldata present, uint256 deadline, bytes32[2] calldata signature)
        external
    {
        Record storage record = _records[device];
        Standing standing = record.standing;
        _requireInService(device, standing);
        _requireInTime(deadline);
        _requireTrusted(device, record.holding.compromisedSince);
        _requirePresent(device, standing, present);
        address key = _proposalOf(device, record, standing).key;
        bytes32 structHash = DeviceActs.veto(device, key, standing.nonce(), deadline);
        _requireSigned(device, KeyKind(standing.keyKind()), present, structHash, signature);

        _requireRoom(device, standing);
        record.standing = standing.withNonce();
        emit RotationVetoed(device, key);
    }

    /// @inheritdoc IDeviceRegistry
    function completeRotation(Rotation calldata rotation, bytes32[2] calldata signature) external {
        address device = rotation.device;
        Record storage record = _records[device];
        Standing standing = record.standing;
        PublicKey memory next = rotation.next;
        _requireInService(device, standing);
        _requireInTime(rotation.deadline);
        _requirePresent(device, standing, rotation.present);
        Proposal memory proposal = _proposalOf(device, record, standing);
        if (proposal.key != next.nameOf() || proposal.keyKind != rotation.keyKind) {
            revert OtherKeyProposed(device, proposal.key);
        }
        if (block.timestamp < proposal.readyAt) revert RotationNotReady(device, proposal.readyAt);
        bytes32 structHash = DeviceActs.adoption(rotation, standing.nonce());
        _requireSigned(device, rotation.keyKind, next, structHash, signature);

        uint32 since = record.holding.compromisedSince;
        if (since != 0) {
            record.doubts.push(Span(since, uint32(block.number)));
            record.holding.compromisedSince = 0;
        }
        _replaceKey(device, standing, rotation.present, next, uint8(rotation.keyKind));
    }

    /// @inheritdoc IDeviceRegistry
    function keepKey(address device, PublicKey calldata key) external {
        Record storage record = _records[device];
        Standing standing = record.standing;
        _requireKnown(device, standing);
        _requirePresent(device, standing, key);
        record.kept = key;
    }

    function _proposalOf(address device, Record storage record, Standing standing)
        private
        view
        returns (Proposal memory proposal)
    {
        proposal = record.proposal;
        if (proposal.key == address(0) || proposal.nonce != standing.nonce()) revert NoRotationProposed(device);
    }

    function _replaceKey(
        address device,
        Standing standing,
        PublicKey memory present,
        PublicKey memory next,
        uint8 kind
    ) private {
        _requireRoom(device, standing);
        if (!next.isOnCurve(kind)) revert KeyNotOnCurve(next.x, next.y);
        address name = next.nameOf();
        if (name == standing.key()) revert KeyUnchanged(device);

        _records[device].standing = standing.withKey(name, kind).withChanged(block.number);
        present.tell(device, standing.keyKind(), 0, standing.changed());
        next.tell(device, kind, FOREVER, standing.changed());
    }

    // ---------------------------------------------------------------------------------------------------------- standing

    /// @inheritdoc IDeviceRegistry
    function setStatus(address device, Status status, Act calldata act) external {
        Record storage record = _records[device];
        Standing standing = record.standing;
        _requireChange(device, standing, status);
        _consume(act, DeviceActs.statusChange(device, status, act));
        // The owner may take its device out of service, but only an operator brings it back.
        Holding memory holding = record.holding;
        if (status == Status.Active || act.signer != holding.owner) _requireRole(act.signer);
        if (status == Status.Active) _requireTrusted(device, holding.compromisedSince);

        _changeStatus(device, standing, status, act.signer);
    }

    /// @inheritdoc IDeviceRegistry
    function revoke(address device) external {
        Record storage record = _records[device];
        Standing standing = record.standing;
        _requireChange(device, standing, Status.Revoked);
        if (msg.sender != record.holding.owner) revert SignerNotAllowed(msg.sender);
        _changeStatus(device, standing, Status.Revoked, msg.sender);
    }

    /// @inheritdoc IDeviceRegistry
    function noteCompromise(address device, uint32 sinceBlock, PublicKey calldata present, Act calldata act) external {
        Record storage record = _records[device];
        Standing standing = record.standing;
        _requireKnown(device, standing);
        _requirePresent(device, standing, present);
        if (sinceBlock == 0 || sinceBlock > block.number) revert BlockOutOfRange(sinceBlock);
        Holding memory holding = record.holding;
        if (holding.compromisedSince != 0 && sinceBlock >= holding.compromisedSince) {
            revert DoubtNotEarlier(device, holding.compromisedSince);
        }
        _consume(act, DeviceActs.compromise(device, sinceBlock, act));
        if (act.signer != holding.owner) _requireRole(act.signer);

        record.holding.compromisedSince = sinceBlock;
        emit DeviceCompromised(device, sinceBlock, act.signer);
        if (holding.compromisedSince != 0) return;

        present.tell(device, standing.keyKind(), 0, standing.changed());
        standing = standing.withChanged(block.number);
        if (standing.status() == ACTIVE) _changeStatus(device, standing, Status.Suspended, act.signer);
        else record.standing = standing;
    }

    function _requireChange(address device, Standing standing, Status to) private pure {
        Status from = Status(standing.status());
        if (from == Status.Unknown) revert UnknownDevice(device);
        bool allowed = from == Status.Active
            ? to == Status.Suspended || to == Status.Revoked
            : from == Status.Suspended && (to == Status.Active || to == Status.Revoked);
        if (!allowed) revert StatusChangeRefused(device, from, to);
    }

    function _changeStatus(address device, Standing standing, Status status, address by) private {
        Record storage record = _records[device];
        // The first status is known without being kept: active since the enrolment.
        if (standing.hasChanged()) record.earlier.push(uint96(standing.statusSince()), uint160(standing.status()));

        Standing next = standing.withStatus(uint8(status), block.timestamp);
        emit DeviceStatusChanged(device, status, by);
        if (status == Status.Revoked) {
            next = next.withChanged(block.number);
            emit DIDOwnerChanged(device, address(0), standing.changed());
        }
        record.standing = next;
    }

    // ---------------------------------------------------------------------------------------------------------- transfer

    /// @inheritdoc IDeviceRegistry
    function offerTransfer(address device, address to, uint40 until, Act calldata owner) external {
        Record storage record = _records[device];
        _requireInService(device, record.standing);
        _consume(owner, DeviceActs.offer(device, to, until, owner));
        if (owner.signer != record.holding.owner) revert SignerNotAllowed(owner.signer);

        record.offer = Offer(to, until);
        emit TransferOffered(device, to, until);
    }

    /// @inheritdoc IDeviceRegistry
    function acceptTransfer(
        address device,
        PublicKey calldata present,
        Act calldata newOwner,
        bytes32[2] calldata handover
    ) external {
        Record storage record = _records[device];
        Standing standing = record.standing;
        _requireInService(device, standing);
        _requireTrusted(device, record.holding.compromisedSince);
        _requirePresent(device, standing, present);
        address from = record.holding.owner;
        address to = newOwner.signer;
        if (to == address(0) || record.offer.to != to || block.timestamp > record.offer.until) {
            revert TransferNotOffered(device, to);
        }
        _consume(newOwner, DeviceActs.acceptance(device, from, newOwner));
        _requireSigned(
            device,
            KeyKind(standing.keyKind()),
            present,
            DeviceActs.handover(device, from, to, standing.nonce(), newOwner.deadline),
            handover
        );

        _requireRoom(device, standing);
        record.standing = standing.withNonce().withChanged(block.number);
        record.holding.owner = to;
        delete record.offer;
        emit DIDOwnerChanged(device, to, standing.changed());
    }

    // ------------------------------------------------------------------------------------------------------ requirements

    function _requireKnown(address device, Standing standing) private pure {
        if (standing.status() == uint8(Status.Unknown)) revert UnknownDevice(device);
    }

    /// Active or suspended.
    function _requireInService(address device, Standing standing) private pure {
        _requireKnown(device, standing);
        if (standing.status() == uint8(Status.Revoked)) revert DeviceRevoked(device);
    }

    function _requireActive(address device, Standing standing) private pure {
        _requireInService(device, standing);
        if (standing.status() == uint8(Status.Suspended)) revert DeviceSuspended(device);
    }

    function _requireInTime(uint256 deadline) private view {
        if (block.timestamp > deadline) revert ActExpired(deadline);
    }

    function _requireTrusted(address device, uint256 compromisedSince) private pure {
        if (compromisedSince != 0) revert KeyCompromised(device, compromisedSince);
    }

    function _requirePresent(address device, Standing standing, PublicKey memory key) private pure {
        if (key.nameOf() != standing.key()) revert WrongKey(device, standing.key(), key.nameOf());
    }

    function _requireRoom(address device, Standing standing) private pure {
        if (standing.isSpent()) revert DeviceSpent(device);
    }

    /// That `key`, which is on its curve, signed in the device's name.
    function _requireSigned(
        address device,
        KeyKind kind,
        PublicKey memory key,
        bytes32 structHash,
        bytes32[2] calldata signature
    ) private view {
        bytes32 digest = _hashTypedDataV4(structHash);
        if (!key.hasSigned(uint8(kind), digest, signature[0], signature[1])) revert DeviceSignatureInvalid(device);
    }

    // ------------------------------------------------------------------------------------------------------ authenticity

    /// @inheritdoc IDeviceRegistry
    function isAuthentic(address device, bytes32 digest, bytes calldata signature) external view returns (bool) {
        Record storage record = _records[device];
        Standing standing = record.standing;
        if (standing.status() != ACTIVE) return false;
        if (signature.length == 64) {
            return _isSignedByKept(record, standing, digest, bytes32(signature[:32]), bytes32(signature[32:]));
        }
        if (signature.length != 128) return false;
        (bytes32 r, bytes32 s, PublicKey memory key) = abi.decode(signature, (bytes32, bytes32, PublicKey));
        return key.nameOf() == standing.key() && key.hasSigned(standing.keyKind(), digest, r, s);
    }

    /// @inheritdoc IDeviceRegistry
    function areAuthentic(Check[] calldata checks) external view returns (bytes4[] memory) {
        uint256 count = checks.length;
        uint256 reasons = Words.allocate(2 + count);
        Words.store(reasons, 0x20);
        Words.store(reasons + 0x20, count);
        // Addresses in memory that was allocated.
        unchecked {
            uint256 reason = reasons + 0x40;
            for (uint256 i = 0; i < count; ++i) {
                Words.store(reason, uint256(bytes32(_judge(checks[i]))));
                reason += 0x20;
            }
        }
        Words.finish(reasons, 2 + count);
    }

    function _judge(Check calldata check) private view returns (bytes4) {
        Record storage record = _records[check.device];
        Standing standing = record.standing;
        uint256 status = standing.status();
        if (check.asOf < standing.statusSince()) status = _statusAt(record, standing, check.asOf);

        if (status != ACTIVE) {
            if (status == uint8(Status.Suspended)) return DeviceSuspended.selector;
            return status == uint8(Status.Revoked) ? DeviceRevoked.selector : UnknownDevice.selector;
        }
        return _isSignedByKept(record, standing, check.digest, check.r, check.s)
            ? bytes4(0)
            : DeviceSignatureInvalid.selector;
    }

    /// The status at a time before the present one began.
    function _statusAt(Record storage record, Standing standing, uint40 time) private view returns (uint256 status) {
        if (!standing.hasChanged() || time < record.holding.enrolledAt) return uint8(Status.Unknown);
        status = record.earlier.upperLookupRecent(time);
        if (status == uint8(Status.Unknown)) return ACTIVE;
    }

    function _isSignedByKept(Record storage record, Standing standing, bytes32 digest, bytes32 r, bytes32 s)
        private
        view
        returns (bool)
    {
        if (standing.keyKind() != DeviceKeys.P256_KEY) return standing.key() == Secp256k1.recover(digest, r, s);
        PublicKey memory key = record.kept;
        return key.nameOf() == standing.key() && P256.verify(digest, r, s, key.x, key.y);
    }

    /// @inheritdoc IDeviceRegistry
    /// @dev A span is added with each key that followed a doubtful one, seven days apart at least.
    function isTrustedAt(address device, uint256 blockNumber) external view returns (bool) {
        Record storage record = _records[device];
        Standing standing = record.standing;
        if (Standing.unwrap(standing) == 0) return false;
        uint256 since = record.holding.compromisedSince;
        if (since != 0 && blockNumber >= since) return false;
        // A span of doubt ends with another key, so the first key's device has none.
        if (standing.keyVersion() == 1) return true;
        for (uint256 i = 0; i < record.doubts.length; ++i) {
            Span memory doubt = record.doubts[i];
            if (blockNumber >= doubt.from && blockNumber < doubt.until) return false;
        }
        return true;
    }

    // ----------------------------------------------------------------------------------------------------------- getters

    /// @inheritdoc IDeviceRegistry
    function deviceOf(address device) external view returns (Device memory found) {
        Record storage record = _records[device];
        Standing standing = record.standing;
        if (Standing.unwrap(standing) == 0) return found;

        Holding memory holding = record.holding;
        Origin memory origin = _origins[holding.origin];
        PublicKey memory kept = record.kept;
        found = Device({
            owner: holding.owner,
            maker: origin.maker,
            model: origin.model,
            status: Status(standing.status()),
            keyKind: KeyKind(standing.keyKind()),
            keyVersion: standing.keyVersion(),
            nonce: standing.nonce(),
            enrolledAt: holding.enrolledAt,
            statusSince: standing.statusSince(),
            compromisedSince: holding.compromisedSince,
            key: standing.key(),
            kept: kept.nameOf() == standing.key() ? kept : PublicKey(0, 0)
        });
    }

    /// @inheritdoc IDeviceRegistry
    function batchOf(bytes32 root) external view returns (address maker, uint32 model, bool isClosed) {
        Batch memory batch = _batches[root];
        Origin memory origin = _origins[batch.origin];
        return (origin.maker, origin.model, batch.isClosed);
    }

    /// @inheritdoc IDeviceRegistry
    function proposalOf(address device) external view returns (address key, KeyKind keyKind, uint256 readyAt) {
        Proposal memory proposal = _records[device].proposal;
        Standing standing = _records[device].standing;
        if (proposal.nonce != standing.nonce() || standing.status() == uint8(Status.Revoked)) return (key, keyKind, 0);
        return (proposal.key, proposal.keyKind, proposal.readyAt);
    }

    /// @inheritdoc IDeviceRegistry
    function offerOf(address device) external view returns (address to, uint256 until) {
        Offer memory offer = _records[device].offer;
        return (offer.to, offer.until);
    }

    /// @inheritdoc IERC1056
    function identityOwner(address identity) external view returns (address) {
        Standing standing = _records[identity].standing;
        if (standing.status() == uint8(Status.Revoked)) return address(0);
        return Standing.unwrap(standing) > 0 ? _records[identity].holding.owner : identity;
    }

    /// @inheritdoc IERC1056
    function changed(address identity) external view returns (uint256) {
        return _records[identity].standing.changed();
    }

    /// @inheritdoc IERC1056
    function nonce(address identity) external view returns (uint256) {
        return _records[identity].standing.nonce();
    }
}
