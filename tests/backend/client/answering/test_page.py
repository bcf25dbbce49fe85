"""The page's program does what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[4] / "docs/assets-that-answer.md"


def test_page__run_as_it_stands__prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    found = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    program, printed = found.groups()
    exec(compile(program, str(PAGE), "exec"), {})
    assert capsys.readouterr().out == printed
