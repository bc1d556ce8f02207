"""The catalogue refuses what may not be said, and names what is."""

from typing import Annotated, Any, ClassVar

import pytest
from contracts.catalogue import CATALOGUE, CatalogueError, Entry, build
from contracts.envelope import DataClass, Event, MemberId, Part, Plain, Pseudonymous
from contracts.topics import DIRECTORY, MENTORSHIP, PROFILE, TOPICS, Audience, Kind, Topic
from pydantic import Field

from contracts import matching, notifications, profiles

Personal = Field(json_schema_extra={"x-data-class": "personal"})
Special = Field(json_schema_extra={"x-data-class": "special"})


def events_of(module: Any) -> set[type[Event]]:
    """Every event class that a module of contracts defines."""
    return {
        item
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, Event) and item.__module__ == module.__name__
    }


def test_every_event_class_is_listed_once() -> None:
    """No event can be said that the catalogue doesn't know."""
    defined = events_of(matching) | events_of(notifications) | events_of(profiles)
    assert {entry.event for entry in CATALOGUE} == defined
    assert len(list(CATALOGUE)) == len(defined) == 17


def test_every_topic_carries_something() -> None:
    """A topic without events would be created, granted and watched for nothing."""
    assert {entry.topic for entry in CATALOGUE} == set(TOPICS)
    assert len(CATALOGUE.on(MENTORSHIP)) == 8


def test_an_event_stands_in_its_owners_module() -> None:
    """The module says who owns the event; the topic must agree."""
    assert all(entry.event.__module__ == f"contracts.{entry.owner}" for entry in CATALOGUE)


def test_names_on_the_wire_are_fixed() -> None:
    """Renaming a topic or a type is a new major version, never an edit."""
    assert sorted(topic.name for topic in TOPICS) == [
        "matching.invitation.v1",
        "matching.mentorship-detail.v1",
        "matching.mentorship-state.v1",
        "matching.mentorship.v1",
        "matching.programme.v1",
        "notifications.notice.v1",
        "profiles.directory.v1",
        "profiles.profile.v1",
        "profiles.taxonomy.v1",
    ]
    assert MENTORSHIP.dead("notifications.threads") == "matching.mentorship.v1.notifications.threads.dead"
    assert PROFILE.removed == "turnabout.profiles.profile-removed.v1"


def test_states_are_compacted_and_facts_expire() -> None:
    """A lost state could never be rebuilt; a kept fact could never be forgotten."""
    day = 24 * 60 * 60 * 1000
    assert PROFILE.settings() == {
        "cleanup.policy": "compact",
        "max.compaction.lag.ms": str(day),
        "delete.retention.ms": str(7 * day),
    }
    assert MENTORSHIP.settings() == {"cleanup.policy": "delete", "retention.ms": str(30 * day)}


def test_data_classes_are_found_in_every_depth() -> None:
    """Optional, nested and repeated fields each have their own."""
    found = CATALOGUE.of(matching.MentorshipState).data_classes
    for path in ("mentor", "accepted_at", "mentor_bands.level", "sessions", "sessions[].month"):
        assert found[path] is DataClass.PSEUDONYMOUS


def test_consumers_are_known_by_group() -> None:
    """One look tells what a group must be able to handle."""
    groups = CATALOGUE.consumers()
    assert groups["matching.members"] == {profiles.ProfileUpdated, profiles.DirectoryUpdated}
    assert groups["analytics.rows"] == {matching.MentorshipState}
    assert len(groups["notifications.threads"]) == 10


def test_outsiders_cannot_count_refusals() -> None:
    """A closed proposal tells neither who nor why, and a session not by whom."""
    assert set(matching.MatchClosed.model_fields) == {"mentorship"}
    for event in (matching.MentorshipPaused, matching.MentorshipResumed, matching.MentorshipEnded):
        assert set(event.model_fields) == {"mentorship"}
    assert set(matching.SessionLogged.model_fields) == {"mentorship", "session", "outcome", "day"}
    assert matching.SessionPlanChanged.topic.audience is Audience.PLATFORM
    assert matching.MentorshipDetailed.topic.audience is Audience.PLATFORM


class Name(Part):
    """A part that carries too much."""

    first: Annotated[str, Field(description="First name."), Personal]


def event(topic: Topic = PROFILE, fact_: str = "name-changed", **annotations: Any) -> type[Event]:
    """An event class with a member and the given fields."""
    body = {
        "__annotations__": {"topic": ClassVar[Topic], "fact": ClassVar[str], "member": MemberId, **annotations},
        "__module__": __name__,
        "topic": topic,
        "fact": fact_,
    }
    return type("NameChanged", (Event,), body)


Described = Field(description="Something.")


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: event(name=Annotated[str, Described, Personal]), "name is personal"),
        (lambda: event(DIRECTORY, belief=Annotated[str, Described, Special]), "belief is special"),
        (lambda: event(name=Annotated[Name, Described, Pseudonymous]), "name.first is personal"),
        (lambda: event(names=Annotated[tuple[Name, ...], Described, Pseudonymous]), r"names\[\].first is personal"),
        (lambda: event(name=Annotated[Name | None, Described, Pseudonymous]), "name.first is personal"),
        (lambda: event(name=Annotated[str, Described]), "name has no data class"),
        (lambda: event(name=Annotated[str | None, Described]), "name has no data class"),
        (lambda: event(name=Annotated[str, Plain]), "name has no description"),
        (lambda: event(names=Annotated[dict[str, int], Described, Plain]), "keys that are data"),
        (lambda: event(fact_="NameChanged"), "kebab-case"),
        (lambda: event(Topic("profiles", "unheard-of", Audience.OUTSIDE, Kind.FACTS)), "topics.py"),
    ],
)
def test_what_may_not_be_said_stops_the_build(made: Any, says: str) -> None:
    """The message names the field and what to do about it."""
    with pytest.raises(CatalogueError, match=says):
        build([Entry(made(), key="member")])


def test_one_type_is_one_event() -> None:
    """Two classes with one name on the wire could not be told apart."""
    with pytest.raises(CatalogueError, match="are both"):
        build([Entry(event(MENTORSHIP), key="member"), Entry(event(MENTORSHIP), key="member")])


def test_a_compacted_topic_holds_one_kind_of_state() -> None:
    """Compaction keeps one record a key, so a second kind would delete the first."""
    with pytest.raises(CatalogueError, match="one kind of event only"):
        build([Entry(event(), key="member"), Entry(event(fact_="nickname-changed"), key="member")])


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"key": "person"}, "none of its fields"),
        ({"key": "member", "consumers": ("members",)}, "<service>.<handler group>"),
        ({"key": "member", "readers": ("Matching.Engine",)}, "<service>.<handler group>"),
    ],
)
def test_keys_and_groups_must_make_names(entry: dict[str, Any], says: str) -> None:
    """Kafka names are derived from these, so they can't be anything."""
    with pytest.raises(CatalogueError, match=says):
        build([Entry(event(), **entry)])


def test_an_unlisted_event_is_refused_at_run_time() -> None:
    """A producer that asks for it gets a sentence, not a topic."""
    with pytest.raises(CatalogueError, match="add an Entry"):
        CATALOGUE.of(event())
