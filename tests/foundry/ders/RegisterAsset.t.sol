// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Party, Signing } from "../support/Signing.sol";
import { DeviceKey, Street } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

contract RegisterAssetTest is Street {
    bytes32 private constant ASSET_REGISTRATION_TYPEHASH = keccak256(
        "AssetRegistration(uint32 meter,uint8 kind,uint32 nameplateW,uint32 storageWh,uint256 nonce,uint256 deadline)"
    );

    uint32 private _meter;

    function setUp() public override {
        super.setUp();
        DeviceKey memory device = _secpDevice(1);
        _enrol(device, prosumer.addr);
        _meter = _register(_registration(device.id, prosumer.addr));
    }

    function test_registerAsset__given_no_kind__reverts() external {
        _expectRevert(
            IDERRegistry.Asset(_meter, IDERRegistry.AssetKind.None, 0, 0),
            operator,
            abi.encodeWithSelector(IDERRegistry.KindNotAllowed.selector)
        );
    }

    function test_registerAsset__given_an_unknown_meter__reverts() external {
        _expectRevert(
            IDERRegistry.Asset(_meter + 1, IDERRegistry.AssetKind.Wind, 0, 0),
            operator,
            abi.encodeWithSelector(IDERRegistry.UnknownMeter.selector, _meter + 1)
        );
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
        Act memory act = _act(_battery(), operator);
        ders.registerAsset(_battery(), act);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.NonceUsed.selector, operator.addr, act.nonce));
        ders.registerAsset(_battery(), act);
    }

    function test_registerAsset__given_an_act_for_another_asset__reverts() external {
        Act memory act = _act(_battery(), operator);
        IDERRegistry.Asset memory larger = _battery();
        larger.storageWh += 1;
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, operator.addr));
        ders.registerAsset(larger, act);
    }

    function test_registerAsset__given_an_operators_act__registers_it() external {
        Act memory act = _act(_battery(), operator);
        vm.expectEmit(address(ders));
        emit IDERRegistry.AssetRegistered(1, _meter, IDERRegistry.AssetKind.Battery, 5_000, 10_000);
        vm.prank(stranger.addr);
        assertEq(ders.registerAsset(_battery(), act), 1, "the first id is 1");

        IDERRegistry.Asset memory asset = ders.assetOf(1);
        assertEq(asset.meter, _meter, "meter");
        assertTrue(asset.kind == IDERRegistry.AssetKind.Battery, "kind");
        assertEq(asset.nameplateW, 5_000, "nameplateW");
        assertEq(asset.storageWh, 10_000, "storageWh");
        assertEq(ders.assetCount(), 1, "counted");
    }

    function _battery() private view returns (IDERRegistry.Asset memory) {
        return IDERRegistry.Asset(_meter, IDERRegistry.AssetKind.Battery, 5_000, 10_000);
    }

    function _act(IDERRegistry.Asset memory asset, Party memory by) private returns (Act memory act) {
        act = _draft(by);
        bytes32 structHash = keccak256(
            abi.encode(
                ASSET_REGISTRATION_TYPEHASH,
                asset.meter,
                asset.kind,
                asset.nameplateW,
                asset.storageWh,
                act.nonce,
                act.deadline
            )
        );
        act.signature = Signing.sign(by.key, _digest(DERS, address(ders), structHash));
    }

    function _expectRevert(IDERRegistry.Asset memory asset, Party memory by, bytes memory refusal) private {
        Act memory act = _act(asset, by);
        vm.expectRevert(refusal);
        ders.registerAsset(asset, act);
    }
}
