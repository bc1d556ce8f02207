"""Runs: job documents that an engine claims, executes in a process of its own, and reports on while it works."""

import asyncio
from collections.abc import Sequence
from typing import Final

from chassis.errors import NotFoundError, TransientError

from chassis import clock, logs, telemetry
from matching.domain.programme import Programme
from matching.domain.proposal import Reason
from matching.domain.run import UNMATCHED_KEPT, Coverage, Result, Run, Unpaired
from matching.domain.suggestion import Suggestion, suggestion_id
from matching.engine.bulk.draft import Draft
from matching.engine.engine import Engine
from matching.engine.explanation import unmatched_reasons
from matching.engine.proposals import Pair, Proposal, RunCancelledError, SideCoverage, Tie, Unmatched
from matching.engine.proposals import Run as Found
from matching.engine.rules import Rules
from matching.proposing.proposer import INSERTED_AT_ONCE, Proposer, Renewal
from matching.proposing.weighing import weigh
from matching.store import Store
from matching.terms import terms_of

log = logs.get()
_LOOK_SECONDS: Final = 0.5
_REASONS_TOLD: Final = 3
_REPORTED_AFTER: Final = 1_000
_WEIGHED: Final = 70
"""The share of a run's progress that is reached when every pair has been weighed."""


class Runner:
    """Claims and executes runs, one at a time."""

    def __init__(self, proposer: Proposer, store: Store) -> None:
        self._proposer = proposer
        self._store = store
        self._engine_name = proposer.settings.instance

    async def run(self) -> None:
        """Look for runs until cancelled; waits for an absent database."""
        await self._proposer.live.wait()
        while True:
            try:
                for tenant in {*self._proposer.landscape.tenants, self._proposer.settings.tenant}:
                    for run in await self._store.active_runs(tenant):
                        await self.attempt(run)
            except TransientError as error:
                log.warning("runs.waiting", error=str(error))
            await asyncio.sleep(_LOOK_SECONDS)

    async def attempt(self, run: Run) -> None:
        """Do a run, if it is this engine's to do."""
        seconds = clock.real_ms() // 1000
        if not await self._store.runs.change(run.tenant, run.id, lambda job: job.claim(self._engine_name, seconds)):
            return
        with telemetry.span("run programme", attributes={"programme": run.programme, "run": run.id}):
            try:
                result, sent = await self._execute(run)
            except (NotFoundError, RunCancelledError):
                result, sent = None, False
            except TransientError:
                raise
            except Exception:  # whatever a run fails of, it is over, and the engine goes on answering
                log.exception("run.failed", run=run.id)
                result, sent = None, False
        at = clock.timestamp()
        if result is None:
            await self._store.runs.change(run.tenant, run.id, lambda job: job.give_up(self._engine_name, at))
        elif sent:
            await self._store.runs.change(run.tenant, run.id, lambda job: job.finish(self._engine_name, result, at))
        else:
            await self._store.runs.change(run.tenant, run.id, lambda job: job.hand_in(self._engine_name, result, at))

    async def _execute(self, run: Run) -> tuple[Result | None, bool]:
        """What was found, and whether people have heard of it."""
        await self._report(run, "listening", 2)
        await self._proposer.quiet()
        programme = await self._proposer.programme(self._store, run.tenant, run.programme)
        if programme is None:
            return None, False
        rules, today = programme.plan.rules, clock.today()
        with self._proposer.renewing(run.tenant, run.programme) as renewal:
            engine = await renewal.engine(rules, today)
            if run.reviewed:
                return await self._send(run, programme, engine, renewal), True
            # What is looked over only adds to what is open: nothing may be taken back from people meanwhile.
            found = engine.result(await self._weigh(run, engine, keep=programme.plan.review))
            if programme.plan.review:
                await self._suggest(run, engine, found)
                return _result(found, len(found.proposals), engine.rules), False
            engine.adopt(found)
            await self._proposer.withdraw(self._store, run.tenant, found.withdrawn)
            proposed = await self._insert(run, programme, engine, found.proposals)
            renewal.put_in_force(engine)
        return _result(found, proposed, engine.rules), True

    async def _suggest(self, run: Run, engine: Engine, found: Found) -> None:
        """Keep what was found for a lead to look over."""
        suggestions = [
            Suggestion(
                id=suggestion_id(run.id, rank),
                tenant=run.tenant,
                run=run.id,
                mentor=each.mentor,
                mentee=each.mentee,
                terms=terms_of(engine, each, found.prices[each.pair]),
            )
            for rank, each in enumerate(found.proposals, start=1)
        ]
        for start in range(0, len(suggestions), _REPORTED_AFTER):
            if not await self._report(run, "suggesting", _WEIGHED + (100 - _WEIGHED) * start // len(suggestions)):
                raise RunCancelledError
            await self._store.suggest(suggestions[start : start + _REPORTED_AFTER])

    async def _send(self, run: Run, programme: Programme, engine: Engine, renewal: Renewal) -> Result:
        """Propose what a lead has looked over, as far as it still holds."""
        priced = {Pair(each.mentor, each.mentee): each.terms.price for each in await self._store.to_send(run)}
        await self._insert(run, programme, engine, engine.take(priced))
        renewal.put_in_force(engine)
        await self._store.programmes.change(run.tenant, run.programme, lambda subject: subject.begin())
        proposed = sum(engine.ties.between(pair) is Tie.OPEN for pair in priced)
        return (run.result or Result()).model_copy(update={"proposed": proposed})

    async def _weigh(self, run: Run, engine: Engine, *, keep: bool) -> Draft:
        """Let another process do the arithmetic while this loop reports progress and hears a cancel."""
        share = 0.0

        def progress(done: float) -> None:
            nonlocal share
            share = done

        work = asyncio.create_task(weigh(engine.task(keep=keep), progress))
        try:
            while not work.done():
                await asyncio.wait([work], timeout=_LOOK_SECONDS)
                if not work.done() and not await self._report(run, "weighing", 5 + int(share * (_WEIGHED - 5))):
                    raise RunCancelledError
            return await work
        finally:
            work.cancel()
            await asyncio.wait([work])

    async def _insert(self, run: Run, programme: Programme, engine: Engine, proposals: Sequence[Proposal]) -> int:
        proposed = 0
        for start in range(0, len(proposals), INSERTED_AT_ONCE):
            done = _WEIGHED + (100 - _WEIGHED) * start // len(proposals)
            if not await self._report(run, "proposing", done):
                raise RunCancelledError
            some = proposals[start : start + INSERTED_AT_ONCE]
            proposed += await self._proposer.insert(self._store, programme, engine, some)
        return proposed

    async def _report(self, run: Run, step: str, progress: int) -> bool:
        seconds = clock.real_ms() // 1000
        return await self._store.runs.change(
            run.tenant, run.id, lambda job: job.advance(self._engine_name, seconds, step, progress)
        )


def _result(found: Found, proposed: int, rules: Rules) -> Result:
    return Result(
        proposed=proposed,
        kept=len(found.kept),
        withdrawn=len(found.withdrawn),
        certificate=found.certificate,
        mentors=_coverage(found.mentors),
        mentees=_coverage(found.mentees),
        unpaired=[_unpaired(each, rules) for each in found.unmatched[:UNMATCHED_KEPT]],
        unpaired_in_all=sum(side.people - side.paired for side in (found.mentors, found.mentees)),
    )


def _coverage(side: SideCoverage) -> Coverage:
    return Coverage(people=side.people, paired=side.paired, places=side.places, filled=side.filled)


def _unpaired(each: Unmatched, rules: Rules) -> Unpaired:
    why = [Reason(code=reason.code, values=dict(reason.values)) for reason in unmatched_reasons(each, rules)]
    return Unpaired(member=each.member, side=each.side, why=tuple(why[:_REASONS_TOLD]))
