"""The plan of a made-up history: who does what at which stop, without servers."""

from datetime import UTC, datetime

from contracts.matching import Side
from hypothesis import given
from hypothesis import strategies as st
from local.lives import STOPS_A_MONTH, Act, Do, Fate, Life, lives, next_stop_day, other, stops, summary

FRIDAY = datetime(2026, 11, 27, 21, 5, tzinfo=UTC)
AFTER = {
    Do.PAUSE: ("started", "paused"),
    Do.RESUME: ("paused", "started"),
    Do.END: ("started", "ended"),
    Do.LEAVE: ("started", "ended"),
    Do.DECLINE: ("half", "closed"),
    Do.TAKE_BACK: ("half", "closed"),
}
COMES_TO = {
    Fate.RUNNING: {"started"},
    Fate.PAUSED: {"paused"},
    Fate.ENDED: {"ended"},
    Fate.LEFT: {"ended"},
    Fate.AGREEING: {"accepted"},
    Fate.WAITING: {"half"},
    Fate.DECLINED: {"closed"},
    Fate.TAKEN_BACK: {"closed"},
    Fate.EXPIRED: {"closed"},
}


def day(month: int, number: int) -> datetime:
    """Midnight of a day in 2026."""
    return datetime(2026, month, number, tzinfo=UTC)


class World:
    """What the services would let one pair do, told apart by hand: enough to refuse a plan that they would refuse."""

    def __init__(self, life: Life) -> None:
        self.state = "half" if life.first_yes else "proposed"
        self.yes = {life.first_yes} - {None}
        self.agreed: set[Side] = set()
        self.proposed_by: Side | None = None
        self.arranged: int | None = None
        self.logged = False

    def do(self, act: Act) -> None:
        """One step; an assertion says which one could not be."""
        match act.do:
            case Do.ACCEPT:
                assert act.side not in self.yes
                self.yes.add(act.side)
                self.state = "accepted" if len(self.yes) == 2 else "half"
            case Do.LAPSE:
                self.state = "closed"
            case Do.EDIT:
                assert self.state == "accepted"
                self.agreed.clear()
            case Do.AGREE:
                assert self.state == "accepted"
                self.agreed.add(act.side)
                self.state = "started" if len(self.agreed) == 2 else "accepted"
            case Do.READ:
                assert self.state in {"started", "paused"}
            case Do.PAUSE | Do.RESUME | Do.END | Do.LEAVE | Do.DECLINE | Do.TAKE_BACK:
                before, self.state = AFTER[act.do][0], AFTER[act.do][1] if self.state == AFTER[act.do][0] else "refused"
                assert self.state != "refused", before
            case _:
                assert self.state == "started"
                self._session(act)

    def _session(self, act: Act) -> None:
        match act.do:
            case Do.PROPOSE:
                self.proposed_by = act.side
            case Do.PICK:
                assert self.proposed_by is other(act.side)
                self.arranged, self.proposed_by, self.logged = act.stop, None, False
            case Do.REMINDED | Do.CALL_OFF:
                assert self.arranged == act.stop - 1
            case Do.HELD | Do.CANCELLED:
                assert self.arranged is not None
                assert self.arranged < act.stop
                self.logged = True
            case _:
                assert self.logged


@given(seed=st.integers(0, 10_000), pairs=st.integers(1, 60), months=st.integers(1, 12))
def test_no_life_asks_for_what_the_services_would_refuse(seed: int, pairs: int, months: int) -> None:
    """Whatever the seed: each step follows from those before it, and leads to the planned end."""
    last = months * STOPS_A_MONTH
    for life in lives(seed, pairs, last):
        world = World(life)
        assert [act.stop for act in life.acts] == sorted(act.stop for act in life.acts)
        for act in life.acts:
            assert life.begins <= act.stop <= last
            world.do(act)
        assert world.state in COMES_TO[life.fate]


def test_the_same_seed_makes_the_same_lives() -> None:
    """And another seed makes others."""
    assert lives(1, 20, 18) == lives(1, 20, 18)
    assert lives(1, 20, 18) != lives(2, 20, 18)


def test_few_pairs_come_to_as_many_ends_as_they_can() -> None:
    """Of eight pairs only two come to the same."""
    assert summary(lives(1, 8, 18)) == {
        Fate.RUNNING: 2,
        Fate.PAUSED: 1,
        Fate.ENDED: 1,
        Fate.LEFT: 1,
        Fate.DECLINED: 1,
        Fate.TAKEN_BACK: 1,
        Fate.EXPIRED: 1,
    }


def test_people_ask_by_hand_in_both_directions() -> None:
    """Of twenty pairs five begin with a mentee who asks, one of them taken back, and four with a mentor who offers."""
    asked = [life.asked_by for life in lives(1, 20, 54)]

    assert asked.count(Side.MENTEE) == 5
    assert asked.count(Side.MENTOR) == 4
    assert asked.count(None) == 11


def test_the_clock_stands_on_mondays_and_thursdays_and_at_last_now() -> None:
    """The last nine of them before a Friday evening, then that evening."""
    october = [day(10, 29)]
    november = [day(11, number) for number in (2, 5, 9, 12, 16, 19, 23, 26)]

    assert stops(FRIDAY, 1) == (*october, *november, FRIDAY)


def test_the_next_stop_is_the_next_monday_or_thursday() -> None:
    """Also from a stop on, and from a day between."""
    assert next_stop_day(day(11, 26)) == day(11, 30)
    assert next_stop_day(FRIDAY) == day(11, 30)
    assert next_stop_day(day(11, 30)) == day(12, 3)
