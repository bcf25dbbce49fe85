"""What a page of ours may load and do: what it names itself, and nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib

__all__ = ["page_headers", "style_hash"]


def page_headers(**sources: str) -> dict[str, str]:
    """Headers of a page: nobody frames it, and it loads only the kinds of `sources`, such as style="'self'"."""
    named = [f"{kind}-src {source}" for kind, source in sources.items()]
    closed = ["default-src 'none'", *named, "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]
    return {
        "Content-Security-Policy": "; ".join(closed),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


def style_hash(css: str) -> str:
    """The source that lets a page have this text between its style tags, and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()}'"
