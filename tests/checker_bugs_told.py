"""Planted bugs of what is said and done: commands, outbox, ghosts, repetition, order, legality.

Each spoils the evidence of a correct world the way a real bug would. `whole` is the pair whose life is complete, and
its thread's notices are the facts that nobody consumes, so that spoiling them shows in one place only.
"""

import json
from dataclasses import replace
from typing import Final

from checker_draft import Draft, bug
from operations.checker.evidence import Said
from operations.checker.model import Ending, Raw
from operations.checker.topology import Marks

FACTS: Final = "matching.mentorship.v1"
NOTICES: Final = "notifications.notice.v1"
THREADS: Final = ("notifications", "threads")
PAIRS: Final = ("matching", "mentorships")


def notices(draft: Draft) -> list[Said]:
    return draft.said(NOTICES, draft.world.living)


def thread(draft: Draft) -> Raw:
    return draft.document(*THREADS, draft.world.living)


def another(said: Said, **fields: str) -> bytes:
    return json.dumps(said.body() | fields).encode()


# --- I1 -----------------------------------------------------------------------------------------------------------


@bug("I1", "lost", 1, "unpublished", "effect-of-nothing")
def acknowledged_record_lost(draft: Draft) -> None:
    """The broker forgets the last fact of a pair after it was consumed."""
    draft.remove(*draft.copies(draft.said(FACTS, draft.world.living)[-1]))


@bug("I1", "unpublished", 1)
def dropped_pending_entry(draft: Draft) -> None:
    """The relay clears an entry that was appended after it had read the document."""
    draft.document(*PAIRS, draft.world.living)["sequences"]["mentorship"] += 1


@bug("I1", "no-owner", 1, "still-owed")
def pending_without_owner(draft: Draft) -> None:
    """A command appends while the relay clears its mark."""
    thread(draft).update(work=[{"id": "w", "kind": "send-mail"}], pending=1)


@bug("I1", "never-swept", 1, "still-owed")
def owner_without_pending(draft: Draft) -> None:
    """The moment is cleared with the first of two debts."""
    thread(draft).update(work=[{"id": "w", "kind": "send-mail"}], relay_owner="notifications-0")


@bug("I1", "idle-owner", 1)
def mark_left_behind(draft: Draft) -> None:
    """Everything is published, and the mark stays."""
    thread(draft).update(relay_owner="notifications-0", pending=1)


@bug("I1", "half-visible", 1)
def half_a_command(draft: Draft) -> None:
    """A command of unknown fate has its event and one of its two mails."""
    command = draft.command(draft.said(FACTS, draft.world.living)[0])
    draft.amend(command, ending=Ending.INFO)
    draft.effects = [each for each in draft.effects if each.id != command.effects[0][1]]


@bug("I1", "effect-lost", 1)
def mail_never_sent(draft: Draft) -> None:
    """The ledger says sent, and the process died before."""
    command = draft.command(draft.said(FACTS, draft.world.living)[0])
    draft.effects = [each for each in draft.effects if each.id != command.effects[0][1]]


# --- I2 -----------------------------------------------------------------------------------------------------------


@bug("I2", "refused-but-said", 2, "refused-but-done")
def refused_and_committed(draft: Draft) -> None:
    """The client was told no after the change was stored."""
    draft.amend(draft.command(draft.said(FACTS, draft.world.living)[-1]), ending=Ending.FAIL)


@bug("I2", "refused-but-done", 2)
def refused_and_mailed(draft: Draft) -> None:
    """A mail goes out before the command is decided."""
    command = draft.command(draft.said(FACTS, draft.world.living)[-1])
    draft.amend(command, ending=Ending.FAIL, leads_to=())


@bug("I2", "ghost", 1)
def ghost_event(draft: Draft) -> None:
    """An event is sent before its commit, which then fails."""
    last = notices(draft)[-1]
    nobody = {"ce_subject": b"nobody", "ce_partitionkey": b"nobody", "ce_id": b"e-new", "ce_sequence": b"1"}
    draft.append(last.record, key=b"nobody", headers=nobody, value=another(last, notice="n-new"))


@bug("I2", "ghost", 2)
def ghost_version(draft: Draft) -> None:
    """A version is published whose compare-and-set lost."""
    last = notices(draft)[-1]
    draft.append(last.record, headers=draft.renumbered(last, 1), value=another(last, notice="n-new"))


@bug("I2", "same-number", 2)
def numbered_outside_the_document(draft: Draft) -> None:
    """Two instances give the same number, because neither takes it from the document."""
    last = notices(draft)[-1]
    draft.append(last.record, headers=draft.renumbered(last, 0), value=another(last, notice="n-new"))


@bug("I2", "effect-of-nothing", 1)
def consumed_what_was_never_said(draft: Draft) -> None:
    """A fence is written from the wrong number."""
    thread(draft)["fences"][f"mentorship:{draft.world.living}"] += 1


# --- I3 -----------------------------------------------------------------------------------------------------------


@bug("I3", "reused-id", 2)
def reused_event_id(draft: Draft) -> None:
    """The id is made once a document, and not once an event."""
    first, *_, last = notices(draft)
    draft.change_event(last, headers={"ce_id": first.envelope.id.encode()})


