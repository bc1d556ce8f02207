"""Why: what each consumer group of the service did with one event, in a sentence."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from aiokafka import TopicPartition
from contracts.topics import TOPICS, Kind

from chassis.consuming import dead_letters, parking, suspects
from chassis.consuming.letters import BEHIND, REFERENCE, Letter
from chassis.ops.lag import Standing, standing
from chassis.ops.pending import owing
from chassis.ops.search import Found, Place, in_letters, on_topics
from chassis.ops.target import Json, Target
from chassis.state.documents import Fence
from chassis.state.mongo import Raw

_MACHINERY: Final = frozenset({dead_letters.COLLECTION, parking.COLLECTION, suspects.COLLECTION, "instances"})


class Effect(NamedTuple):
    """The document that has heard the event's key, and the highest sequence that it applied."""

    document: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Traces:
    """Everything that one group left behind about the event."""

    group: str
    found: Found
    kind: Kind
    handled: bool
    letter: Letter | None
    settlement: Raw | None
    head: str | None
    effect: Effect | None
    rows: list[Effect]
    standing: Standing

    @property
    def committed(self) -> int:
        """The next offset that the group reads where the event stands."""
        return self.standing.committed.get(TopicPartition(*self.found.place[:2]), 0)

    @property
    def ahead(self) -> int:
        """How far the document has come beyond the event: 0 is the event itself, negative not yet there."""
        if self.effect is None or self.found.envelope is None:
            return -1
        return self.effect.sequence - self.found.envelope.sequence


async def why(target: Target, event: str) -> Json:
    """What became of an event, given by its id or by ``<topic>/<partition>/<offset>``."""
    letters = {group: await target.letters(group).all() for group in target.groups}
    every = [letter for each in letters.values() for letter in each]
    found = await on_topics(target, event) or in_letters(every, event)
    if found is None:
        owed = await owing(target, event)
        return {"event": event, "found": None, "owed": owed, "groups": [], "sentence": _unfound(target, event, owed)}
    groups = []
    for group, stands in (await standing(target.settings, target.groups)).items():
        if found.place.topic in {topic.name for topic in target.topics(group)}:
            fate, sentence = fate_of(await _traces(target, group, found, letters[group], stands))
            groups.append({"group": group, "fate": fate, "sentence": sentence})
    return {"event": event, "found": _told(found), "owed": None, "groups": groups, "sentence": _where(found)}


def _unfound(target: Target, event: str, owed: Json | None) -> str:
    if owed is not None:
        age = f"{owed['seconds']:.0f} s"
        return f"It is not published yet: {owed['collection']}/{owed['id']} has owed it for {age}, to {owed['owner']}."
    if Place.of(event):
        return f"{target.service} neither reads nor writes that topic, or nothing is left at that place."
    return f"{target.service} does not know it: it is on no topic that it reads or writes, and no document owes it."


def _where(found: Found) -> str:
    about = f"key {found.key}"
    if found.envelope is not None:
        about += f", {found.envelope.type}, sequence {found.envelope.sequence}"
    if found.on_topic:
        return f"It stands at {found.place}: {about}."
    return f"It has left its topic, where it stood at {found.place}; a dead letter still holds it: {about}."


def _told(found: Found) -> Json:
    told: Json = {"place": str(found.place), "key": found.key, "on_topic": found.on_topic}
    if found.envelope is not None:
        told |= {
            "id": found.envelope.id,
            "type": found.envelope.type,
            "sequence": found.envelope.sequence,
            "time": found.envelope.time,
            "traceparent": found.envelope.traceparent,
        }
    return told


# --- What a group left behind ---------------------------------------------------------------------------------------


async def _traces(target: Target, group: str, found: Found, letters: list[Letter], stands: Standing) -> Traces:
    letter = next((each for each in letters if _stands_for(each, found.place)), None)
    settlement = head = None
    if letter is not None:
        name = target.letters(group).name(letter)
        settled = await target.database.collection(dead_letters.COLLECTION).sweep({"_id": name}, limit=1)
        settlement = settled[0] if settled and settled[0]["at"] >= letter.at else None
        if letter.reason == BEHIND and settlement is None:
            head = next((each.place for each in await target.letters(group).open() if each.lot == letter.lot), None)
    known = {event.event_type() for event in target.groups[group]}
    return Traces(
        group=group,
        found=found,
        kind=next(topic.kind for topic in target.topics(group) if topic.name == found.place.topic),
        handled=found.tombstone or found.envelope is None or found.envelope.type in known,
        letter=letter,
        settlement=settlement,
        head=head,
        effect=await _effect(target, found),
        rows=await _rows(target, found),
        standing=stands,
    )


