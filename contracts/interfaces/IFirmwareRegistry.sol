// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Act } from "../types/Act.sol";
import { Installation, InstallReceipt } from "../types/InstallReceipt.sol";
import { KeySet, Quorum } from "../types/KeySet.sol";
import { Release } from "../types/Release.sol";
import { Rollout, RolloutState } from "../types/Rollout.sol";

/// @title Firmware whose history and validity are public
/// @notice A model's maker names its release keys once; from then on M of them speak for its firmware, and any of them can stop it.
///
///                begin          raiseShare          raiseShare to 10,000
///     Proposed --------> Canary ------------> Ramp ----------------------> Full      any of these -> Revoked
///                         |  ^                |  ^                         |  ^      older than the newest full one: Superseded
///                   pause v  | resume         v  |                         v  |
///                        Paused              Paused                       Paused
///
/// One key may pause, for that can only keep devices on what they run. To release, begin, raise, resume and revoke takes the
/// threshold. A step's signatures name how many steps there were before, so none that was gathered before a pause undoes it. The
/// contract itself pauses a release when more of its devices fail than its own limit allows.
/// Shares and limits are of 10,000 (basis points); times are chain time in seconds unless a device's clock is named.
/// @dev Every approval is an EIP-712 signature of the type at the function. Whoever sends it brings the model's present keys
/// (ReleaseKeysChanged, ModelOpened) and the signatures, ascending by signer; one too many that is wrong is refused as well. A member that
/// is a wallet signs by ERC-1271.
/// Warning: M stolen keys can release anything to the model's devices, or raise the counter to its end. There is no key above them.
interface IFirmwareRegistry {
    /// A model as it stands, in one word.
    struct Line {
        address maker; // zero: not open
        uint32 latest; // counter of its newest release
        uint32 full; // newest counter that ever was full
        uint32 floor; // devices below it are not to be trusted
    }

    event ModelOpened(uint32 indexed model, address indexed maker, uint8 threshold, address[] keys);
    event ReleaseKeysChanged(uint32 indexed model, uint32 indexed version, uint8 threshold, address[] keys);
    /// @param commitment the release's EIP-712 struct hash: all that is stored of it
    event FirmwareReleased(uint32 indexed model, uint32 indexed counter, bytes32 commitment, Release release);
    /// @notice It has begun, was raised or resumed.
    event RolloutStepped(
        uint32 indexed model, uint32 indexed counter, RolloutState state, uint16 shareBp, uint16 step
    );
    /// @param by the key that paused it; zero: its failures, `failures` of `told` in this step
    event RolloutPaused(
        uint32 indexed model, uint32 indexed counter, address indexed by, uint32 told, uint32 failures, uint16 step
    );
    /// @notice What its devices recorded from that block on is not to be relied upon.
    event ReleaseRevoked(uint32 indexed model, uint32 indexed counter, uint32 sinceBlock);
    event FloorRaised(uint32 indexed model, uint32 floor);
    /// @param time by the device's clock
    event InstallTold(
        address indexed device, uint32 indexed model, uint32 indexed counter, uint16 failureCode, uint40 time
    );
    /// @notice A receipt of a batch was refused for the reason with that selector.
    event ReceiptRefused(address indexed device, uint32 indexed model, uint32 indexed counter, bytes4 reason);

    error UnknownModel(uint32 model);
    /// @notice A model's number belongs to the maker who opened it. Choose another.
    error ModelAlreadyOpen(uint32 model, address maker);
    error WrongKeySetVersion(uint32 given, uint32 expected);
    /// @notice One of 1 to `keys`, and at most 32 keys.
    error ThresholdOutOfRange(uint8 threshold, uint256 keys);
    /// @notice Members ascend and none is zero.
    error KeysNotAscending(address key);
    /// @notice These are not the model's present keys. ReleaseKeysChanged, or ModelOpened, tells them.
    error WrongKeySet(uint32 model, bytes32 present);
    error SignersNotAscending(address signer);
    error UnknownReleaseKey(address signer);
    error BelowThreshold(uint256 approvals, uint256 threshold);
    error CounterNotIncreasing(uint32 counter, uint32 latest);
    error FloorLowered(uint32 floor, uint32 present);
    error FloorAboveCounter(uint32 floor, uint32 counter);
    /// @notice An image of some bytes and a manifest, with their hashes, make a release.
    error ReleaseIncomplete();
    /// @notice One receipt at least, and up to 10,000 of 10,000.
    error FailureLimitOutOfRange(uint32 leastReceipts, uint16 failureLimitBp);
    error UnknownRelease(uint32 model, uint32 counter);
    /// @notice The release that is stored under that counter is another.
    error WrongRelease(uint32 model, uint32 counter, bytes32 commitment);
    error WrongRolloutState(uint32 model, uint32 counter, RolloutState state);
    /// @notice A rollout begins with 1 to `most` of 10,000 devices.
    error CanaryOutOfRange(uint16 shareBp, uint16 most);
    /// @notice More than now, and up to 10,000.
    error ShareNotRaised(uint16 shareBp, uint16 present);
    /// @notice Later than the present block, or zero.
    error RevocationOutOfRange(uint32 sinceBlock);
    /// @notice It stands revoked. The block can only be moved to an earlier one.
    error RevocationNotEarlier(uint32 model, uint32 counter, uint32 sinceBlock);
    /// @notice The device is another model, or another maker's.
    error WrongModel(address device, address maker, uint32 model);
    error NotInRamp(address device, uint256 position, uint16 shareBp);
    /// @notice The device has told of that release, and only success is told after a failure.
    error ReceiptTold(address device, uint32 counter);
    /// @notice The device has told of a newer release, `told`, and either this one failed or the device runs a newer one.
    error ReceiptOutdated(address device, uint32 counter, uint32 told);
    /// @notice The device's clock is more than five minutes ahead of the chain's.
    error ReceiptFromFuture(address device, uint40 time);
    error TooManyReceipts(uint256 receipts, uint256 most);
    /// @notice Send the batch with more gas, or fewer receipts.
    error GasTooLowForReceipt();

