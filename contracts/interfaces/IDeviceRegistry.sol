// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Act } from "../types/Act.sol";
import { PublicKey } from "../types/PublicKey.sol";

/// @title Identity of every device, for its life
/// @notice No device without its maker's endorsement and proof that it holds its key. A device's id is the last 20 bytes of
/// keccak256(x . y) of its first public key, on either curve, and stays when its key changes. What a device's key signs is
/// judged by the key that is current in the block that takes it: a change of key leaves all that was recorded before as it
/// was, and nothing can be recorded with the old key afterwards.
/// @dev The keys and owners of a device are told by ERC-1056's events (IERC1056); what has no event there has one here.
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

    /// Endorsement(address device,address maker,address owner,uint32 model,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256
    /// deadline) signed by the maker; Possession(address device,address maker,address owner,uint256 deadline) by the device.
    struct Enrolment {
        address device;
        address owner;
        uint32 model;
        KeyKind keyKind;
        bytes32 x;
        bytes32 y;
    }

    /// Claim(address device,bytes32 batch,address owner,uint256 deadline) signed by the device.
    struct Claim {
        bytes32 batch; // the batch's root
        address owner;
        KeyKind keyKind;
        PublicKey key;
        uint256 deadline;
    }

    /// KeyRotation(address device,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256 deadline) signed with the present key;
    /// where the owner proposed the next key, KeyAdoption of the same fields signed with that. `nonce` is the device's.
    struct Rotation {
        address device;
        PublicKey present;
        KeyKind keyKind;
        PublicKey next;
        uint256 deadline;
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
        uint32 model;
        Status status;
        KeyKind keyKind;
        uint16 keyVersion; // 1 for the first key
        uint16 nonce;
        uint32 enrolledAt; // time
        uint32 statusSince; // time of the last change of status
        uint32 compromisedSince; // block; 0 while its key is trusted
        address key; // last 20 bytes of keccak256(x . y) of the current key
        PublicKey kept; // the current key if `keepKey` or `enrol` kept it, otherwise zeros
    }

    /// @param batch the root from which it claimed itself; zero: its maker endorsed it alone
    event DeviceEnrolled(
        address indexed device, address indexed maker, address indexed owner, uint32 model, bytes32 batch
    );
    event DeviceStatusChanged(address indexed device, Status status, address indexed by);
    event BatchRegistered(bytes32 indexed root, address indexed maker, uint32 model, uint32 size);
    event BatchClosed(bytes32 indexed root, address indexed by);
    /// @notice Everything that a key of the device signed from `sinceBlock` on, up to its next key, is in doubt.
    event DeviceCompromised(address indexed device, uint32 sinceBlock, address indexed by);
    event RotationProposed(address indexed device, KeyKind keyKind, bytes32 x, bytes32 y, uint40 readyAt);
    event RotationVetoed(address indexed device, address key);
    /// @param to zero: the offer is withdrawn
    event TransferOffered(address indexed device, address indexed to, uint40 until);

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
    /// @notice A root serves one batch, once, whoever registers it.
    error BatchAlreadyRegistered(bytes32 root);
    error UnknownBatch(bytes32 root);
    error BatchIsClosed(bytes32 root);
    /// @notice The proof does not lead from this device and kind of key to the batch's root.
    error NotInBatch(address device, bytes32 root);
    /// @notice `given` is not the device's present key.
    error WrongKey(address device, address present, address given);
    /// @notice The next key is the present one.
    error KeyUnchanged(address device);
    /// @notice The device has had as many keys and acts as can be counted (16,383). Enrol a new one.
    error DeviceSpent(address device);
    /// @notice No key stands proposed, or the device has signed an act since, or its owner has changed.
    error NoRotationProposed(address device);
    error RotationNotReady(address device, uint256 readyAt);
    /// @notice The proposal is of another key.
    error OtherKeyProposed(address device, address proposed);
    /// @notice The key is in doubt since that block, so it cannot veto, hand over or be reinstated. The owner proposes another.
    error KeyCompromised(address device, uint256 sinceBlock);
    /// @notice Later than the present block, or zero.
    error BlockOutOfRange(uint256 sinceBlock);
    /// @notice The doubt can only be moved to an earlier block.
    error DoubtNotEarlier(address device, uint256 sinceBlock);
    /// @notice Its owner offered the device to nobody, to somebody else, or the offer has run out.
    error TransferNotOffered(address device, address to);

    // Enrolment

    /// @notice Enrols a device. Anyone may relay. `maker.signer` must hold the MAKER role.
    /// @param possession the device's signature (r, s as in SignedReading), valid until `maker.deadline`
    function enrol(Enrolment calldata enrolment, Act calldata maker, bytes32[2] calldata possession) external;
    /// @notice BatchRegistration(bytes32 root,uint32 model,uint32 size,uint256 nonce,uint256 deadline) by a maker: each device under
    /// `root` may claim itself. The tree is OpenZeppelin's standard one over ["address", "uint8"]: device, kind of key.
    /// @param size how many devices there are, for information
    function registerBatch(bytes32 root, uint32 model, uint32 size, Act calldata maker) external;
    /// @notice BatchClosing(bytes32 root,uint256 nonce,uint256 deadline) by its maker or an operator: what has not claimed itself
    /// can no longer.
    function closeBatch(bytes32 root, Act calldata act) external;
    /// @notice A device of a batch comes into being by its own signature, which names its first owner. Anyone may relay.
    /// Warning: on first use a device belongs to whomever it names. Who ships it decides whom it will name.
    /// @param proof siblings from the leaf up
    /// @param signature r, s as in SignedReading
    function claim(Claim calldata claim_, bytes32[] calldata proof, bytes32[2] calldata signature) external;

    // Keys

    /// @notice The device gives itself another key, on either curve. It must be active.
    function rotate(Rotation calldata rotation, bytes32[2] calldata signature) external;
    /// @notice KeyProposal(address device,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256 deadline) by the owner, whose device
    /// has lost its key: after ROTATION_DELAY the new key may take over, unless the old one vetoes or signs anything else.
    function proposeRotation(address device, KeyKind keyKind, PublicKey calldata next, Act calldata owner) external;
    /// @notice RotationVeto(address device,address key,uint256 nonce,uint256 deadline) signed with the present key; `key` is the
    /// proposed key's name, `nonce` the device's.
    function vetoRotation(address device, PublicKey calldata present, uint256 deadline, bytes32[2] calldata signature)
        external;
    /// @notice The proposed key takes over, as `rotation` signed with it (KeyAdoption) says. The device's status stays.
    function completeRotation(Rotation calldata rotation, bytes32[2] calldata signature) external;
    /// @notice Keeps a P-256 key on chain, so that its signatures can be judged without it being brought each time: what meters
    /// need. `enrol` keeps it. Anyone may do it, after each change of key anew.
    function keepKey(address device, PublicKey calldata key) external;

    // Standing

    /// @notice StatusChange(address device,uint8 status,uint256 nonce,uint256 deadline) by the owner or an operator. An owner who
    /// tries to reinstate is refused as SignerNotAllowed.
    /// @dev Takes effect for readings of the slots whose gate is yet to close: a reading is judged as of its slot's gate.
    function setStatus(address device, Status status, Act calldata act) external;
    /// @notice The sender, who owns the device, takes it out of service for ever: setStatus without a signature.
    function revoke(address device) external;
    /// @notice CompromiseNotice(address device,uint32 sinceBlock,uint256 nonce,uint256 deadline) by the owner or an operator: who else
    /// holds the device's key may have signed in its name from that block on. An active device is suspended. It can be
    /// reinstated with another key only, so an owner cannot put a key in place of the device's without an operator.
    function noteCompromise(address device, uint32 sinceBlock, PublicKey calldata present, Act calldata act) external;

    // Transfer

    /// @notice TransferOffer(address device,address to,uint40 until,uint256 nonce,uint256 deadline) by the owner. A later one takes its
    /// place; to nobody (zero) withdraws it.
    function offerTransfer(address device, address to, uint40 until, Act calldata owner) external;
    /// @notice The device passes to whom it was offered: TransferAcceptance(address device,address owner,uint256 nonce,uint256
    /// deadline) by the new owner, Handover(address device,address owner,address to,uint256 nonce,uint256 deadline) by the
    /// device, with its own nonce and the acceptance's deadline.
    function acceptTransfer(
        address device,
        PublicKey calldata present,
        Act calldata newOwner,
        bytes32[2] calldata handover
    ) external;

    // Judgement

    /// @notice Whether the device is active now and (r, s) is its current key's signature of `digest`.
    /// @param signature 64 bytes, r then s as in SignedReading, or 128 with x and y of the key behind them, which a P-256 key that
    /// is not kept needs; any other length is false
    function isAuthentic(address device, bytes32 digest, bytes calldata signature) external view returns (bool);
    /// @return reasons per check: zero, or the selector of UnknownDevice, DeviceSuspended, DeviceRevoked or DeviceSignatureInvalid.
    /// A P-256 key that is not kept verifies nothing here.
    function areAuthentic(Check[] calldata checks) external view returns (bytes4[] memory reasons);
    /// @notice Whether what a contract took as the device's word in that block may be relied upon: no notice of compromise
    /// covers it. The answer may turn from yes to no later, never back.
    function isTrustedAt(address device, uint256 blockNumber) external view returns (bool);
    /// @notice Everything about a device as it stands.
    function deviceOf(address device) external view returns (Device memory);
    /// @return maker zero: there is no such batch
    function batchOf(bytes32 root) external view returns (address maker, uint32 model, bool isClosed);
    /// @return key zero: none that could still take over
    function proposalOf(address device) external view returns (address key, KeyKind keyKind, uint256 readyAt);
    /// @return to zero: nobody
    function offerOf(address device) external view returns (address to, uint256 until);
}
