// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { ITelemetryAnchor } from "../../../contracts/interfaces/ITelemetryAnchor.sol";
import { Batch } from "../../../contracts/types/Batch.sol";
import { Span } from "../../../contracts/types/Span.sol";
import { StreamId } from "../../../contracts/types/StreamId.sol";
import { Signing } from "../support/Signing.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";
import { Streams } from "./Streams.sol";
import { Trees } from "./Trees.sol";

contract AnchorTest is Streams {
    uint64 private _firstMs;
    uint64 private _lastMs;

    function setUp() public override {
        super.setUp();
        _anchorNext(stream, 10);
        _anchorNext(stream, 5);
        vm.warp(block.timestamp + 600);
        _firstMs = tipSpans[stream].lastMs() + 1_000;
        _lastMs = uint64(block.timestamp * 1_000);
    }

    function test_anchor__given_no_such_stream__reverts() external {
        Batch memory batch = _draftBatch(stream, 10);
        batch.stream = StreamId.wrap(StreamId.unwrap(stream) ^ bytes32(uint256(1)));
        _expectRefusal(batch, abi.encodeWithSelector(ITelemetryAnchor.StreamUnknown.selector, batch.stream));
    }

    function test_anchor__given_a_stream_in_mode_full__reverts() external {
        Batch memory batch = _draftBatch(full, 10);
        _expectRefusal(batch, abi.encodeWithSelector(ITelemetryAnchor.BodyMissing.selector, full));
    }

    function test_anchor__given_the_tip_before__reverts() external {
        Batch memory batch = _draftBatch(stream, 10);
        batch.tip = kept[stream][0].span;
        _expectTipDiffers(batch);
    }

    function test_anchor__given_another_previous_head__reverts() external {
        Batch memory batch = _draftBatch(stream, 10);
        batch.previousHead = kept[stream][0].head;
        _expectTipDiffers(batch);
    }

    function test_anchor__given_other_peaks__reverts() external {
        Batch memory batch = _draftBatch(stream, 10);
        bytes32 peak = batch.peaks[0];
        batch.peaks[0] = ~peak;
        _expectTipDiffers(batch);
        batch.peaks = new bytes32[](0);
        _expectTipDiffers(batch);
        batch.peaks = Trees.join(Trees.join(batch.peaks, peak), peak);
        _expectTipDiffers(batch);
    }

    function test_anchor__given_no_reading__reverts() external {
        Batch memory batch = _draftBatch(stream, 0);
        _expectRefusal(batch, abi.encodeWithSelector(ITelemetryAnchor.BatchEmpty.selector, stream));
    }

    function test_anchor__given_readings_left_out__reverts() external {
        _expectRefusal(
            _batchAt(16, 10, _firstMs, _lastMs, 1),
            abi.encodeWithSelector(ITelemetryAnchor.BatchLeavesGap.selector, stream, uint64(16), uint64(15))
        );
    }

    function test_anchor__given_readings_that_are_there__reverts() external {
        _expectRefusal(
            _batchAt(14, 10, _firstMs, _lastMs, 1),
            abi.encodeWithSelector(ITelemetryAnchor.BatchOverlaps.selector, stream, uint64(14), uint64(15))
        );
    }

    function test_anchor__given_the_last_batch_again__reverts() external {
        Batch memory batch = _draftBatch(stream, 10);
        batch.span = kept[stream][1].span;
        _expectRefusal(
            batch, abi.encodeWithSelector(ITelemetryAnchor.BatchOverlaps.selector, stream, uint64(10), uint64(15))
        );
    }

    function test_anchor__given_a_reading_older_than_the_last__reverts() external {
        uint64 before = tipSpans[stream].lastMs();
        _expectRefusal(
            _batchAt(15, 10, before - 1, _lastMs, 1),
            abi.encodeWithSelector(ITelemetryAnchor.BatchTimeRunsBack.selector, stream, before - 1, before)
        );
    }

    function test_anchor__given_an_end_before_its_beginning__reverts() external {
        _expectRefusal(
            _batchAt(15, 10, _firstMs, _firstMs - 1, 1),
            abi.encodeWithSelector(ITelemetryAnchor.BatchTimeRunsBack.selector, stream, _firstMs - 1, _firstMs)
        );
    }

    function test_anchor__given_a_time_further_ahead_than_clocks_may_be__reverts() external {
        uint64 latest = _lastMs + 60_000;
        _expectRefusal(
            _batchAt(15, 10, _firstMs, latest + 1, 1),
            abi.encodeWithSelector(ITelemetryAnchor.BatchFromFuture.selector, stream, latest + 1, uint256(latest))
        );
    }

    function test_anchor__given_an_epoch_that_has_not_begun__reverts() external {
        _expectRefusal(
            _batchAt(15, 10, _firstMs, _lastMs, 2),
            abi.encodeWithSelector(ITelemetryAnchor.EpochNotBegun.selector, stream, uint32(2), uint32(1))
        );
    }

    function test_anchor__given_epoch_zero__reverts() external {
        _expectRefusal(
            _batchAt(15, 10, _firstMs, _lastMs, 0),
            abi.encodeWithSelector(ITelemetryAnchor.EpochRunsBack.selector, stream, uint32(0), uint32(1))
        );
    }

    function test_anchor__given_another_device_s_signature__reverts() external {
        Batch memory batch = _draftBatch(stream, 10);
        _signBatch(_secpDevice(2), batch);
        _expectNotAuthentic(batch);
    }

    function test_anchor__given_a_signature_of_another_length__reverts() external {
        Batch memory batch = _signedBatch(stream, 10);
        bytes memory good = batch.signature;
        batch.signature = "";
        _expectNotAuthentic(batch);
        batch.signature = abi.encodePacked(good, uint8(27));
        _expectNotAuthentic(batch);
        batch.signature = abi.encodePacked(good, good);
        _expectNotAuthentic(batch);
    }

    /// Nothing in a batch is the relayer's to choose.
    function test_anchor__given_anything_that_the_device_did_not_sign__reverts(uint256 seed) external {
        Batch memory batch = _signedBatch(stream, 10);
        uint256 field = seed % 4;
        bytes32 flip = bytes32(uint256(1) << ((seed >> 8) % 256));
        if (field == 0) batch.root ^= flip;
        if (field == 1) batch.bodyHash ^= flip;
        if (field == 2) batch.span = _span(15, 1 + (seed >> 8) % 9, _firstMs, _lastMs, 1);
        if (field == 3) batch.span = _span(15, 10, _firstMs, _lastMs - 1 - (seed >> 8) % 1_000, 1);
        _expectNotAuthentic(batch);
    }

    function test_anchor__given_another_chain_or_contract__reverts() external {
        Batch memory batch = _draftBatch(stream, 10);
        bytes32 head = _headOf(batch);
        (bytes32 r, bytes32 s) =
            vm.signCompact(device.key, Signing.digest(ANCHOR, address(anchors), block.chainid + 1, head));
        batch.signature = abi.encodePacked(r, s);
        _expectNotAuthentic(batch);
        (r, s) = vm.signCompact(device.key, Signing.digest(ANCHOR, address(devices), block.chainid, head));
        batch.signature = abi.encodePacked(r, s);
        _expectNotAuthentic(batch);
    }

    function test_anchor__given_a_suspended_or_revoked_device__reverts() external {
        Batch memory batch = _signedBatch(stream, 10);
        _setStatus(device.id, IDeviceRegistry.Status.Suspended, operator);
        _expectNotAuthentic(batch);
        _setStatus(device.id, IDeviceRegistry.Status.Revoked, operator);
        _expectNotAuthentic(batch);
    }

    function test_anchor__given_a_key_that_was_rotated__reverts_with_the_old_and_goes_on_with_the_new() external {
        Batch memory batch = _signedBatch(stream, 10);
        DeviceKey memory next = _secpDevice(2);
        _rotate(device.id, device, next);
        _expectNotAuthentic(batch);
        _signBatch(next, batch);
        _anchor(batch);
        assertEq(tipSpans[stream].deviceNonce(), 1, "the tip knows the device's new nonce");
        _assertTip();
    }

    function test_anchor__given_a_batch_that_follows__moves_the_tip() external {
        Batch memory batch = _signedBatch(stream, 600);
        vm.prank(stranger.addr);
        vm.expectEmit(address(anchors));
        emit ITelemetryAnchor.BatchAnchored(
            stream, _numbered(batch), _headOf(batch), batch.root, batch.bodyHash
        );
        anchors.anchor(batch);
        _keep(batch);
        _assertTip();
        Span tip = tipSpans[stream];
        assertEq(tip.nextIndex(), 615, "next index");
        assertEq(tip.number(), 3, "number");
        assertEq(tip.lastMs(), _lastMs, "time");
    }

    function test_anchor__given_what_the_device_did_not_sign_of_its_span__is_the_contract_s() external {
        Batch memory batch = _signedBatch(stream, 10);
        batch.span = Span.wrap(Span.unwrap(batch.span) | type(uint48).max);
        _anchor(batch);
        _assertTip();
    }

    function test_anchor__given_times_at_their_limits__takes_them() external {
        uint64 before = tipSpans[stream].lastMs();
        _anchor(_batchAt(15, 1, before, before, 1));
        _anchor(_batchAt(16, 1, before, _lastMs + 60_000, 1));
        _assertTip();
    }

    function test_anchor__given_more_than_two_pages__keeps_each_full_one_s_root() external {
        uint256 more = 2 * PAGE + 3 - kept[stream].length;
        for (uint256 i = 0; i < more; ++i) {
            vm.warp(block.timestamp + 60);
            vm.roll(block.number + 1);
            _anchorNext(stream, 1 + uint32(i % 7));
            _assertTip();
        }
        for (uint256 page = 0; page < 2; ++page) {
            bytes32[] memory leaves = _leavesOf(stream, page * PAGE, (page + 1) * PAGE);
            assertEq(
                anchors.pageOf(stream, page), Trees.rootOf(Trees.Kind.Keccak256, leaves), "root of the page's batches"
            );
        }
        assertEq(anchors.pageOf(stream, 2), bytes32(0), "the third is open");
    }

    function test_anchor__given_p256__with_its_key_or_once_it_is_kept() external {
        device = _p256Device(5);
        _enrol(device, prosumer.addr);
        StreamId id = _openHash(device.id);
        _anchorNext(id, 3);
        Batch memory batch = _signedBatch(id, 3);
        batch.signature = abi.encodePacked(batch.signature, device.x, device.y);
        _anchor(batch);
        assertEq(anchors.tipHashOf(id), _tipHashOf(id), "tip");
    }

    function test_digestOf__is_what_the_device_signs() external view {
        Batch memory batch = _draftBatch(stream, 17);
        assertEq(anchors.digestOf(batch), _batchDigest(batch), "digest");
    }

    function _batchAt(uint256 firstIndex, uint256 count, uint64 firstMs, uint64 lastMs, uint256 epoch)
        private
        view
        returns (Batch memory batch)
    {
        batch = _draftBatch(stream, uint32(count));
        batch.span = _span(firstIndex, count, firstMs, lastMs, epoch);
        _signBatch(device, batch);
    }

    function _assertTip() private view {
        assertEq(anchors.tipHashOf(stream), _tipHashOf(stream), "tip");
    }

    function _expectTipDiffers(Batch memory batch) private {
        _signBatch(device, batch);
        bytes32 brought = keccak256(abi.encodePacked(batch.tip, batch.previousHead, batch.peaks));
        _expectRefusal(
            batch,
            abi.encodeWithSelector(ITelemetryAnchor.TipDiffers.selector, stream, brought, _tipHashOf(stream))
        );
    }

    function _expectNotAuthentic(Batch memory batch) private {
        _expectRefusal(
            batch, abi.encodeWithSelector(ITelemetryAnchor.BatchNotAuthentic.selector, stream, device.id)
        );
    }

    function _expectRefusal(Batch memory batch, bytes memory refusal) private {
        vm.expectRevert(refusal);
        anchors.anchor(batch);
    }
}
