"""Planted bugs of what is kept and heard: convergence, conservation, dead letters, tenants, traces."""

from dataclasses import replace
from typing import Final

from checker_bugs_told import FACTS, PAIRS, THREADS, notices, thread
from checker_draft import Draft, bug
from checker_world import LEAVER
from operations.checker.model import Ending

STATES: Final = "matching.mentorship-state.v1"
ROWS: Final = ("analytics", "mentorships")
MEMBERS: Final = ("analytics", "directory")
GROUP: Final = "notifications.threads"


# --- I6 -----------------------------------------------------------------------------------------------------------


@bug("I6", "not-newest", 2)
def late_old_state_after_adoption(draft: Draft) -> None:
    """A frozen owner's send arrives after the adopter's, and nothing heals it."""
    older = draft.said(STATES, draft.world.living)
    last = older[-1]
    if len(older) > 1:
        draft.append(older[-2].record)
    else:
        draft.append(last.record, headers=draft.renumbered(last, -1))


@bug("I6", "tombstone-lost", 2)
def tombstone_lost(draft: Draft) -> None:
    """An old state comes after the tombstone, and compaction will keep it."""
    last = draft.said("profiles.profile.v1", LEAVER)[-1]
    changed = draft.renumbered(last, -1, ce_type=b"turnabout.profiles.profile-updated.v1")
    known = [each for each in draft.said("profiles.profile.v1", LEAVER) if each.sequence == last.sequence - 1]
    draft.append(last.record, value=b"{}", headers=changed) if not known else draft.append(known[0].record)


@bug("I6", "slot-differs", 2)
def state_slot_not_last_of_key(draft: Draft) -> None:
    """A state is overwritten in its slot under the number of the one that was sent."""
    slot = draft.document(*PAIRS, draft.world.living)["slots"]["mentorship-state"]
    slot["v"] = slot["v"].replace(b'"go"', b'"no"')


@bug("I6", "state-differs", 1)
def state_said_before_the_change(draft: Draft) -> None:
    """A command says its state and then changes a field."""
    draft.document(*PAIRS, draft.world.living)["mentor"] = "m5"


@bug("I6", "fold-differs", 2, "state-differs")
def fact_forgotten(draft: Draft) -> None:
    """A command changes the status and says no fact."""
    draft.document(*PAIRS, draft.world.ended)["status"] = "closed"


@bug("I6", "never-said", 1, "lost", "effect-of-nothing")
def state_expired(draft: Draft) -> None:
    """A state topic is kept for a time, and not compacted. Whoever said it had got an answer."""
    told = (draft.said("profiles.directory.v1", f"m{number}") for number in range(8))
    for said in next(each for each in told if each and all(draft.command(one).ending is Ending.OK for one in each)):
        draft.remove(*draft.copies(said))


@bug("I6", "still-owed", 1)
def work_never_done(draft: Draft) -> None:
    """A piece of work fails for ever."""
    thread(draft).update(work=[{"id": "w", "kind": "send-mail"}], relay_owner="notifications-0", pending=1)


@bug("I6", "row-stale", 2)
def stale_read_model_row(draft: Draft) -> None:
    """A bulk write refuses the newer row."""
    draft.document(*ROWS, draft.world.living)["sequence"] -= 1


@bug("I6", "row-missing", 1)
def row_never_written(draft: Draft) -> None:
    """A bulk write breaks off at the first error, and the batch is committed."""
    rows = draft.versions(*ROWS, draft.world.living)
    draft.documents = [each for each in draft.documents if each not in rows]


@bug("I6", "row-differs", 2)
def row_of_another_event(draft: Draft) -> None:
    """A fold mixes two events of a batch."""
    draft.document(*ROWS, draft.world.living)["mentor"] = "m5"


@bug("I6", "row-differs", 2)
def row_resurrected(draft: Draft) -> None:
    """A tombstone is folded like a state."""
    draft.document(*MEMBERS, LEAVER)["gone"] = False


# --- I7 -----------------------------------------------------------------------------------------------------------


@bug("I7", "unaccounted", 2)
def commit_before_effect(draft: Draft) -> None:
    """The offset is committed, the process dies, and the effect is never stored."""
    label = f"mentorship:{draft.world.living}"
    for version in draft.versions(*THREADS, draft.world.living):
        newest = draft.said(FACTS, draft.world.living)[-1].sequence
        version.raw["fences"][label] = min(version.raw["fences"][label], newest - 1)


@bug("I7", "skipped", 2)
def skipped_bad_header(draft: Draft) -> None:
    """A header that is no UTF-8 makes the record vanish before anybody counts it."""
    letters = draft.letters("bad-envelope")
    [reading] = [
        each
        for each in draft.consumption
        if (each.group, each.topic, each.partition) == (GROUP, FACTS, sum(b"stranger") % 3)
    ]
    draft.remove(*letters)
    draft.recount(reading, "deadletter", "skipped", len(letters))


@bug("I7", "beyond-end", 1)
def off_by_one_commit(draft: Draft) -> None:
    """The offset of the next record is committed as if it were handled."""
    [reading] = draft.readings(draft.said(FACTS, draft.world.living)[-1].record, GROUP)
    draft.read(reading, committed=(reading.committed or 0) + 1)


@bug("I7", "behind", 1)
def last_one_never_committed(draft: Draft) -> None:
    """The offset of the last record is committed, and not the one after it."""
    [reading] = draft.readings(draft.said(FACTS, draft.world.living)[-1].record, GROUP)
    draft.read(reading, committed=(reading.committed or 0) - 1)


