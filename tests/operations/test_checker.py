"""The checker is silent about every correct world, and calls every planted bug by its name with the least witness."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import checker_bugs_heard
import checker_bugs_told
import pytest
from checker_draft import BUGS, Draft
from checker_world import World, evidence_of
from contracts.envelope import Envelope
from hypothesis import given, settings
from hypothesis import strategies as st
from operations.checker import checks, folder, report
from operations.checker.checks import check
from operations.checker.evidence import Evidence
from operations.checker.model import (
    INVARIANTS,
    Breach,
    Command,
    Consumption,
    Document,
    Ending,
    Expected,
    Headers,
    TopicRecord,
)
from operations.checker.topology import Stream, Subscription, Topology

PLANTED = (checker_bugs_told, checker_bugs_heard)
SEEDS = (1, 2, 3)
SOURCES = sorted(Path(checks.__file__).parent.glob("*.py"))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_correct_world_has_no_breach(seed: int) -> None:
    """Crashes, late senders, redelivery, letters, redrives and compaction are all allowed, and all occur."""
    assert check(World(seed).evidence()) == []


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(0, 200))
def test_a_running_world_has_no_breach(seed: int, steps: int) -> None:
    """What is under way at any moment breaks no promise, as long as nobody claims that it had its time."""
    assert check(World(seed, steps=steps, finish=False).evidence()) == []


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 50), kept=st.integers(0, 20))
def test_expired_facts_are_no_loss(seed: int, kept: int) -> None:
    """Facts leave their topic after a time; nothing is concluded from their absence."""
    evidence = evidence_of(seed)
    old = {
        (each.topic, each.partition): max(each.end - kept, 0)
        for each in evidence.partitions
        if each.topic == "matching.mentorship.v1"
    }
    left = replace(
        evidence,
        records=[each for each in evidence.records if each.offset >= old.get(each.place, 0)],
        partitions=[replace(each, start=old.get((each.topic, each.partition), 0)) for each in evidence.partitions],
        consumption=[replace(each, outcomes=None) for each in evidence.consumption],
    )
    assert check(left) == []


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_called_by_its_name(name: str) -> None:
    """Its invariant, its rule, a witness of the stated size, and nothing that does not follow from it."""
    bug = BUGS[name]
    for seed in SEEDS:
        draft = Draft(seed)
        bug.spoil(draft)
        found = check(draft.evidence())
        assert (bug.invariant, bug.rule, bug.witness) in {(b.invariant, b.rule, len(b.witness)) for b in found}, seed
        assert {each.rule for each in found} == {bug.rule} | bug.also, seed


def test_planted_bugs_are_many_and_of_every_kind() -> None:
    """At least thirty, and each invariant that is checked is broken by one of them."""
    assert len(BUGS) >= 30
    assert {each.invariant for each in BUGS.values()} == set(INVARIANTS)


def test_every_rule_is_shown_to_fire() -> None:
    """A rule that no planted bug breaks would be a rule that nobody knows to work."""
    written = {rule for path in SOURCES for rule in re.findall(r'"I\d+",\s*"([a-z-]+)"', path.read_text())}
    chosen = {"reused-id", "duplicate-differs", "fence-back", "sequence-back", "skipped", "unaccounted"}
    assert written | chosen == {rule for bug in BUGS.values() for rule in (bug.rule, *bug.also)}


def test_every_planted_bug_changes_the_evidence_alone() -> None:
    """The world that a bug was planted in is as correct as before: bugs don't leak into one another."""
    for bug in BUGS.values():
        bug.spoil(Draft(SEEDS[0]))
    assert check(Draft(SEEDS[0]).evidence()) == []
    assert PLANTED


# --- what is concluded from little --------------------------------------------------------------------------------


def test_nothing_is_concluded_from_nothing() -> None:
    """No evidence, no breach."""
    assert check(Evidence()) == []


def test_commands_that_look_alike_are_counted() -> None:
    """Three accepted commands say the same; one event is there, so the three are shown together."""
    expected = Expected("shop.sale.v1", "sold", "k")
    commands = [Command(f"c{number}", "k", Ending.OK, (expected,)) for number in range(3)]
    record = TopicRecord("shop.sale.v1", 0, 0, b"k", b"{}", _headers("k", 1, "sold"))
    [breach] = check(Evidence(_shop(), commands=commands, records=[record]))
    assert (breach.invariant, breach.rule) == ("I1", "lost")
    assert [item.name for item in breach.witness] == ["c0", "c1", "c2"]


def test_an_unknown_fate_may_be_either() -> None:
    """A timed-out command with its event, and another without: both are fine."""
    commands = [
        Command("there", "k", Ending.INFO, (Expected("shop.sale.v1", "sold", "k"),)),
        Command("nowhere", "l", Ending.INFO, (Expected("shop.sale.v1", "sold", "l"),)),
    ]
    record = TopicRecord("shop.sale.v1", 0, 0, b"k", b"{}", _headers("k", 1, "sold"))
    assert check(Evidence(_shop(), commands=commands, records=[record])) == []


