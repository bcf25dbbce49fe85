// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { device, isFull } for StreamId global;

/// A stream is named by what it is: device 160 | mode 8 | first 88 bits of the schema's hash. The whole hash is in StreamOpened,
/// and no second stream can be opened under the same name.
type StreamId is bytes32;

/// Where the bodies of a stream's batches go.
enum Mode {
    None,
    Full, // into events
    Hash // anywhere; the chain has its hash
}

function streamIdOf(address device_, Mode mode_, bytes32 schemaHash) pure returns (StreamId) {
    return StreamId.wrap(bytes20(device_) | (bytes32(uint256(uint8(mode_)) << 88)) | (schemaHash >> 168));
}

function device(StreamId stream) pure returns (address) {
    return address(bytes20(StreamId.unwrap(stream)));
}

/// Whether its mode is Full.
function isFull(StreamId stream) pure returns (bool) {
    return uint8(uint256(StreamId.unwrap(stream)) >> 88) == uint8(Mode.Full);
}
