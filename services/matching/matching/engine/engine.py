"""The engine's two modes over one market: a run over everybody, and an answer to one person's change.

No I/O, no clock, no randomness: the same rules, people and pairs give the same proposals, bit for bit.
"""

from collections.abc import Callable, Iterable

import numpy as np
from contracts.matching import Side

from matching.engine.allocation import Points, Room, allocate, best_first
from matching.engine.bulk.draft import draft
from matching.engine.chain import NOBODY
from matching.engine.market import Ints, Market, UnknownCodeError
from matching.engine.people import Person
from matching.engine.proposals import Change, Pair, Proposal, Run, RunCancelledError, Tie
from matching.engine.report import coverage, unmatched
from matching.engine.rules import Rules
from matching.engine.scoring import LASTING, MYSELF, RULE_BIT, Failures, Rows, failures, pair_failures, score
from matching.engine.ties import Ties


def _no_progress(_: float) -> None:
    """Nobody watches."""


def _never() -> bool:
    return False


class Engine:
    """Proposals for one programme.

    Args:
        rules: The programme's rules.
        people: Everybody in the directory, also those who take no part.
        open_pairs: Proposals that are not yet accepted by both.
        locked_pairs: Accepted and running mentorships, of every programme that shares the members' places.
        former_pairs: Ended, declined or blocked pairs.

    Raises:
        InvalidError: The people or rules contradict themselves; the message says how.
    """

    def __init__(
        self,
        rules: Rules,
        people: Iterable[Person],
        *,
        open_pairs: Iterable[tuple[str, str]] = (),
        locked_pairs: Iterable[tuple[str, str]] = (),
        former_pairs: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.rules = rules
        self.market = Market(rules, people)
        self.ties = Ties(
            (Pair(*pair), tie)
            for tie, pairs in ((Tie.FORMER, former_pairs), (Tie.OPEN, open_pairs), (Tie.LOCKED, locked_pairs))
            for pair in pairs
        )

    # -- a run over everybody ------------------------------------------------------------------------------------------

    def run(self, progress: Callable[[float], None] = _no_progress, cancelled: Callable[[], bool] = _never) -> Run:
        """Propose for everybody at once; the engine itself stays as it was until `adopt`.

        Args:
            progress: Told the share of the work that is done, from 0 to 1.
            cancelled: Asked now and then.

        Raises:
            RunCancelledError: `cancelled` said yes.
        """
        kept, withdrawn = self._held(self.ties.all(Tie.OPEN))
        broken = self._broken(self.ties.all(Tie.LOCKED))
        room = self._room(withdrawn)

        def watch(done: float) -> None:
            if cancelled():
                raise RunCancelledError
            progress(0.9 * done)

        found = draft(self.rules, self.market, room, self._tied_rows(), watch)
        filled = room.copy()
        filled.fill(found.mentors, found.mentees)
        proposals = self._best_first(found.mentors, found.mentees)
        progress(0.95)
        run = Run(
            proposals=proposals,
            kept=kept,
            withdrawn=withdrawn,
            broken=broken,
            value=found.value,
            bound=found.bound,
            mentors=coverage(self.market, filled, Side.MENTOR),
            mentees=coverage(self.market, filled, Side.MENTEE),
            unmatched=unmatched(self.market, self.failed, filled),
        )
        progress(1.0)
        return run

    def adopt(self, run: Run) -> None:
        """Put a run's proposals and withdrawals in force."""
        for pair in run.withdrawn:
            self.ties.set(pair, None)
        for proposal in run.proposals:
            self.ties.set(proposal.pair, Tie.OPEN)

    # -- one person ----------------------------------------------------------------------------------------------------

    def change(self, person: Person) -> Change:
        """Take in what is now true of one person, withdraw what no longer holds, and propose for them alone.

        A new manager puts everybody below the person into another chain, so their pairs are looked at, too; and those
        who only waited to know who is above them get their proposals now.
        """
        waited = self.market.unsettled()
        try:
            moved = self.market.put(person)
        except UnknownCodeError:
            others = (other for other in self.market.people if other and other.id != person.id)
            self.market, moved = Market(self.rules, (*others, person)), True
        concerned = self.market.under(person.id) if moved else [person.id]
        pairs = sorted({pair for member in concerned for pair in self.ties.of(member)})
        _, withdrawn = self._held([pair for pair in pairs if self.ties.between(pair) is Tie.OPEN])
        broken = self._broken([pair for pair in pairs if self.ties.between(pair) is Tie.LOCKED])
        for pair in withdrawn:
            self.ties.set(pair, None)
        settled = sorted(waited - self.market.unsettled() - {person.id})
        proposals = [proposal for member in (person.id, *settled) for proposal in self.propose(member)]
        return Change(tuple(proposals), withdrawn, broken)

    def remove(self, member: str) -> Change:
        """Forget a person; their open proposals are withdrawn. Unknown ids change nothing."""
        if member not in self.market.row:
            return Change()
        self.market.remove(member)
        withdrawn = tuple(pair for pair in self.ties.of(member) if self.ties.between(pair) is Tie.OPEN)
        for pair in withdrawn:
            self.ties.set(pair, None)
        return Change(withdrawn=withdrawn)

    def propose(self, member: str) -> tuple[Proposal, ...]:
        """Propose for one person against everybody with free places, moving nobody else; at once in force."""
        if member not in self.market.row:
            return ()
        row = np.array([self.market.row[member]], np.int64)
        room = self._room(())
        mentors, mentees = self.market.open_rows(Side.MENTOR), self.market.open_rows(Side.MENTEE)
        as_mentee = self._feasible(np.intersect1d(row, mentees), mentors, room)
        as_mentor = self._feasible(mentees, np.intersect1d(row, mentors), room)
        mentors, mentees = (np.concatenate(both) for both in zip(as_mentee, as_mentor, strict=True))
        scores = score(self.rules, self.market, mentees, mentors).scores
        chosen = self._choose(mentors, mentees, scores, scores.astype(np.int64), room)
        proposals = self._proposals(mentors[chosen], mentees[chosen])
        for proposal in proposals:
            self.ties.set(proposal.pair, Tie.OPEN)
        return proposals

    def move(self, mentor: str, mentee: str, tie: Tie | None) -> None:
        """Note what became of a pair: accepted is `LOCKED`, declined or ended is `FORMER`; none forgets it."""
        self.ties.set(Pair(mentor, mentee), tie)

    # -- pairs ---------------------------------------------------------------------------------------------------------

    def score(self, mentor: str, mentee: str) -> Proposal:
        """A pair's areas, terms and score, whether or not the rules allow it.

        Raises:
            KeyError: One of the two is not in the market.
        """
        rows = (np.array([self.market.row[member]], np.int64) for member in (mentor, mentee))
        return self._proposals(*rows)[0]

    def person(self, member: str) -> Person:
        """What is known of a person.

        Raises:
            KeyError: Nothing is.
        """
        return self.market.known(self.market.row[member])

    def waits(self, member: str) -> bool:
        """Whether somebody cannot be paired because it is not known who is above them."""
        return bool(self.market.waits[self.market.row[member]])

    def counts(self, area: str) -> bool:
        """Whether an area counts in this programme."""
        return area in self.market.area_bit

    def common_minutes(self, one: str, other: str) -> int:
        """The working time two people share on a normal day."""
        first, second = (self.market.window[self.market.row[member]] for member in (one, other))
        return int(self.market.common_minutes[first, second])

    def free_places(self, member: str, side: Side) -> int:
        """How many more proposals a person can have on one side now."""
        places = self.person(member).capacity(side) - self.ties.load[side][member]
        return max(0, min(places, self.rules.proposals_per_person - self.ties.open[side][member]))

    def failed(self, mentors: Rows, mentees: Rows) -> Failures:
        """The rules that pairs fail, ties included; one row a mentee, one column a mentor."""
        failed = failures(self.rules, self.market, mentees, mentors)
        if len(mentors) < len(mentees):
            self._mark_ties(failed.T, mentors, mentees)
        else:
            self._mark_ties(failed, mentees, mentors)
        return failed

    def _mark_ties(self, failed: Failures, lines: Rows, columns: Rows) -> None:
        """Note what already stands between people; looks at the ties of those in the lines, so they should be few."""
        column_of = dict(zip(columns.tolist(), range(len(columns)), strict=True))
        for line, row in enumerate(lines.tolist()):
            if row in column_of:
                failed[line, column_of[row]] = MYSELF
            member = self.market.known(row).id
            for pair in self.ties.of(member):
                other = self.market.row.get(pair.other(member), NOBODY)
                if other in column_of:
                    failed[line, column_of[other]] |= RULE_BIT[self.ties.obstacle(pair)]

    def _held(self, pairs: list[Pair]) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
        """Open proposals that still hold, and those that don't: a rule fails, or a side no longer takes part."""
        known, gone = self._known(pairs)
        mentors, mentees = self._rows(known)
        open_ = (self.market.capacity[Side.MENTOR][mentors] > 0) & (self.market.capacity[Side.MENTEE][mentees] > 0)
        settled = ~(self.market.waits[mentors] | self.market.waits[mentees])
        holds = open_ & settled & (pair_failures(self.rules, self.market, mentees, mentors) == 0)
        lost = (pair for pair, well in zip(known, holds, strict=True) if not well)
        return tuple(pair for pair, well in zip(known, holds, strict=True) if well), (*gone, *lost)

    def _broken(self, pairs: list[Pair]) -> tuple[Pair, ...]:
        """Locked pairs of known people that break a rule which binds for as long as the pair lives."""
        known, _ = self._known(pairs)
        mentors, mentees = self._rows(known)
        failed = pair_failures(self.rules, self.market, mentees, mentors) & np.uint16(LASTING)
        return tuple(pair for pair, bits in zip(known, failed, strict=True) if bits)

    def _known(self, pairs: list[Pair]) -> tuple[list[Pair], list[Pair]]:
        """Pairs of people who are in the market, and pairs where somebody is not."""
        known: list[Pair] = []
        gone: list[Pair] = []
        for pair in pairs:
            (known if all(member in self.market.row for member in pair) else gone).append(pair)
        return known, gone

    def _rows(self, pairs: list[Pair]) -> tuple[Rows, Rows]:
        """Mentor rows and mentee rows of pairs in the market."""
        rows = np.array([[self.market.row[member] for member in pair] for pair in pairs], np.int64).reshape(-1, 2)
        return rows[:, 0], rows[:, 1]

    def _room(self, withdrawn: Iterable[Pair]) -> Room:
        """How full everybody is once the withdrawn proposals are gone."""
        room = Room({}, {})
        for side in Side:
            live, waiting = self.ties.load[side].copy(), self.ties.open[side].copy()
            leaving = [pair.mentor if side is Side.MENTOR else pair.mentee for pair in withdrawn]
            live.subtract(leaving)
            waiting.subtract(leaving)
            load, proposed = self.market.spread(live), self.market.spread(waiting)
            room.load[side] = load
            room.free[side] = np.maximum(
                np.minimum(self.market.capacity[side] - load, self.rules.proposals_per_person - proposed), 0
            )
        return room

    def _feasible(self, mentees: Rows, mentors: Rows, room: Room) -> tuple[Rows, Rows]:
        """Mentor rows and mentee rows of all pairs that pass every rule and have a place."""
        mentees = mentees[room.free[Side.MENTEE][mentees] > 0]
        mentors = mentors[room.free[Side.MENTOR][mentors] > 0]
        line, column = np.nonzero(self.failed(mentors, mentees) == 0)
        return mentors[column], mentees[line]

    def _choose(self, mentors: Rows, mentees: Rows, scores: Ints, worth: Points, room: Room) -> Rows:
        """Positions of the pairs to propose, the highest score first; fills the room."""
        order = best_first(self.market, mentors, mentees, scores, worth)
        taken = allocate(mentors[order], mentees[order], worth[order], room, self.rules.weights.further_pair)
        chosen = order[np.sort(taken).astype(np.int64)]
        return chosen[np.argsort(-scores[chosen], kind="stable")]

    def _best_first(self, mentors: Rows, mentees: Rows) -> tuple[Proposal, ...]:
        scores = score(self.rules, self.market, mentees, mentors).scores
        order = best_first(self.market, mentors, mentees, scores, scores.astype(np.int64))
        return self._proposals(mentors[order], mentees[order])

    def _tied_rows(self) -> set[tuple[int, int]]:
        known, _ = self._known([pair for tie in Tie for pair in self.ties.all(tie)])
        return {(self.market.row[pair.mentor], self.market.row[pair.mentee]) for pair in known}

    def _proposals(self, mentors: Rows, mentees: Rows) -> tuple[Proposal, ...]:
        scored = score(self.rules, self.market, mentees, mentors)
        columns = {term.value: points.tolist() for term, points in scored.terms.items()}
        return tuple(
            self._proposal(mentor, mentee, total, {code: points[place] for code, points in columns.items()})
            for place, (mentor, mentee, total) in enumerate(
                zip(mentors.tolist(), mentees.tolist(), scored.scores.tolist(), strict=True)
            )
        )

    def _proposal(self, mentor_row: int, mentee_row: int, total: int, terms: dict[str, int]) -> Proposal:
        mentor, mentee = self.market.known(mentor_row), self.market.known(mentee_row)
        offered = self.market.bits(mentor.offers)
        shared = [area for area in dict.fromkeys(mentee.seeks) if self.market.bits((area,)) & offered]
        above = mentee.level - mentor.level
        direction = "reverse" if above > 0 else "forward" if above < 0 else "same-level"
        return Proposal(mentor.id, mentee.id, tuple(shared), direction, total, terms)
