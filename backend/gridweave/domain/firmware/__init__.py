"""Firmware: what release keys sign, how a rollout goes, and the FirmwareRegistry again as a pure state machine."""