    // Keys

    /// @notice ModelOpening(uint32 model,address maker,uint8 threshold,address[] keys,uint256 nonce,uint256 deadline) by a maker, and by
    /// as many of the new keys as the threshold asks: nobody opens a model with keys that nobody holds.
    function openModel(uint32 model, Quorum calldata first, Act calldata maker) external;
    /// @notice ReleaseKeyChange(uint32 model,uint32 version,uint8 threshold,address[] keys,uint256 deadline), by the present
    /// threshold of present keys and the next threshold of next keys. Who is in both signs once.
    function changeKeys(uint32 model, KeySet calldata next, uint256 deadline, Quorum calldata present) external;

    // Releases

    /// @notice FirmwareRelease(uint32 model,uint32 counter,uint32 floor,uint64 imageSize,bytes32 imageHash,bytes32 manifestHash,bytes32
    /// bomHash,string source,uint32 leastReceipts,uint16 failureLimitBp,uint256 deadline) by the threshold. Nobody may install it
    /// before it begins.
    function release(Release calldata release_, Quorum calldata quorum) external;
    /// @notice RolloutStart(uint32 model,uint32 counter,uint16 shareBp,uint256 deadline) by the threshold: its canaries, up to a tenth.
    function begin(Release calldata release_, uint16 shareBp, uint256 deadline, Quorum calldata quorum) external;
    /// @notice RolloutRaise(uint32 model,uint32 counter,uint16 shareBp,uint16 step,uint256 deadline) by the threshold. At 10,000 it is
    /// full: older ones are superseded, and its floor comes into force.
    function raiseShare(uint32 model, uint32 counter, uint16 shareBp, uint256 deadline, Quorum calldata quorum) external;
    /// @notice RolloutPause(uint32 model,uint32 counter,uint16 step,uint256 deadline) by any one key. Nobody may install it then.
    function pause(uint32 model, uint32 counter, uint256 deadline, Quorum calldata one) external;
    /// @notice RolloutResume(uint32 model,uint32 counter,uint16 step,uint256 deadline) by the threshold: it goes on where it was paused,
    /// and its receipts are counted anew.
    function resume(uint32 model, uint32 counter, uint256 deadline, Quorum calldata quorum) external;
    /// @notice ReleaseRevocation(uint32 model,uint32 counter,uint32 sinceBlock,uint256 deadline) by the threshold, for ever. Again
    /// only with an earlier block.
    function revoke(uint32 model, uint32 counter, uint32 sinceBlock, uint256 deadline, Quorum calldata quorum) external;

    // Receipts

    /// @notice InstallReceipt(address device,uint32 model,uint32 counter,uint16 failureCode,uint40 time) signed by the device. Anyone may
    /// send it. Once per device and release; after a failure a success may follow, which leaves the step's tally as it is: a step
    /// is judged by first attempts. Who told of a newer release that failed may still tell, untallied, that an older one runs,
    /// if that is newer than what it ran.
    function tell(InstallReceipt calldata receipt) external;
    /// @notice Up to 256 receipts. One that is refused does not hold up the others: what it was refused for is in ReceiptRefused.
    /// @dev So a batch in which the release pauses itself stands, with the receipts behind it refused.
    function tellMany(InstallReceipt[] calldata receipts) external returns (bytes4[] memory reasons);

    // Judgement

    /// @notice Whether the device may install that release of its model now: it is active, in the ramp and not known to run
    /// a newer one.
    function isAllowed(address device, uint32 counter) external view returns (bool);
    /// @notice Whether what a device of that model recorded in that block, running that release, may be relied upon: its rollout had
    /// begun, it was at or above the floor, and no revocation covers the block. For a past block the answer may turn from yes to
    /// no, never back.
    function isReliableAt(uint32 model, uint32 counter, uint256 blockNumber) external view returns (bool);
    /// @notice The same of one device, whose model it looks up. False if its maker has not opened the model.
    function isDeviceReliableAt(address device, uint32 counter, uint256 blockNumber) external view returns (bool);
    function stateOf(uint32 model, uint32 counter) external view returns (RolloutState);
    /// @notice Like stateOf, with the rest: a superseded release says so here.
    function rolloutOf(uint32 model, uint32 counter) external view returns (Rollout memory);
    /// @return line the model in one word
    /// @return keys hash of the present key set
    function lineOf(uint32 model) external view returns (Line memory line, bytes32 keys);
    /// @notice The floor as it was at the end of that block.
    function floorAt(uint32 model, uint256 blockNumber) external view returns (uint32);
    /// @return commitment zero: there is no such release
    function commitmentOf(uint32 model, uint32 counter) external view returns (bytes32 commitment);
    function installationOf(address device) external view returns (Installation memory);
    /// @notice keccak256(device . model . counter) modulo 10,000, of 20, 4 and 4 bytes: in the ramp if below its share.
    function positionOf(address device, uint32 model, uint32 counter) external pure returns (uint256);
}
