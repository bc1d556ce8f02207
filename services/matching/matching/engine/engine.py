"""The engine's two modes over one market: a run over everybody, and an answer to one person's change.

No I/O, no clock, no randomness: the same rules, people and pairs give the same proposals, bit for bit.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from contracts.matching import Side

from matching.engine.bulk.draft import Draft, Task, draft
from matching.engine.chain import NOBODY
from matching.engine.codes import OutgrownError
from matching.engine.directory import Directory, Rows
from matching.engine.live.market import LiveMarket, Moves, RowPair
from matching.engine.packed.detail import RULE_BIT, TERMS, Failures, fail, fail_all, terms
from matching.engine.people import Person
from matching.engine.proposals import Change, Pair, Proposal, Run, RunCancelledError, Tie
from matching.engine.results import holding, run_of
from matching.engine.rules import MOST_POINTS, Rule, Rules
from matching.engine.ties import Ties

MYSELF: Final = np.uint16(1 << 15)
"""Marks a person against themselves, who is no pair and no exclusion."""
_LASTING: Final = np.uint16(RULE_BIT[Rule.LEVEL] | RULE_BIT[Rule.UNIT] | RULE_BIT[Rule.CHAIN] | RULE_BIT[Rule.MANAGER])
"""What binds a pair for as long as it lives; areas, hours and languages only matter when it is proposed."""

_TERM_CODES: Final = tuple(term.value for term in TERMS)
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


def _no_progress(_: float) -> None:
    """Nobody watches."""


def _never() -> bool:
    return False


class Engine:
    """Proposals for one programme.

    Args:
        rules: The programme's rules.
        people: Everybody in the directory, also those who take no part.
        open_pairs: Proposals that nobody has answered.
        locked_pairs: Answered, accepted and running ones, of every programme that shares the members' places.
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
        self.directory = Directory(rules, people)
        self.ties = Ties(
            (Pair(*pair), tie)
            for tie, pairs in ((Tie.FORMER, former_pairs), (Tie.OPEN, open_pairs), (Tie.LOCKED, locked_pairs))
            for pair in pairs
        )
        self.live = LiveMarket(rules, self.directory, self.ties)

    # -- a run over everybody ------------------------------------------------------------------------------------------

    def run(self, progress: Callable[[float], None] = _no_progress, cancelled: Callable[[], bool] = _never) -> Run:
        """Propose for everybody at once; the engine itself stays as it was until `adopt`.

        Args:
            progress: Told the share of the work that is done, from 0 to 1.
            cancelled: Asked now and then.

        Raises:
            RunCancelledError: `cancelled` said yes.
        """

        def watch(done: float) -> None:
            if cancelled():
                raise RunCancelledError
            progress(0.9 * done)

        run = self.result(draft(self.task(), watch))
        progress(1.0)
        return run

    def task(self, *, keep: bool = False) -> Task:
        """What a run is to choose from, apart from the engine: it may be chosen from elsewhere, while changes go on.

        Args:
            keep: Open proposals stay as long as they hold, whatever else would be better.
        """
        slots, count = self.live.slots, len(self.directory.people)
        _, never = self._known([*self.ties.all(Tie.LOCKED), *self.ties.all(Tie.FORMER)])
        dear = MOST_POINTS if keep else self.rules.weights.open_proposal
        return Task(
            self.rules,
            [person.id if person else "" for person in self.directory.people],
            self.directory.profiles(never),
            self.directory.codes.area_points,
            slots.load[:, :count].copy(),
            slots.places[:, :count].copy(),
            self._known(self.ties.all(Tie.OPEN))[1],
            dear,
        )

    def result(self, found: Draft) -> Run:
        """What a run's choice means for everybody as they are now: what no longer holds of it is left out."""
        return run_of(self, found)

    def adopt(self, run: Run) -> None:
        """Put a run's proposals and withdrawals in force."""
        for pair in run.withdrawn:
            self.ties.set(pair, None)
        for proposal in run.proposals:
            self.ties.set(proposal.pair, Tie.OPEN)
        self.live.build(self._priced(run.prices))

    def take(self, priced: Mapping[Pair, int]) -> tuple[Proposal, ...]:
        """Put pairs in force that a run chose earlier, as far as they still hold beside what is open; the new ones."""
        kept = {self.pair(rows): price for rows, price in self.live.prices().items()}
        held = holding(self, kept | {pair: price for pair, price in priced.items() if pair not in kept})
        _, rows = self._known(pair for pair in held if pair not in kept)
        proposals = self.proposals(*rows.T)
        for proposal in proposals:
            self.ties.set(proposal.pair, Tie.OPEN)
        self.live.build(self._priced(kept | held))
        return proposals

    # -- one person ----------------------------------------------------------------------------------------------------

    def change(self, person: Person) -> Change:
        """Take in what is now true of one person, withdraw what no longer holds, and propose anew for them.

        At most `moved_per_change` unanswered proposals of others give way, each for something better. A new manager
        puts everybody below the person into another chain, so their pairs are looked at, too; and those who only waited
        to know who is above them get their proposals now.
        """
        new = person.id not in self.directory.row
        try:
            row, renumbered = self.directory.put(person)
        except OutgrownError:
            return self._begin_again(person)
        turned = self.directory.turned()
        self.live.tell([row, *turned], renumbered=renumbered)
        if new and self.ties.of(person.id):
            self.live.build(self.live.prices())
        return self._answer(row, self.directory.under(row) if renumbered else [], turned)

    def remove(self, member: str) -> Change:
        """Forget a person; their open proposals are withdrawn. Unknown ids change nothing."""
        if member not in self.directory.row:
            return Change()
        gone = tuple(pair for pair in self.ties.of(member) if self.ties.between(pair) is Tie.OPEN)
        for pair in gone:
            self.move(pair.mentor, pair.mentee, None)
        row, renumbered = self.directory.remove(member)
        turned = self.directory.turned()
        self.live.tell([row, *turned], renumbered=renumbered)
        partners = [self.directory.row[other] for pair in gone if (other := pair.other(member)) in self.directory.row]
        change = self._in_force(self.live.answer([*turned, *partners], self.rules.moved_per_change))
        return replace(change, withdrawn=(*gone, *change.withdrawn))

    def propose(self, member: str) -> tuple[Proposal, ...]:
        """Propose for one person against everybody with free places, moving nobody else; at once in force."""
        row = self.directory.row.get(member)
        return () if row is None else self._in_force(self.live.propose(row)).proposals

    def move(self, mentor: str, mentee: str, tie: Tie | None) -> None:
        """Note what became of a pair: answered is `LOCKED`, declined or ended is `FORMER`; none forgets it."""
        pair = Pair(mentor, mentee)
        before = self.ties.between(pair)
        if tie is before:
            return
        self.ties.set(pair, tie)
        rows = [self.directory.row[member] for member in pair if member in self.directory.row]
        if len(rows) == len(pair):
            self.live.tie(rows[0], rows[1], before, tie)
        else:
            self.live.tell(rows, renumbered=False)

    def _begin_again(self, person: Person) -> Change:
        """Number everything anew, because the person names something that there is no number for."""
        waited = self.directory.unsettled()
        prices = {self.pair(pair): price for pair, price in self.live.prices().items()}
        others = (other for other in self.directory.people if other and other.id != person.id)
        self.directory = Directory(self.rules, (*others, person))
        self.live = LiveMarket(self.rules, self.directory, self.ties)
        self.live.build(self._priced(prices))
        row = self.directory.row
        settled = sorted(row[member] for member in waited - self.directory.unsettled())
        return self._answer(row[person.id], self.directory.under(row[person.id]), settled)

    def _answer(self, row: int, below: Sequence[int], turned: Sequence[int]) -> Change:
        """Let everybody concerned have their proposals, the one who changed first.

        Args:
            row: who changed.
            below: those who stand elsewhere in the management chain by it; their proposals are looked at.
            turned: those who may be paired only now, or no more.
        """
        members = sorted({self.directory.known(each).id for each in (row, *below)})
        pairs = sorted({pair for member in members for pair in self.ties.of(member)})
        broken = self.broken([pair for pair in pairs if self.ties.between(pair) is Tie.LOCKED])
        checked = self.live.with_proposals(below)
        moves = self.live.answer(dict.fromkeys((row, *turned)), self.rules.moved_per_change, checked=checked)
        return replace(self._in_force(moves), broken=broken)

    def _in_force(self, moves: Moves) -> Change:
        """Note in the ties what the live market did."""
        lost, moved = ([self.pair(pair) for pair in pairs] for pairs in (moves.lost, moves.moved))
        for pair in (*lost, *moved):
            self.ties.set(pair, None)
        proposals = self.proposals(*np.array(moves.joined, np.int64).T) if moves.joined else ()
        for proposal in proposals:
            self.ties.set(proposal.pair, Tie.OPEN)
        return Change(proposals, tuple(lost), tuple(moved))

    # -- pairs ---------------------------------------------------------------------------------------------------------

    def score(self, mentor: str, mentee: str) -> Proposal:
        """A pair's areas, terms and score, whether or not the rules allow it.

        Raises:
            KeyError: One of the two is not in the market.
        """
        return self.proposals(*(np.array([self.directory.row[member]], np.int64) for member in (mentor, mentee)))[0]

    def scores(self, mentors: Rows, mentees: Rows) -> Rows:
        """[n] scores of pairs given by rows."""
        total: Rows = terms(self.live.market, mentors.astype(np.int32), mentees.astype(np.int32)).sum(axis=1)
        return total

    def person(self, member: str) -> Person:
        """What is known of a person.

        Raises:
            KeyError: Nothing is.
        """
        return self.directory.known(self.directory.row[member])

    def waits(self, member: str) -> bool:
        """Whether somebody cannot be paired because it is not known who is above them."""
        return bool(self.directory.waits[self.directory.row[member]])

    def counts(self, area: str) -> bool:
        """Whether an area counts in this programme."""
        return area in self.directory.codes.area_bit

    def common_minutes(self, one: str, other: str) -> int:
        """The working time two people share on a normal day."""
        first, second = (self.directory.window[self.directory.row[member]] for member in (one, other))
        return int(self.directory.codes.common_minutes[first, second])

    def free_places(self, member: str, side: Side) -> int:
        """How many more proposals a person can have on one side now."""
        return self.live.places(side, self.directory.row[member])

    def failed(self, mentors: Rows, mentees: Rows) -> Failures:
        """The rules that pairs fail, ties included; one row a mentee, one column a mentor."""
        failed = fail_all(self.live.market, mentors.astype(np.int32), mentees.astype(np.int32))
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
            member = self.directory.known(row).id
            for pair in self.ties.of(member):
                other = self.directory.row.get(pair.other(member), NOBODY)
                if other in column_of:
                    failed[line, column_of[other]] |= RULE_BIT[self.ties.obstacle(pair)]

    def allowed(self, pairs: Iterable[Pair]) -> list[Pair]:
        """Those of some pairs that no rule forbids and that nothing stands between but an open proposal."""
        open_to = {None, Tie.OPEN}
        free = [pair for pair in pairs if {self.ties.between(pair), self.ties.between(pair.turned)} <= open_to]
        known, rows = self._known(free)
        failed = fail(self.live.market, *rows.T.astype(np.int32))
        return [pair for pair, bits in zip(known, failed, strict=True) if not bits]

    def broken(self, pairs: list[Pair]) -> tuple[Pair, ...]:
        """Locked pairs of known people that break a rule which binds for as long as the pair lives."""
        if not pairs:
            return ()
        known, rows = self._known(pairs)
        failed = fail(self.live.market, *rows.T.astype(np.int32)) & _LASTING
        return tuple(pair for pair, bits in zip(known, failed, strict=True) if bits)

    def _known(self, pairs: Iterable[Pair]) -> tuple[list[Pair], Rows]:
        """Pairs of people who are in the directory, and their [n, 2] rows."""
        row = self.directory.row
        known = [pair for pair in pairs if pair.mentor in row and pair.mentee in row]
        return known, np.array([[row[member] for member in pair] for pair in known], np.int64).reshape(-1, 2)

    def pair(self, rows: RowPair) -> Pair:
        """The ids of two rows."""
        return Pair(*(self.directory.known(row).id for row in rows))

    def _priced(self, prices: Mapping[Pair, int]) -> dict[RowPair, int]:
        row = self.directory.row
        return {(row[pair.mentor], row[pair.mentee]): price for pair, price in prices.items()}

    def price(self, mentor: str, mentee: str) -> int:
        """What the mentor's place costs in an open proposal, in points; the mentee gains the rest of the score.

        Raises:
            KeyError: The two have none.
        """
        return self.live.price(self.directory.row[mentor], self.directory.row[mentee])

    def proposals(self, mentors: Rows, mentees: Rows) -> tuple[Proposal, ...]:
        """By score, among equals by a fixed scramble of both, so that no order of names or rows favours anyone."""
        parts = terms(self.live.market, mentors.astype(np.int32), mentees.astype(np.int32))
        scramble = self.directory.scramble
        mixed = (scramble[mentors] * _MIX) ^ (scramble[mentees] + _MIX)
        lines = zip(
            parts.sum(axis=1).tolist(), mixed.tolist(), mentees.tolist(), mentors.tolist(), parts.tolist(), strict=True
        )
        ordered = sorted(lines, key=lambda line: (-line[0], *line[1:4]))
        return tuple(
            self._proposal(mentor, mentee, total, dict(zip(_TERM_CODES, points, strict=True)))
            for total, _, mentee, mentor, points in ordered
        )

    def _proposal(self, mentor_row: int, mentee_row: int, total: int, points: dict[str, int]) -> Proposal:
        mentor, mentee, counts = self.directory.known(mentor_row), self.directory.known(mentee_row), self.counts
        shared = tuple(area for area in dict.fromkeys(mentee.seeks) if area in mentor.offers and counts(area))
        above = self.directory.rank[mentee_row] - self.directory.rank[mentor_row]
        direction = "reverse" if above > 0 else "forward" if above < 0 else "same-level"
        return Proposal(mentor.id, mentee.id, shared, direction, total, points)
