"""Rows from events: the newest sequence wins, in a batch and over batches, and nothing else is kept."""

from collections.abc import Sequence
from typing import Any

import pytest
from analytics.projections import fold
from analytics.store import fingerprint
from chassis.consuming.records import Received
from contracts.envelope import Envelope, Event
from contracts.matching import MentorshipState, PersonBands, Status
from contracts.profiles import DirectoryUpdated
from contracts.topics import DIRECTORY, MENTORSHIP_STATE, Topic
from hypothesis import given
from hypothesis import strategies as st


def received(key: str, sequence: int, data: Event | None, topic: Topic = DIRECTORY) -> Received[Any]:
    """An event as a handler gets it."""
    envelope = Envelope(
        id=f"{key}-{sequence}",
        source="/turnabout/test",
        type="turnabout.test.v1",
        subject=key,
        time="2026-11-25T08:30:00.000Z",
        tenant="acme",
        sequence=sequence,
        partition_key=key,
        data_schema="",
    )
    return Received(envelope, topic, key, data)


def an_entry(level: int) -> DirectoryUpdated:
    """A directory entry at this level."""
    return DirectoryUpdated(
        member="ada", level=level, unit="retail", country="GB", time_zone="Europe/London", joined="2020-01"
    )


@given(st.permutations([1, 2, 3, 4]))
def test_the_newest_of_a_batch_wins_whatever_the_order(order: Sequence[int]) -> None:
    """A batch folds to one row a key, made of the highest sequence."""
    rows = fold([received("ada", sequence, an_entry(level=sequence)) for sequence in order])

    assert rows == [
        {
            "_id": "ada",
            "tenant": "acme",
            "sequence": 4,
            "gone": False,
            "level": 4,
            "unit": "retail",
            "enrolled_on": None,
            "enrolled_until": None,
            "month": "2026-11",
        }
    ]


def test_a_tombstone_leaves_a_marker_and_nothing_of_the_person() -> None:
    """What stays is which key is gone, since when, and the sequence that late events are compared with."""
    rows = fold([received("ada", 1, an_entry(3)), received("ada", 2, None)])

    assert rows == [{"_id": "ada", "tenant": "acme", "sequence": 2, "gone": True, "gone_on": "2026-11-25"}]


def test_a_pair_keeps_only_what_measures_need() -> None:
    """Areas, programme, country and direction stay where they were; levels and units are those of the event."""
    state = MentorshipState(
        mentorship="pair",
        programme="programme",
        status=Status.PROPOSED,
        mentor="ada",
        mentee="grace",
        areas=("ethnicity-experience",),
        direction="reverse",
        mentor_bands=PersonBands(level=2, unit="retail", country="GB"),
        mentee_bands=PersonBands(level=9, unit="board", country="GB"),
        proposed_at="2026-11-02T08:00:00.000Z",
    )

    (row,) = fold([received("pair", 1, state, MENTORSHIP_STATE)])

    assert row["mentor_bands"] == {"level": 2, "unit": "retail"}
    assert not {"areas", "programme", "country", "direction"} & row.keys()
    assert "ethnicity-experience" not in str(row)


@pytest.mark.parametrize("change", [{"level": 4}, {"_id": "eve"}, {"sequence": 2}])
def test_fingerprint_sees_every_change_but_not_the_order(change: dict[str, Any]) -> None:
    """Equal rows in any order have one fingerprint; markers of gone rows do not count; any changed value does."""
    rows = fold([received("ada", 1, an_entry(3)), received("bob", 1, an_entry(5))])
    gone = fold([received("cid", 3, None)])

    assert fingerprint([("directory", rows)]) == fingerprint([("directory", [*gone, *reversed(rows)])])
    assert fingerprint([("directory", rows)]) != fingerprint([("directory", [rows[0] | change, rows[1]])])
