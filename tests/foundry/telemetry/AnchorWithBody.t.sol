// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { ITelemetryAnchor } from "../../../contracts/interfaces/ITelemetryAnchor.sol";
import { Batch } from "../../../contracts/types/Batch.sol";
import { vm } from "../support/Vm.sol";
import { Streams } from "./Streams.sol";

contract AnchorWithBodyTest is Streams {
    function test_anchorWithBody__given_mode_hash_and_a_body__reverts() external {
        Batch memory batch = _signedBatch(stream, 10);
        vm.expectRevert(abi.encodeWithSelector(ITelemetryAnchor.BodyUnwanted.selector, stream));
        anchors.anchorWithBody(batch, hex"01");
    }

    function test_anchorWithBody__given_mode_full_and_no_body__reverts() external {
        Batch memory batch = _draftBatch(full, 10);
        batch.bodyHash = sha256("");
        _signBatch(device, batch);
        vm.expectRevert(abi.encodeWithSelector(ITelemetryAnchor.BodyMissing.selector, full));
        anchors.anchorWithBody(batch, "");
    }

    function test_anchorWithBody__given_too_long_a_body__reverts() external {
        uint256 most = anchors.MAX_BODY();
        bytes memory body = new bytes(most + 1);
        Batch memory batch = _draftBatch(full, 10);
        batch.bodyHash = sha256(body);
        _signBatch(device, batch);
        vm.expectRevert(abi.encodeWithSelector(ITelemetryAnchor.BodyTooLong.selector, most + 1, most));
        anchors.anchorWithBody(batch, body);
    }

    function test_anchorWithBody__given_a_body_truncated_extended_or_changed__reverts(uint256 seed) external {
        Batch memory batch = _signedBatch(full, 10);
        bytes memory body = _bodyOf(batch);
        bytes memory longer = abi.encodePacked(body, bytes1(uint8(seed)));
        _expectBodyDiffers(batch, longer);
        uint256 place = (seed >> 8) % body.length;
        body[place] ^= bytes1(uint8(1 + (seed >> 16) % 255));
        _expectBodyDiffers(batch, body);
        body = _bodyOf(batch);
        uint256 less = body.length - 1 - (seed >> 32) % (body.length - 1);
        assembly ("memory-safe") {
            mstore(body, less)
        }
        _expectBodyDiffers(batch, body);
    }

    /// Who brings another body cannot say that it is the batch's.
    function test_anchorWithBody__given_another_body_and_its_hash__reverts() external {
        Batch memory batch = _signedBatch(full, 10);
        batch.bodyHash = sha256("another");
        vm.expectRevert(abi.encodeWithSelector(ITelemetryAnchor.BatchNotAuthentic.selector, full, device.id));
        anchors.anchorWithBody(batch, "another");
    }

    function test_anchorWithBody__given_mode_full__tells_the_body() external {
        _anchorNext(full, 10);
        Batch memory batch = _signedBatch(full, 600);
        vm.expectEmit(address(anchors));
        emit ITelemetryAnchor.BatchAnchored(full, _numbered(batch), _headOf(batch), batch.root, batch.bodyHash);
        vm.expectEmit(address(anchors));
        emit ITelemetryAnchor.BodyAnchored(full, 2, _bodyOf(batch));
        anchors.anchorWithBody(batch, _bodyOf(batch));
        _keep(batch);
        assertEq(anchors.tipHashOf(full), _tipHashOf(full), "tip");
    }

    function test_anchorWithBody__given_mode_hash_and_none__anchors_the_hash() external {
        Batch memory batch = _signedBatch(stream, 600);
        anchors.anchorWithBody(batch, "");
        _keep(batch);
        assertEq(anchors.tipHashOf(stream), _tipHashOf(stream), "tip");
    }

    function _expectBodyDiffers(Batch memory batch, bytes memory body) private {
        vm.expectRevert(
            abi.encodeWithSelector(ITelemetryAnchor.BodyDiffers.selector, batch.bodyHash, sha256(body))
        );
        anchors.anchorWithBody(batch, body);
    }
}
