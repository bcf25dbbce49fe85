"""The changelog has a section for the version that pyproject.toml names, or the one that is not released yet."""

from __future__ import annotations

import re
import tomllib

from layout import ROOT

_HEADING = re.compile(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", re.MULTILINE)
_KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Known limits"}


def test_changelog__of_this_version__says_what_it_brings() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    text = (ROOT / "CHANGELOG.md").read_text()
    headings = _HEADING.findall(text)
    names = [name for name, _ in headings]
    assert names[0] == "Unreleased"
    assert version in names or f"What {version} will be" in text.split("\n## ")[1], f"no section for {version}"
    assert all(date for name, date in headings if name != "Unreleased"), "a release has a date"
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= _KINDS
