"""The committed locks name no host, carry hashes and agree with each other."""

from __future__ import annotations

import lock


def test_check__the_committed_locks__have_no_fault():
    assert lock.check() == []


def test_check__a_lock_with_a_host_and_a_bare_name__names_both(tmp_path, monkeypatch):
    for name in lock.LOCKS:
        (tmp_path / f"{name}.txt").write_text("httpx==0.28.1 \\\n    --hash=sha256:00\n")
    (tmp_path / "runtime.txt").write_text("gridweave @ file:///somewhere\nhttpx==0.28.0 \\\n    --hash=sha256:00\n")
    monkeypatch.setattr(lock, "REQUIREMENTS", tmp_path)
    assert lock.check() == [
        "runtime.txt names a host or path: gridweave @ file:///somewhere",
        "runtime.txt: unpinned gridweave @ file:///somewhere",
        "runtime.txt pins httpx 0.28.0, another lock 0.28.1",
    ]
