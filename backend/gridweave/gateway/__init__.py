"""The gateway: takes devices' segments in, keeps them on disk, seals them, has them countersigned, and anchors them.

It holds window keys that the streams' owners gave it, and no key that signs anything.
"""
