"""Places and what matching learns of members, without any I/O."""

from contracts.matching import Side
from matching.domain.members import Member
from matching.domain.places import Places
from matching_people import a_profile, an_entry


def places(capacity: int) -> Places:
    """A mentor's places with a known capacity and nothing left to commit."""
    made = Places.of("demo", "ana", Side.MENTOR)
    made.set_capacity(capacity, 1)
    made.take_uncommitted()
    return made


def kinds(subject: Member | Places) -> list[str]:
    """The work that the last change asked for."""
    return [ask.kind for ask in subject.take_uncommitted().asked]


def test_a_place_is_taken_once_however_often_it_is_asked_for() -> None:
    """Work that runs twice takes one place."""
    subject = places(1)
    assert subject.reserve("m-1")
    assert subject.reserve("m-1")
    assert not subject.reserve("m-2")
    assert subject.taken == ["m-1"]


def test_lowering_capacity_ends_nothing_and_withdraws_the_rest() -> None:
    """Two mentees stay although only one place is left; open proposals make no sense any more."""
    subject = places(3)
    subject.reserve("m-1")
    subject.reserve("m-2")
    subject.set_capacity(1, 2)
    assert subject.taken == ["m-1", "m-2"]
    assert kinds(subject) == ["withdraw-rest"]
    assert not subject.reserve("m-3")


def test_an_older_profile_does_not_change_capacity() -> None:
    """Reservations read the member a moment earlier; a late one must not undo a newer capacity."""
    subject = places(2)
    subject.set_capacity(0, 3)
    subject.set_capacity(5, 2)
    assert subject.capacity == 0


def test_a_place_given_back_can_be_taken_again() -> None:
    """The end of a mentorship makes room."""
    subject = places(1)
    subject.reserve("m-1")
    subject.release("m-1")
    subject.release("m-1")
    assert subject.reserve("m-2")


def test_the_first_news_of_a_member_rechecks_nothing() -> None:
    """An import of thousands must not look at pairs that cannot exist."""
    member = Member.unknown("demo", "ana")
    member.learn_profile(a_profile("ana"), 1)
    member.learn_directory(an_entry("ana"))
    assert kinds(member) == []


def test_a_changed_profile_rechecks_pairs_and_capacity_only_when_it_changed() -> None:
    """The same profile again asks for nothing; a new capacity is followed."""
    member = Member.unknown("demo", "ana")
    member.learn_profile(a_profile("ana"), 1)
    member.learn_profile(a_profile("ana"), 2)
    assert kinds(member) == []
    member.learn_profile(a_profile("ana", mentor_capacity=2), 3)
    assert kinds(member) == ["recheck-pairs", "follow-capacity"]
    member.learn_profile(a_profile("ana", mentor_capacity=2, offers=("cloud",)), 4)
    assert kinds(member) == ["recheck-pairs"]


def test_a_new_manager_rechecks_everybody_below() -> None:
    """Whoever reports to a moved manager has a new chain, too."""
    member = Member.unknown("demo", "ana")
    member.learn_directory(an_entry("ana", manager="boss-1"))
    member.learn_directory(an_entry("ana", manager="boss-2"))
    (ask,) = member.take_uncommitted().asked
    assert (ask.kind, ask.arguments, member.manager) == ("recheck-pairs", {"member": "ana", "reports": True}, "boss-2")


def test_whoever_leaves_the_organisation_has_their_pairs_ended() -> None:
    """The directory forgets them: what is unanswered is looked at again, what was agreed ends."""
    member = Member.unknown("demo", "ana")
    member.learn_directory(an_entry("ana", manager="boss-1"))
    member.learn_directory(None)
    asked = {ask.kind: ask.arguments["member"] for ask in member.take_uncommitted().asked}
    assert asked == {"recheck-pairs": "ana", "end-pairs": "ana"}


def test_a_tombstone_or_leaving_mentoring_leaves_no_place() -> None:
    """Somebody who is gone, not enrolled or closed on a side can take nobody on."""
    member = Member.unknown("demo", "ana")
    member.learn_profile(a_profile("ana", open_to_mentor=False), 1)
    assert (member.capacity(Side.MENTOR), member.capacity(Side.MENTEE)) == (0, 1)
    member.learn_profile(a_profile("ana", enrolled=False), 2)
    assert member.capacity(Side.MENTEE) == 0
    member.learn_profile(None, 3)
    assert member.capacity(Side.MENTEE) == 0
