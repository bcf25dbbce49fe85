"""Gridweave: contracts that let strangers trade power, and the service that bridges people and devices to them."""
