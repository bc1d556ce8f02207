"""The checker's own picture of the product, against the product: a renamed field must not blind a check silently."""

import json
from pathlib import Path
from typing import Final

import pytest
from analytics.projections import row_of
from chassis.consuming.records import Received
from chassis.state.aggregate import Aggregate
from contracts.catalogue import CATALOGUE
from contracts.matching import Status
from contracts.topics import TOPICS, Kind
from matching.domain.mentorship import LIVE, Mentorship
from matching.domain.places import Places
from matching.domain.programme import Programme
from notifications.domain.notice import Notice
from notifications.domain.thread import Thread
from operations.checker.topology import PRODUCT, Life
from profiles.domain import Profile
from profiles.taxonomy.document import Taxonomy

from contracts.examples import load, read, topic_of

EXAMPLES: Final = Path(__file__).parents[2] / "contracts" / "examples"
OWNERS: Final[dict[str, type[Aggregate]]] = {
    "matching.mentorship-state.v1": Mentorship,
    "matching.programme.v1": Programme,
    "profiles.taxonomy.v1": Taxonomy,
}


def test_every_topic_and_group_of_the_catalogue_is_known() -> None:
    """What is added to the catalogue is checked from then on."""
    assert [each.topic for each in PRODUCT.streams] == [topic.name for topic in TOPICS]
    declared = {(group, entry.topic.name) for entry in CATALOGUE for group in entry.consumers}
    assert {(each.group, each.topic) for each in PRODUCT.subscriptions} == declared
    assert {each.topic for each in PRODUCT.streams if each.compacted} == {
        topic.name for topic in TOPICS if topic.kind is Kind.STATE
    }


def test_mirrored_fields_stand_in_the_documents() -> None:
    """A state's field is compared with the document's of the same name, so the document must have it."""
    mirrored = {stream.topic: set(stream.mirrors) for stream in PRODUCT.streams if stream.mirrors}
    assert mirrored.keys() == OWNERS.keys()
    assert all(fields <= set(OWNERS[topic].model_fields) for topic, fields in mirrored.items())


def test_mirrored_fields_stand_in_the_rows() -> None:
    """The same for the read models: each golden example of a state becomes a row that says its fields unchanged."""
    mirrored = {each.topic: each.mirrors for each in PRODUCT.subscriptions if each.rows}
    compared = set()
    for example in load(EXAMPLES):
        topic, data = topic_of(example), read(example)
        if topic is None or data is None or topic.name not in mirrored:
            continue
        row = row_of(Received(example.envelope, topic, example.key, data))
        said = json.loads(data.model_dump_json())
        assert {name: row[name] for name in mirrored[topic.name]} == {n: said[n] for n in mirrored[topic.name]}
        compared.add(topic.name)
    assert compared == set(mirrored)


@pytest.mark.parametrize("life", PRODUCT.lives, ids=lambda life: life.topic)
def test_lives_speak_of_statuses_and_types_that_exist(life: Life) -> None:
    """Each status but the steps of a session is one of the contract's; each type is in the catalogue."""
    named = {*life.edges, *(status for following in life.edges.values() for status in following)} - {""}
    assert {life.same.get(status, status) for status in named} == {status.value for status in Status}
    assert {step.type for step in life.steps} <= {entry.type for entry in CATALOGUE}


def test_places_and_notices_have_the_fields_that_are_looked_at() -> None:
    """Capacity, what is taken, and the marks of what was told."""
    [places] = PRODUCT.capacities
    assert {places.taken, places.capacity, places.holder, places.side} <= set(Places.model_fields)
    assert set(places.sides.values()) <= set(Profile.model_fields)
    assert set(places.may_hold) | {Status.PROPOSED.value} == {status.value for status in LIVE}
    assert "notices" in Thread.model_fields
    assert "id" in Notice.model_fields
