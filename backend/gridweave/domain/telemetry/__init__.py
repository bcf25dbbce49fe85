"""Telemetry: streams of readings, chained by the device, sealed by the gateway, proved and shared by their owner."""
