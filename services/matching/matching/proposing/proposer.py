"""The engine role: answers one person's change at once, and fills programmes by runs. It never answers for people.

Everything it decides from is in memory (`landscape`); everything it decides is inserted as proposals, where the
unique life of a pair refuses what another instance inserted first.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import Any, Final

from chassis.consuming.reader import TopicReader
from chassis.consuming.records import Received
from chassis.errors import NotFoundError, TransientError
from chassis.ids import new_id
from contracts.matching import MentorshipState, PersonBands, ProgrammePublished, Status
from contracts.profiles import DirectoryUpdated, ProfileUpdated

from chassis import clock, logs, telemetry
from matching.domain.mentorship import Mentorship
from matching.domain.programme import Programme
from matching.domain.proposal import Partner
from matching.engine.bulk.draft import draft
from matching.engine.engine import Engine
from matching.engine.proposals import Pair, Proposal
from matching.engine.rules import Rules
from matching.proposing.landscape import OVER, Change, Known, Landscape, hold, is_settled, make_engine, tie_of
from matching.settings import MatchingSettings
from matching.store import Store
from matching.terms import terms_of

log = logs.get()

INSERTED_AT_ONCE: Final = 200
_AFTER_AN_END: Final = 0.5
"""Seconds between the end of a pair and new proposals for its people: what filled a place is then known."""


class Proposer:
    """Keeps the landscape and one live engine a programme."""

    def __init__(self, settings: MatchingSettings) -> None:
        self.settings = settings
        self.landscape = Landscape()
        self.engines: dict[str, Engine] = {}
        self.live = asyncio.Event()
        self._changes: asyncio.Queue[Change] = asyncio.Queue()
        self._heard_at = 0.0
        self._reader: TopicReader | None = None
        self._renewals: list[Renewal] = []

    def reader(self) -> TopicReader:
        """The reader that feeds this proposer."""
        self._reader = TopicReader(
            self.settings, (ProfileUpdated, DirectoryUpdated, MentorshipState, ProgrammePublished), self.hear
        )
        return self._reader

    def hear(self, event: Received[Any]) -> None:
        """Remember a record; once live, let it have its consequences."""
        change = self.landscape.take(event)
        if change.member is not None:
            self._heard_at = time.monotonic()
        if self.live.is_set():
            self._changes.put_nowait(change)
        for renewal in self._renewals:
            renewal.hear(change)

    async def quiet(self, *, seconds: float = 1.0, at_most: float = 15.0) -> None:
        """Until no news of people came for a while: an import may still be on its way."""
        until = time.monotonic() + at_most
        while (wait := min(until, self._heard_at + seconds) - time.monotonic()) > 0:  # noqa: ASYNC110 - each record moves the end
            await asyncio.sleep(wait)

    async def run(self, store: Store) -> None:
        """Read everything, then answer changes until cancelled; waits for an absent database."""
        if self._reader is None:
            raise RuntimeError("make the reader before the proposer runs")
        await self._reader.caught_up()
        self.live.set()
        await self._patiently(partial(self._begin, store))
        log.info("engine.live", count=len(self.engines))
        while True:
            changes = [await self._changes.get()]
            while not self._changes.empty():
                changes.append(self._changes.get_nowait())
            await self._patiently(partial(self._answer, store, changes))

    async def programme(self, store: Store, tenant: str, programme: str) -> Programme | None:
        """A programme in which proposals may be made today."""
        try:
            found = await store.programmes.load(tenant, programme)
        except NotFoundError:
            return None
        return found if found.running(clock.today()) else None

    async def insert(self, store: Store, programme: Programme, engine: Engine, proposals: Sequence[Proposal]) -> int:
        """Insert proposals; how many were new. Again after a fault is harmless: a pair lives once."""
        made = [mentorship for each in proposals if (mentorship := self._mentorship(programme, engine, each))]
        refused: set[str] = set()
        for start in range(0, len(made), INSERTED_AT_ONCE):
            refused |= await store.mentorships.insert_many(made[start : start + INSERTED_AT_ONCE])
        return len(made) - len(refused)

    async def withdraw(self, store: Store, tenant: str, pairs: Iterable[Pair]) -> None:
        """Withdraw open proposals by their people."""
        for pair in pairs:
            known = await store.unanswered_between(tenant, pair.mentor, pair.mentee)
            await store.withdraw(known)

    async def _begin(self, store: Store) -> None:
        """Learn which closed pairs may meet again, and make an engine for each running programme."""
        for name, tenant in list(self.landscape.tenants.items()):
            tenant.again = await store.withdrawn_pairs(name)
            for programme in list(tenant.programmes):
                await self._renew_engine(store, name, programme)
                await self._catch_up(store, name, programme)

    async def _renew_engine(self, store: Store, tenant: str, programme: str) -> None:
        found = await self.programme(store, tenant, programme)
        if found is None or not found.answers_alone(clock.today()):
            self.engines.pop(programme, None)
            return
        with self.renewing(tenant, programme) as renewal:
            renewal.put_in_force(await renewal.engine(found.plan.rules, clock.today()))

    async def _catch_up(self, store: Store, tenant: str, programme: str) -> None:
        """Propose for whoever could not be answered so far, and take back what holds no more.

        They changed while no engine was running, or the rules did. Before its first run a programme proposes nobody.
        """
        engine, found = self.engines.get(programme), await self.programme(store, tenant, programme)
        if (
            engine is None
            or found is None
            or await store.newest_result(await store.newest_run(tenant, programme)) is None
        ):
            return
        # What is open stays as far as it holds: nobody's proposals change because an engine was started.
        run = engine.result(await asyncio.to_thread(draft, engine.task(keep=True), _nobody_watches))
        engine.adopt(run)
        await self.withdraw(store, tenant, run.withdrawn)
        await self._patiently(partial(self.insert, store, found, engine, run.proposals))

    async def _patiently(self, action: Callable[[], Awaitable[object]]) -> None:
        delay = 0.1
        while True:
            try:
                await action()
            except TransientError as error:
                log.warning("engine.waiting", error=str(error))
                await asyncio.sleep(delay)
                delay = min(delay * 2, 3.0)
            else:
                return

    async def _answer(self, store: Store, changes: list[Change]) -> None:
        """Fold what changed into every engine concerned, then propose for the people concerned."""
        for tenant, programme in sorted({(each.tenant, each.programme) for each in changes if each.programme}):
            await self._renew_engine(store, tenant, programme)
            await self._catch_up(store, tenant, programme)
        for tenant in sorted({each.tenant for each in changes}):
            concerned = [each for each in changes if each.tenant == tenant]
            await self._note_pairs(store, tenant, [each.pair for each in concerned if each.pair])
            await self._answer_members(store, tenant, sorted({each.member for each in concerned if each.member}))

    async def _note_pairs(self, store: Store, tenant: str, pairs: list[MentorshipState]) -> None:
        known = self.landscape.tenants[tenant]
        closed = await store.mentorships.find_ids(
            tenant, [pair.mentorship for pair in pairs if pair.status is Status.CLOSED]
        )
        known.again |= {pair.id for pair in closed.values() if pair.again}
        for pair in pairs:
            mentor = known.people.get(pair.mentor, Known())
            for programme, engine in self._engines_of(tenant):
                settled = is_settled(mentor, engine.rules, clock.today())
                engine.move(pair.mentor, pair.mentee, tie_of(pair, programme, known.again, settled=settled))
        freed = {member for pair in pairs if pair.status in OVER for member in (pair.mentor, pair.mentee)}
        if freed:
            asyncio.get_running_loop().call_later(_AFTER_AN_END, self._look_again, tenant, sorted(freed))

    def _look_again(self, tenant: str, members: list[str]) -> None:
        for member in members:
            self._changes.put_nowait(Change(tenant, member=member))

    async def _answer_members(self, store: Store, tenant: str, members: list[str]) -> None:
        for programme, engine in self._engines_of(tenant):
            found = await self.programme(store, tenant, programme) if members else None
            if found is None:
                continue
            proposals: list[Proposal] = []
            with telemetry.span("run change", attributes={"programme": programme, "count": len(members)}):
                for member in members:
                    person = self.landscape.person(tenant, member, clock.today(), programme)
                    if person is not None:
                        hold(engine, person)
                    change = engine.remove(member) if person is None else engine.change(person)
                    gone = {*change.withdrawn, *change.moved}
                    proposals = [each for each in proposals if each.pair not in gone] + [*change.proposals]
                    await self._patiently(partial(self.withdraw, store, tenant, sorted(gone)))
                await self._patiently(partial(self.insert, store, found, engine, proposals))

    def _engines_of(self, tenant: str) -> list[tuple[str, Engine]]:
        programmes = self.landscape.tenants[tenant].programmes
        return [(programme, engine) for programme, engine in self.engines.items() if programme in programmes]

    @contextmanager
    def renewing(self, tenant: str, programme: str) -> Iterator["Renewal"]:
        """Make a programme's engine anew while the present one goes on answering."""
        renewal = Renewal(self, tenant, programme)
        self._renewals.append(renewal)
        try:
            yield renewal
        finally:
            self._renewals.remove(renewal)

    def renewed(self, programme: str, engine: Engine, missed: Iterable[Change]) -> None:
        """Put another engine in force, and let it answer what it has not heard of."""
        self.engines[programme] = engine
        for change in missed:
            self._changes.put_nowait(change)

    def _mentorship(self, programme: Programme, engine: Engine, proposal: Proposal) -> Mentorship | None:
        tenant = self.landscape.tenants[programme.tenant]
        entries = [tenant.people[member].entry for member in proposal.pair if member in tenant.people]
        if len(entries) != len(proposal.pair) or None in entries:
            return None
        mentor, mentee = (
            Partner(member=entry.member, bands=PersonBands(level=entry.level, unit=entry.unit, country=entry.country))
            for entry in entries
            if entry is not None
        )
        now = clock.now()
        return Mentorship.propose(
            new_id(),
            programme.tenant,
            programme.id,
            mentor=mentor,
            mentee=mentee,
            direction=proposal.direction,
            terms=terms_of(engine, proposal, engine.price(proposal.mentor, proposal.mentee)),
            at=clock.rfc3339(now),
            until=clock.rfc3339(now + programme.patience),
            lives_before=tenant.lives[proposal.pair],
        )


class Renewal:
    """A new engine for a programme, and what is heard while it is made and while it runs."""

    def __init__(self, proposer: Proposer, tenant: str, programme: str) -> None:
        self._proposer = proposer
        self._tenant = tenant
        self._programme = programme
        self._missed: list[Change] = []

    def hear(self, change: Change) -> None:
        """Remember what the new engine does not know yet; new rules of its programme ask for yet another engine."""
        if change.tenant == self._tenant and change.programme in {None, self._programme}:
            self._missed.append(change)

    async def engine(self, rules: Rules, today: date) -> Engine:
        """An engine over everything that is known now; a large one takes seconds to make, in a thread."""
        known = self._proposer.landscape.copy_of(self._tenant)
        return await asyncio.to_thread(make_engine, known, self._programme, rules, today)

    def put_in_force(self, engine: Engine) -> None:
        """Let the new engine answer from now on."""
        self._proposer.renewed(self._programme, engine, self._missed)


def _nobody_watches(_: float) -> None:
    """Nobody waits for it."""
