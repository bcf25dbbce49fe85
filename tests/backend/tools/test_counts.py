"""Counts are read from what the tools really print."""

from __future__ import annotations

import counts


def test_from_forge__no_closing_line__counts_nothing():
    assert counts.from_forge("Compiler run failed").passed == 0


def test_from_forge__a_run_with_a_skip__counts_and_names_it():
    output = (
        "[PASS] test_a() (gas: 1)\n[SKIP] test_b() (gas: 0)\n\x1b[31m[FAIL: 1 != 2]\x1b[0m test_c() (gas: 5)\n"
        "Ran 2 test suites in 11.16ms (5.09ms CPU time): 7 tests passed, 1 failed, 1 skipped (9 total tests)\n"
    )
    found = counts.from_forge(output)
    assert (found.passed, found.failed, found.skipped) == (7, 1, ["test_b(): skipped by vm.skip"])
    assert found.failures == ["test_c: 1 != 2"]


def test_from_junit__no_report__counts_nothing(tmp_path):
    assert counts.from_junit(tmp_path / "none.xml") == counts.Counts()


def test_from_junit__one_of_each__counts_each(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="a" name="ok"/>'
        '<testcase classname="a" name="bad"><failure message="1 is\nnot 2"/></testcase>'
        '<testcase classname="a" name="broken"><error message="no"/></testcase>'
        '<testcase classname="a" name="later"><skipped message="no chain"/></testcase></testsuite></testsuites>'
    )
    found = counts.from_junit(report)
    assert (found.passed, found.failed, found.skipped) == (1, 2, ["a.later: no chain"])
    assert found.failures == ["a.bad: 1 is not 2", "a.broken: no"]


def test_from_proofs__one_of_each__counts_each():
    output = (
        "Compiler run successful!\nproved      28 s  check_a\nrefuted      1 s  refute_b\n"
        "FAILED     900 s  check_c: no end within 900 s\n\n2 promises held or were refuted as they should, 1 failed\n"
    )
    found = counts.from_proofs(output)
    assert (found.passed, found.failed) == (2, 1)


def test_from_status__a_tool_that_says_no__is_one_failure():
    assert (counts.from_status(0).passed, counts.from_status(2).failed) == (1, 1)
