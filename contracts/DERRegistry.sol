// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { Address } from "@openzeppelin/contracts/utils/Address.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import { IDERRegistry } from "./interfaces/IDERRegistry.sol";
import { IDeviceRegistry } from "./interfaces/IDeviceRegistry.sol";
import { SignedActs } from "./libraries/SignedActs.sol";
import { Words } from "./libraries/Words.sol";
import { Act } from "./types/Act.sol";
import { AssetWord, assetWord, leadsTo } from "./types/Asset.sol";
import { Meter, MeterBinding, bindingTo, meterTerms } from "./types/Meter.sol";
import { HORIZON } from "./types/Ring.sol";

/// @title DERRegistry
/// @notice See IDERRegistry. What settlement asks of a meter is one word, its device one more. An asset is one word.
contract DERRegistry is IDERRegistry, SignedActs {
    struct Metering {
        // slot 0
        Meter terms;
        // slot 1
        MeterBinding binding;
    }

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
    bytes32 private constant ASSET_REGISTRATION_TYPEHASH = keccak256(
        "AssetRegistration(uint32 meter,uint8 kind,uint32 nameplateW,uint32 storageWh,uint32 feeder,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant ASSET_STATE_REPORT_TYPEHASH =
        keccak256("AssetStateReport(uint32 asset,uint8 state,uint40 since,uint256 deadline)");

    uint256 private constant MAX_CAPACITY_W = type(uint24).max;
    /// Seconds. Of shorter slots a ring's 16-bit turns would come round within years.
    uint32 private constant LEAST_SLOT_LENGTH = 60;
    uint256 private constant MAX_REPORTS = 256;

    IDeviceRegistry private immutable _devices;
    uint32 private immutable _slotLength;

    uint32 private _meterCount;
    uint32 private _assetCount;
    mapping(uint256 meter => Metering) private _meterings;
    mapping(address device => uint32 meter) private _meterOfDevice;
    mapping(uint256 id => AssetWord) private _assets;

    constructor(address authority, IDeviceRegistry devices, uint32 slotLength_)
        EIP712("Gridweave DERRegistry", "1")
        AccessManaged(authority)
    {
        if (slotLength_ < LEAST_SLOT_LENGTH) revert SlotLengthTooShort(slotLength_, LEAST_SLOT_LENGTH);

        _devices = devices;
        _slotLength = slotLength_;
    }

    // ------------------------------------------------------------------------------------------------------------ meters

    /// @inheritdoc IDERRegistry
    function registerMeter(MeterRegistration calldata registration, Act calldata operator, Act calldata mandate)
        external
        returns (uint32 meter)
    {
        address device = registration.device;
        uint32 present = _meterOfDevice[device];
        if (present != 0 && !_hasEnded(present)) revert DeviceAlreadyMetered(device, present);
        _consume(operator, _registrationHash(registration, operator));
        return _register(registration, 0, operator, mandate);
    }

    /// @inheritdoc IDERRegistry
    function moveMeter(
        MeterRegistration calldata registration,
        uint32 fromSlot,
        Act calldata operator,
        Act calldata mandate
    ) external returns (uint32 meter) {
        address device = registration.device;
        uint32 present = _meterOfDevice[device];
        if (present == 0) revert DeviceNotMetered(device);
        _consume(operator, _moveHash(registration, fromSlot, operator));
        _end(present, fromSlot);
        meter = _register(registration, fromSlot, operator, mandate);
        emit MeterMoved(device, present, meter, fromSlot);
    }

    /// @inheritdoc IDERRegistry
    function endMeter(uint32 meter, uint32 untilSlot, Act calldata operator) external {
        if (Meter.unwrap(_meterings[meter].terms) == 0) revert UnknownMeter(meter);
        _consume(
            operator,
            keccak256(abi.encode(METER_END_TYPEHASH, meter, untilSlot, operator.nonce, operator.deadline))
        );
        _requireRole(operator.signer);
        _end(meter, untilSlot);
    }

    function _register(
        MeterRegistration calldata registration,
        uint32 fromSlot,
        Act calldata operator,
        Act calldata mandate
    ) private returns (uint32 meter) {
        address device = registration.device;
        _requireRegistrable(registration);
        _requireRole(operator.signer);
        if (registration.mandated) _consumeMandate(registration, mandate);
        else if (mandate.signature.length != 0) revert MandateNotDue();

        meter = ++_meterCount;
        Meter terms = meterTerms(
            registration.account,
            registration.market,
            uint24(registration.importCapacityW),
            uint24(registration.exportCapacityW),
            registration.scaleWh,
            registration.mandated
        );
        if (fromSlot != 0) terms = terms.asBounded();
        _meterings[meter] =
            Metering({ terms: terms, binding: bindingTo(device, fromSlot, uint32(block.timestamp)) });
        _meterOfDevice[device] = meter;
        emit MeterRegistered(meter, device, registration.account, registration.market, terms);
    }

    /// Orders may stand for every slot up to the horizon, so nothing ends before it. What has an end keeps it, and nothing ends
    /// that has not begun: a device has at most one change ahead of it.
    function _end(uint32 meter, uint32 untilSlot) private {
        Metering storage metering = _meterings[meter];
        MeterBinding binding = metering.binding;
        uint256 current = block.timestamp / _slotLength;
        if (untilSlot <= current + HORIZON) revert WithinHorizon(untilSlot, current + HORIZON);
        if (binding.untilSlot() != 0) revert MeterEnds(meter, binding.untilSlot());
        if (binding.fromSlot() > current) revert MeterNotBegun(meter, binding.fromSlot());

        metering.terms = metering.terms.asBounded();
        metering.binding = binding.endingAt(untilSlot);
        emit MeterEnded(meter, untilSlot);
    }

    function _hasEnded(uint32 meter) private view returns (bool) {
        uint256 until = _meterings[meter].binding.untilSlot();
        return until != 0 && until <= block.timestamp / _slotLength;
    }

    function _requireRegistrable(MeterRegistration calldata registration) private view {
        address device = registration.device;
        if (registration.account == address(0)) revert ZeroAccount();
        _requireCapacity(registration.importCapacityW);
        _requireCapacity(registration.exportCapacityW);
        uint8 scale = registration.scaleWh;
        if (scale != 1 && scale != 10 && scale != 100) revert ScaleNotAllowed(scale);
        if (_devices.deviceOf(device).status != IDeviceRegistry.Status.Active) revert DeviceNotActive(device);
    }

    function _requireCapacity(uint256 capacityW) private pure {
        if (capacityW > MAX_CAPACITY_W) revert CapacityOutOfRange(capacityW);
    }

    function _registrationHash(MeterRegistration calldata registration, Act calldata operator)
        private
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                METER_REGISTRATION_TYPEHASH,
                registration.device,
                registration.market,
                registration.account,
                registration.importCapacityW,
                registration.exportCapacityW,
                registration.scaleWh,
                registration.mandated,
                operator.nonce,
                operator.deadline
            )
        );
    }

    function _moveHash(MeterRegistration calldata registration, uint32 fromSlot, Act calldata operator)
        private
        pure
        returns (bytes32)
    {
        return keccak256(
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
                operator.nonce,
                operator.deadline
            )
        );
    }

    /// Only the account itself can let settlement debit it.
    function _consumeMandate(MeterRegistration calldata registration, Act calldata mandate) private {
        if (mandate.signer != registration.account) revert WrongSignature(mandate.signer);
        _consume(
            mandate,
            keccak256(
                abi.encode(
                    MANDATE_TYPEHASH,
                    registration.device,
                    registration.market,
                    registration.account,
                    mandate.nonce,
                    mandate.deadline
                )
            )
        );
    }

    // ------------------------------------------------------------------------------------------------------------ assets

    /// @inheritdoc IDERRegistry
    function registerAsset(AssetRegistration calldata registration, Act calldata operator)
        external
        returns (uint32 id)
    {
        if (registration.kind == AssetKind.None) revert KindNotAllowed();
        if (Meter.unwrap(_meterings[registration.meter].terms) == 0) revert UnknownMeter(registration.meter);
        _consume(operator, _assetHash(registration, operator));
        _requireRole(operator.signer);

        id = ++_assetCount;
        _assets[id] = assetWord(
            registration.meter,
            uint8(registration.kind),
            registration.nameplateW,
            registration.storageWh,
            registration.feeder,
            block.timestamp
        );
        emit AssetRegistered(
            id,
            registration.meter,
            registration.feeder,
            registration.kind,
            registration.nameplateW,
            registration.storageWh
        );
    }

    function _assetHash(AssetRegistration calldata registration, Act calldata operator) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                ASSET_REGISTRATION_TYPEHASH,
                registration.meter,
                registration.kind,
                registration.nameplateW,
                registration.storageWh,
                registration.feeder,
                operator.nonce,
                operator.deadline
            )
        );
    }

    // ------------------------------------------------------------------------------------------------------------ states

    /// @inheritdoc IDERRegistry
    function reportState(StateReport calldata report) external {
        bytes memory refusal = _report(report);
        // Reverts as the refusal says.
        if (refusal.length > 0) Address.verifyCallResult(false, refusal);
    }

    /// @inheritdoc IDERRegistry
    function reportStates(StateReport[] calldata reports) external {
        if (reports.length > MAX_REPORTS) revert TooManyStateReports(reports.length, MAX_REPORTS);
        for (uint256 i = 0; i < reports.length; ++i) {
            StateReport calldata report = reports[i];
            bytes memory refusal = _report(report);
            if (refusal.length != 0) {
                emit AssetStateRefused(report.asset, report.state, report.since, bytes4(refusal));
            }
        }
    }

    /// @return refusal the error that says why nothing changed; empty if it did
    function _report(StateReport calldata report) private returns (bytes memory refusal) {
        uint32 id = report.asset;
        AssetWord asset = _assets[id];
        refusal = _changeFault(report, asset);
        if (refusal.length != 0) return refusal;
        MeterBinding binding = _meterings[asset.meter()].binding;
        if (!_isInForce(asset.meter(), binding, report.since)) {
            return abi.encodeWithSelector(AssetMeterNotInForce.selector, id, asset.meter());
        }
        refusal = _signatureFault(report, binding.device());
        if (refusal.length != 0) return refusal;

        _assets[id] = asset.withState(report.state, report.since);
        emit AssetStateChanged(id, AssetState(report.state), report.since);
    }

    /// What can be said of a report without its signature and meter.
    function _changeFault(StateReport calldata report, AssetWord asset) private view returns (bytes memory) {
        (uint32 id, uint8 state, uint40 since) = (report.asset, report.state, report.since);
        if (asset.kind() == 0) return abi.encodeWithSelector(UnknownAsset.selector, id);
        if (block.timestamp > report.deadline) {
            return abi.encodeWithSelector(StateReportExpired.selector, id, report.deadline);
        }
        if (state > uint8(AssetState.Decommissioned)) return abi.encodeWithSelector(StateOutOfRange.selector, id, state);
        if (since > block.timestamp) return abi.encodeWithSelector(StateFromFuture.selector, id, since, block.timestamp);
        if (since < asset.registeredAt()) {
            return abi.encodeWithSelector(StateBeforeRegistration.selector, id, since, asset.registeredAt());
        }
        if (since <= asset.stateSince()) {
            return abi.encodeWithSelector(StateNotNewer.selector, id, since, asset.stateSince());
        }
        if (!leadsTo(asset.state(), state)) {
            return abi.encodeWithSelector(StateNotReachable.selector, id, asset.state(), state);
        }
        return "";
    }

    /// An ended meter's home is somebody else's by now, whose device would write on in the former one's history.
    function _isInForce(uint32 meter, MeterBinding binding, uint256 since) private view returns (bool) {
        if (!_meterings[meter].terms.isBounded()) return true;
        return binding.isWithin(since / _slotLength) && binding.isWithin(block.timestamp / _slotLength);
    }

    function _signatureFault(StateReport calldata report, address device) private view returns (bytes memory) {
        bytes32 structHash = keccak256(
            abi.encode(ASSET_STATE_REPORT_TYPEHASH, report.asset, report.state, report.since, report.deadline)
        );
        if (_devices.isAuthentic(device, _hashTypedDataV4(structHash), report.signature)) return "";
        IDeviceRegistry.Status status = _devices.deviceOf(device).status;
        if (status == IDeviceRegistry.Status.Suspended) {
            return abi.encodeWithSelector(IDeviceRegistry.DeviceSuspended.selector, device);
        }
        if (status == IDeviceRegistry.Status.Revoked) {
            return abi.encodeWithSelector(IDeviceRegistry.DeviceRevoked.selector, device);
        }
        return abi.encodeWithSelector(IDeviceRegistry.DeviceSignatureInvalid.selector, device);
    }

    // ----------------------------------------------------------------------------------------------------------- getters

    /// @inheritdoc IDERRegistry
    function metersOf(uint32[] calldata ids) external view returns (Meter[] memory) {
        // Laid out once, as the caller reads it.
        uint256 answer = Words.allocate(2 + ids.length);
        Words.store(answer, 0x20);
        Words.store(answer + 0x20, ids.length);
        // An address in memory that was allocated.
        unchecked {
            uint256 place = answer + 0x40;
            for (uint256 i = 0; i < ids.length; ++i) {
                Words.store(place, Meter.unwrap(_meterings[ids[i]].terms));
                place += 0x20;
            }
        }
        Words.finish(answer, 2 + ids.length);
    }

    /// @inheritdoc IDERRegistry
    function meteringOf(uint32[] calldata ids)
        external
        view
        returns (Meter[] memory, MeterBinding[] memory)
    {
        // Both lists are laid out once, as the caller reads them: two offsets, then each list behind its length.
        uint256 answer = Words.allocate(4 + 2 * ids.length);
        uint256 second = 0x60 + 0x20 * ids.length;
        Words.store(answer, 0x40);
        Words.store(answer + 0x20, second);
        Words.store(answer + 0x40, ids.length);
        Words.store(answer + second, ids.length);
        // Addresses in memory that was allocated.
        unchecked {
            uint256 place = answer + 0x60;
            for (uint256 i = 0; i < ids.length; ++i) {
                Metering storage metering = _meterings[ids[i]];
                Words.store(place, Meter.unwrap(metering.terms));
                Words.store(place + second - 0x40, MeterBinding.unwrap(metering.binding));
                place += 0x20;
            }
        }
        Words.finish(answer, 4 + 2 * ids.length);
    }

    /// @inheritdoc IDERRegistry
    function meterOfDevice(address device) external view returns (uint32 meter) {
        return _meterOfDevice[device];
    }

    /// @inheritdoc IDERRegistry
    function assetOf(uint32 id) external view returns (Asset memory) {
        AssetWord asset = _assets[id];
        return Asset({
            meter: asset.meter(),
            kind: AssetKind(asset.kind()),
            state: AssetState(asset.state()),
            nameplateW: asset.nameplateW(),
            storageWh: asset.storageWh(),
            feeder: asset.feeder(),
            registeredAt: asset.registeredAt(),
            stateSince: asset.stateSince()
        });
    }

    /// @inheritdoc IDERRegistry
    function meterCount() external view returns (uint32) {
        return _meterCount;
    }

    /// @inheritdoc IDERRegistry
    function assetCount() external view returns (uint32) {
        return _assetCount;
    }

    /// @inheritdoc IDERRegistry
    function slotLength() external view returns (uint32) {
        return _slotLength;
    }
}
