"""Bytes that are nearly right."""

from __future__ import annotations

from hypothesis import strategies as st


def edited(good: bytes) -> st.SearchStrategy[bytes]:
    """`good` with some of it replaced, left out or doubled."""
    places = st.integers(0, len(good))
    return st.builds(
        lambda low, high, between: good[: min(low, high)] + between + good[max(low, high) :],
        places,
        places,
        st.binary(max_size=6) | st.sampled_from([b"0", b"1", b"null", b"[]", b"-1", b"1e3", b'"0x"', b"true"]),
    ) | st.builds(lambda at, byte: good[:at] + bytes([byte]) + good[at + 1 :], places, st.integers(0, 255))
