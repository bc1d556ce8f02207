"""What the rules allow, held against tables that are written by hand from what each service is for."""

import pytest
from contracts.access import Access, AccessError, Acl, Operation, Resource
from contracts.topics import TOPICS
from restricted_topic import VOICE, WITH_VOICE

RULES = Access()


def told(acls: frozenset[Acl]) -> set[str]:
    """As a table has them."""
    return {f"{acl.operation} {acl.resource} {acl.name}{'*' if acl.prefixed else ''}" for acl in acls}


def test_profiles_writes_its_three_topics_and_hears_nobody() -> None:
    """It may look at what it has said itself."""
    assert told(RULES.service("profiles")) == {
        "write topic profiles.profile.v1",
        "read topic profiles.profile.v1",
        "write topic profiles.directory.v1",
        "read topic profiles.directory.v1",
        "write topic profiles.taxonomy.v1",
        "read topic profiles.taxonomy.v1",
    }


def test_notifications_hears_mentorships_and_keeps_its_dead_letters() -> None:
    """One group on two topics of matching, one topic of its own; of profiles only which areas there are."""
    assert told(RULES.service("notifications")) == {
        "write topic notifications.notice.v1",
        "read topic notifications.notice.v1",
        "read group notifications.threads",
        "read topic profiles.taxonomy.v1",
        "read topic matching.mentorship.v1",
        "write topic matching.mentorship.v1.notifications.threads.dead",
        "read topic matching.mentorship.v1.notifications.threads.dead",
        "read topic matching.invitation.v1",
        "write topic matching.invitation.v1.notifications.threads.dead",
        "read topic matching.invitation.v1.notifications.threads.dead",
        "read topic matching.mentorship-detail.v1",
        "write topic matching.mentorship-detail.v1.notifications.threads.dead",
        "read topic matching.mentorship-detail.v1.notifications.threads.dead",
    }


def test_analytics_writes_nothing_but_dead_letters() -> None:
    """Two groups; the rebuild reads the same topics without one."""
    assert told(RULES.service("analytics")) == {
        "read group analytics.people",
        "read group analytics.rows",
        "read topic profiles.directory.v1",
        "read topic matching.mentorship-state.v1",
        "write topic profiles.directory.v1.analytics.people.dead",
        "read topic profiles.directory.v1.analytics.people.dead",
        "write topic matching.mentorship-state.v1.analytics.rows.dead",
        "read topic matching.mentorship-state.v1.analytics.rows.dead",
    }


def test_a_whole_topic_reader_gets_the_topic_and_no_group() -> None:
    """The inbox follows its own topic; the engine follows those of profiles, which has one group of matching beside."""
    groups = {acl.name for acl in RULES.service("matching") if acl.resource is Resource.GROUP}
    assert groups == {"matching.members"}
    reads = {acl.name for acl in RULES.service("matching") if acl.operation is Operation.READ}
    assert {"profiles.profile.v1", "profiles.directory.v1", "matching.programme.v1"} <= reads
    assert "notifications.notice.v1" not in reads


def test_a_restricted_topic_is_for_those_who_are_declared() -> None:
    """Its owner and the one group; neither operators nor anybody outside, dead letters included."""
    allowed = {acl for acl in WITH_VOICE.platform() if acl.name.startswith(VOICE.name)}
    assert {(acl.principal, acl.operation.value, acl.name) for acl in allowed} == {
        ("matching", "write", "matching.voice.v1"),
        ("matching", "read", "matching.voice.v1"),
        ("analytics", "read", "matching.voice.v1"),
        ("analytics", "write", "matching.voice.v1.analytics.voices.dead"),
        ("analytics", "read", "matching.voice.v1.analytics.voices.dead"),
    }
    assert not any("voice" in acl.name for acl in WITH_VOICE.subscriber("hr-dashboard"))


def test_operators_look_and_move_nothing() -> None:
    """They read topics and dead letters and describe groups; to commit for a group one has to read as it."""
    acls = RULES.operators()
    assert {(acl.operation, acl.resource) for acl in acls} == {
        (Operation.READ, Resource.TOPIC),
        (Operation.DESCRIBE, Resource.GROUP),
    }
    assert {acl.name for acl in acls if acl.resource is Resource.GROUP} == {
        "analytics.people",
        "analytics.rows",
        "matching.members",
        "notifications.threads",
    }
    assert "matching.mentorship.v1.notifications.threads.dead" in {acl.name for acl in acls}


def test_each_topic_has_one_writer() -> None:
    """Its owner; of dead letters, the service whose group put them there."""
    writers: dict[str, set[str]] = {}
    for acl in RULES.platform():
        if acl.operation is Operation.WRITE:
            writers.setdefault(acl.name, set()).add(acl.principal)
    assert {name: each for name, each in writers.items() if len(each) > 1} == {}
    assert {topic.name for topic in TOPICS} <= set(writers)


def test_a_subscriber_reads_outside_topics_with_groups_of_its_own_name() -> None:
    """Four topics, one prefix with its dot, nothing else."""
    assert told(RULES.subscriber("hr-dashboard")) == {
        "read topic profiles.profile.v1",
        "read topic profiles.taxonomy.v1",
        "read topic matching.programme.v1",
        "read topic matching.mentorship.v1",
        "read group hr-dashboard.*",
    }


@pytest.mark.parametrize("name", ["matching", "operators", "administrator", "broker"])
def test_a_subscriber_can_not_take_a_name_of_the_platform(name: str) -> None:
    """Its prefix would reach the platform's own consumer groups."""
    with pytest.raises(AccessError, match="belongs to the platform itself"):
        RULES.subscriber(name)


@pytest.mark.parametrize("name", ["", "*", "User:x", "hr.dashboard", "HR", "-x", "a b", "a=b,c"])
def test_a_subscribers_name_is_plain(name: str) -> None:
    """A dot would end its prefix early, a star would mean everybody."""
    with pytest.raises(AccessError, match="is no subscriber's name"):
        RULES.subscriber(name)
