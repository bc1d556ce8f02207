"""The live market of a programme: what the kernels of `moves` work on, kept beside the people and their ties."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from contracts.matching import Side

from matching.engine.directory import Directory, Rows
from matching.engine.live.index import HIGHEST_COST, LOWEST_COST, built
from matching.engine.live.moves import answer, propose
from matching.engine.live.rows import rewrite
from matching.engine.live.slots import (
    MENTEES,
    MENTORS,
    NO_PLACE,
    NOBODY,
    NOT_TO_BE_HAD,
    UNPRICED,
    Slots,
    block,
    further,
    join,
    part,
    refresh_all,
    tie_all,
    unblock,
    where,
)
from matching.engine.live.state import CROWDED, JOINED, LOST, MOVED, Live
from matching.engine.live.table import columns_of, table
from matching.engine.packed.packing import hours_points, refuse_too_much
from matching.engine.packed.postings import days_by_points
from matching.engine.packed.records import CHAIN, MOST_WAITING, Ints, Market
from matching.engine.packed.searching import scratch
from matching.engine.packed.seniority import barred, barred_alone
from matching.engine.proposals import Tie
from matching.engine.rules import Rules
from matching.engine.ties import Ties

SIDES: Final = ((Side.MENTOR, MENTORS), (Side.MENTEE, MENTEES))
_BUDGET: Final = 400
_SPARE_DAYS: Final = 8
_SPARE_PARTNERS: Final = 2
_SPARE_BLOCKED: Final = 1 << 16
_MOST_OF_A_TIE: Final = 24
"""Words that a tie takes at most: it stands with both people, whose stretches grow by doubling."""
_LOG: Final = 1 << 14

RowPair = tuple[int, int]
"""A mentor's row and a mentee's."""


class Moves(NamedTuple):
    """What became of pairs."""

    joined: list[RowPair]
    moved: list[RowPair]
    """Gave way to something better."""
    lost: list[RowPair]
    """Hold no more."""


class LiveMarket:
    """Answers for rows of `people`; whoever changes people or ties says so here."""

    def __init__(self, rules: Rules, people: Directory, ties: Ties) -> None:
        refuse_too_much(rules)
        self._rules = rules
        self._people = people
        self._ties = ties
        self.build()

    # -- all at once ---------------------------------------------------------------------------------------------------

    def build(self, prices: dict[RowPair, int] | None = None) -> None:
        """Everything from people and ties.

        Args:
            prices: of the mentors' places in open proposals; the least that a place can cost where it is not said.
        """
        people = self._people
        self._days = len(people.codes.common_minutes) + _SPARE_DAYS
        self._columns = columns_of(people)
        market = table(self._rules, people, self._days, _MOST_OF_A_TIE * len(self._ties.known()) + _SPARE_BLOCKED)
        slots = self._slots()
        self._tie_all(market, slots, prices or {})
        refresh_all(market, slots)
        bits, costs = len(people.codes.areas), np.clip(slots.cost, LOWEST_COST, HIGHEST_COST)
        mentors, mentees = (
            built(records, np.flatnonzero(slots.places[side] > 0).astype(np.int32), costs[side], bits, self._days)
            for side, records in ((MENTORS, market.mentors), (MENTEES, market.mentees))
        )
        self._live = Live(
            market=market,
            slots=slots,
            mentors=mentors,
            mentees=mentees,
            compatible=(days := days_by_points(market.hours))[0],
            how_many=days[1],
            known_days=np.full(1, len(people.codes.common_minutes), np.int32),
            bits=bits,
            budget=_BUDGET,
            sticky=self._rules.weights.open_proposal,
            room=scratch(),
            best=np.zeros(2, np.int64),
            log=np.zeros((_LOG, 4), np.int64),
            full=np.zeros(1, np.int64),
            logged=np.zeros(2, np.int64),
        )

    def _places(self, rows: Rows, load: Ints) -> Ints:
        """[2, n] how many open proposals people may have on each side, beside the `load` [2, n] of other pairs."""
        people = self._people
        open_ = barred(self._rules, people.tenure[rows]) == 0
        takes_part = open_ & np.stack([people.takes_part(side, rows) for side, _ in SIDES])
        free = np.stack([people.capacity[side][rows] for side, _ in SIDES]) - load
        return np.where(takes_part, np.clip(free, 0, self._rules.proposals_per_person), 0).astype(np.int32)

    def _slots(self) -> Slots:
        rows, ties = len(self._people.level), self._ties
        most = max((*ties.open[Side.MENTOR].values(), *ties.open[Side.MENTEE].values()), default=0)
        width = max(self._rules.proposals_per_person, most) + _SPARE_PARTNERS
        load = np.stack(
            [self._people.spread(ties.load[side]) - self._people.spread(ties.open[side]) for side, _ in SIDES]
        )
        places = self._places(np.arange(rows), load)
        places[:, len(self._people.people) :] = 0
        return Slots(
            partner=np.full((2, rows, width), NOBODY, np.int32),
            price=np.zeros((rows, width), np.int32),
            count=np.zeros((2, rows), np.int32),
            places=places,
            load=load,
            cost=np.full((2, rows), NOT_TO_BE_HAD, np.int32),
            free_cost=np.full((2, rows), NOT_TO_BE_HAD, np.int32),
            free=np.zeros((2, rows), np.int32),
            free_at=np.full((2, rows), NOBODY, np.int32),
            free_count=np.zeros(2, np.int32),
            blocked_room=np.zeros(rows, np.int32),
            blocked_used=np.zeros(1, np.int32),
        )

    def _tie_all(self, market: Market, slots: Slots, prices: dict[RowPair, int]) -> None:
        row = self._people.row
        ties = [
            (rows := (row[pair.mentor], row[pair.mentee]), prices.get(rows, UNPRICED) if tie is Tie.OPEN else NO_PLACE)
            for pair, tie in self._ties.known()
            if pair.mentor in row and pair.mentee in row
        ]
        rows = np.array([rows for rows, _ in ties], np.int64).reshape(-1, 2)
        tie_all(market, slots, rows, np.array([price for _, price in ties], np.int64))

    # -- one after the other -------------------------------------------------------------------------------------------

    def tell(self, rows: Iterable[int], *, renumbered: bool) -> None:
        """Take in what is now known of people; `renumbered` when the management chain is another."""
        rows = list(rows)
        if self._outgrown():
            self.build(self.prices())
            return
        self._learn_days()
        if renumbered:
            self._number_chain()
        for row in rows:
            if not self._rewrite(row):
                self.build(self.prices())
                return

    def _rewrite(self, row: int) -> bool:
        people, rules, live = self._people, self._rules, self._live
        member, kept_out = people.people[row], barred_alone(rules, int(people.tenure[row]))
        points, places = min(int(people.waiting[row]), MOST_WAITING) * rules.weights.waiting, np.zeros(2, np.int32)
        for side, number in SIDES:
            locked = self._ties.locked(member.id, side) if member else 0
            live.slots.load[number, row] = locked
            if not kept_out[number] and people.takes_part_alone(side, row):
                free = int(people.capacity[side][row]) - locked
                places[number] = min(max(free, 0), rules.proposals_per_person)
        self._see_kinds(row)
        return rewrite(self._live, self._columns, row, points, places, kept_out)

    def tie(self, mentor: int, mentee: int, before: Tie | None, after: Tie | None) -> None:
        """Note that something else stands between two people now."""
        self._make_room(1)
        market, slots = self._live.market, self._live.slots
        if before is Tie.OPEN:
            if where(slots, MENTORS, mentor, mentee) != NOBODY:
                part(market, slots, mentor, mentee)
        elif before is not None:
            unblock(market, mentor, mentee)
        if after is Tie.OPEN:
            if max(slots.count[MENTORS, mentor], slots.count[MENTEES, mentee]) == slots.partner.shape[2]:
                self.build(self.prices())
                return
            join(market, slots, mentor, mentee, further(market, slots, MENTORS, mentor))
        elif after is not None:
            block(market, slots, mentor, mentee)
        self.tell((mentor, mentee), renumbered=False)

    def answer(self, rows: Iterable[int], may_move: int, *, checked: Iterable[int] = ()) -> Moves:
        """Propose anew for people, in this order; of those `checked` only let go what holds no more.

        Together at most `may_move` proposals of others give way.
        """
        asked, looked_at = (np.fromiter(each, np.int64) for each in (rows, checked))
        self._make_room(len(asked) + len(looked_at))
        self._live.logged[:] = 0, may_move
        answer(self._live, asked, looked_at)
        return self._done()

    def propose(self, row: int) -> Moves:
        """Propose for one person's free places, moving nobody."""
        self._make_room(1)
        self._live.logged[:] = 0, 0
        propose(self._live, row)
        return self._done()

    def places(self, side: Side, row: int) -> int:
        """How many more proposals somebody can have now."""
        number, slots = dict(SIDES)[side], self._live.slots
        return int(max(0, slots.places[number, row] - slots.count[number, row]))

    def price(self, mentor: int, mentee: int) -> int:
        """And in one."""
        at = where(self._live.slots, MENTORS, mentor, mentee)
        if at == NOBODY:
            raise KeyError(mentor, mentee)
        return int(self._live.slots.price[mentor, at])

    def with_proposals(self, rows: Sequence[int]) -> list[int]:
        """Those of some rows who have open proposals."""
        count = self._live.slots.count
        return [row for row in rows if count[MENTORS, row] or count[MENTEES, row]]

    @property
    def market(self) -> Market:
        """The records."""
        return self._live.market

    @property
    def slots(self) -> Slots:
        """Who has an open proposal with whom."""
        return self._live.slots

    def _outgrown(self) -> bool:
        """Whether the columns are others by now, or there are more working days than there was room for."""
        return self._columns.facts.rank is not self._people.rank or len(self._people.codes.common_minutes) > self._days

    def prices(self) -> dict[RowPair, int]:
        """What the mentor's place costs in each open proposal."""
        slots = self._live.slots
        mentors, places = np.nonzero(np.arange(slots.price.shape[1]) < slots.count[MENTORS][:, None])
        mentees = slots.partner[MENTORS, mentors, places]
        prices = slots.price[mentors, places]
        return dict(zip(zip(mentors.tolist(), mentees.tolist(), strict=True), prices.tolist(), strict=True))

    def _number_chain(self) -> None:
        tree = self._people.tree
        words = tree.enter.astype(np.int64) << 32 | tree.leave.astype(np.int64)
        self._live.market.mentors[:, CHAIN] = self._live.market.mentees[:, CHAIN] = words

    def _learn_days(self) -> None:
        """Working days that nobody had before; there is room for some."""
        live, minutes = self._live, self._people.codes.common_minutes
        known = len(minutes)
        if live.known_days[0] != known:
            live.market.hours[:known, :known] = hours_points(minutes, self._rules)
            live.compatible[:], live.how_many[:] = days_by_points(live.market.hours)
            live.known_days[0] = known

    def _see_kinds(self, row: int) -> None:
        """Searches know which functions there are, and which somebody would like to meet."""
        function, likes = int(self._people.function[row]), int(self._people.likes.view(np.int64)[row])
        mine = int(np.uint64(1 << function).view(np.int64)) if function >= 0 else 0
        for name, index in (("mentors", self._live.mentors), ("mentees", self._live.mentees)):
            known = index.postings
            if mine & ~known.functions or likes & ~known.any_likes:
                more = known._replace(functions=known.functions | mine, any_likes=known.any_likes | likes)
                self._live = self._live._replace(**{name: index._replace(postings=more)})

    def _make_room(self, people: int) -> None:
        """Kernels write without looking: set aside what the answers for so many people can take at most."""
        market, slots = self._live.market, self._live.slots
        width = slots.partner.shape[2]
        lines = people * 4 * width * width + _LOG
        if lines > len(self._live.log):
            self._live = self._live._replace(log=np.zeros((lines, 4), np.int64))
        words = int(slots.blocked_used[0]) + _MOST_OF_A_TIE * people * width * width + _SPARE_BLOCKED // 2
        if words > len(market.blocked):
            blocked = np.concatenate([market.blocked, np.zeros(words, np.int32)])
            self._live = self._live._replace(market=market._replace(blocked=blocked))

    def _done(self) -> Moves:
        """What the log says in the end: somebody who moved back has not moved."""
        number, _ = self._live.logged
        last: dict[RowPair, int] = {}
        first: dict[RowPair, int] = {}
        for what, mentor, mentee, _ in self._live.log[:number].tolist():
            first.setdefault((mentor, mentee), what)
            last[mentor, mentee] = what
        if self._live.full[0]:
            self.build(self.prices())
        back = [pair for pair, what in last.items() if what == JOINED and first[pair] >= CROWDED]
        moves = Moves(
            joined=[pair for pair, what in last.items() if what == JOINED and first[pair] == JOINED],
            moved=[pair for pair, what in last.items() if what != JOINED and first[pair] == MOVED],
            lost=[pair for pair, what in last.items() if what != JOINED and first[pair] >= LOST],
        )
        for pair in back:
            _give_up_another(moves, pair, first[pair] - CROWDED)
        return moves


def _give_up_another(moves: Moves, back: RowPair, side: int) -> None:
    """A pair that was one too many has come back, so the one that made room for it was."""
    for pair in moves.moved:
        if pair[side] == back[side]:
            moves.moved.remove(pair)
            moves.lost.append(pair)
            return
