"""Where matching keeps its documents, and the queries it asks of them."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from chassis.delivery import Delivery
from chassis.state.documents import Documents
from chassis.state.mongo import Index
from contracts.matching import Side, Status

from chassis import clock
from matching.domain.agreement import Customs, Notes, Reflections
from matching.domain.invitation import Invitation, InvitationRound
from matching.domain.members import Member
from matching.domain.mentorship import LIVE, UNANSWERED, Mentorship
from matching.domain.places import Places, places_id
from matching.domain.programme import Programme
from matching.domain.run import ACTIVE, Run, run_id
from matching.domain.suggestion import Suggestion, suggestion_id

Change = Callable[[Mentorship], object]

_INSERTED_AT_ONCE: Final = 200
_MOST_SUGGESTED: Final = 200_000
_MOST_INVITED: Final = 20_000
_LONGEST_CHAIN: Final = 24
"""A management chain that is longer than this holds a loop."""


class Store:
    """Matching's collections. Both roles use it; every write goes through one document."""

    def __init__(self, delivery: Delivery) -> None:
        self.members: Documents[Member] = delivery.documents(
            Member, "members", indexes=[Index((("tenant", 1), ("manager", 1)))]
        )
        self.places: Documents[Places] = delivery.documents(Places, "places")
        self.programmes: Documents[Programme] = delivery.documents(
            Programme, "programmes", indexes=[Index((("tenant", 1),))]
        )
        self.notes: Documents[Notes] = delivery.documents(Notes, "notes")
        self.reflections: Documents[Reflections] = delivery.documents(Reflections, "reflections")
        self.runs: Documents[Run] = delivery.documents(
            Run,
            "runs",
            indexes=[
                Index((("tenant", 1), ("programme", 1))),
                Index((("state", 1),)),
            ],
        )
        self.suggestions: Documents[Suggestion] = delivery.documents(
            Suggestion, "suggestions", indexes=[Index((("tenant", 1), ("run", 1), ("left_out", 1)))]
        )
        self.invitations: Documents[Invitation] = delivery.documents(
            Invitation,
            "invitations",
            indexes=[Index((("tenant", 1), ("programme", 1))), Index((("tenant", 1), ("invited_at", 1)))],
        )
        self.rounds: Documents[InvitationRound] = delivery.documents(
            InvitationRound, "rounds", indexes=[Index((("tenant", 1), ("programme", 1), ("sending", 1)))]
        )
        self.mentorships: Documents[Mentorship] = delivery.documents(
            Mentorship,
            "mentorships",
            indexes=[
                Index((("life", 1),), unique=True),
                Index((("tenant", 1), ("mentor", 1))),
                Index((("tenant", 1), ("mentee", 1))),
                Index((("tenant", 1), ("delegate", 1))),
                Index((("tenant", 1), ("programme", 1), ("status", 1), ("terms.score", 1))),
                Index((("tenant", 1), ("again", 1))),
                Index((("due", 1),)),
            ],
        )

    async def command(self, pair: Mentorship, key: str, change: Change) -> Mentorship:
        """Let one party's command change a pair; the same idempotency key again changes nothing."""

        def once(mentorship: Mentorship) -> Mentorship:
            if mentorship.receipt_of(key) is None:
                change(mentorship)
                mentorship.keep_receipt(key)
            return mentorship

        return await self.mentorships.change(pair.tenant, pair.id, once)

    async def of_member(self, tenant: str, member: str, statuses: Iterable[Status] = LIVE) -> list[Mentorship]:
        """A member's pairs on either side, newest first."""
        wanted = set(statuses)
        found = [
            pair
            for side in Side
            for pair in await self.mentorships.find(tenant, {side.value: member}, limit=500)
            if pair.status in wanted
        ]
        return sorted(found, key=lambda pair: pair.proposed_at, reverse=True)

    async def arranged_by(self, tenant: str, member: str) -> list[Mentorship]:
        """The pairs in which a member arranges the mentee's times for them, the newest first."""
        found = await self.mentorships.find(tenant, {"delegate": member}, limit=500)
        return sorted(found, key=lambda pair: pair.proposed_at, reverse=True)

    async def unanswered_on(self, tenant: str, member: str, side: Side) -> list[Mentorship]:
        """A member's open proposals on one side."""
        found = await self.mentorships.find(tenant, {side.value: member}, limit=500)
        return [pair for pair in found if pair.status in UNANSWERED]

    async def unanswered_between(self, tenant: str, mentor: str, mentee: str) -> list[Mentorship]:
        """The open proposal of a pair, as a list of one or none."""
        found = await self.mentorships.find(tenant, {"mentor": mentor, "mentee": mentee}, limit=100)
        return [pair for pair in found if pair.status is Status.PROPOSED]

    async def scored(self, programme: Programme, statuses: Iterable[Status], low: int, high: int) -> list[Mentorship]:
        """A programme's pairs with these statuses whose score is `low` or more and below `high`, in no order."""
        found = await asyncio.gather(
            *(
                self.mentorships.find(programme.tenant, _scored(programme, status, low, high), limit=20_000)
                for status in statuses
            )
        )
        return [pair for pairs in found for pair in pairs]

    async def count_scored(self, programme: Programme, statuses: Iterable[Status], low: int, high: int) -> int:
        """How many such pairs there are."""
        return sum(
            await asyncio.gather(
                *(
                    self.mentorships.count(programme.tenant, _scored(programme, status, low, high))
                    for status in statuses
                )
            )
        )

    async def withdrawn_pairs(self, tenant: str) -> set[str]:
        """Ids of closed proposals whose two people may be proposed to each other again."""
        return {pair.id for pair in await self.mentorships.find(tenant, {"again": True}, limit=50_000)}

    async def all_programmes(self, tenant: str) -> list[Programme]:
        """A tenant's programmes by title."""
        return sorted(await self.programmes.find(tenant, {}, limit=200), key=lambda programme: programme.plan.title)

    async def customs_of(self, pair: Mentorship) -> Customs:
        """With what the agreement of a pair begins."""
        programme = await self.programmes.get(pair.tenant, pair.programme)
        return programme.plan.customs if programme else Customs()

    async def runs_of(self, tenant: str, programme: str) -> list[Run]:
        """A programme's runs, newest first."""
        found = await self.runs.find(tenant, {"programme": programme}, limit=1000)
        return sorted(found, key=lambda run: run.number, reverse=True)

    async def newest_run(self, tenant: str, programme: str) -> Run | None:
        """A programme's newest run: they are numbered without a gap, and each may hold thousands of reasons."""
        number = await self.runs.count(tenant, {"programme": programme})
        return await self.runs.get(tenant, run_id(programme, number)) if number else None

    async def newest_result(self, run: Run | None) -> Run | None:
        """The newest run that found something: this one, or one before it."""
        while run is not None and run.result is None:
            run = await self.runs.get(run.tenant, run_id(run.programme, run.number - 1))
        return run

    async def active_runs(self, tenant: str) -> list[Run]:
        """Runs that wait or are being executed."""
        return await self.runs.find(tenant, {"state": {"$in": [state.value for state in ACTIVE]}}, limit=100)

    async def suggest(self, suggestions: Sequence[Suggestion]) -> None:
        """Keep suggestions of a run; again after a fault changes nothing."""
        for start in range(0, len(suggestions), _INSERTED_AT_ONCE):
            await self.suggestions.insert_many(suggestions[start : start + _INSERTED_AT_ONCE])

    async def suggested(self, run: Run, first: int, count: int) -> list[Suggestion]:
        """Some of a run's suggestions by rank, from the `first` on."""
        ids = [suggestion_id(run.id, rank) for rank in range(first, first + count)]
        found = await self.suggestions.find_ids(run.tenant, ids)
        return [found[each] for each in ids if each in found]

    async def to_send(self, run: Run) -> list[Suggestion]:
        """What a run suggests and its lead has not left out, the best first."""
        found = await self.suggestions.find(run.tenant, {"run": run.id, "left_out": False}, limit=_MOST_SUGGESTED)
        return sorted(found, key=lambda each: each.id)

    async def left_out(self, run: Run) -> int:
        """How many a lead has left out."""
        return await self.suggestions.count(run.tenant, {"run": run.id, "left_out": True})

    async def invited(self, programme: Programme) -> list[Invitation]:
        """The invitations to a programme."""
        return await self.invitations.find(programme.tenant, {"programme": programme.id}, limit=_MOST_INVITED)

    async def not_to_be_invited(self, programme: Programme, since: str) -> set[str]:
        """Who has an invitation to a programme, or will in a moment; or was invited to any since then."""
        picked = [pick.member for each in await self.rounds_under_way(programme) for pick in each.picks]
        lately = await self.invitations.find(programme.tenant, {"invited_at": {"$gte": since}}, limit=_MOST_INVITED)
        return {*picked, *(each.member for each in (*lately, *await self.invited(programme)))}

    async def rounds_under_way(self, programme: Programme) -> list[InvitationRound]:
        """Rounds of invitations that are being sent."""
        return await self.rounds.find(programme.tenant, {"programme": programme.id, "sending": True}, limit=100)

    async def forget_suggestions(self, tenant: str, run: str) -> None:
        """Delete a run's suggestions."""
        await self.suggestions.collection.delete(tenant, {"run": run})

    async def reserve(self, pair: Mentorship, side: Side) -> Places | None:
        """Take a place on one side of a pair with the capacity of the profile as it is now; none when it is full."""
        member = await self.members.get(pair.tenant, pair.member_on(side))
        capacity, version = (member.capacity(side), member.profile_version) if member else (0, 0)

        def take(places: Places) -> Places | None:
            places.set_capacity(capacity, version)
            return places if places.reserve(pair.id) else None

        name = pair.member_on(side)
        return await self.places.change(
            pair.tenant, places_id(name, side), take, create=lambda: Places.of(pair.tenant, name, side)
        )

    async def release(self, tenant: str, mentorship: str, member: str, side: Side) -> None:
        """Give a place back, where there is one."""
        if await self.places.get(tenant, places_id(member, side)):
            await self.places.change(tenant, places_id(member, side), lambda places: places.release(mentorship))

    async def withdraw(self, pairs: Iterable[Mentorship]) -> None:
        """Take unanswered proposals back."""
        at = clock.timestamp()
        for pair in pairs:
            await self.mentorships.change(pair.tenant, pair.id, lambda mentorship: mentorship.withdraw(at))

    async def chain_above(self, member: Member) -> list[Member]:
        """The managers above a member, nearest first."""
        chain: dict[str, Member] = {}
        above = member.manager
        while above is not None and above not in chain and len(chain) < _LONGEST_CHAIN:
            manager = await self.members.get(member.tenant, above)
            if manager is None:
                break
            chain[above] = manager
            above = manager.manager
        return list(chain.values())

    async def reports_below(self, tenant: str, member: str) -> list[str]:
        """Ids of everybody whose management chain holds a member."""
        below: list[str] = []
        level = [member]
        while level:
            found: list[Member] = []
            for start in range(0, len(level), 100):
                found += await self.members.find(tenant, {"manager": {"$in": level[start : start + 100]}}, limit=10_000)
            level = [each.id for each in found if each.id not in below and each.id != member]
            below += level
        return below


def _scored(programme: Programme, status: Status, low: int, high: int) -> dict[str, Any]:
    # One status at a time: a list of them would leave the index on the embedded servers.
    return {"programme": programme.id, "status": status.value, "terms.score": {"$gte": low, "$lt": high}}