def _stands_for(letter: Letter, place: Place) -> bool:
    return (letter.topic, letter.partition) == place[:2] and letter.offset <= place.offset <= letter.last_offset


async def _effect(target: Target, found: Found) -> Effect | None:
    """The fence of the event's key: in the document of the same id, or in whichever has it."""
    stream = next((topic.stream for topic in TOPICS if topic.name == found.place.topic), found.place.topic)
    label = Fence(stream, found.key, 0).label
    names = await target.documents()
    for wanted in ({"_id": found.key}, {f"fences.{label}": {"$gt": 0}}):
        for name in names:
            shape = {"fences": 1}
            for raw in await target.database.collection(name).sweep(wanted, limit=1, projection=shape):
                if label in (raw.get("fences") or {}):
                    return Effect(f"{name}/{raw['_id']}", raw["fences"][label])
    return None


async def _rows(target: Target, found: Found) -> list[Effect]:
    """The rows of the event's key: they keep the sequence that they come from, but not of which stream."""
    others = sorted({*await target.database.names()} - {*await target.documents()} - _MACHINERY)
    shape = {"sequence": 1}
    return [
        Effect(f"{name}/{raw['_id']}", raw["sequence"])
        for name in others
        for raw in await target.database.collection(name).sweep({"_id": found.key}, limit=1, projection=shape)
        if isinstance(raw.get("sequence"), int)
    ]


# --- What that says -------------------------------------------------------------------------------------------------


def fate_of(traces: Traces) -> tuple[str, str]:
    """The fate as one word, and as one sentence."""
    if traces.letter is not None:
        return _of_letter(traces, traces.letter)
    if not traces.handled and traces.found.envelope is not None:
        return "skipped", f"{traces.group} does not handle {traces.found.envelope.type}, and skips it."
    if traces.effect is not None and traces.ahead >= 0:
        return "applied", _applied(traces, traces.effect)
    if traces.found.place.offset < traces.committed:
        return "passed", _passed(traces)
    before = traces.found.place.offset - traces.committed
    nobody = "" if traces.standing.members else "; nobody reads for the group at the moment"
    return "waiting", f"{traces.group} has not come to it: {before} records stand before it{nobody}."


def _of_letter(traces: Traces, letter: Letter) -> tuple[str, str]:
    if traces.settlement is not None:
        return _settled(traces, letter, traces.settlement)
    if traces.effect is not None and traces.ahead == 0:
        return "applied", f"{_applied(traces, traces.effect)} A letter about it is left over; a redrive settles it."
    if traces.effect is not None and traces.ahead > 0:
        document, sequence = traces.effect
        return "superseded", f"It failed ({letter.reason}), and {document} has applied sequence {sequence} since."
    if letter.reason == REFERENCE:
        batch = f"{letter.offset} to {letter.last_offset}"
        return "quarantined", f"The batch of offsets {batch} was set aside unread at {letter.at}: {letter.error}."
    if letter.reason == BEHIND:
        return "parked", f"It has been waiting since {letter.at} behind the dead letter {traces.head} of its key."
    why_not = f"{letter.reason}: {letter.error}" if letter.error else letter.reason
    return "dead", f"It could not be handled ({why_not}), attempts: {letter.attempts}; a dead letter since {letter.at}."


def _settled(traces: Traces, letter: Letter, settlement: Raw) -> tuple[str, str]:
    at = settlement["at"]
    if settlement["how"] == "discarded":
        return "discarded", f"It was given up at {at}, after it had failed ({letter.reason}); it has no effect here."
    effect = f" {_applied(traces, traces.effect)}" if traces.effect is not None and traces.ahead >= 0 else ""
    return "redriven", f"It failed at first ({letter.reason}), and was handled at {at}.{effect}"


def _applied(traces: Traces, effect: Effect) -> str:
    document, sequence = effect
    if traces.ahead == 0:
        return f"It was applied to {document}: the fence there stands at its sequence, {sequence}."
    if traces.kind is Kind.FACTS:
        return f"It was applied to {document}, which has come to sequence {sequence} since."
    return f"It was applied, or a newer state came first: {document} stands at sequence {sequence}."


def _passed(traces: Traces) -> str:
    if traces.rows:
        rows = ", ".join(f"{row} at sequence {sequence}" for row, sequence in traces.rows)
        return f"{traces.group} has read past it; rows of its key: {rows}."
    return f"{traces.group} has read past it, and no document holds a fence of it: nothing had to change here."
