// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { PublicKey } from "../../../contracts/types/PublicKey.sol";
import { Reading, SignedReading } from "../../../contracts/types/Reading.sol";
import { House } from "./House.sol";
import { Party, Signing } from "./Signing.sol";
import { vm } from "./Vm.sol";

/// A device with its key and the id that follows from it.
struct DeviceKey {
    address id;
    IDeviceRegistry.KeyKind kind;
    uint256 key;
    bytes32 x;
    bytes32 y;
}

/// The house with devices and meters: enrols, registers and signs for them.
abstract contract Street is House {
    string internal constant DEVICES = "Gridweave DeviceRegistry";
    string internal constant DERS = "Gridweave DERRegistry";
    string internal constant LEDGER = "Gridweave MeterLedger";

    uint32 internal constant MARKET = 1;
    uint32 internal constant MODEL = 7;

    bytes32 private constant ENDORSEMENT_TYPEHASH = keccak256(
        "Endorsement(address device,address maker,address owner,uint32 model,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant POSSESSION_TYPEHASH =
        keccak256("Possession(address device,address maker,address owner,uint256 deadline)");
    bytes32 private constant STATUS_CHANGE_TYPEHASH =
        keccak256("StatusChange(address device,uint8 status,uint256 nonce,uint256 deadline)");
    bytes32 private constant METER_REGISTRATION_TYPEHASH = keccak256(
        "MeterRegistration(address device,uint32 market,address account,uint32 importCapacityW,uint32 exportCapacityW,uint8 scaleWh,bool mandated,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant METER_MOVE_TYPEHASH = keccak256(
        "MeterMove(address device,uint32 market,address account,uint32 importCapacityW,uint32 exportCapacityW,uint8 scaleWh,bool mandated,uint32 fromSlot,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant METER_END_TYPEHASH =
        keccak256("MeterEnd(uint32 meter,uint32 untilSlot,uint256 nonce,uint256 deadline)");
    bytes32 private constant MANDATE_TYPEHASH =
        keccak256("Mandate(address device,uint32 market,address account,uint256 nonce,uint256 deadline)");
    bytes32 private constant READING_TYPEHASH =
        keccak256("Reading(uint32 meter,uint32 slot,uint8 version,uint32 importWh,uint32 exportWh)");

    // ----------------------------------------------------------------------------------------------------------- devices

    function _secpDevice(uint256 seed) internal returns (DeviceKey memory) {
        uint256 key = uint256(keccak256(abi.encode("secp256k1 device", seed))) >> 8;
        (uint256 x, uint256 y) = _publicKey(key);
        return DeviceKey(vm.addr(key), IDeviceRegistry.KeyKind.Secp256k1, key, bytes32(x), bytes32(y));
    }

    function _p256Device(uint256 seed) internal pure returns (DeviceKey memory) {
        uint256 key = uint256(keccak256(abi.encode("P-256 device", seed))) >> 8;
        (uint256 x, uint256 y) = vm.publicKeyP256(key);
        return DeviceKey(_idOf(bytes32(x), bytes32(y)), IDeviceRegistry.KeyKind.P256, key, bytes32(x), bytes32(y));
    }

    function _publicKey(uint256 key) internal returns (uint256 x, uint256 y) {
        return (vm.createWallet(key).publicKeyX, vm.createWallet(key).publicKeyY);
    }

    function _idOf(bytes32 x, bytes32 y) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked(x, y)))));
    }

    /// The key as ERC-1056's events have it.
    function _attributeOf(DeviceKey memory device) internal pure returns (bytes32) {
        return device.kind == IDeviceRegistry.KeyKind.P256
            ? bytes32("did/pub/P256/veriKey/hex")
            : bytes32("did/pub/Secp256k1/veriKey/hex");
    }

    function _compressed(DeviceKey memory device) internal pure returns (bytes memory) {
        return abi.encodePacked(uint256(device.y) % 2 == 0 ? uint8(2) : uint8(3), device.x);
    }

    function _pointOf(DeviceKey memory device) internal pure returns (PublicKey memory) {
        return PublicKey(device.x, device.y);
    }

    function _signAs(DeviceKey memory device, bytes32 digest) internal pure returns (bytes32 r, bytes32 s) {
        if (device.kind == IDeviceRegistry.KeyKind.P256) return Signing.signP256Low(device.key, digest);
        return vm.signCompact(device.key, digest);
    }

    function _enrolment(DeviceKey memory device, address owner)
        internal
        pure
        returns (IDeviceRegistry.Enrolment memory)
    {
        return IDeviceRegistry.Enrolment(device.id, owner, MODEL, device.kind, device.x, device.y);
    }

    function _endorse(IDeviceRegistry.Enrolment memory enrolment, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        act.signature = Signing.sign(by.key, _endorsementDigest(enrolment, act));
    }

    function _endorsementDigest(IDeviceRegistry.Enrolment memory enrolment, Act memory act)
        internal
        view
        returns (bytes32)
    {
        return _digest(
            DEVICES,
            address(devices),
            keccak256(
                abi.encode(
                    ENDORSEMENT_TYPEHASH,
                    enrolment.device,
                    act.signer,
                    enrolment.owner,
                    enrolment.model,
                    enrolment.keyKind,
                    enrolment.x,
                    enrolment.y,
                    act.nonce,
                    act.deadline
                )
            )
        );
    }

    function _possession(DeviceKey memory device, address owner, Act memory act)
        internal
        view
        returns (bytes32[2] memory signature)
    {
        bytes32 digest = _digest(
            DEVICES,
            address(devices),
            keccak256(abi.encode(POSSESSION_TYPEHASH, device.id, act.signer, owner, act.deadline))
        );
        (signature[0], signature[1]) = _signAs(device, digest);
    }

    function _enrol(DeviceKey memory device, address owner) internal {
        IDeviceRegistry.Enrolment memory enrolment = _enrolment(device, owner);
        Act memory act = _endorse(enrolment, maker);
        devices.enrol(enrolment, act, _possession(device, owner, act));
    }

    function _statusAct(address device, IDeviceRegistry.Status status, Party memory by)
        internal
        returns (Act memory act)
    {
        act = _draft(by);
        bytes32 structHash = keccak256(abi.encode(STATUS_CHANGE_TYPEHASH, device, status, act.nonce, act.deadline));
        act.signature = Signing.sign(by.key, _digest(DEVICES, address(devices), structHash));
    }

    function _setStatus(address device, IDeviceRegistry.Status status, Party memory by) internal {
        devices.setStatus(device, status, _statusAct(device, status, by));
    }

    // ------------------------------------------------------------------------------------------------------------ meters

    function _registration(address device, address account)
        internal
        pure
        returns (IDERRegistry.MeterRegistration memory)
    {
        return IDERRegistry.MeterRegistration({
            device: device,
            market: MARKET,
            account: account,
            importCapacityW: 20_000,
            exportCapacityW: 12_000,
            scaleWh: 1,
            mandated: false
        });
    }

    function _operatorAct(IDERRegistry.MeterRegistration memory registration, Party memory by)
        internal
        returns (Act memory act)
    {
        act = _draft(by);
        bytes32 structHash = keccak256(
            abi.encode(
                METER_REGISTRATION_TYPEHASH,
                registration.device,
                registration.market,
                registration.account,
                registration.importCapacityW,
                registration.exportCapacityW,
                registration.scaleWh,
                registration.mandated,
                act.nonce,
                act.deadline
            )
        );
        act.signature = Signing.sign(by.key, _digest(DERS, address(ders), structHash));
    }

    function _mandateAct(IDERRegistry.MeterRegistration memory registration, Party memory by)
        internal
        returns (Act memory act)
    {
        act = _draft(by);
        bytes32 structHash = keccak256(
            abi.encode(
                MANDATE_TYPEHASH, registration.device, registration.market, registration.account, act.nonce, act.deadline
            )
        );
        act.signature = Signing.sign(by.key, _digest(DERS, address(ders), structHash));
    }

    /// Registers without a mandate.
    function _register(IDERRegistry.MeterRegistration memory registration) internal returns (uint32) {
        return ders.registerMeter(registration, _operatorAct(registration, operator), Signing.none());
    }

    /// Registers with the mandate of `holder`, whose account it is.
    function _registerFor(IDERRegistry.MeterRegistration memory registration, Party memory holder)
        internal
        returns (uint32)
    {
        registration.mandated = true;
        return
            ders.registerMeter(registration, _operatorAct(registration, operator), _mandateAct(registration, holder));
    }

    function _moveAct(IDERRegistry.MeterRegistration memory registration, uint32 fromSlot, Party memory by)
        internal
        returns (Act memory act)
    {
        act = _draft(by);
        bytes32 structHash = keccak256(
            abi.encode(
                METER_MOVE_TYPEHASH,
                registration.device,
                registration.market,
                registration.account,
                registration.importCapacityW,
                registration.exportCapacityW,
                registration.scaleWh,
                registration.mandated,
                fromSlot,
                act.nonce,
                act.deadline
            )
        );
        act.signature = Signing.sign(by.key, _digest(DERS, address(ders), structHash));
    }

    function _endAct(uint32 meter, uint32 untilSlot, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        bytes32 structHash =
            keccak256(abi.encode(METER_END_TYPEHASH, meter, untilSlot, act.nonce, act.deadline));
        act.signature = Signing.sign(by.key, _digest(DERS, address(ders), structHash));
    }

    // ---------------------------------------------------------------------------------------------------------- readings

    /// As of when a slot's devices are judged in the ledger's own tests: its start.
    function _asOf(uint32 slot) internal pure returns (uint40) {
        return uint40(uint256(slot) * SLOT_LENGTH);
    }

    function _reading(uint32 meter, uint32 slot, uint8 version, uint32 importWh, uint32 exportWh)
        internal
        pure
        returns (Reading)
    {
        return Reading.wrap(
            bytes32(
                (uint256(meter) << 224) | (uint256(slot) << 192) | (uint256(version) << 184)
                    | (uint256(importWh) << 152) | (uint256(exportWh) << 120)
            )
        );
    }

    function _readingDigest(Reading reading) internal view returns (bytes32) {
        return _digest(
            LEDGER,
            address(ledger),
            keccak256(
                abi.encode(
                    READING_TYPEHASH,
                    reading.meter(),
                    reading.slot(),
                    reading.version(),
                    reading.importWh(),
                    reading.exportWh()
                )
            )
        );
    }

    function _signed(DeviceKey memory device, Reading reading) internal view returns (SignedReading memory) {
        (bytes32 r, bytes32 s) = _signAs(device, _readingDigest(reading));
        return SignedReading(reading, r, s);
    }
}
