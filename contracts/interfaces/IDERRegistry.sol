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

    /// As the asset's device reports it. Commissioned comes first and once; online, offline, maintenance and fault follow each other
    /// in any order; decommissioned is the end. A state does not follow itself.
    enum AssetState {
        Unreported,
        Commissioned,
        Online,
        Offline,
        Maintenance,
        Fault,
        Decommissioned
    }

    struct AssetRegistration {
        uint32 meter;
        AssetKind kind;
        uint32 nameplateW;
        uint32 storageWh;
        uint32 feeder; // the operator's number; 0: none named
    }

    struct Asset {
        uint32 meter;
        AssetKind kind;
        AssetState state;
        uint32 nameplateW;
        uint32 storageWh;
        uint32 feeder;
        uint40 registeredAt; // time
        uint40 stateSince; // time, as reported; 0: nothing was
    }

    /// AssetStateReport(uint32 asset,uint8 state,uint40 since,uint256 deadline) signed by the device of the asset's meter. `since` is when
    /// the state began, chain time in seconds; it rises with each report of an asset, so none counts twice.
    struct StateReport {
        uint32 asset;
        uint8 state; // an AssetState; of another number the report is refused, not the batch
        uint40 since;
        uint256 deadline;
        bytes signature; // as IDeviceRegistry.isAuthentic takes it
    }

    event MeterRegistered(uint32 indexed meter, address indexed device, address indexed account, uint32 market, Meter terms);
    /// @notice The meter is in force up to the slot before `untilSlot`.
    event MeterEnded(uint32 indexed meter, uint32 untilSlot);
    /// @notice Up to `fromSlot` the device is read as `ended`, from it on as `begun`.
    event MeterMoved(address indexed device, uint32 indexed ended, uint32 indexed begun, uint32 fromSlot);
    event AssetRegistered(
        uint32 indexed asset,
        uint32 indexed meter,
        uint32 indexed feeder,
        AssetKind kind,
        uint32 nameplateW,
        uint32 storageWh
    );
    /// @param since when the state began, by the device's clock
    event AssetStateChanged(uint32 indexed asset, AssetState state, uint40 since);
    /// @notice One report of a batch. `reason` is the selector of the error as which `reportState` would have reverted.
    event AssetStateRefused(uint32 indexed asset, uint8 state, uint40 since, bytes4 reason);

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
    /// @notice Why a report of an asset's state is refused; the DeviceRegistry's DeviceSuspended, DeviceRevoked and
    /// DeviceSignatureInvalid come through as well.
    error UnknownAsset(uint32 asset);
    error StateReportExpired(uint32 asset, uint256 deadline);
    error StateOutOfRange(uint32 asset, uint8 state);
    /// @notice Its clock is ahead of the chain's. Report again once `since` has come.
    error StateFromFuture(uint32 asset, uint40 since, uint256 present);
    error StateBeforeRegistration(uint32 asset, uint40 since, uint40 registeredAt);
    /// @notice A state that began then, or later, is known already.
    error StateNotNewer(uint32 asset, uint40 given, uint40 since);
    /// @notice `from` does not lead to `to`, both numbers of an AssetState.
    error StateNotReachable(uint32 asset, uint8 from, uint8 to);
    /// @notice The meter is not in force now, or was not at the time that is reported. Behind a device's next meter its assets are
    /// registered anew.
    error AssetMeterNotInForce(uint32 asset, uint32 meter);
    error TooManyStateReports(uint256 given, uint256 most);

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
    /// @notice AssetRegistration(uint32 meter,uint8 kind,uint32 nameplateW,uint32 storageWh,uint32 feeder,uint256 nonce,uint256
    /// deadline) by an operator. It belongs to that meter for all its life: when the meter ends, its last state stands.
    function registerAsset(AssetRegistration calldata registration, Act calldata operator) external returns (uint32 id);

    /// @notice A device says in which state an asset behind its meter is. Anyone may relay. Its meter must be in force, now and at
    /// the time that is reported, and the device active.
    /// @dev The state is the device's word, judged by its key in this block: IDeviceRegistry.isTrustedAt says whether to rely on it.
    function reportState(StateReport calldata report) external;
    /// @notice The same for up to MAX_REPORTS reports of any assets. One that is refused is told by AssetStateRefused and loses
    /// none of the others.
    function reportStates(StateReport[] calldata reports) external;

    /// @notice One word a meter, zero where there is none.
    function metersOf(uint32[] calldata ids) external view returns (Meter[] memory meters);
    /// @notice The same with each meter's device.
    function meteringOf(uint32[] calldata ids)
        external
        view
        returns (Meter[] memory meters, MeterBinding[] memory bindings);
    /// @notice The newest meter of the device, which may not have begun.
    function meterOfDevice(address device) external view returns (uint32 meter);
    /// @notice All zeros where there is none.
    function assetOf(uint32 id) external view returns (Asset memory);
    function meterCount() external view returns (uint32);
    function assetCount() external view returns (uint32);
    /// @notice Seconds per slot, one for the deployment.
    function slotLength() external view returns (uint32);
}
