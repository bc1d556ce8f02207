"""Any order of commands, works and clock ticks keeps every pair on legal edges and every load within capacity."""

from datetime import UTC, datetime, timedelta

from chassis.errors import ConflictError, InvalidError
from contracts.matching import Outcome, Side, Status
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from matching.domain.arranging import AGREED
from matching.domain.mentorship import Mentorship
from matching.domain.places import Places
from matching_people import a_proposal

LEGAL = {
    Status.PROPOSED: {Status.HALF_ACCEPTED, Status.CLOSED},
    Status.HALF_ACCEPTED: {Status.ACCEPTED, Status.CLOSED},
    Status.ACCEPTED: {Status.STARTED, Status.CLOSED},
    Status.STARTED: {Status.ENDED},
    Status.ENDED: set(),
    Status.CLOSED: set(),
}
PAIRS = [("ana", "dora"), ("ana", "emil"), ("ana", "fay"), ("ben", "dora")]
pairs = st.integers(0, len(PAIRS) - 1)
sides = st.sampled_from(list(Side))


class Market(RuleBasedStateMachine):
    """Four proposals over two mentors; pending work may run late, in any order and more than once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 3, 1, 9, tzinfo=UTC)
        self.pairs = [a_proposal(f"m-{index}", *pair) for index, pair in enumerate(PAIRS)]
        self.places: dict[tuple[str, Side], Places] = {}
        for mentor, mentee in PAIRS:
            for member, side in ((mentor, Side.MENTOR), (mentee, Side.MENTEE)):
                places = Places.of("demo", member, side)
                places.set_capacity(1, 1)
                self.places[member, side] = places
        self.versions = 1
        self.todo: list[tuple[Mentorship, str, dict[str, str]]] = []
        self.seen = {pair.id: pair.status for pair in self.pairs}
        for pair in self.pairs:
            pair.take_uncommitted()

    @property
    def at(self) -> str:
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def commit(self, pair: Mentorship) -> None:
        done = pair.take_uncommitted()
        topics = [event.topic for event in done.said]
        assert len(topics) == len(set(topics)), "at most one event a topic a change"
        self.todo += [(pair, ask.kind, ask.arguments) for ask in done.asked]
        before, after = self.seen[pair.id], pair.status
        assert before == after or after in LEGAL[before], f"{before} to {after}"
        self.seen[pair.id] = after

    def attempt(self, pair: Mentorship, command: str, *arguments: object) -> None:
        before = pair.model_dump()
        try:
            getattr(pair, command)(*arguments)
        except (ConflictError, InvalidError):
            assert pair.model_dump() == before, "a refusal changes nothing"
        self.commit(pair)

    @rule(index=pairs, side=sides)
    def accept(self, index: int, side: Side) -> None:
        self.attempt(self.pairs[index], "accept", side, self.at)

    @rule(index=pairs, side=sides)
    def decline(self, index: int, side: Side) -> None:
        self.attempt(self.pairs[index], "decline", side, self.at)

    @rule(index=pairs)
    def withdraw(self, index: int) -> None:
        self.attempt(self.pairs[index], "withdraw", self.at)

    @rule(index=pairs, side=sides)
    def confirm(self, index: int, side: Side) -> None:
        self.attempt(self.pairs[index], "confirm_agreement", side, 1, self.at)

    @rule(index=pairs, side=sides, outcome=st.sampled_from(list(Outcome)))
    def log(self, index: int, side: Side, outcome: Outcome) -> None:
        self.attempt(self.pairs[index], "log_session", side, f"s-{self.at}", self.now.date(), outcome, self.at)

    @rule(index=pairs, side=sides)
    def end(self, index: int, side: Side) -> None:
        self.attempt(self.pairs[index], "end", side, self.at)

    @rule(index=pairs, side=sides)
    def pause(self, index: int, side: Side) -> None:
        self.attempt(self.pairs[index], "pause", side, self.at)

    @rule(index=pairs, side=sides)
    def resume(self, index: int, side: Side) -> None:
        self.attempt(self.pairs[index], "resume", side, self.at)

    @rule(index=pairs)
    def lose_somebody(self, index: int) -> None:
        if self.pairs[index].status in AGREED:
            self.attempt(self.pairs[index], "end", None, self.at)

    @rule(hours=st.integers(1, 300))
    def clock(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        for pair in self.pairs:
            if 0 < pair.due <= self.now.timestamp():
                self.attempt(pair, "expire", self.at)

    @rule(pair=st.sampled_from(PAIRS), side=sides, capacity=st.integers(0, 2))
    def change_capacity(self, pair: tuple[str, str], side: Side, capacity: int) -> None:
        self.versions += 1
        self.places[pair[side is Side.MENTEE], side].set_capacity(capacity, self.versions)

    @rule(pick=st.integers(0, 20), again=st.booleans())
    def work(self, pick: int, again: bool) -> None:  # hypothesis passes rules by keyword
        if not self.todo:
            return
        pair, kind, arguments = self.todo[pick % len(self.todo)]
        if not again:
            self.todo.pop(pick % len(self.todo))
        if kind == "reserve-places":
            self.reserve(pair)
        elif kind == "release-places":
            self.release(pair)
        else:
            taken = self.places[arguments["member"], Side(arguments["side"])].taken
            for other in self.pairs:
                if other.member_on(Side(arguments["side"])) == arguments["member"] and other.id not in taken:
                    self.attempt(other, "withdraw", self.at)

    def reserve(self, pair: Mentorship) -> None:
        if not pair.reserving:
            return
        full = []
        for side in Side:
            places = self.places[pair.member_on(side), side]
            load = len(places.taken)
            if not places.reserve(pair.id):
                pair.withdraw(self.at)
                self.commit(pair)
                self.release(pair)
                return
            if len(places.taken) > load:
                assert len(places.taken) <= places.capacity, "a place was taken beyond capacity"
            if places.full:
                full.append(side)
        assert pair.finalise(self.at, full)
        self.commit(pair)

    def release(self, pair: Mentorship) -> None:
        for side in Side:
            self.places[pair.member_on(side), side].release(pair.id)

    @invariant()
    def accepted_pairs_hold_both_places(self) -> None:
        for pair in self.pairs:
            held = [pair.id in self.places[pair.member_on(side), side].taken for side in Side]
            if pair.status in (Status.ACCEPTED, Status.STARTED):
                assert held == [True, True]
            if pair.status in (Status.PROPOSED, Status.HALF_ACCEPTED):
                assert held == [False, False]


Market.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestMarket = Market.TestCase
