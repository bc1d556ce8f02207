"""Planted edits of a released event: each breaking one is caught, and each compatible one passes."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import pytest
from contracts.catalogue import CATALOGUE, Entry
from contracts.compatibility import breaks, projections
from contracts.envelope import Event, MemberId, OpenEnum, Part, Plain, Pseudonymous
from contracts.topics import MENTORSHIP, MENTORSHIP_DETAIL, MENTORSHIP_STATE, Topic
from jsonschema import Draft202012Validator
from pydantic import Field

Fields = dict[str, Any]


class Mood(OpenEnum):
    """How it went."""

    GOOD = "good"
    BAD = "bad"


class MoodAndMore(OpenEnum):
    """How it went, with a value more."""

    GOOD = "good"
    BAD = "bad"
    MIXED = "mixed"


class MoodAndLess(OpenEnum):
    """How it went, with a value less."""

    GOOD = "good"


class Place(Part):
    """Where."""

    room: Annotated[str, Field(description="Room."), Plain]
    floor: Annotated[int, Field(ge=0, le=9, description="Floor."), Plain]


class PlaceWithSeats(Place):
    """Where, with a new field."""

    seats: Annotated[int, Field(description="Seats."), Plain] = 2


class PlaceWithDuty(Place):
    """Where, with a new field that readers insist on."""

    seats: Annotated[int, Field(description="Seats."), Plain]


class PlaceOfAnotherClass(Part):
    """Where, but closer to a person."""

    room: Annotated[str, Field(description="Room."), Pseudonymous]
    floor: Annotated[int, Field(ge=0, le=9, description="Floor."), Plain]


def described(kind: Any, *marks: Any, **limits: Any) -> Any:
    """An annotated field; its class is Plain unless another mark is given."""
    return Annotated[(kind, Field(description="Something.", **limits), *(marks or (Plain,)))]


RELEASED: Fields = {
    "member": MemberId,
    "mood": described(Mood),
    "minutes": described(int, ge=1, le=120),
    "note": described(str | None, max_length=40),
    "tags": described(tuple[str, ...], max_length=5),
    "place": described(Place),
    "places": described(tuple[Place, ...]),
    "code": described(str, pattern=r"^[a-z]{2}$"),
    "open": described(bool),
}
DEFAULTS: Fields = {"tags": ()}


def entry(
    fields: Fields,
    defaults: Fields | None = None,
    topic: Topic = MENTORSHIP,
    key: str = "member",
    fact_: str = "talk-held",
) -> Entry:
    """A catalogue entry for an event with the given fields."""
    body: Fields = {
        "__annotations__": {"topic": ClassVar[Topic], "fact": ClassVar[str], **fields},
        "__module__": __name__,
        "topic": topic,
        "fact": fact_,
        **(DEFAULTS if defaults is None else defaults),
    }
    return Entry(type("TalkHeld", (Event,), body), key=key)


def changed(**fields: Any) -> Fields:
    """The released fields with some of them replaced or added."""
    return {**RELEASED, **fields}


def removed(name: str) -> Fields:
    """The released fields without one."""
    return {field: kind for field, kind in RELEASED.items() if field != name}


COMPATIBLE: dict[str, Callable[[], Entry]] = {
    "nothing": lambda: entry(RELEASED),
    "a field with a default": lambda: entry(changed(mood2=described(Mood)), {**DEFAULTS, "mood2": Mood.GOOD}),
    "an optional field": lambda: entry(changed(extra=described(str | None)), {**DEFAULTS, "extra": None}),
    "a nested field with a default": lambda: entry(changed(place=described(PlaceWithSeats))),
    "a field with a default in a list's items": lambda: entry(changed(places=described(tuple[PlaceWithSeats, ...]))),
    "a value of an enumeration more": lambda: entry(changed(mood=described(MoodAndMore))),
    "a value of an enumeration less": lambda: entry(changed(mood=described(MoodAndLess))),
    "another order of fields": lambda: entry(dict(reversed(RELEASED.items()))),
    "another description": lambda: entry(changed(open=Annotated[bool, Field(description="Better said."), Plain])),
    "a default for a field that had none": lambda: entry(RELEASED, {**DEFAULTS, "open": True}),
    "no default any more, since writers write all": lambda: entry(RELEASED, {}),
    "an optional nested object": lambda: entry(changed(at=described(Place | None)), {**DEFAULTS, "at": None}),
}
BREAKING: dict[str, Callable[[], Entry]] = {
    "a field that readers insist on": lambda: entry(changed(extra=described(str))),
    "a removed field": lambda: entry(removed("minutes")),
    "a renamed field": lambda: entry({**removed("minutes"), "length": described(int, ge=1, le=120)}),
    "a removed optional field without default": lambda: entry(removed("note")),
    "text instead of a number": lambda: entry(changed(minutes=described(str))),
    "a fraction instead of a whole number": lambda: entry(changed(minutes=described(float, ge=1, le=120))),
    "a number instead of text": lambda: entry(changed(note=described(int))),
    "null where there was none": lambda: entry(changed(minutes=described(int | None, ge=1, le=120))),
    "no null where there was one": lambda: entry(changed(note=described(str, max_length=40))),
    "one instead of many": lambda: entry(changed(tags=described(str))),
    "many instead of one": lambda: entry(changed(mood=described(tuple[Mood, ...]))),
    "a list of something else": lambda: entry(changed(tags=described(tuple[int, ...], max_length=5))),
    "an object instead of text": lambda: entry(changed(code=described(Place))),
    "text instead of an object": lambda: entry(changed(place=described(str))),
    "a wider range than old readers take": lambda: entry(changed(minutes=described(int, ge=1, le=480))),
    "a narrower range than is on the topic": lambda: entry(changed(minutes=described(int, ge=1, le=60))),
    "no lower bound any more": lambda: entry(changed(minutes=described(int, le=120))),
    "longer text than old readers take": lambda: entry(changed(note=described(str | None, max_length=80))),
    "shorter text than is on the topic": lambda: entry(changed(note=described(str | None, max_length=20))),
    "longer lists than old readers take": lambda: entry(changed(tags=described(tuple[str, ...], max_length=9))),
    "another pattern": lambda: entry(changed(code=described(str, pattern=r"^[A-Z]{2}$"))),
    "a pattern that takes more": lambda: entry(changed(code=described(str, pattern=r"^[a-z]{2,3}$"))),
    "no pattern any more": lambda: entry(changed(code=described(str))),
    "a number instead of a yes or no": lambda: entry(changed(open=described(int))),
    "a nested field that readers insist on": lambda: entry(changed(place=described(PlaceWithDuty))),
    "a field that readers insist on in a list's items": lambda: entry(
        changed(places=described(tuple[PlaceWithDuty, ...]))
    ),
    "another data class": lambda: entry(changed(open=described(bool, Pseudonymous))),
    "another data class in a part": lambda: entry(changed(place=described(PlaceOfAnotherClass))),
    "another data class in a list's items": lambda: entry(changed(places=described(tuple[PlaceOfAnotherClass, ...]))),
    "another key": lambda: entry(RELEASED, key="code"),
    "another audience": lambda: entry(RELEASED, topic=MENTORSHIP_DETAIL),
    "a state instead of a fact": lambda: entry(RELEASED, topic=MENTORSHIP_STATE),
}


@pytest.mark.parametrize("edit", COMPATIBLE)
def test_a_compatible_edit_passes(edit: str) -> None:
    """What old consumers can read, and what can still read old records, is no reason to stop anybody."""
    assert breaks(projections(entry(RELEASED)), projections(COMPATIBLE[edit]())) == []


@pytest.mark.parametrize("edit", BREAKING)
def test_a_breaking_edit_is_caught(edit: str) -> None:
    """The gate says why, in words."""
    found = breaks(projections(entry(RELEASED)), projections(BREAKING[edit]()))
    assert found
    assert all(len(why.split()) > 3 for why in found)


def test_there_are_forty_edits_or_more() -> None:
    """The list only grows: each mistake that got through is planted here."""
    assert len(COMPATIBLE) + len(BREAKING) >= 44


def test_a_change_two_revisions_later_is_judged_against_each() -> None:
    """A field may come with a default, and may not lose its meaning in the revision after."""
    first, second = entry(RELEASED), entry(changed(extra=described(int)), {**DEFAULTS, "extra": 0})
    third = entry(changed(extra=described(str)), {**DEFAULTS, "extra": ""})
    assert breaks(projections(first), projections(second)) == []
    assert breaks(projections(first), projections(third)) == []
    assert breaks(projections(second), projections(third)) != []


BODY: Fields = {
    "member": "m1",
    "mood": "good",
    "minutes": 50,
    "note": None,
    "tags": ["a"],
    "place": {"room": "R1", "floor": 2},
    "places": [{"room": "R1", "floor": 2}],
    "code": "de",
    "open": True,
}


@pytest.mark.parametrize("edit", COMPATIBLE)
def test_compatible_edits_read_a_real_old_body(edit: str) -> None:
    """The judge on schemas is held against a body: schema validator and model both take it after each edit."""
    after = COMPATIBLE[edit]()
    assert Draft202012Validator(projections(after)["reader"]).is_valid(BODY)
    assert after.event.model_validate(BODY).model_dump()["minutes"] == 50


def test_the_writer_is_closed_and_the_reader_open() -> None:
    """An unknown field, a new enumeration value and a missing default are the reader's everyday."""
    schemas = projections(entry(RELEASED))
    writer, reader = (Draft202012Validator(schemas[side]) for side in ("writer", "reader"))
    newer = {**BODY, "mood": "mixed", "colour": "green", "place": {"room": "R1", "floor": 2, "seats": 4}}
    untagged = {name: value for name, value in BODY.items() if name != "tags"}
    assert writer.is_valid(BODY)
    assert reader.is_valid(BODY)
    assert reader.is_valid(newer)
    assert reader.is_valid(untagged)
    for body in (newer, untagged, {**BODY, "colour": "green"}, {**BODY, "mood": "mixed"}):
        assert not writer.is_valid(body)


@pytest.mark.parametrize("known", list(CATALOGUE), ids=lambda known: known.type)
def test_each_event_fits_itself(known: Entry) -> None:
    """The judge can decide about every real event: no construct of ours is beyond it."""
    assert breaks(projections(known), projections(known)) == []
