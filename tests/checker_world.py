"""A tiny mentoring organisation that does everything right, as evidence for the checker to be silent about.

People say what they allow, pairs are proposed, answered, started, met and ended; matching, notifications and
analytics hear of it; mails go out. The seed decides what happens, in which order, and what breaks on the way.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, Final

from checker_bus import TENANT, Bus, Owner
from contracts.envelope import Envelope, Event
from contracts.matching import (
    MatchAccepted,
    MatchClosed,
    MatchProposed,
    MentorshipEnded,
    MentorshipStarted,
    MentorshipState,
    Outcome,
    PersonBands,
    SessionLogged,
    Side,
)
from contracts.notifications import NoticeSent
from contracts.profiles import DirectoryUpdated, ProfileUpdated
from contracts.topics import DIRECTORY, MENTORSHIP, PROFILE, Topic
from operations.checker.evidence import Evidence
from operations.checker.model import Command, Effect, Ending, Expected, Raw, TopicRecord
from operations.checker.topology import PRODUCT, Subscription

AT: Final = "2026-11-25T08:30:00.000Z"
MEMBERS: Final = tuple(f"m{number}" for number in range(6))
LEAVER: Final = "m9"
STRANGER: Final = b"stranger"
_BANDS: Final = PersonBands(level=3, unit="u1", country="DE")
_ROWS: Final = {
    "matching.mentorship-state.v1": (
        *("mentor", "mentee", "proposed_at", "accepted_at", "started_at", "ended_at", "cadence", "paused_on"),
    ),
    "profiles.directory.v1": ("level", "unit", "enrolled_on", "enrolled_until"),
}


class World(Bus):
    """The organisation."""

    def __init__(self, seed: int, *, steps: int = 60, finish: bool = True) -> None:
        super().__init__(seed)
        self.second_yes: dict[str, int] = {}
        """Where in the history the second yes of a pair stands: what it leads to is known once places are taken."""
        for member in (*MEMBERS, LEAVER):
            self.set_profile(member, 1)
        for _ in range(steps):
            if self.maybe(0.33):
                self.act()
            else:
                self.deliver()
        self.settled = finish
        if finish:
            self._finish()

    def _finish(self) -> None:
        self._stories()
        self.quiesce()
        for group, topic, key in sorted(self.parked):
            if key != self.stuck.encode() and self.maybe(0.5):
                subscription = next(s for s in PRODUCT.subscriptions if (s.group, s.topic) == (group, topic))
                self.redrive(subscription, key)
        self.quiesce()
        self.commit_all()
        self._expect_mails()

    def _stories(self) -> None:
        """What every world has, whatever the seed: an ended pair, a living one, one behind a dead letter, a leaver."""
        for member in MEMBERS:
            self.set_profile(member, 10)
        self.quiesce()
        self.calm = True
        self.living = self._life(*MEMBERS[2:4], steps=6)
        self.ended = self._life(*MEMBERS[:2], steps=6)
        self._begin()
        self._end(("matching", "mentorships", self.ended))
        self._begin()
        self._refuse(self.ended)
        self.stuck = self._life(*MEMBERS[4:], steps=1)
        for side in Side:
            self._begin()
            self._say_yes(("matching", "mentorships", self.stuck), side)
            self.broken |= {raw["id"] for raw in self.documents["matching", "mentorships", self.stuck]["events"]}
            self.quiesce()
        self.set_profile(LEAVER, 2)
        self.remove(LEAVER)
        self.stranger(MENTORSHIP, STRANGER)
        self.calm = False

    def _life(self, mentor: str, mentee: str, *, steps: int) -> str:
        """A pair on its way: proposed, yes, yes, started, met, met."""
        self._begin()
        owner = self.propose(mentor, mentee)
        self.quiesce()
        yes, session = self._say_yes, self._log_session
        way: list[Callable[[], None]] = [
            lambda: yes(owner, Side.MENTOR),
            lambda: yes(owner, Side.MENTEE),
            lambda: self._start(owner),
            lambda: session(owner),
            lambda: session(owner),
        ]
        for step in way[: steps - 1]:
            self._begin()
            step()
            self.quiesce()
        return owner[2]

    # --- people ---------------------------------------------------------------------------------------------------

    def client(self, aggregate: str, *expected: Expected, ending: Ending = Ending.OK) -> None:
        """Note what the client of the command in hand saw; now and then the answer was lost."""
        if ending is Ending.OK and not self.calm and self.maybe(0.1):
            ending = Ending.INFO
        name = f"c{len(self.commands)}"
        self.commands.append(Command(name, aggregate, ending, expected, trace=self.trace))

    def _begin(self) -> None:
        self.trace = f"{self.random.getrandbits(128) | 1:032x}"

    def set_profile(self, member: str, capacity: int) -> None:
        self._begin()
        profile = ProfileUpdated(
            member=member,
            enrolled=True,
            open_to_mentor=True,
            open_to_be_mentored=True,
            mentor_capacity=capacity,
            mentee_capacity=capacity,
        )
        entry = DirectoryUpdated(member=member, level=3, unit="u1", country="DE", time_zone="UTC", joined="2020-01")
        self.commit(("profiles", "members", member), {}, said=[entry, profile])
        self.client(member, *(Expected(each.topic.name, each.event_type(), member) for each in (entry, profile)))

    def remove(self, member: str) -> None:
        self._begin()
        self.commit(("profiles", "members", member), {"removed": True}, said=[DIRECTORY, PROFILE])
        self.client(member)

    # --- pairs ----------------------------------------------------------------------------------------------------

    def act(self) -> None:
        """Some command of somebody."""
        self._begin()
        pairs = [owner for owner in self.documents if owner[:2] == ("matching", "mentorships")]
        if not pairs or self.maybe(0.2):
            self.propose(*self.random.sample(MEMBERS, 2))
        elif self.maybe(0.2):
            self.set_profile(self.random.choice(MEMBERS), self.random.randint(0, 2))
        elif self.maybe(0.1):
            self.stranger(*self.random.choice([(MENTORSHIP, None), (MENTORSHIP, STRANGER), (PROFILE, STRANGER)]))
        else:
            self.go_on(self.random.choice(pairs))

    def propose(self, mentor: str, mentee: str) -> Owner:
        owner = ("matching", "mentorships", self.new_id("p"))
        fact = MatchProposed(
            mentorship=owner[2],
            programme="g1",
            mentor=mentor,
            mentee=mentee,
            areas=("go",),
            direction="reverse",
            origin="engine",
            expires_at=AT,
        )
        fields: Raw = {
            "programme": "g1",
            "areas": ["go"],
            "mentor": mentor,
            "mentee": mentee,
            "direction": "reverse",
            "yes": [],
        }
        times: Raw = dict.fromkeys(("accepted_at", "started_at", "ended_at", "closed_at", "paused_on"))
        self._pair(owner, {**fields, "proposed_at": AT, **times, "status": "proposed", "yes": []}, fact)
        self.client(owner[2], _expected(fact, "mentor"))
        return owner

    def go_on(self, owner: Owner) -> None:
        """The next thing that one of a pair does; a closed pair refuses."""
        raw = self.documents[owner]
        match raw["status"]:
            case "proposed" if self.maybe(0.2):
                self._close(owner)
            case "proposed" | "half-accepted" if len(raw["yes"]) < len(Side):
                self._say_yes(owner, list(Side)[len(raw["yes"])])
            case "accepted":
                self._start(owner)
            case "started" if self.maybe(0.5):
                self._log_session(owner)
            case "started":
                self._end(owner)
            case _:
                self._refuse(owner[2])

    def stranger(self, topic: Topic, key: bytes | None) -> None:
        """Somebody writes what is no event of ours."""
        self.append(topic.name, key, b"{}", (("ce_specversion", b"1.0"), ("ce_id", b"\xff\xfe")))
        self.client("nothing", ending=Ending.FAIL)

    def _say_yes(self, owner: Owner, side: Side) -> None:
        raw, name = self.documents[owner], owner[2]
        fields: Raw = {"yes": [*raw["yes"], side.value], "status": "half-accepted"}
        if len(fields["yes"]) < len(Side):
            fact = MatchAccepted(mentorship=name, by=side, complete=False)
            self._pair(owner, fields, fact)
            self.client(name, _expected(fact, "complete"))
        else:
            self.commit(owner, fields, work=[{"kind": "reserve-places"}])
            self.second_yes[name] = len(self.commands)
            self.client(name)

    def _close(self, owner: Owner) -> None:
        fact = MatchClosed(mentorship=owner[2])
        self._pair(owner, {"status": "closed", "closed_at": AT}, fact)
        self.client(owner[2], _expected(fact))

    def _start(self, owner: Owner) -> None:
        raw = self.documents[owner]
        sides: dict[str, Any] = {"mentor": raw["mentor"], "mentee": raw["mentee"], "areas": ("go",)}
        fact = MentorshipStarted(mentorship=owner[2], **sides, cadence="monthly", planned_end="2027-05-25")
        self._pair(owner, {"status": "started", "started_at": AT}, fact)
        self.client(owner[2], _expected(fact))

    def _log_session(self, owner: Owner) -> None:
        session = self.new_id("s")
        fact = SessionLogged(mentorship=owner[2], session=session, outcome=Outcome.HELD, day="2026-11-25")
        self._pair(owner, {}, fact)
        self.client(owner[2], _expected(fact, "session"))

    def _end(self, owner: Owner) -> None:
        fact = MentorshipEnded(mentorship=owner[2])
        self._pair(owner, {"status": "ended", "ended_at": AT}, fact, work=[{"kind": "release-places"}])
        self.client(owner[2], _expected(fact))

    def _refuse(self, name: str) -> None:
        refused = MatchAccepted(mentorship=name, by=Side.MENTOR, complete=True)
        self.client(name, _expected(refused, "complete"), ending=Ending.FAIL)

    def _pair(self, owner: Owner, fields: Raw, fact: Event, work: list[Raw] | None = None) -> None:
        """Commit a change of a pair: its fact, its newest state, and work."""
        stored = {**self.documents.get(owner, {}), **fields}
        told = {name: stored[name] for name in MentorshipState.model_fields if name in stored}
        state = MentorshipState(mentorship=owner[2], mentor_bands=_BANDS, mentee_bands=_BANDS, **told)
        [entry, _] = self.commit(owner, fields, said=[fact, state], work=work or [])
        if not self.calm and self.maybe(0.05):
            self.broken.add(entry.id)

    # --- work -----------------------------------------------------------------------------------------------------

    def work(self, owner: Owner, item: Raw) -> None:
        match item["kind"]:
            case "reserve-places":
                self._reserve(owner)
            case "release-places":
                self._release(owner)
            case _:
                self.effects.append(Effect("mail", item["notice"], event=item["event"], trace=self.trace))

    def _reserve(self, owner: Owner) -> None:
        name, raw = owner[2], self.documents[owner]
        fits = all(self._take(name, raw[side.value], side) for side in Side)
        if fits:
            fact: Event = MatchAccepted(mentorship=name, by=Side.MENTEE, complete=True)
            self._pair(owner, {"status": "accepted", "accepted_at": AT}, fact)
            expected = _expected(fact, "complete")
        else:
            fact = MatchClosed(mentorship=name)
            self._pair(owner, {"status": "closed", "closed_at": AT}, fact)
            self._release(owner)
            expected = _expected(fact)
        place = self.second_yes[name]
        self.commands[place] = replace(self.commands[place], leads_to=(expected,))

    def _take(self, name: str, member: str, side: Side) -> bool:
        owner = ("matching", "places", f"{member}:{side.value}")
        known = self.documents.get(("matching", "members", member), {})
        taken = self.documents.get(owner, {}).get("taken", [])
        capacity = known.get("capacity", 0)
        if len(taken) < capacity:
            taken = [*taken, name]
        self.commit(owner, {"member": member, "side": side.value, "capacity": capacity, "taken": taken})
        return name in taken

    def _release(self, owner: Owner) -> None:
        for side in Side:
            place = ("matching", "places", f"{self.documents[owner][side.value]}:{side.value}")
            if place in self.documents:
                taken = [name for name in self.documents[place]["taken"] if name != owner[2]]
                self.commit(place, {"taken": taken})

    # --- handlers -------------------------------------------------------------------------------------------------

    def handle(self, subscription: Subscription, record: TopicRecord, envelope: Envelope) -> None:
        body = json.loads(record.value or b"{}")
        fence = (f"{record.topic.split('.')[1]}:{envelope.subject}", envelope.sequence)
        match subscription.group:
            case "matching.members":
                fields = {"capacity": body.get("mentor_capacity", 0)} if record.topic == PROFILE.name else {}
                self.commit(("matching", "members", envelope.subject), fields, fence=fence)
            case "notifications.threads":
                self._tell(envelope, body, fence)
            case _:
                self._row(subscription, record, envelope, body)

    def _tell(self, envelope: Envelope, body: Raw, fence: tuple[str, int]) -> None:
        owner = ("notifications", "threads", envelope.subject)
        raw = self.documents.get(owner, {"notices": []})
        people = raw.get("participants") or [body["mentor"], body["mentee"]]
        notices = [{"id": f"{envelope.id}:{member}", "member": member} for member in people]
        kind = envelope.type.split(".")[2]
        said = [NoticeSent(notice=each["id"], member=each["member"], thread=owner[2], kind=kind) for each in notices]
        work = [{"kind": "send-mail", "notice": each["id"], "event": envelope.id} for each in notices]
        heard = [*raw.get("heard", []), envelope.id]
        fields = {"participants": people, "heard": heard, "notices": [*raw["notices"], *notices]}
        self.commit(owner, fields, said=said, work=work, fence=fence)

    def _row(self, subscription: Subscription, record: TopicRecord, envelope: Envelope, body: Raw) -> None:
        owner = (subscription.service, subscription.rows or "", envelope.subject)
        if self.documents.get(owner, {}).get("sequence", 0) >= envelope.sequence:
            return
        row: Raw = {"tenant": TENANT, "sequence": envelope.sequence, "gone": record.value is None}
        self.put(owner, row | {name: body[name] for name in _ROWS[record.topic] if name in body})

    # --- delivery -------------------------------------------------------------------------------------------------

    def deliver(self) -> bool:
        """One step of some relay, worker or consumer; False when there is nothing to do."""
        owing = [owner for owner, raw in self.documents.items() if raw.get("events") or raw.get("unsent")]
        working = [owner for owner, raw in self.documents.items() if raw.get("work")]
        steps = [lambda: self.relay(self.random.choice(owing))] if owing else []
        steps += [lambda: self.do_work(self.random.choice(working))] if working else []
        if steps and self.maybe(0.7):
            self.random.choice(steps)()
            return True
        for subscription in self.random.sample(PRODUCT.subscriptions, len(PRODUCT.subscriptions)):
            if self.consume(subscription):
                return True
        if steps:
            steps[0]()
        return bool(steps)

    def quiesce(self) -> None:
        """Until nothing is left to do."""
        while self.deliver():
            pass

    def _expect_mails(self) -> None:
        """A command's client may expect a mail about each fact that notifications has handled."""
        by_trace: dict[str | None, list[tuple[str, str]]] = {}
        for effect in self.effects:
            by_trace.setdefault(effect.trace, []).append((effect.sink, effect.id))
        self.commands = [replace(each, effects=tuple(by_trace.get(each.trace, ()))) for each in self.commands]


def _expected(fact: Event, *fields: str) -> Expected:
    body = json.loads(fact.model_dump_json())
    known = tuple((name, body[name]) for name in fields)
    return Expected(fact.topic.name, fact.event_type(), body["mentorship"], known)


@cache
def world(seed: int) -> World:
    """The world of a seed."""
    return World(seed)


@cache
def evidence_of(seed: int) -> Evidence:
    """What the world of a seed leaves behind."""
    return world(seed).evidence()
