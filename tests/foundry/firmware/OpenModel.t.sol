// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IFirmwareRegistry } from "../../../contracts/interfaces/IFirmwareRegistry.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { KeySet, Quorum } from "../../../contracts/types/KeySet.sol";
import { Party } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";
import { Fleet } from "./Fleet.sol";

contract OpenModelTest is Fleet {
    uint32 private constant OTHER = 8;

    function test_openModel__given_one_that_is_open__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.ModelAlreadyOpen.selector, MODEL, maker.addr));
        _openAs(MODEL, _keys(), maker, THRESHOLD);
    }

    function test_openModel__given_no_maker__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, stranger.addr));
        _openAs(OTHER, _keys(), stranger, THRESHOLD);
    }

    function test_openModel__given_what_the_maker_did_not_sign__reverts() external {
        KeySet memory keys = _keys();
        Act memory act = _openingAct(OTHER, keys, maker);
        keys.threshold = 2;
        Quorum memory first = Quorum(keys, _signed(_openingDigest(OTHER, keys, act), THRESHOLD));
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, maker.addr));
        firmware.openModel(OTHER, first, act);
    }

    function test_openModel__given_an_unsound_key_set__reverts() external {
        KeySet memory keys = _keys();
        keys.version = 2;
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.WrongKeySetVersion.selector, 2, 1));
        _openAs(OTHER, keys, maker, THRESHOLD);
        keys = _keys();
        keys.threshold = 0;
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.ThresholdOutOfRange.selector, 0, KEYS));
        _openAs(OTHER, keys, maker, THRESHOLD);
        keys.threshold = uint8(KEYS) + 1;
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.ThresholdOutOfRange.selector, KEYS + 1, KEYS));
        _openAs(OTHER, keys, maker, THRESHOLD);
        keys = _keys();
        keys.members[1] = keys.members[0];
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.KeysNotAscending.selector, keys.members[0]));
        _openAs(OTHER, keys, maker, THRESHOLD);
        keys.members[0] = address(0);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.KeysNotAscending.selector, address(0)));
        _openAs(OTHER, keys, maker, THRESHOLD);
    }

    function test_openModel__given_more_keys_than_can_be_walked__reverts() external {
        KeySet memory keys = _keySet(1, 1, _parties("many ", 33));
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.ThresholdOutOfRange.selector, 1, 33));
        _openAs(OTHER, keys, maker, 0);
    }

    /// Else a model's number is lost for a mistyped key.
    function test_openModel__given_keys_that_did_not_sign__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.BelowThreshold.selector, 2, THRESHOLD));
        _openAs(OTHER, _keys(), maker, 2);
    }

    function test_openModel__given_all__is_the_makers() external {
        vm.expectEmit(address(firmware));
        emit IFirmwareRegistry.ModelOpened(OTHER, maker.addr, THRESHOLD, _keys().members);
        _openAs(OTHER, _keys(), maker, THRESHOLD);
        (IFirmwareRegistry.Line memory line, bytes32 keys) = firmware.lineOf(OTHER);
        assertEq(line.maker, maker.addr, "maker");
        assertEq(line.latest + line.full + line.floor, 0, "nothing released");
        assertEq(keys, _hashOf(_keys()), "keys");
    }

    function _openAs(uint32 model, KeySet memory keys, Party memory by, uint256 approvals) private {
        Act memory act = _openingAct(model, keys, by);
        firmware.openModel(model, Quorum(keys, _signed(_openingDigest(model, keys, act), approvals)), act);
    }
}
