// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Act } from "../types/Act.sol";
import { Meter, MeterBinding } from "../types/Meter.sol";

/// @title Energy assets and meters
/// @notice A meter belongs to one market and one account for all its life. When a home changes feeder or owner, its device gets
/// a new meter id beyond the order horizon, so ids are pseudonyms that end with the tenancy.
interface IDERRegistry {
    enum AssetKind {
        None,
        Photovoltaic,
        Wind,
        Battery,
        ElectricVehicle,
        HeatPump,
        Load
    }

    struct MeterRegistration {
        address device;
        uint32 market;
        address account;
        uint32 importCapacityW; // up to 2**24 - 1
        uint32 exportCapacityW; // up to 2**24 - 1
        uint8 scaleWh; // 1, 10 or 100: readings are multiples of it
        bool mandated; // the account's mandate comes with it
    }

    struct Asset {
        uint32 meter;
        AssetKind kind;
        uint32 nameplateW;
        uint32 storageWh;
    }

    event MeterRegistered(uint32 indexed meter, address indexed device, address indexed account, uint32 market, Meter terms);
    /// @notice The meter is in force up to the slot before `untilSlot`.
    event MeterEnded(uint32 indexed meter, uint32 untilSlot);
    /// @notice Up to `fromSlot` the device is read as `ended`, from it on as `begun`.
    event MeterMoved(address indexed device, uint32 indexed ended, uint32 indexed begun, uint32 fromSlot);
    event AssetRegistered(uint32 indexed asset, uint32 indexed meter, AssetKind kind, uint32 nameplateW, uint32 storageWh);

    error UnknownMeter(uint32 meter);
    error DeviceAlreadyMetered(address device, uint32 meter);
    error DeviceNotMetered(address device);
    error DeviceNotActive(address device);
    /// @notice Changes take effect beyond the order horizon: in a slot after `horizonSlot`.
    error WithinHorizon(uint32 slot, uint256 horizonSlot);
    error MeterEnds(uint32 meter, uint32 untilSlot);
    error MeterNotBegun(uint32 meter, uint32 fromSlot);
    error SlotLengthTooShort(uint32 slotLength, uint32 least);
    error CapacityOutOfRange(uint256 capacityW);
    error ScaleNotAllowed(uint8 scaleWh);
    error ZeroAccount();
    /// @notice The operator registered the meter without a mandate, so none can come with it.
    error MandateNotDue();
    error KindNotAllowed();

    /// @notice MeterRegistration(address device,uint32 market,address account,uint32 importCapacityW,uint32 exportCapacityW,
    /// uint8 scaleWh,bool mandated,uint256 nonce,uint256 deadline) by an operator. Anyone may relay. The meter is in force in
    /// slots that begin from now on.
    /// @param mandate Mandate(address device,uint32 market,address account,uint256 nonce,uint256 deadline) by the account: lets
    /// settlement debit it. Due if the operator signed `mandated`, so that who relays cannot leave it out; else its signature
    /// must be empty, and only arrears are recorded.
    function registerMeter(MeterRegistration calldata registration, Act calldata operator, Act calldata mandate)
        external
        returns (uint32 meter);
    /// @notice MeterMove(address device,uint32 market,address account,uint32 importCapacityW,uint32 exportCapacityW,uint8 scaleWh,
    /// bool mandated,uint32 fromSlot,uint256 nonce,uint256 deadline) by an operator, when a home changes owner, feeder or
    /// capacity: the device's present meter ends and its next one begins in `fromSlot`, beyond the horizon. Mandate as above.
    function moveMeter(
        MeterRegistration calldata registration,
        uint32 fromSlot,
        Act calldata operator,
        Act calldata mandate
    ) external returns (uint32 meter);
    /// @notice MeterEnd(uint32 meter,uint32 untilSlot,uint256 nonce,uint256 deadline) by an operator. Once it has ended the device
    /// can be registered anew.
    function endMeter(uint32 meter, uint32 untilSlot, Act calldata operator) external;
    /// @notice AssetRegistration(uint32 meter,uint8 kind,uint32 nameplateW,uint32 storageWh,uint256 nonce,uint256 deadline) by an
    /// operator.
    function registerAsset(Asset calldata asset, Act calldata operator) external returns (uint32 id);

    /// @notice One word a meter, zero where there is none.
    function metersOf(uint32[] calldata ids) external view returns (Meter[] memory meters);
    /// @notice The same with each meter's device.
    function meteringOf(uint32[] calldata ids)
        external
        view
        returns (Meter[] memory meters, MeterBinding[] memory bindings);
    /// @notice The newest meter of the device, which may not have begun.
    function meterOfDevice(address device) external view returns (uint32 meter);
    function assetOf(uint32 id) external view returns (Asset memory);
    function meterCount() external view returns (uint32);
    function assetCount() external view returns (uint32);
    /// @notice Seconds per slot, one for the deployment.
    function slotLength() external view returns (uint32);
}
