// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// A wallet that answers with as many bytes as 100,000 gas buy.
contract Bomb {
    fallback() external {
        assembly {
            return(0, 185000)
        }
    }
}

/// A wallet that reverts, at length.
contract Refuser {
    fallback() external {
        assembly {
            revert(0, 185000)
        }
    }
}

/// A wallet that says yes to everything, until it burns all gas that it gets.
contract Moody is IERC1271 {
    bool private _angry;

    function anger() external {
        _angry = true;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        while (_angry) { }
        return IERC1271.isValidSignature.selector;
    }
}
