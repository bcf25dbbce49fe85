// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { ITelemetryAnchor } from "../../../contracts/interfaces/ITelemetryAnchor.sol";
import { Batch } from "../../../contracts/types/Batch.sol";
import { Span } from "../../../contracts/types/Span.sol";
import { vm } from "../support/Vm.sol";
import { Streams } from "./Streams.sol";

contract AnchorAllTest is Streams {
    Batch[] private _batches;
    bytes[] private _bodies;

    function test_anchorAll__given_too_many__reverts() external {
        uint256 most = anchors.MAX_BATCHES();
        Batch[] memory batches = new Batch[](most + 1);
        vm.expectRevert(abi.encodeWithSelector(ITelemetryAnchor.TooManyBatches.selector, most + 1, most));
        anchors.anchorAll(batches, new bytes[](most + 1));
    }

    function test_anchorAll__given_another_number_of_bodies__reverts() external {
        _add(_signedBatch(stream, 3));
        vm.expectRevert(abi.encodeWithSelector(ITelemetryAnchor.BodyCountDiffers.selector, uint256(2), uint256(1)));
        anchors.anchorAll(_batches, new bytes[](2));
    }

    function test_anchorAll__given_one_that_is_refused__tells_why_and_keeps_the_others() external {
        _add(_signedBatch(stream, 3));
        Batch memory bad = _signedBatch(full, 4);
        bad.root = ~bad.root;
        _add(bad);
        _add(_draftBatch(full, 0));
        _add(_signedBatch(full, 5));
        vm.expectEmit(address(anchors));
        emit ITelemetryAnchor.BatchAnchored(
            stream, _numbered(_batches[0]), _headOf(_batches[0]), _batches[0].root, _batches[0].bodyHash
        );
        _expectRefused(1, abi.encodeWithSelector(ITelemetryAnchor.BatchNotAuthentic.selector, full, device.id));
        _expectRefused(2, abi.encodeWithSelector(ITelemetryAnchor.BodyMissing.selector, full));
        anchors.anchorAll(_batches, _bodies);
        _keep(_batches[0]);
        _keep(_batches[3]);
        _assertTips();
    }

    function test_anchorAll__given_batches_of_one_stream_that_follow_each_other__takes_them_all() external {
        for (uint32 i = 0; i < 5; ++i) {
            Batch memory batch = _signedBatch(full, 1 + i);
            _add(batch);
            _keep(batch); // so that the next one follows it
        }
        anchors.anchorAll(_batches, _bodies);
        _assertTips();
    }

    function test_anchorAll__given_the_same_batch_twice__refuses_the_second() external {
        Batch memory batch = _signedBatch(stream, 3);
        _add(batch);
        _add(batch);
        anchors.anchorAll(_batches, _bodies);
        _keep(batch);
        _assertTips();
    }

    /// A relayer that sends too little gas cannot have it told that a good batch was refused.
    function test_anchorAll__given_any_gas__anchors_refuses_by_name_or_changes_nothing(uint256 seed) external {
        _add(_signedBatch(full, 5));
        _add(_signedBatch(stream, 5));
        bytes32[2] memory before = [anchors.tipHashOf(full), anchors.tipHashOf(stream)];
        bytes memory data = abi.encodeCall(anchors.anchorAll, (_batches, _bodies));
        vm.recordLogs();
        (bool done, bytes memory fault) = address(anchors).call{ gas: 20_000 + seed % 150_000 }(data);
        if (!done) {
            assertEq(anchors.tipHashOf(full), before[0], "nothing changed");
            assertEq(anchors.tipHashOf(stream), before[1], "nothing changed");
            bytes4 reason = bytes4(fault);
            assertTrue(fault.length == 0 || reason == ITelemetryAnchor.GasTooLowForBatch.selector, "by name");
            return;
        }
        assertEq(vm.getRecordedLogs().length, 3, "both anchored, one with its body, none refused");
        _keep(_batches[0]);
        _keep(_batches[1]);
        _assertTips();
    }

    function test_anchorAll__given_any_order__leaves_no_gap(uint256 seed) external {
        uint256 count = 6;
        for (uint32 i = 0; i < count; ++i) {
            Batch memory batch = _signedBatch(stream, 1 + i);
            _add(batch);
            _keep(batch);
        }
        Batch[] memory shuffled = _shuffled(seed);
        uint256 expected = 0;
        for (uint256 i = 0; i < count; ++i) {
            if (shuffled[i].span.firstIndex() == kept[stream][expected].span.firstIndex()) ++expected;
        }
        anchors.anchorAll(shuffled, _bodies);
        while (kept[stream].length > expected) {
            kept[stream].pop();
        }
        bool none = expected == 0;
        tipSpans[stream] = none ? Span.wrap(1 << 48) : kept[stream][expected - 1].span;
        tipHeads[stream] = none ? bytes32(0) : kept[stream][expected - 1].head;
        _assertTips();
    }

    function _shuffled(uint256 seed) private view returns (Batch[] memory shuffled) {
        shuffled = _batches;
        for (uint256 i = shuffled.length - 1; i != 0; --i) {
            uint256 other = uint256(keccak256(abi.encode(seed, i))) % (i + 1);
            (shuffled[i], shuffled[other]) = (shuffled[other], shuffled[i]);
        }
    }

    function _add(Batch memory batch) private {
        _batches.push(batch);
        _bodies.push(_isFull(batch.stream) && batch.span.count() != 0 ? _bodyOf(batch) : bytes(""));
    }

    function _expectRefused(uint256 index, bytes memory reason) private {
        vm.expectEmit(address(anchors));
        emit ITelemetryAnchor.BatchRefused(_batches[index].stream, _batches[index].span, reason);
    }

    function _assertTips() private view {
        assertEq(anchors.tipHashOf(stream), _tipHashOf(stream), "tip");
        assertEq(anchors.tipHashOf(full), _tipHashOf(full), "tip of the stream in mode Full");
    }
}