def test_capacity_is_judged_by_the_highest_ever_when_versions_are_unknown() -> None:
    """Two places taken where one fits today: fine when two fitted once, and a breach when one was always the most."""
    places = Document(
        "matching",
        "places",
        {"_id": "m1:mentor", "tenant": "acme", "member": "m1", "side": "mentor", "capacity": 1, "taken": ["a", "b"]},
    )
    pairs = [Document("matching", "mentorships", {"_id": name, "status": "half-accepted"}) for name in "ab"]
    for once, rules in ((2, []), (1, ["over-capacity"])):
        records = [
            TopicRecord(
                "profiles.profile.v1",
                0,
                number,
                b"m1",
                json.dumps({"mentor_capacity": capacity}).encode(),
                _headers("m1", number + 1, "turnabout.profiles.profile-updated.v1"),
            )
            for number, capacity in enumerate((once, 1))
        ]
        found = check(Evidence(records=records, documents=[places, *pairs]))
        assert [each.rule for each in found] == rules


def test_a_letter_by_reference_stands_for_its_offsets() -> None:
    """A batch that was set aside unread is accounted for by one letter about its first and last offset."""
    origin = {"reason": "quarantined", "topic": "shop.sale.v1", "partition": "0", "offset": "0", "last-offset": "2"}
    facts = {**origin, "group": "stock.sales", "attempts": "0"}
    letter = TopicRecord(
        "shop.sale.v1.stock.sales.dead",
        0,
        0,
        None,
        None,
        tuple((f"dlq-{name}", value.encode()) for name, value in facts.items()),
    )
    source = [TopicRecord("shop.sale.v1", 0, offset, None, b"\xff") for offset in range(3)]
    consumption = [_passed(3)]
    assert check(Evidence(_shop(), records=[*source, letter], consumption=consumption)) == []
    assert [each.rule for each in check(Evidence(_shop(), records=source, consumption=consumption))] == ["skipped"] * 3


# --- folder and command line --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", *("no-fence", "late-old-state-after-adoption", "dead-letter-bytes-changed")])
def test_a_folder_holds_the_whole_evidence(name: str, tmp_path: Path) -> None:
    """Written and read, evidence leads to the same verdict."""
    draft = Draft(SEEDS[0])
    if name:
        BUGS[name].spoil(draft)
    evidence = draft.evidence()
    folder.write(evidence, tmp_path)
    read = folder.read(tmp_path)
    assert list(read.records) == list(evidence.records)
    assert list(read.documents) == list(evidence.documents)
    assert list(read.commands) == list(evidence.commands)
    assert check(read) == check(evidence)


def test_an_invocation_without_an_answer_is_of_unknown_fate(tmp_path: Path) -> None:
    """The client died; so did what it knew."""
    (tmp_path / "history.jsonl").write_text('{"type": "invoke", "command": "c1", "aggregate": "k"}\n')
    assert [each.ending for each in folder.read(tmp_path).commands] == [Ending.INFO]


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    """The second line of the sinks is no JSON."""
    (tmp_path / "sinks.jsonl").write_text('{"sink": "mail", "id": "n1"}\n{"sink"\n')
    with pytest.raises(folder.UnreadableEvidenceError, match=r"sinks\.jsonl, line 2"):
        folder.read(tmp_path)


def test_the_command_line_tells_breaches_from_unreadable_evidence(tmp_path: Path) -> None:
    """0 without a breach, 1 with one, 2 when there is nothing to check."""
    folder.write(Draft(SEEDS[0]).evidence(), tmp_path / "right")
    wrong = Draft(SEEDS[0])
    BUGS["effect-doubled"].spoil(wrong)
    folder.write(wrong.evidence(), tmp_path / "wrong")
    right, broken, absent = (_run(str(tmp_path / each)) for each in ("right", "wrong", "absent"))
    assert (right.returncode, right.stdout[:9]) == (0, "no breach")
    assert broken.returncode == 1
    assert broken.stdout.splitlines()[0] == "I3 effects once: delivered-twice (1)"
    assert absent.returncode == 2
    [line] = _run(str(tmp_path / "wrong"), "--json").stdout.splitlines()
    told = json.loads(line)
    assert (told["invariant"], told["rule"], len(told["witness"])) == ("I3", "delivered-twice", 1)


def test_the_report_shows_three_of_a_rule() -> None:
    """A thousand breaches of one kind are one finding."""
    breaches = [Breach("I4", "gap", f"Number {number} is missing.") for number in range(5)]
    lines = list(report.lines(Evidence(), breaches))
    assert lines[0] == "I4 order: gap (5)"
    assert lines[-2:] == [
        "  and 2 more",
        "5 breaches in 0 commands, 0 records, 0 documents, 0 deliveries, 0 positions of groups",
    ]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "operations.checker", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


# --- a shop -------------------------------------------------------------------------------------------------------


def _shop() -> Topology:
    """One stream of facts and one group: nothing of the product's."""
    return Topology(
        streams=(Stream("shop.sale.v1", "shop", "sale", compacted=False),),
        subscriptions=(Subscription("stock.sales", "shop.sale.v1", ("sold",)),),
    )


def _passed(committed: int) -> Consumption:
    return Consumption("stock.sales", "shop.sale.v1", 0, committed)


def _headers(key: str, sequence: int, kind: str) -> Headers:
    return tuple(
        Envelope(
            id=f"{key}-{sequence}",
            source="/shop",
            type=kind,
            subject=key,
            time="2026-11-25T08:30:00Z",
            tenant="acme",
            sequence=sequence,
            partition_key=key,
            data_schema="",
        ).to_headers()
    )
