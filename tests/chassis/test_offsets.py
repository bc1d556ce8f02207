"""How far a partition may be committed while some records wait, and where it begins again; all in memory."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from chassis.consuming.offsets import Offsets, firsts

P0, P1 = ("t", 0), ("t", 1)


def record(offset: int, key: bytes = b"k", partition: int = 0) -> Any:
    return SimpleNamespace(topic="t", partition=partition, offset=offset, key=key)


@pytest.fixture
def offsets() -> Offsets:
    return Offsets()


def test_a_batch_without_trouble_is_committed_behind_its_last_records(offsets: Offsets) -> None:
    """Each partition once, and a place where nothing changed is not committed again."""
    offsets.through([record(4), record(9, partition=1), record(5)])
    assert offsets.committable() == {P0: 6, P1: 10}
    assert offsets.committable() == {}


def test_what_is_set_aside_holds_the_commit_until_it_is_done(offsets: Offsets) -> None:
    """Two are set aside; the lower one holds the commit across batches, whichever ends first."""
    low, high = record(5), record(7, b"other")
    offsets.set_aside(low)
    offsets.set_aside(high)
    offsets.through([record(4), low, record(6), high])
    assert offsets.committable() == {P0: 5}
    offsets.done(high)
    offsets.through([record(8)])
    assert offsets.committable() == {P0: 5}
    offsets.done(low)
    assert offsets.committable() == {P0: 9}


def test_what_is_done_before_its_batch_is_through_commits_nothing_yet(offsets: Offsets) -> None:
    """The rest of the batch is still being worked on."""
    offsets.set_aside(record(5))
    offsets.done(record(5))
    assert offsets.committable() == {}


@pytest.mark.parametrize("before", [lambda _offsets: None, lambda offsets: offsets.set_aside(record(5))])
def test_what_breaks_off_is_fetched_again_and_committed_afterwards(
    offsets: Offsets, before: Callable[[Offsets], None]
) -> None:
    """At once or after it was set aside: it holds the commit, names where to begin, and says why, once."""
    before(offsets)
    offsets.break_off([record(5), record(8)], "fault")
    offsets.through([record(5), record(6), record(8)])
    assert offsets.committable() == {P0: 5}
    assert (offsets.why_broken(), offsets.why_broken(), offsets.again()) == ("fault", "", {P0: 5})
    again = [record(5), record(6), record(8)]
    offsets.set_back({P0: 5})
    offsets.take(again)
    assert not offsets.stays_broken([again[0], again[2]])
    offsets.through(again)
    assert (offsets.committable(), offsets.again()) == ({P0: 9}, {})


def test_a_key_stands_still_behind_what_broke_off(offsets: Offsets) -> None:
    """A later record was fetched before the partition was set back: handled now, it would overtake the broken one."""
    offsets.break_off([record(5)], "breaker")
    offsets.through([record(5)])
    assert offsets.why_broken() == "breaker"
    late = [record(6)]
    offsets.take(late)
    assert offsets.broken_keys == {b"k"}
    assert offsets.stays_broken(late)
    assert not offsets.stays_broken([record(7, b"other")])
    offsets.through(late)
    assert (offsets.why_broken(), offsets.again(), offsets.committable()) == ("breaker", {P0: 5}, {P0: 5})
    offsets.set_back({P0: 5})
    offsets.take([record(3, partition=1)])
    assert offsets.stays_broken(late)
    offsets.take([record(5), record(6)])
    assert not offsets.stays_broken([record(5), record(6)])


def test_a_broken_record_that_was_compacted_away_holds_nothing_up(offsets: Offsets) -> None:
    """Only a newer state of the key comes again."""
    offsets.break_off([record(5)], "fault")
    offsets.through([record(4), record(5)])
    offsets.set_back({P0: 5})
    newer = [record(9)]
    offsets.take(newer)
    assert not offsets.stays_broken(newer)
    offsets.through(newer)
    assert (offsets.committable(), offsets.again()) == ({P0: 10}, {})


def test_nothing_is_committed_past_a_batch_that_has_come_again_and_is_not_through(offsets: Offsets) -> None:
    """What ends late in the meantime reports the offset at which the batch begins, not where the group once was."""
    offsets.set_aside(record(4, b"other"))
    offsets.break_off([record(5)], "fault")
    offsets.through([record(4, b"other"), record(5), record(6)])
    offsets.set_back({P0: 5})
    offsets.take([record(5), record(6)])
    offsets.done(record(4, b"other"))
    assert offsets.committable() == {P0: 5}


def test_what_broke_off_before_the_place_that_was_set_back_to_still_waits(offsets: Offsets) -> None:
    """It ended later, and the partition is set back once more for it."""
    offsets.break_off([record(8)], "fault")
    offsets.break_off([record(3, b"other")], "fault")
    offsets.through([record(3, b"other"), record(8)])
    offsets.set_back({P0: 8})
    offsets.take([record(8)])
    offsets.through([record(8)])
    assert (offsets.committable(), offsets.again(), set(offsets.broken_keys)) == ({P0: 3}, {P0: 3}, {b"other"})


def test_a_partition_that_comes_anew_owes_nothing(offsets: Offsets) -> None:
    """Another member may have come further: what ends late must not set the group back."""
    offsets.set_aside(record(5))
    offsets.break_off([record(6, b"other")], "fault")
    offsets.through([record(5), record(6, b"other"), record(2, partition=1)])
    offsets.forget({P0})
    offsets.done(record(5))
    assert (offsets.committable(), offsets.again(), set(offsets.broken_keys)) == ({P1: 3}, {}, set())


def test_the_first_of_each_partition() -> None:
    """Records of one partition stand in order."""
    assert firsts([record(3), record(8, partition=1), record(4)]) == {P0: 3, P1: 8}


def test_what_is_passed_over_is_neither_committed_again_nor_fetched_again(offsets: Offsets) -> None:
    """Records 4 and 5 are through, 6 to 8 can't be read: a later commit must not fall back before them."""
    offsets.through([record(4), record(5)])
    assert (offsets.committable(), offsets.reached()) == ({P0: 6}, {P0: 6})
    offsets.pass_over(P0, 9)
    assert (offsets.committable(), offsets.reached()) == ({}, {P0: 9})


def test_a_failed_fetch_begins_again_at_what_broke_off(offsets: Offsets) -> None:
    """In one partition something broke off at 5; the other is behind 9."""
    offsets.break_off([record(5)], "fault")
    offsets.through([record(5), record(6), record(9, partition=1)])
    assert offsets.reached() == {P0: 5, P1: 10}
