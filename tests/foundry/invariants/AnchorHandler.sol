// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { ITelemetryAnchor } from "../../../contracts/interfaces/ITelemetryAnchor.sol";
import { Batch } from "../../../contracts/types/Batch.sol";
import { Mode, StreamId } from "../../../contracts/types/StreamId.sol";
import { Span } from "../../../contracts/types/Span.sol";
import { Party } from "../support/Signing.sol";
import { DeviceKey } from "../support/Street.sol";
import { Vm, vm } from "../support/Vm.sol";
import { Streams } from "../telemetry/Streams.sol";

/// Two devices with a stream of each mode, three parties that own and sell them, relayers that send what follows, what does not,
/// and what somebody changed. What it keeps of the streams is replayed from the contract's events alone.
contract AnchorHandler is Streams {
    uint256 private constant PARTIES = 3;

    bytes32 private constant ANCHORED =
        keccak256("BatchAnchored(bytes32,uint256,bytes32,bytes32,bytes32)");
    bytes32 private constant BEGUN = keccak256("EpochBegun(bytes32,address,uint32,uint256)");
    bytes32 private constant BODY = keccak256("BodyAnchored(bytes32,uint32,bytes)");
    bytes32 private constant REFUSED = keccak256("BatchRefused(bytes32,uint256,bytes)");

    Party[] private _parties;
    DeviceKey[] private _keys; // the present key of each device
    address[] private _ids;
    mapping(address device => uint256 party) private _owners;
    StreamId[] public streams;
    Batch[] private _old; // some that were sent
    uint256 private _seeds;

    mapping(StreamId stream => address) private _keepers;
    mapping(StreamId stream => uint32) private _epochs;
    mapping(bytes32 verb => uint256) public done;

    function setUp() public override {
        super.setUp();
        _parties.push(prosumer);
        _parties.push(stranger);
        _parties.push(utility);
        for (uint256 i = 0; i < 2; ++i) {
            DeviceKey memory key = _secpDevice(40 + i);
            _enrol(key, prosumer.addr);
            _keys.push(key);
            _ids.push(key.id);
            vm.recordLogs();
            streams.push(_open(key.id, Mode.Hash, prosumer));
            streams.push(_open(key.id, Mode.Full, prosumer));
            _replay();
        }
    }

    // ------------------------------------------------------------------------------------------------------------- relayers

    /// A batch that follows: taken exactly if the present owner began the epoch.
    function anchor(uint256 seed) external {
        StreamId id = _choose(seed);
        Batch memory batch = _next(id, seed >> 8);
        bool due = _keepers[id] == _ownerOf(id).addr;
        bool taken = _send(batch);
        assertTrue(taken == due, "what follows is taken, from its owner's epoch");
        ++done[taken ? bytes32("anchor") : bytes32("anchor of a sold device")];
    }

    /// One that does not follow, in one respect: never taken.
    function spoil(uint256 seed) external {
        StreamId id = _choose(seed);
        Batch memory batch = _next(id, seed >> 8);
        uint256 how = (seed >> 4) % 8;
        Span span = batch.span;
        uint256 first = span.firstIndex();
        uint64 from = span.firstMs();
        uint64 to = span.lastMs();
        if (how == 0) batch.span = _span(first + 1 + (seed >> 40) % 9, span.count(), from, to, span.epoch());
        if (how == 1 && first == 0) return;
        if (how == 1) batch.span = _span(first - 1 - (seed >> 40) % first, span.count(), from, to, span.epoch());
        if (how == 2 && tipSpans[id].lastMs() == 0) return;
        if (how == 2) batch.span = _span(first, span.count(), tipSpans[id].lastMs() - 1, to, span.epoch());
        if (how == 3) batch.span = _span(first, span.count(), from, to + 60_001, span.epoch());
        if (how == 4) batch.span = _span(first, span.count(), from, to, span.epoch() + 1);
        if (how == 5) batch.span = _span(first, span.count(), from, to, span.epoch() - 1);
        if (how == 6) batch.previousHead = keccak256(abi.encode(seed));
        if (how == 7) batch.span = _span(first, 0, from, to, span.epoch());
        _signBatch(_keyOf(id), batch);
        if (how == 3 && block.timestamp * 1_000 + 60_000 < to) return;
        assertFalse(_send(batch), "what does not follow is refused");
        ++done[bytes32("spoil") | bytes32(how)];
    }

    /// Changed by who relays it: never taken.
    function forge(uint256 seed) external {
        StreamId id = _choose(seed);
        Batch memory batch = _next(id, seed >> 8);
        bytes32 flip = bytes32(1 << ((seed >> 64) % 256));
        if ((seed >> 4) % 2 == 0) batch.root ^= flip;
        else batch.bodyHash ^= flip;
        assertFalse(_send(batch), "what the device did not sign is refused");
        ++done["forge"];
    }

    /// One from before, as it was or with the present tip: never taken twice.
    function again(uint256 seed) external {
        if (_old.length == 0) return;
        Batch memory batch = _old[(seed >> 8) % _old.length];
        Batch memory fresh = _draftBatch(batch.stream, 1);
        bool wasTaken = batch.span.firstIndex() < fresh.span.firstIndex();
        if (!wasTaken) return;
        if (seed % 2 == 0) (batch.tip, batch.previousHead, batch.peaks) = (fresh.tip, fresh.previousHead, fresh.peaks);
        assertFalse(_send(batch), "nothing is taken twice");
        ++done["again"];
    }

    /// Up to five batches of any streams in one call, good and bad.
    function anchorAll(uint256 seed) external {
        uint256 count = 1 + seed % 5;
        Batch[] memory batches = new Batch[](count);
        bytes[] memory bodies = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            StreamId id = _choose(seed >> (8 * i));
            batches[i] = _next(id, seed >> (8 * i + 4));
            if ((seed >> (8 * i + 5)) % 3 == 0) batches[i].root = ~batches[i].root;
            if (_isFull(id)) bodies[i] = _bodyOf(batches[i]);
        }
        vm.recordLogs();
        anchors.anchorAll(batches, bodies);
        assertEq(_replay(), count, "each is anchored or refused");
        ++done["anchorAll"];
    }

    // --------------------------------------------------------------------------------------------------------------- owners

    function newEpoch(uint256 seed) external {
        StreamId id = _choose(seed);
        uint256 owner = _owners[id.device()];
        uint256 party = (seed >> 24) % 3 == 0 ? (seed >> 8) % PARTIES : owner;
        uint32 epoch = _epochs[id] + uint32((seed >> 16) % 4);
        bool due = party == owner && epoch > _epochs[id];
        vm.recordLogs();
        try anchors.newEpoch(id, epoch, _tipOf(id), _epochAct(id, epoch, _parties[party])) {
            assertTrue(due, "only its owner begins a later epoch");
            ++done["newEpoch"];
        } catch {
            assertFalse(due, "its owner may always");
            ++done["newEpoch refused"];
        }
        _replay();
    }

    function sell(uint256 seed) external {
        // seldom, so that there is something to sell
        if ((seed >> 16) % 4 != 0) return;
        uint256 which = seed % _ids.length;
        uint256 from = _owners[_ids[which]];
        uint256 to = (from + 1 + (seed >> 8) % (PARTIES - 1)) % PARTIES;
        _transfer(_ids[which], _keys[which], _parties[from], _parties[to]);
        _owners[_ids[which]] = to;
        ++done["sell"];
    }

    function rotate(uint256 seed) external {
        uint256 which = seed % _ids.length;
        DeviceKey memory next = _secpDevice(1_000 + ++_seeds);
        _rotate(_ids[which], _keys[which], next);
        _keys[which] = next;
        ++done["rotate"];
    }

    function pass(uint256 seed) external {
        vm.warp(block.timestamp + 1 + seed % 900);
        vm.roll(block.number + 1 + (seed >> 16) % 75);
        ++done["pass"];
    }

    // -------------------------------------------------------------------------------------------------------------- helpers

    function _choose(uint256 seed) private view returns (StreamId) {
        return streams[seed % streams.length];
    }

    function _whichOf(StreamId id) private view returns (uint256) {
        return id.device() == _ids[0] ? 0 : 1;
    }

    function _keyOf(StreamId id) private view returns (DeviceKey memory) {
        return _keys[_whichOf(id)];
    }

    function _ownerOf(StreamId id) private view returns (Party memory) {
        return _parties[_owners[id.device()]];
    }

    function _next(StreamId id, uint256 seed) private view returns (Batch memory batch) {
        batch = _draftBatch(id, 1 + uint32(seed % 20));
        _signBatch(_keyOf(id), batch);
    }

    function _send(Batch memory batch) private returns (bool taken) {
        bytes memory body = _isFull(batch.stream) ? _bodyOf(batch) : bytes("");
        vm.recordLogs();
        try anchors.anchorWithBody(batch, body) {
            taken = true;
        } catch (bytes memory fault) {
            assertGe(fault.length, 4, "refused by name");
        }
        assertEq(_replay(), taken ? 1 : 0, "an event for each batch");
        if (_old.length < 40) _old.push(batch);
    }

    /// Applies the contract's events to what is kept, and checks of each batch that it follows. How many batches they tell of.
    function _replay() private returns (uint256 told) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(anchors)) continue;
            StreamId id = StreamId.wrap(logs[i].topics[1]);
            if (logs[i].topics[0] == ANCHORED) _replayBatch(id, logs[i].data);
            if (logs[i].topics[0] == BEGUN) _replayEpoch(id, logs[i]);
            if (logs[i].topics[0] == BODY) _replayBody(id, logs[i].data);
            if (logs[i].topics[0] == ANCHORED || logs[i].topics[0] == REFUSED) ++told;
        }
    }

    function _replayBatch(StreamId id, bytes memory data) private {
        (Span span, bytes32 head, bytes32 root, bytes32 bodyHash) = abi.decode(data, (Span, bytes32, bytes32, bytes32));
        Span last = tipSpans[id];
        assertEq(span.firstIndex(), last.firstIndex() + last.count(), "no gap and no overlap");
        assertTrue(span.count() != 0, "no batch without a reading");
        assertGe(span.firstMs(), last.lastMs(), "time never runs back");
        assertGe(span.lastMs(), span.firstMs(), "time never runs back");
        assertEq(span.epoch(), _epochs[id], "the present epoch");
        assertEq(span.number(), kept[id].length + 1, "number");
        kept[id].push(Kept(span, head, root, bodyHash, uint64(block.number), uint64(block.timestamp)));
        tipSpans[id] = span;
        tipHeads[id] = head;
    }

    function _replayEpoch(StreamId id, Vm.Log memory log) private {
        (uint32 epoch, Span tip) = abi.decode(log.data, (uint32, Span));
        assertTrue(epoch > _epochs[id], "epochs never run back");
        _keepers[id] = address(uint160(uint256(log.topics[2])));
        _epochs[id] = epoch;
        tipSpans[id] = tip;
    }

    function _replayBody(StreamId id, bytes memory data) private view {
        bytes memory body = abi.decode(data, (bytes));
        assertEq(sha256(body), kept[id][kept[id].length - 1].bodyHash, "the body is the last batch's");
    }

    // ----------------------------------------------------------------------------------------------------------- assertions

    function assertState() external view {
        for (uint256 i = 0; i < streams.length; ++i) {
            StreamId id = streams[i];
            assertEq(anchors.tipHashOf(id), _tipHashOf(id), "the tip is what the events say");
            (address keeper, uint32 epoch) = anchors.keeperOf(id);
            assertEq(keeper, _keepers[id], "and so is whose it is");
            assertEq(epoch, _epochs[id], "and the epoch");
        }
    }
}