@bug("I7", "not-conserved", 1)
def outcome_swallowed(draft: Draft) -> None:
    """An exception leaves the lane between a record and its outcome."""
    [reading] = draft.readings(draft.said(FACTS, draft.world.living)[-1].record, GROUP)
    draft.read(reading, consumed=(reading.consumed or 0) + 1)


# --- I8 -----------------------------------------------------------------------------------------------------------


@bug("I8", "letter-changed", 2)
def dead_letter_bytes_changed(draft: Draft) -> None:
    """A record is decoded and encoded on its way to the dead-letter topic."""
    letter = draft.letters("handler-failed")[0]
    draft.change(letter, value=(letter.value or b"").replace(b":", b": "))


@bug("I8", "letter-changed", 2)
def dead_letter_headers_replaced(draft: Draft) -> None:
    """The letter gets an id of its own."""
    draft.change(draft.letters("handler-failed")[0], headers={"ce_id": b"e-new"})


@bug("I8", "letter-missing", 1, "unaccounted")
def dead_letter_missing(draft: Draft) -> None:
    """The key is parked before the letter is acknowledged."""
    draft.remove(*draft.letters("handler-failed"))


@bug("I8", "letter-doubled", 2)
def doubled_dead_letter(draft: Draft) -> None:
    """Each attempt writes a letter."""
    letter = draft.letters("handler-failed")[0]
    restarts = [each.restarts or 0 for each in draft.consumption]
    for _ in range(1 + max(restarts)):
        draft.append(letter)


@bug("I8", "parked-order", 2)
def parked_order_wrong(draft: Draft) -> None:
    """Records that wait are written at once, and the later one is faster."""
    letters = [*draft.letters("handler-failed"), *draft.letters("parked")]
    places = sorted((each.offset for each in letters), reverse=True)
    letters.sort(key=lambda each: int(dict(each.headers)["dlq-offset"] or b""))
    draft.remove(*letters)
    draft.records += [replace(each, offset=place) for each, place in zip(letters, places, strict=True)]


@bug("I8", "overtaken", 2)
def parked_key_forgotten(draft: Draft) -> None:
    """After a rebalance the new member does not know what is parked."""
    stuck = draft.world.stuck
    parked = draft.letters("parked")
    last = draft.said(FACTS, stuck)[-1]
    [reading] = draft.readings(last.record, GROUP)
    draft.remove(*parked)
    draft.recount(reading, "parked", "done", len(parked))
    draft.document(*THREADS, stuck)["fences"][f"mentorship:{stuck}"] = last.sequence


@bug("I8", "no-origin", 1)
def letter_without_origin(draft: Draft) -> None:
    """A letter does not say which record it is."""
    draft.append(draft.letters("handler-failed")[0], headers={"dlq-offset": b""})


@bug("I8", "no-source", 1)
def letter_of_no_record(draft: Draft) -> None:
    """A letter names the offset in its own topic."""
    draft.append(draft.letters("handler-failed")[0], key=b"nobody", headers={"dlq-offset": b"99999"})


# --- I9, I12 ------------------------------------------------------------------------------------------------------


@bug("I9", "tenant-crossed", 2)
def tenant_crossed(draft: Draft) -> None:
    """A handler takes the tenant from its settings, and not from the event."""
    thread(draft)["tenant"] = "globex"


@bug("I9", "two-tenants", 2)
def tenant_of_the_last_request(draft: Draft) -> None:
    """The relay takes the tenant of whatever it sent before."""
    draft.change_event(notices(draft)[-1], headers={"ce_tenantid": b"globex"})


@bug("I12", "broken-trace", 1)
def trace_broken(draft: Draft) -> None:
    """The stored trace is cut to the length of a column."""
    draft.change_event(notices(draft)[-1], headers=dict.fromkeys(("ce_traceparent", "traceparent"), b"00-abc"))


@bug("I12", "split-trace", 1)
def sender_injects_its_own_span(draft: Draft) -> None:
    """Instrumentation of the producer overwrites the header that was stored."""
    draft.change_event(notices(draft)[-1], headers={"traceparent": b"00-" + b"9" * 32 + b"-" + b"8" * 16 + b"-01"})


@bug("I12", "orphan", 1)
def trace_begun_by_the_relay(draft: Draft) -> None:
    """An event goes out in the relay's own trace."""
    own = b"00-" + b"9" * 32 + b"-" + b"8" * 16 + b"-01"
    draft.change_event(notices(draft)[-1], headers=dict.fromkeys(("ce_traceparent", "traceparent"), own))


@bug("I12", "wrong-parent", 2)
def context_of_the_record_before(draft: Draft) -> None:
    """The context is not detached when a handler fails, and the next one runs in it."""
    effect = draft.effects[-1]
    other = next(each.trace for each in draft.commands if each.trace != effect.trace)
    draft.effects[-1] = replace(effect, trace=other)


@bug("I12", "wrong-trace", 1, "wrong-parent")
def command_in_the_trace_before(draft: Draft) -> None:
    """A connection is used again with the headers of the request before."""
    said = draft.said(FACTS, draft.world.living)[-1]
    other = next(each.trace for each in draft.commands if each.trace != said.trace)
    parent = f"00-{other}-00000000000000aa-01".encode()
    draft.change_event(said, headers=dict.fromkeys(("ce_traceparent", "traceparent"), parent))
