// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Act } from "../types/Act.sol";

/// @title Identity of every device
/// @notice No device without its maker's endorsement and proof that it holds its key. A device's id is the last 20 bytes of
/// keccak256(x . y) of its first public key, on either curve.
interface IDeviceRegistry {
    enum KeyKind {
        None,
        Secp256k1,
        P256
    }

    enum Status {
        Unknown,
        Active,
        Suspended,
        Revoked
    }

    /// Endorsement(address device,address maker,address owner,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256 deadline)
    /// signed by the maker; Possession(address device,address maker,address owner,uint256 deadline) signed by the device.
    struct Enrolment {
        address device;
        address owner;
        KeyKind keyKind;
        bytes32 x;
        bytes32 y;
    }

    /// `r`, `s` as in SignedReading, by the device's current key. The device must have been active at `asOf` (a time): after
    /// all changes of status up to and including that second. Before its enrolment a device was unknown.
    struct Check {
        address device;
        uint40 asOf;
        bytes32 digest;
        bytes32 r;
        bytes32 s;
    }

    struct Device {
        address owner;
        address maker;
        Status status;
        KeyKind keyKind;
        uint16 keyVersion;
        uint40 statusSince; // time of the last change of status
        bytes32 x;
        bytes32 y;
    }

    event DeviceEnrolled(address indexed device, address indexed maker, address indexed owner);
    event DeviceKeyChanged(address indexed device, uint16 keyVersion, KeyKind keyKind, bytes32 x, bytes32 y);
    event DeviceStatusChanged(address indexed device, Status status, address indexed by);

    error NotAMaker(address maker);
    error OwnerIsZero();
    /// @notice The id is not the last 20 bytes of keccak256(x . y).
    error WrongDeviceId(address device, address expected);
    error KeyNotOnCurve(bytes32 x, bytes32 y);
    error DeviceAlreadyEnrolled(address device);
    error UnknownDevice(address device);
    error DeviceSuspended(address device);
    error DeviceRevoked(address device);
    error DeviceSignatureInvalid(address device);
    /// @notice Only active -> suspended (owner or operator), suspended -> active (operator), either of them -> revoked (either).
    error StatusChangeRefused(address device, Status from, Status to);

    /// @notice Enrols a device. Anyone may relay. `maker.signer` must hold the MAKER role.
    /// @param possession the device's signature (r, s as in SignedReading), valid until `maker.deadline`
    function enrol(Enrolment calldata enrolment, Act calldata maker, bytes32[2] calldata possession) external;
    /// @notice StatusChange(address device,uint8 status,uint256 nonce,uint256 deadline) by the owner or an operator. An owner who
    /// tries to reinstate is refused as SignerNotAllowed.
    /// @dev Takes effect for readings of the slots whose gate is yet to close: a reading is judged as of its slot's gate.
    function setStatus(address device, Status status, Act calldata act) external;

    /// @notice Whether the device is active now and (r, s) is its current key's signature of `digest`.
    /// @param signature 64 bytes, r then s as in SignedReading; any other length is false
    function isAuthentic(address device, bytes32 digest, bytes calldata signature) external view returns (bool);
    /// @return reasons per check: zero, or the selector of UnknownDevice, DeviceSuspended, DeviceRevoked or DeviceSignatureInvalid
    function areAuthentic(Check[] calldata checks) external view returns (bytes4[] memory reasons);
    function deviceOf(address device) external view returns (Device memory);
}
