"""The files beside the code: up to date, complete, and read by everybody."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from contracts.asyncapi import PLATFORM, PUBLIC, document
from contracts.catalogue import CATALOGUE, Catalogue, Entry
from contracts.committed import FOLDER, Committed, table
from contracts.matching import MatchClosed
from contracts.topics import TOPICS, Audience, Kind
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

from contracts.examples import Example, load, problems, read, topic_of

EXAMPLES = load(FOLDER / "examples")
NAME = re.compile(r"[A-Z][a-z]+ [A-Z][a-z]+|@")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The contracts folder's files in a place where a test may damage them."""
    for name in ("schemas", "examples"):
        shutil.copytree(FOLDER / name, tmp_path / name)
    for name in ("README.md", "asyncapi.yaml", "asyncapi-platform.yaml"):
        shutil.copy(FOLDER / name, tmp_path / name)
    return tmp_path


def edit(path: Path, **changes: Any) -> None:
    """Change top-level parts of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_what_is_committed_may_be_merged() -> None:
    """Generated files are up to date, no revision is broken, and every example holds."""
    assert Committed().check() == []


def test_the_command_line_says_the_same() -> None:
    """CI runs one command and reads its exit code."""
    done = subprocess.run([sys.executable, "-m", "contracts", "check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_every_event_and_every_tombstone_has_an_example() -> None:
    """A subscriber can try each kind of record that exists."""
    shown = {item.type for item in EXAMPLES}
    states = {topic.removed for topic in TOPICS if topic.kind is Kind.STATE}
    assert shown == {entry.type for entry in CATALOGUE} | states


@pytest.mark.parametrize("item", EXAMPLES, ids=lambda item: item.name)
def test_every_example_is_read(item: Example) -> None:
    """Our own consumers read it, and what they read is what it says; a field that came later has its default."""
    event = read(item)
    assert problems(item) == []
    assert item.envelope.tenant == "demo"
    if item.body is None:
        assert event is None
    else:
        assert event is not None
        assert event.model_dump(mode="json", exclude_unset=True) == item.body


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("profile-updated.v1.mentor", {"wishes": (), "in_person": False}),
        ("profile-updated.v1.with-wishes", {"wishes": ("legal", "field-sales"), "in_person": True}),
        ("directory-updated.v1.junior", {"function": "", "site": ""}),
        ("directory-updated.v1.with-function", {"function": "product-design", "site": "hamburg-2"}),
        ("directory-updated.v1.junior", {"enrolled_on": None, "enrolled_until": None}),
        ("directory-updated.v1.with-function", {"enrolled_on": "2026-02-02", "enrolled_until": None}),
        ("directory-updated.v1.enrolled-once", {"enrolled_on": "2026-02-02", "enrolled_until": "2026-03-09"}),
    ],
)
def test_people_of_before_have_what_was_not_told_then(name: str, expected: dict[str, Any]) -> None:
    """Compacted topics hold records from before functions, wishes and days of enrolment were told: "not told"."""
    event = read(next(item for item in EXAMPLES if item.name == f"turnabout.profiles.{name}"))
    assert event is not None
    assert {field: getattr(event, field) for field in expected} == expected


def test_examples_hold_no_name_and_no_address() -> None:
    """They are shown to everybody, and show how little is needed."""
    for item in EXAMPLES:
        assert not NAME.search(json.dumps(item.body)), item.name


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"body": {"mentorship": "another"}}, "must be the key"),
        ({"body": None}, "a tombstone has no body"),
        ({"body": {"mentorship": "019abc20-2000-7000-8000-00000000cafe", "why": "too busy"}}, "not what any revision"),
        ({"topic": "matching.mentorship-state.v1"}, "its topic is matching.mentorship.v1"),
        ({"key": "another"}, "ce_subject must be another"),
        ({"headers": {"ce_type": "turnabout.matching.match-forgotten.v1"}}, "neither an event"),
        ({"headers": {"ce_type": "turnabout.matching.match-closed.v1"}}, "ce_specversion"),
    ],
)
def test_a_wrong_example_is_found(copy: Path, changes: dict[str, Any], says: str) -> None:
    """A record that our producers could not have sent would teach subscribers something untrue."""
    edit(copy / "examples" / "turnabout.matching.match-closed.v1.closed.json", **changes)
    assert any(says in problem for problem in Committed(copy).check())


def test_a_missing_example_is_found(copy: Path) -> None:
    """Every event is shown at least once."""
    (copy / "examples" / "turnabout.matching.match-closed.v1.closed.json").unlink()
    assert any("match-closed.v1 has no example" in problem for problem in Committed(copy).check())


def test_a_file_edited_by_hand_is_found_and_written_anew(copy: Path) -> None:
    """Generated files follow the models, whatever somebody did to them."""
    schema = copy / "schemas" / "turnabout.matching.match-closed.v1.writer.json"
    edit(schema, additionalProperties=True)
    (copy / "schemas" / "turnabout.matching.match-forgotten.v1.writer.json").write_text("{}")
    found = Committed(copy).check()
    assert len([problem for problem in found if "run python -m contracts write" in problem]) == 2
    Committed(copy).write()
    assert Committed(copy).check() == []
    assert Committed(copy).write() == []


def test_a_release_is_kept_once_and_judged_for_ever(copy: Path) -> None:
    """A second release without change adds nothing; a released field that is gone from the model stops the merge."""
    shutil.rmtree(copy / "schemas" / "released", ignore_errors=True)
    committed = Committed(copy)
    assert len(committed.release()) == 34
    assert committed.release() == []
    for side in ("writer", "reader"):
        kept = copy / "schemas" / "released" / f"turnabout.matching.match-closed.v1.r1.{side}.json"
        schema = json.loads(kept.read_text())
        schema["properties"]["programme"] = {"type": "string", "x-data-class": "pseudonymous"}
        edit(kept, properties=schema["properties"], required=["mentorship", "programme"])
    assert any("match-closed.v1 breaks its revision 1" in problem for problem in committed.check())


def test_a_released_event_can_not_vanish(copy: Path) -> None:
    """Somebody may still read it: a type goes with its major version, never before."""
    shutil.rmtree(copy / "schemas" / "released", ignore_errors=True)
    Committed(copy).release()
    fewer = Catalogue(tuple(entry for entry in CATALOGUE if entry.event is not MatchClosed))
    found = Committed(copy, fewer).check()
    assert any("match-closed.v1 was released and is gone" in problem for problem in found)


def test_the_table_names_every_event_and_listener() -> None:
    """Who reacts to this event? One look."""
    rows = table(CATALOGUE).splitlines()
    assert len(rows) == 2 + 17
    assert next(row for row in rows if "`ProgrammePublished`" in row).split(" | ")[1:4] == [
        "matching",
        "`matching.programme.v1`",
        "outside, state",
    ]
    assert table(CATALOGUE) in (FOLDER / "README.md").read_text()
    lonely = Catalogue((Entry(MatchClosed, key="mentorship"),))
    assert "nobody yet | nobody yet |" in table(lonely)


@pytest.mark.parametrize(("name", "audiences"), [("asyncapi", PUBLIC), ("asyncapi-platform", PLATFORM)])
def test_the_asyncapi_document_is_one(name: str, audiences: frozenset[Audience]) -> None:
    """FastStream's model of AsyncAPI 3.0 takes it, and every reference in it leads somewhere."""
    made = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    assert ApplicationSchema.model_validate(made).asyncapi == "3.0.0"
    assert set(made["channels"]) == {topic.name for topic in TOPICS if topic.audience in audiences}
    for reference in re.findall(r"'\$ref': '#/([^']+)'", str(made)):
        place: Any = made
        for part in reference.split("/"):
            place = place[part]


def test_the_public_document_tells_nothing_of_the_platform() -> None:
    """Levels, units, who acted and why stand on platform topics; the public page doesn't even name them."""
    made = str(document(CATALOGUE, EXAMPLES, PUBLIC))
    for word in ("manager", "level_", "unit", "MentorshipDetailed", "declined", "NoticeSent", "platform"):
        assert word not in made
    assert "MentorshipDetailed" in str(document(CATALOGUE, EXAMPLES, PLATFORM))


def test_the_topics_of_examples_are_known() -> None:
    """A tombstone finds its compacted topic, and an unknown type none."""
    erased = next(item for item in EXAMPLES if item.name == "turnabout.profiles.profile-removed.v1.erased")
    topic = topic_of(erased)
    assert topic is not None
    assert topic.name == "profiles.profile.v1"
    assert topic_of(Example("x", "t", "k", {"ce_type": "turnabout.matching.mentorship-removed.v1"}, None)) is None
