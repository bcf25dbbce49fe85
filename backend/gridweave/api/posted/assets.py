"""What devices post about the assets behind their meters."""

from __future__ import annotations

from typing import Literal

from gridweave.api.fields import Body, Compact, Uint32, Uint40, Uint256
from gridweave.domain.acts import AssetState, AssetStateReport

__all__ = ["StateReportIn"]


class StateReportIn(Body):
    """An asset's state since a second of chain time, signed by the device of its meter."""

    asset: Uint32
    state: Literal["commissioned", "online", "offline", "maintenance", "fault", "decommissioned"]
    since: Uint40
    deadline: Uint256
    signature: Compact

    def report(self) -> AssetStateReport:
        return AssetStateReport(self.asset, AssetState[self.state.upper()], self.since, self.deadline)
