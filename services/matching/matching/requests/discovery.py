"""Whom somebody may ask to mentor them, or offer to mentor: a programme's rules applied, with the reasons."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from contracts.matching import Side

from chassis import clock
from matching.domain.members import Member
from matching.domain.mentorship import Mentorship
from matching.domain.places import places_id
from matching.domain.programme import Programme
from matching.domain.proposal import Terms
from matching.eligibility import engine_person
from matching.engine.engine import Engine
from matching.engine.people import Person
from matching.engine.proposals import Proposal
from matching.programmes.reach import Crowd
from matching.store import Store
from matching.terms import terms_of

SHOWN: Final = 20
_BEST: Final = 200
"""So many are held against what is free at this moment; beyond them nobody looks."""


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody who could be asked, and on what terms the two would be proposed."""

    member: str
    terms: Terms


class Discovery:
    """Looks among the people of a tenant, who are as the database told a minute ago at most; places are as of now."""

    def __init__(self, store: Store, crowd: Crowd) -> None:
        self._store = store
        self._crowd = crowd
        self._engines: dict[str, tuple[list[Person], int, Engine]] = {}
        """By programme, with the people and the rules that each was made of."""

    async def around(self, programme: Programme, member: Member, side: Side, area: str | None = None) -> list[Found]:
        """Those whom a member could be paired with now, the best first.

        Args:
            programme: whose rules count.
            member: as they are now.
            side: on which the member would be.
            area: what the two must share, if it matters.
        """
        if not member.takes_part_in(programme.id):
            return []
        engine = await self._engine(programme, [member])
        best = await asyncio.to_thread(_best, engine, member.id, side, area)
        apart = await self._apart(member)
        known = [each for each in best if each.pair.other(member.id) not in apart]
        free = await self._free(programme, {each.pair.other(member.id) for each in known}, other_side(side))
        shown = [each for each in known if each.pair.other(member.id) in free][:SHOWN]
        return [Found(each.pair.other(member.id), terms_of(engine, each, 0)) for each in shown]

    async def terms(self, programme: Programme, mentor: Member, mentee: Member) -> tuple[Terms, str]:
        """On what terms two people would be proposed who pass every rule, and in which direction."""
        engine = await self._engine(programme, [mentor, mentee])
        proposal = engine.score(mentor.id, mentee.id)
        return terms_of(engine, proposal, 0), proposal.direction

    async def _engine(self, programme: Programme, now: Iterable[Member]) -> Engine:
        """An engine in which these members are as they are now; kept as long as the crowd is the same."""
        people, today = await self._crowd.people(programme.tenant), clock.today()
        kept = self._engines.get(programme.id)
        if kept is None or kept[0] is not people or kept[1] != programme.rules_version:
            kept = people, programme.rules_version, await asyncio.to_thread(Engine, programme.plan.rules, people)
            self._engines[programme.id] = kept
        engine = kept[2]
        changed = [each for each in _persons(now, today) if _known(engine, each.id) != each]
        if changed:
            others = [each for each in people if each.id not in {person.id for person in changed}]
            engine = await asyncio.to_thread(Engine, programme.plan.rules, [*others, *changed])
        return engine

    async def _apart(self, member: Member) -> set[str]:
        """With whom a member has something open, or had something that is over for good."""
        pairs = [
            pair
            for side in Side
            for pair in await self._store.mentorships.find(member.tenant, {side.value: member.id}, limit=500)
        ]
        return {each for pair in pairs if _stands_between(pair) for each in (pair.mentor, pair.mentee)}

    async def _free(self, programme: Programme, members: set[str], side: Side) -> set[str]:
        """Those of some members who take part in a programme and have a free place on a side at this moment."""
        known = await self._store.members.find_ids(programme.tenant, sorted(members))
        places = await self._store.places.find_ids(
            programme.tenant, [places_id(each, side) for each in sorted(members)]
        )
        taken = {each.member: len(each.taken) for each in places.values()}
        return {
            each.id
            for each in known.values()
            if each.takes_part_in(programme.id) and each.capacity(side) > taken.get(each.id, 0)
        }


def _stands_between(pair: Mentorship) -> bool:
    return pair.live or not pair.again


def _best(engine: Engine, member: str, side: Side, area: str | None) -> list[Proposal]:
    """The pairs of a member that pass every rule, the best first, as many as are looked at."""
    directory = engine.directory
    mine = np.array([directory.row[member]], np.int64)
    others = directory.open_rows(other_side(side))
    if not directory.takes_part(side, mine)[0] or not len(others):
        return []
    if area is not None and area not in _named(engine.person(member), other_side(side)):
        return []
    failed = engine.failed(others, mine)[0] if side is Side.MENTEE else engine.failed(mine, others)[:, 0]
    others = others[failed == 0]
    if area is not None:
        others = others[[area in _named(directory.known(row), side) for row in others.tolist()]]
    mine = np.repeat(mine, len(others))
    mentors, mentees = (others, mine) if side is Side.MENTEE else (mine, others)
    best = np.argsort(-engine.scores(mentors, mentees), kind="stable")[:_BEST]
    return list(engine.proposals(mentors[best], mentees[best]))


def _named(person: Person, side: Side) -> tuple[str, ...]:
    """What somebody names who would face a person on this side."""
    return person.offers if side is Side.MENTEE else person.seeks


def other_side(side: Side) -> Side:
    """The side across."""
    return Side.MENTEE if side is Side.MENTOR else Side.MENTOR


def _persons(members: Iterable[Member], today: date) -> list[Person]:
    return [engine_person(each.directory, each.profile, today) for each in members if each.directory]


def _known(engine: Engine, member: str) -> Person | None:
    return engine.person(member) if member in engine.directory.row else None
