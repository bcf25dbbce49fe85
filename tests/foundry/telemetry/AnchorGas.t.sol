// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Batch } from "../../../contracts/types/Batch.sol";
import { Gas } from "../support/Gas.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";
import { StreamId } from "../../../contracts/types/StreamId.sol";
import { Streams } from "./Streams.sol";

/// Whole transactions that anchor. The stream has been anchored to before, so its word is written, not new.
abstract contract AnchorGas is Streams, Gas {
    function setUp() public virtual override {
        super.setUp();
        for (uint256 i = 0; i < _before(); ++i) {
            _anchorNext(_of(), 10);
        }
        vm.warp(block.timestamp + 2 days);
        vm.roll(block.number + 100);
    }

    /// How many batches the stream has.
    function _before() internal pure virtual returns (uint256);

    function _of() internal view virtual returns (StreamId) {
        return stream;
    }

    function _cost(uint32 count) internal returns (uint256) {
        return _cost(_signedBatch(_of(), count));
    }

    function _cost(Batch memory batch) internal returns (uint256) {
        return _transactionGas(address(anchors), abi.encodeCall(anchors.anchor, (batch)));
    }
}

contract LightestAnchorGasTest is AnchorGas {
    function _before() internal pure override returns (uint256) {
        return 32;
    }

    function test_gas__anchor__given_a_new_page() external {
        _snap("anchoring the first batch of a page, secp256k1", _cost(600), 50_000);
    }
}

contract MeanAnchorGasTest is AnchorGas {
    function _before() internal pure override returns (uint256) {
        return 35;
    }

    function test_gas__anchor__given_half_of_the_peaks() external {
        _snap("anchoring a batch with 2 peaks of its page, secp256k1", _cost(600), 50_000);
    }
}

contract HeaviestAnchorGasTest is AnchorGas {
    function _before() internal pure override returns (uint256) {
        return 47;
    }

    function test_gas__anchor__given_the_most_peaks() external {
        _snap("anchoring a batch with 4 peaks of its page, secp256k1", _cost(600), 52_000);
    }
}
