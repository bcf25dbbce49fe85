"""Revisions of the index database."""
