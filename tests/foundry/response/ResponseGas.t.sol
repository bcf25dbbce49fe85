// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AssetEnrolment } from "../../../contracts/types/AssetEnrolment.sol";
import { TEN_OF_TEN } from "../../../contracts/types/Measuring.sol";
import { ProgrammeTerms } from "../../../contracts/types/Programme.sol";
import { RuleTerms } from "../../../contracts/types/ResponseRule.sol";
import { Home } from "../auction/Feeder.sol";
import { Gas } from "../support/Gas.sol";
import { Signing } from "../support/Signing.sol";
import { Flexible, Responding } from "./Responding.sol";

/// What demand response costs on chain: whole transactions. The meters have ten days of readings behind them, and were called once
/// before, if it is not said otherwise.
/// forge-config: default.isolate = true
contract ResponseGasTest is Responding, Gas {
    uint256 private constant ASSETS = 100;
    uint256 private constant SETTLED = 8;
    uint32 private constant EVENT = FIRST_SLOT + 12 * DAY + 40;
    int256 private constant NET_WH = 5_000;

    uint32 private _programmeId;
    Flexible[] private _street;
    uint32[] private _assets;

    function _programme() internal view override returns (ProgrammeTerms memory terms) {
        terms = super._programme();
        (terms.method, terms.adjusted, terms.windowSlots, terms.windowGap) = (TEN_OF_TEN, true, 4, 1);
        (terms.firm, terms.shortfallRate) = (false, 0);
    }

    function setUp() public override {
        super.setUp();
        _programmeId = _openProgramme(_programme());
        for (uint256 i = 0; i < ASSETS; ++i) {
            _street.push(_flexible(i));
            _assets.push(_street[i].asset);
            _enrolAsset(_offerOf(i), 1, _street[i].home.owner);
        }
    }

    /// Two asks above each other, 4 kW each.
    function _offerOf(uint256 i) private view returns (AssetEnrolment memory) {
        return _offer(_programmeId, _street[i].asset, 4_000, uint64(100_000 + 10_000 * (i % 2)), 0);
    }

    /// The first event of all, two days on, settled and closed.
    function _once() private {
        uint32 slot = FIRST_SLOT + DAY + 40;
        _toSlot(slot - 9);
        uint32 number = _announce(_programmeId, slot, SLOTS, 300_000);
        response.call(number, _assets);
        _toSlot(slot + SLOTS);
        uint32[] memory all = new uint32[](50);
        for (uint32 i = 0; i < 50; ++i) {
            all[i] = i;
        }
        response.settle(number, all);
        for (uint32 i = 0; i < 50; ++i) {
            all[i] = 50 + i;
        }
        response.settle(number, all);
    }

    /// Ten days of readings around the event's time of day, of the first few homes.
    function _live() private {
        for (uint256 i = 0; i < SETTLED; ++i) {
            for (uint32 day = 2; day < 12; ++day) {
                uint32 slot = FIRST_SLOT + day * DAY + 40;
                _toSlot(slot + SLOTS);
                _record(_street[i].home, slot - 16, 16 + SLOTS, NET_WH + int256(uint256(day)) * 10);
            }
        }
    }

    function _readToday(uint256 homes) private {
        _toSlot(EVENT + SLOTS);
        for (uint256 i = 0; i < homes; ++i) {
            _record(_street[i].home, EVENT - 16, 16, NET_WH);
            _record(_street[i].home, EVENT, SLOTS, NET_WH - 900);
        }
    }

    function _announced() private returns (uint32 number) {
        _toSlot(EVENT - 9);
        number = _announce(_programmeId, EVENT, SLOTS, 300_000);
    }

    function _dispatched(uint32 number) private {
        response.call(number, _assets);
        _toGate(EVENT);
        response.dispatch(number, ASSETS);
    }

    // -------------------------------------------------------------------------------------------------------------- enrol

    function test_gas__enrol() external {
        Flexible memory next = _flexible(ASSETS);
        AssetEnrolment memory offer = _offer(_programmeId, next.asset, 4_000, 120_000, 0);
        bytes memory data = abi.encodeCall(
            response.enrol, (offer, _enrolmentAct(offer, 1, next.home.owner), Signing.none())
        );
        _snap("enrolling an asset, whole transaction", _transactionGas(address(response), data), 105_000);
    }

    function test_gas__enrolFirm() external {
        ProgrammeTerms memory terms = super._programme();
        uint32 firm = _openProgramme(terms);
        Flexible memory next = _flexible(ASSETS);
        AssetEnrolment memory offer = _offer(firm, next.asset, 4_000, 120_000, 1_000);
        bytes memory data = abi.encodeCall(
            response.enrol, (offer, _enrolmentAct(offer, 1, next.home.owner), _agreement(offer, operator))
        );
        uint256 gas = _transactionGas(address(response), data);
        _snap("enrolling an asset with a bond and an agreed baseline, whole transaction", gas, 170_000);
    }

    // -------------------------------------------------------------------------------------------------- announce, trigger

    function test_gas__announce() external {
        _once();
        _toSlot(EVENT - 9);
        bytes memory data = abi.encodeCall(
            response.announce,
            (_programmeId, EVENT, SLOTS, 300_000, _callAct(_programmeId, EVENT, SLOTS, 300_000, operator))
        );
        _snap("announcing an event, whole transaction", _transactionGas(address(response), data), 200_000);
    }

    function test_gas__trigger() external {
        Home memory head = _wideHomeOf(operator, 999);
        RuleTerms memory terms = _rule(_programmeId, head.meter);
        uint32 rule = _openRule(terms);
        _once();
        _record(head, FIRST_SLOT + DAY + 40, 4, 60_000);
        response.trigger(rule, FIRST_SLOT + DAY + 43);
        _toSlot(EVENT);
        _record(head, EVENT - 2, 2, 60_000);
        bytes memory data = abi.encodeCall(response.trigger, (rule, EVENT - 1));
        uint256 gas = _transactionGas(address(response), data);
        _snap("triggering an event by two readings, whole transaction", gas, 175_000);
    }

    // ----------------------------------------------------------------------------------------------------------- dispatch

    function test_gas__dispatch() external {
        _once();
        _measureDispatch("of a meter that was called before");
    }

    function test_gas__dispatchFirst() external {
        _measureDispatch("of a meter never called before");
    }

    function _measureDispatch(string memory which) private {
        uint32 number = _announced();
        bytes memory data = abi.encodeCall(response.call, (number, _assets));
        uint256 called = _transactionGas(address(response), data);
        _toGate(EVENT);
        data = abi.encodeCall(response.dispatch, (number, ASSETS));
        uint256 given = _transactionGas(address(response), data);
        string memory what = string(abi.encodePacked("calling and dispatching an asset ", which, ", in 100"));
        _snap(what, (called + given) / ASSETS, 45_000);
        what = string(abi.encodePacked("giving an asset its setpoint, ", which, ", in 100"));
        _snap(what, given / ASSETS, 25_000);
    }

    // ------------------------------------------------------------------------------------------------------------- settle

    function test_gas__settle() external {
        _once();
        _live();
        uint32 number = _announced();
        _dispatched(number);
        _readToday(SETTLED);
        bytes memory data = abi.encodeCall(response.settle, (number, _one(0)));
        uint256 gas = _transactionGas(address(response), data);
        _snap("settling a meter by 10-of-10 with adjustment over 4 slots, whole transaction", gas, 445_000);
        assertTrue(_netOf(number, 0) > 0, "it is paid");
    }

    function test_gas__settleEight() external {
        _once();
        _live();
        uint32 number = _announced();
        _dispatched(number);
        _readToday(SETTLED);
        uint32[] memory indices = new uint32[](SETTLED);
        for (uint32 i = 0; i < SETTLED; ++i) {
            indices[i] = i;
        }
        bytes memory data = abi.encodeCall(response.settle, (number, indices));
        uint256 gas = _transactionGas(address(response), data) / SETTLED;
        _snap("settling a meter by 10-of-10 with adjustment over 4 slots, in 8", gas, 335_000);
    }
}
