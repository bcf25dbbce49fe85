// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Party } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";
import { Assets } from "./Assets.sol";

contract RegisterAssetTest is Assets {
    function test_registerAsset__given_no_kind__reverts() external {
        IDERRegistry.AssetRegistration memory nothing = _battery();
        nothing.kind = IDERRegistry.AssetKind.None;
        _expectRevert(nothing, operator, abi.encodeWithSelector(IDERRegistry.KindNotAllowed.selector));
    }

    function test_registerAsset__given_an_unknown_meter__reverts() external {
        IDERRegistry.AssetRegistration memory nowhere = _battery();
        nowhere.meter += 1;
        _expectRevert(nowhere, operator, abi.encodeWithSelector(IDERRegistry.UnknownMeter.selector, meter + 1));
    }

    function test_registerAsset__given_not_an_operator__reverts() external {
        _expectRevert(_battery(), prosumer, abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, prosumer.addr));
    }

    function test_registerAsset__given_another_key__reverts() external {
        _expectRevert(
            _battery(),
            Party(operator.addr, stranger.key),
            abi.encodeWithSelector(ISignedActs.WrongSignature.selector, operator.addr)
        );
    }

    function test_registerAsset__given_a_used_nonce__reverts() external {
        Act memory act = _assetAct(_battery(), operator);
        ders.registerAsset(_battery(), act);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.NonceUsed.selector, operator.addr, act.nonce));
        ders.registerAsset(_battery(), act);
    }

    function test_registerAsset__given_an_act_for_another_asset__reverts() external {
        for (uint256 field = 0; field < 4; ++field) {
            Act memory act = _assetAct(_battery(), operator);
            IDERRegistry.AssetRegistration memory other = _battery();
            if (field == 0) other.kind = IDERRegistry.AssetKind.Wind;
            if (field == 1) other.nameplateW += 1;
            if (field == 2) other.storageWh += 1;
            if (field == 3) other.feeder += 1;
            vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, operator.addr));
            ders.registerAsset(other, act);
        }
    }

    function test_registerAsset__given_an_operators_act__registers_it() external {
        Act memory act = _assetAct(_battery(), operator);
        vm.expectEmit(address(ders));
        emit IDERRegistry.AssetRegistered(1, meter, FEEDER, IDERRegistry.AssetKind.Battery, 5_000, 10_000);
        vm.prank(stranger.addr);
        assertEq(ders.registerAsset(_battery(), act), 1, "the first id is 1");

        IDERRegistry.Asset memory asset = ders.assetOf(1);
        assertEq(asset.meter, meter, "meter");
        assertTrue(asset.kind == IDERRegistry.AssetKind.Battery, "kind");
        assertTrue(asset.state == IDERRegistry.AssetState.Unreported, "its device has said nothing yet");
        assertEq(asset.nameplateW, 5_000, "nameplateW");
        assertEq(asset.storageWh, 10_000, "storageWh");
        assertEq(asset.feeder, FEEDER, "feeder");
        assertEq(asset.registeredAt, START, "registeredAt");
        assertEq(asset.stateSince, 0, "stateSince");
        assertEq(ders.assetCount(), 1, "counted");
    }

    function testFuzz_registerAsset__given_any_figures__keeps_each_apart(
        uint8 kind,
        uint32 nameplateW,
        uint32 storageWh,
        uint32 feeder
    ) external {
        IDERRegistry.AssetRegistration memory given =
            IDERRegistry.AssetRegistration(meter, IDERRegistry.AssetKind(1 + kind % 6), nameplateW, storageWh, feeder);
        uint32 id = ders.registerAsset(given, _assetAct(given, operator));
        _report(id, COMMISSIONED);

        IDERRegistry.Asset memory asset = ders.assetOf(id);
        assertEq(asset.meter, meter, "meter");
        assertTrue(asset.kind == given.kind, "kind");
        assertTrue(asset.state == IDERRegistry.AssetState.Commissioned, "state");
        assertEq(asset.nameplateW, nameplateW, "nameplateW");
        assertEq(asset.storageWh, storageWh, "storageWh");
        assertEq(asset.feeder, feeder, "feeder");
        assertEq(asset.registeredAt, START, "registeredAt");
        assertEq(asset.stateSince, START, "stateSince");
    }

    function _expectRevert(IDERRegistry.AssetRegistration memory asset, Party memory by, bytes memory refusal) private {
        Act memory act = _assetAct(asset, by);
        vm.expectRevert(refusal);
        ders.registerAsset(asset, act);
    }
}
