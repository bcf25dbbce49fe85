"""Demand response: days, baselines, programmes, events, and the money that follows from them. Pure."""
