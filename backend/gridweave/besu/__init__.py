"""A Besu network under QBFT, written to a folder: genesis, and keys and configuration of every validator.

Nothing here starts Besu or talks to it. The formats are those of Besu's own documentation: the genesis file, the extra
data of QBFT, the TOML configuration and the list of static nodes.
"""

from gridweave.besu.extra_data import ExtraData, decode_extra_data, encode_extra_data
from gridweave.besu.folder import FolderTaken, write_network
from gridweave.besu.plan import BesuPlan, PlanUnusable, Validator, draw_validator

__all__ = [
    "BesuPlan",
    "ExtraData",
    "FolderTaken",
    "PlanUnusable",
    "Validator",
    "decode_extra_data",
    "draw_validator",
    "encode_extra_data",
    "write_network",
]
