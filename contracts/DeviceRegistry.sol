// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { P256 } from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import { Checkpoints } from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import { IDeviceRegistry } from "./interfaces/IDeviceRegistry.sol";
import { Secp256k1 } from "./libraries/Secp256k1.sol";
import { SignedActs } from "./libraries/SignedActs.sol";
import { Words } from "./libraries/Words.sol";
import { Act } from "./types/Act.sol";
import { Standing, standingOf } from "./types/Standing.sol";

/// @title DeviceRegistry
/// @notice See IDeviceRegistry. Judging a secp256k1 signature reads one word, a P-256 one three.
contract DeviceRegistry is IDeviceRegistry, SignedActs {
    using Checkpoints for Checkpoints.Trace160;

    struct Record {
        // slot 0
        Standing standing;
        // slot 1
        address owner;
        // slot 2
        address maker;
        // slots 3 and 4
        bytes32 x;
        bytes32 y;
        // slot 5: the statuses before the present one, each with the time it began
        Checkpoints.Trace160 earlier;
    }

    bytes32 private constant ENDORSEMENT_TYPEHASH = keccak256(
        "Endorsement(address device,address maker,address owner,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant POSSESSION_TYPEHASH =
        keccak256("Possession(address device,address maker,address owner,uint256 deadline)");
    bytes32 private constant STATUS_CHANGE_TYPEHASH =
        keccak256("StatusChange(address device,uint8 status,uint256 nonce,uint256 deadline)");

    uint8 private constant ACTIVE = uint8(Status.Active);
    uint8 private constant P256_KEY = uint8(KeyKind.P256);

    mapping(address device => Record) private _records;

    constructor(address authority) EIP712("Gridweave DeviceRegistry", "1") AccessManaged(authority) { }

    // --------------------------------------------------------------------------------------------------------- enrolment

    /// @inheritdoc IDeviceRegistry
    function enrol(Enrolment calldata enrolment, Act calldata maker, bytes32[2] calldata possession) external {
        address device = enrolment.device;
        if (Standing.unwrap(_records[device].standing) != 0) revert DeviceAlreadyEnrolled(device);
        if (enrolment.owner == address(0)) revert OwnerIsZero();
        _requireKeyOf(enrolment);
        _consume(maker, _endorsementOf(enrolment, maker));
        if (!_hasRole(maker.signer)) revert NotAMaker(maker.signer);

        Record storage record = _records[device];
        record.standing = standingOf(device, ACTIVE, uint8(enrolment.keyKind), 1, uint40(block.timestamp));
        record.owner = enrolment.owner;
        record.maker = maker.signer;
        record.x = enrolment.x;
        record.y = enrolment.y;
        emit DeviceEnrolled(device, maker.signer, enrolment.owner);
        emit DeviceKeyChanged(device, 1, enrolment.keyKind, enrolment.x, enrolment.y);

        // Last, because it is the record that tells whether a signature is the device's.
        _requirePossession(enrolment, maker, possession);
    }

    function _requireKeyOf(Enrolment calldata enrolment) private pure {
        bytes32 x = enrolment.x;
        bytes32 y = enrolment.y;
        address expected = address(uint160(uint256(keccak256(abi.encode(x, y)))));
        if (enrolment.device != expected) revert WrongDeviceId(enrolment.device, expected);

        KeyKind kind = enrolment.keyKind;
        bool valid = kind == KeyKind.Secp256k1
            ? Secp256k1.isValidPublicKey(x, y)
            : kind == KeyKind.P256 && P256.isValidPublicKey(x, y);
        if (!valid) revert KeyNotOnCurve(x, y);
    }

    function _requirePossession(Enrolment calldata enrolment, Act calldata maker, bytes32[2] calldata possession)
        private
        view
    {
        address device = enrolment.device;
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(POSSESSION_TYPEHASH, device, maker.signer, enrolment.owner, maker.deadline))
        );
        if (!_isSignedBy(_records[device], digest, possession[0], possession[1])) revert DeviceSignatureInvalid(device);
    }

    function _endorsementOf(Enrolment calldata enrolment, Act calldata maker) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                ENDORSEMENT_TYPEHASH,
                enrolment.device,
                maker.signer,
                enrolment.owner,
                enrolment.keyKind,
                enrolment.x,
                enrolment.y,
                maker.nonce,
                maker.deadline
            )
        );
    }

    // ------------------------------------------------------------------------------------------------------------ status

    /// @inheritdoc IDeviceRegistry
    function setStatus(address device, Status status, Act calldata act) external {
        Record storage record = _records[device];
        Standing standing = record.standing;
        Status from = Status(standing.status());
        if (from == Status.Unknown) revert UnknownDevice(device);
        if (!_isChange(from, status)) revert StatusChangeRefused(device, from, status);
        _consume(
            act, keccak256(abi.encode(STATUS_CHANGE_TYPEHASH, device, status, act.nonce, act.deadline))
        );
        // The owner may take its device out of service, but only an operator brings it back.
        if (status == Status.Active || act.signer != record.owner) _requireRole(act.signer);

        record.earlier.push(uint96(standing.statusSince()), uint160(standing.status()));
        record.standing = standing.withStatus(uint8(status), uint40(block.timestamp));
        emit DeviceStatusChanged(device, status, act.signer);
    }

    function _isChange(Status from, Status to) private pure returns (bool) {
        if (from == Status.Active) return to == Status.Suspended || to == Status.Revoked;
        return from == Status.Suspended && (to == Status.Active || to == Status.Revoked);
    }

    // ------------------------------------------------------------------------------------------------------ authenticity

    /// @inheritdoc IDeviceRegistry
    function isAuthentic(address device, bytes32 digest, bytes calldata signature) external view returns (bool) {
        Record storage record = _records[device];
        return signature.length == 64 && record.standing.status() == ACTIVE
            && _isSignedBy(record, digest, bytes32(signature[:32]), bytes32(signature[32:]));
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
        uint40 asOf = check.asOf;
        if (asOf < standing.statusSince()) status = record.earlier.upperLookupRecent(asOf);

        if (status != ACTIVE) {
            if (status == uint8(Status.Suspended)) return DeviceSuspended.selector;
            return status == uint8(Status.Revoked) ? DeviceRevoked.selector : UnknownDevice.selector;
        }
        return _isSignedBy(record, standing, check.digest, check.r, check.s) ? bytes4(0) : DeviceSignatureInvalid.selector;
    }

    function _isSignedBy(Record storage record, bytes32 digest, bytes32 r, bytes32 s) private view returns (bool) {
        return _isSignedBy(record, record.standing, digest, r, s);
    }

    function _isSignedBy(Record storage record, Standing standing, bytes32 digest, bytes32 r, bytes32 s)
        private
        view
        returns (bool)
    {
        if (standing.keyKind() == P256_KEY) return P256.verify(digest, r, s, record.x, record.y);
        return standing.key() == Secp256k1.recover(digest, r, s);
    }

    // ----------------------------------------------------------------------------------------------------------- getters

    /// @inheritdoc IDeviceRegistry
    function deviceOf(address device) external view returns (Device memory) {
        Record storage record = _records[device];
        Standing standing = record.standing;
        return Device({
            owner: record.owner,
            maker: record.maker,
            status: Status(standing.status()),
            keyKind: KeyKind(standing.keyKind()),
            keyVersion: standing.keyVersion(),
            statusSince: standing.statusSince(),
            x: record.x,
            y: record.y
        });
    }
}
