"""What the terminal shows while the demo lives: a stage's clock runs until the stage is over."""

from __future__ import annotations

from gridweave.cli.demo import Told


def test_told__given_a_stage_whose_every_step_is_done__lets_its_clock_run_until_the_next_begins() -> None:
    told = Told()
    told.begin("living the day")
    told.slot(96, 96, 120_000)
    (day,) = told.bar.tasks
    assert not day.finished
    told.begin("auditing the chain")
    day, audit = told.bar.tasks
    assert day.finished
    assert (audit.description, audit.total, audit.finished) == ("auditing the chain", None, False)


def test_told__given_progress__shows_it_on_the_stage_under_way_alone() -> None:
    told = Told()
    told.begin("living the day")
    told.begin("auditing the chain")
    told.blocks(1_000, 2_500)
    day, audit = told.bar.tasks
    assert (audit.completed, audit.fields["note"]) == (1_000, "block 1,000 of 2,500")
    assert day.fields["note"] == ""
    told.end()
    assert audit.finished