@bug("I3", "duplicate-differs", 2)
def serialised_again(draft: Draft) -> None:
    """The relay serialises anew when it sends again."""
    last = notices(draft)[-1]
    draft.append(last.record, value=another(last, kind="match-closed"))


@bug("I3", "delivered-twice", 1)
def effect_doubled(draft: Draft) -> None:
    """A mail is sent again after a crash, without looking at its claim."""
    draft.effects.append(draft.effects[0])


@bug("I3", "done-twice", 1)
def no_fence(draft: Draft) -> None:
    """A record that is read again is handled again."""
    raw = thread(draft)
    raw["notices"] = [*raw["notices"], raw["notices"][0]]


@bug("I3", "never-done", 1)
def effect_lost_under_a_later_fence(draft: Draft) -> None:
    """Two lanes of one key run at once, and the later one's write wins."""
    marks = Marks(*THREADS, "heard", group="notifications.threads")
    draft.topology = replace(draft.topology, marks=(*draft.topology.marks, marks))
    del thread(draft)["heard"][0]


@bug("I3", "said-twice", 2)
def said_again(draft: Draft) -> None:
    """A handler without a fence says its notice as a new event."""
    last = notices(draft)[-1]
    draft.append(last.record, headers=draft.renumbered(last, 1))
    thread(draft)["sequences"]["notice"] += 1


# --- I4 -----------------------------------------------------------------------------------------------------------


@bug("I4", "gap", 2, "unpublished")
def gap(draft: Draft) -> None:
    """The relay goes on behind an entry that was refused."""
    draft.remove(*draft.copies(notices(draft)[1]))


@bug("I4", "gap", 1, "unpublished")
def first_one_missing(draft: Draft) -> None:
    """The first entry goes with the insert, and the relay starts with the second."""
    draft.remove(*draft.copies(notices(draft)[0]))


@bug("I4", "inversion", 2)
def inversion(draft: Draft) -> None:
    """Two sends are under way at once, and the later one arrives first."""
    one, other = notices(draft)[:2]
    draft.change(one.record, offset=-1)
    draft.change(other.record, offset=one.record.offset)
    draft.records = [
        record if record.offset >= 0 else replace(one.record, offset=other.record.offset) for record in draft.records
    ]


@bug("I4", "split-key", 2)
def other_partitioner(draft: Draft) -> None:
    """One producer hashes keys in another way."""
    last = notices(draft)[-1]
    draft.append(last.record, partition=(last.record.partition + 1) % 3)


@bug("I4", "wrong-key", 1)
def keyed_by_member(draft: Draft) -> None:
    """A record's key is not the aggregate that it is about."""
    draft.change_event(notices(draft)[-1], headers={"ce_partitionkey": b"m2"})


@bug("I4", "fence-back", 2)
def zombie_overwrites_the_fence(draft: Draft) -> None:
    """A frozen member writes what it had read, without a guard."""
    last = draft.versions(*THREADS, draft.world.living)[-1]
    label = f"mentorship:{draft.world.living}"
    draft.add_version(last, fences={label: last.raw["fences"][label] - 1})
    draft.add_version(last)


@bug("I4", "sequence-back", 2)
def document_restored(draft: Draft) -> None:
    """A write without a guard brings an old version back for a moment."""
    last = draft.versions(*THREADS, draft.world.living)[-1]
    draft.add_version(last, sequences={"notice": last.raw["sequences"]["notice"] - 1})
    draft.add_version(last)


# --- I5 -----------------------------------------------------------------------------------------------------------


@bug("I5", "illegal-step", 2)
def illegal_mentorship_edge(draft: Draft) -> None:
    """A pair is half accepted twice: the same side says yes again."""
    said = draft.said(FACTS, draft.world.living)[2]
    draft.change_event(said, value=another(said).replace(b'"complete": true', b'"complete": false'))
    draft.amend(draft.command(said), leads_to=())


@bug("I5", "illegal-step", 1)
def life_begins_in_the_middle(draft: Draft) -> None:
    """A pair is closed that was never proposed."""
    said = draft.said(FACTS, draft.world.living)[0]
    draft.change_event(said, headers={"ce_type": b"turnabout.matching.match-closed.v1"})
    draft.amend(draft.command(said), leads_to=())


@bug("I5", "over-capacity", 1)
def over_capacity(draft: Draft) -> None:
    """Two reservations read the places before either writes."""
    last = draft.versions("matching", "places", "m2:mentor")[-1]
    draft.add_version(last, taken=[f"p{number}" for number in range(last.raw["capacity"] + 1)])
    draft.add_version(last)


@bug("I5", "place-leaked", 1)
def place_never_given_back(draft: Draft) -> None:
    """The work of an end is lost."""
    draft.document("matching", "places", "m0:mentor")["taken"].append(draft.world.ended)


@bug("I5", "place-missing", 1)
def accepted_without_a_place(draft: Draft) -> None:
    """A pair is finalised though one side is full."""
    draft.document("matching", "places", "m2:mentor")["taken"].remove(draft.world.living)
