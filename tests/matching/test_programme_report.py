"""What came of a programme, counted by hand."""

from datetime import date

from contracts.matching import Outcome, Side
from matching.domain.mentorship import Mentorship
from matching.programmes.report import report_of
from matching_people import PROPOSED_AT, a_proposal

AT = "2026-03-06T21:00:00.000Z"


def begun(mentor: str, mentee: str, held: int = 0, cancelled: int = 0) -> Mentorship:
    """A mentorship that started at `AT`, with so many sessions since."""
    pair = a_proposal(f"{mentor}-{mentee}", mentor, mentee)
    for side in Side:
        pair.accept(side, AT)
    pair.finalise(AT)
    for side in Side:
        pair.confirm_agreement(side, 1, AT)
    for day in range(held + cancelled):
        outcome = Outcome.HELD if day < held else Outcome.CANCELLED
        pair.log_session(Side.MENTOR, f"s-{day}", date(2026, 3, 7 + day), outcome, "2026-04-01T09:00:00.000Z")
    return pair


def test_a_report_counts_what_has_started() -> None:
    """Three have, one of which is over and one never met; two mentors, three mentees, five days and a half each."""
    over = begun("ana", "dora", held=2, cancelled=1)
    over.end(Side.MENTEE, "2026-05-01T09:00:00.000Z")
    paused = begun("ana", "emil", held=1)
    paused.pause(Side.MENTOR, "2026-05-01T09:00:00.000Z")
    report = report_of([over, paused, begun("bea", "finn"), a_proposal()])
    assert PROPOSED_AT == "2026-03-01T09:00:00.000Z"
    assert (report.started, report.running, report.met) == (3, 2, 2)
    assert (report.mentors, report.mentees, report.reverse) == (2, 3, 3)
    assert (report.held, report.cancelled, report.days_to_start) == (3, 1, 5.5)
    assert report.areas == [("ai-tools", 3)]


def test_before_anything_has_started_there_is_nothing_to_tell() -> None:
    """No figure is made up, and no division by nobody."""
    report = report_of([a_proposal()])
    assert (report.started, report.days_to_start, report.areas) == (0, None, [])
