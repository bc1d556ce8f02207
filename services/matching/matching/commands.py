"""What people do with proposals, mentorships and programmes: who may, on which document, with which answer."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chassis.errors import ConflictError, NotFoundError, TurnaboutError
from chassis.ids import new_id
from chassis.state.documents import AlreadyExistsError
from chassis.web.identity import Caller
from contracts.matching import Outcome, Side

from chassis import clock, metrics, telemetry
from matching.domain.agreement import Intent, Notes, Reflections, reflections_id
from matching.domain.mentorship import Mentorship
from matching.domain.programme import Programme
from matching.domain.run import UNFINISHED, Run, RunState
from matching.domain.suggestion import suggestion_id
from matching.policy import may, may_know
from matching.store import Store

_PLACES_SECONDS = 3.0
"""How long a second yes waits for its places before it answers that they are being taken."""


class Commands:
    """Every command loads its subject, asks the policy, and changes one document."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def pair(self, caller: Caller, mentorship: str, action: str = "mentorship.read") -> tuple[Mentorship, Side]:
        """A pair that the caller may do this in, and the side on which they do it."""
        pair = await self.store.mentorships.load(caller.tenant, mentorship)
        may(caller, action, pair)
        side = pair.arranges(caller.member)
        if side is None:
            raise NotFoundError("We could not find that. It may have been removed.")
        return pair, side

    async def accept(self, caller: Caller, mentorship: str, key: str) -> Mentorship:
        """Say yes. The second yes answers when places were taken on both sides, or were not to be had."""
        with told("accept-proposal"):
            pair, side = await self.pair(caller, mentorship, "proposal.answer")
            at = clock.timestamp()
            changed = await self._change(pair, side, key, lambda subject: subject.accept(side, at))
            if not changed.reserving:
                return changed
            return await self.store.mentorships.settle(pair.tenant, pair.id, seconds=_PLACES_SECONDS)

    async def decline(self, caller: Caller, mentorship: str, key: str) -> Mentorship:
        """Say "not now"."""
        with told("decline-proposal"):
            pair, side = await self.pair(caller, mentorship, "proposal.answer")
            at = clock.timestamp()
            return await self._change(pair, side, key, lambda subject: subject.decline(side, at))

    async def save_agreement(
        self, caller: Caller, mentorship: str, key: str, version: int, intent: Intent, *, confirm: bool
    ) -> Mentorship:
        """Edit the agreement; with `confirm` the editor also confirms the new version."""
        with told("save-agreement"):
            pair, side = await self.pair(caller, mentorship, "agreement.edit")
            at = clock.timestamp()

            def save(subject: Mentorship) -> None:
                subject.edit_agreement(version, intent)
                if confirm and subject.agreement is not None:
                    subject.confirm_agreement(side, subject.agreement.version, at)

            return await self._change(pair, side, key, save)

    async def confirm(self, caller: Caller, mentorship: str, key: str, version: int) -> Mentorship:
        """Confirm the version that was on the screen; the second confirmation starts the mentorship."""
        with told("confirm-agreement"):
            pair, side = await self.pair(caller, mentorship, "agreement.confirm")
            at = clock.timestamp()
            return await self._change(pair, side, key, lambda subject: subject.confirm_agreement(side, version, at))

    async def log_session(
        self, caller: Caller, mentorship: str, key: str, day: dt.date, outcome: Outcome
    ) -> Mentorship:
        """Say whether a session was held."""
        with told("log-session"):
            pair, side = await self.pair(caller, mentorship, "session.log")
            at, session = clock.timestamp(), new_id()
            return await self._change(
                pair, side, key, lambda subject: subject.log_session(side, session, day, outcome, at)
            )

    async def act(
        self,
        caller: Caller,
        mentorship: str,
        key: str,
        change: Callable[[Mentorship, Side], object],
        *,
        name: str,
        action: str,
    ) -> Mentorship:
        """One party's command on a pair: the policy is asked, it is counted, and the same key acts once."""
        with told(name):
            pair, side = await self.pair(caller, mentorship, action)
            return await self._change(pair, side, key, lambda subject: change(subject, side))

    async def pause(self, caller: Caller, mentorship: str, key: str) -> Mentorship:
        """Stop for a while, without a reason."""
        at = clock.timestamp()
        return await self.act(
            caller, mentorship, key, lambda pair, side: pair.pause(side, at), name="pause", action="mentorship.pause"
        )

    async def resume(self, caller: Caller, mentorship: str, key: str) -> Mentorship:
        """Go on."""
        at = clock.timestamp()
        return await self.act(
            caller, mentorship, key, lambda pair, side: pair.resume(side, at), name="resume", action="mentorship.pause"
        )

    async def end(self, caller: Caller, mentorship: str, key: str) -> Mentorship:
        """Leave, without a reason."""
        at = clock.timestamp()
        return await self.act(
            caller,
            mentorship,
            key,
            lambda pair, side: pair.end(side, at),
            name="end-mentorship",
            action="mentorship.end",
        )

    async def notes(self, caller: Caller, mentorship: str) -> str | None:
        """The mentor's own notes; none for the mentee, who never sees that there are any."""
        pair, side = await self.pair(caller, mentorship)
        if side is not Side.MENTOR:
            return None
        notes = await self.store.notes.get(pair.tenant, pair.id)
        return notes.text if notes else ""

    async def keep_notes(self, caller: Caller, mentorship: str, text: str) -> None:
        """Replace the mentor's own notes."""
        with told("keep-notes"):
            pair, _ = await self.pair(caller, mentorship, "notes.keep")
            await self.store.notes.change(
                pair.tenant,
                pair.id,
                lambda notes: notes.keep(text),
                create=lambda: Notes(id=pair.id, tenant=pair.tenant, author=caller.member),
            )

    async def reflections(self, caller: Caller, pair: Mentorship) -> dict[str, str]:
        """What the caller keeps about the sessions of one of their pairs, by session."""
        kept = await self.store.reflections.get(pair.tenant, reflections_id(pair.id, caller.member))
        return kept.texts if kept else {}

    async def keep_reflection(self, caller: Caller, mentorship: str, session: str, text: str) -> None:
        """Replace what the caller keeps about a logged session."""
        with told("keep-reflection"):
            pair, _ = await self.pair(caller, mentorship, "reflection.keep")
            if pair.logged(session) is None:
                raise NotFoundError("We could not find that. It may have been removed.")
            await self.store.reflections.change(
                pair.tenant,
                reflections_id(pair.id, caller.member),
                lambda reflections: reflections.keep(session, text),
                create=lambda: Reflections.of(pair.tenant, pair.id, caller.member),
            )

    async def programme(self, caller: Caller, programme: str) -> Programme:
        """A programme that the caller leads."""
        found = await self.store.programmes.load(caller.tenant, programme)
        may(caller, "programme.lead", found)
        return found

    async def programmes(self, caller: Caller) -> list[Programme]:
        """Every programme that the caller may know of."""
        return [each for each in await self.store.all_programmes(caller.tenant) if may_know(caller, each)]

    async def known_programme(self, caller: Caller, programme: str) -> Programme:
        """A programme that the caller may know of."""
        found = await self.store.programmes.load(caller.tenant, programme)
        may(caller, "programme.list" if may_know(caller, found) else "programme.lead", found)
        return found

    async def request_run(self, caller: Caller, programme: str) -> Run:
        """Ask for a run; while one is under way, that one is the answer."""
        with told("request-run"):
            found = await self.programme(caller, programme)
            if not found.running(clock.today()):
                raise ConflictError("The programme is not open today, so nobody can be proposed.")
            return await queue_run(self.store, found, caller.member)

    async def send_run(self, caller: Caller, run: str) -> Run:
        """Let what a run found go out."""
        with told("send-run"):
            found, _ = await self.run(caller, run)
            await self.store.runs.change(caller.tenant, found.id, lambda job: job.send())
            return await self.store.runs.load(caller.tenant, found.id)

    async def discard_run(self, caller: Caller, run: str) -> Run:
        """Let what a run found go, before anybody heard of it."""
        with told("discard-run"):
            found, _ = await self.run(caller, run)
            at = clock.timestamp()
            await self.store.runs.change(caller.tenant, found.id, lambda job: job.discard(at))
            return await self.store.runs.load(caller.tenant, found.id)

    async def leave_out(self, caller: Caller, run: str, rank: int, *, left_out: bool) -> None:
        """Say whether one of a run's suggestions goes out with the others."""
        with told("leave-out"):
            found, _ = await self.run(caller, run)
            if found.state is not RunState.REVIEW:
                raise ConflictError("This run is no longer looked over. Look at the programme again.")
            await self.store.suggestions.change(
                caller.tenant,
                suggestion_id(found.id, rank),
                lambda each: each.leave_out(left_out=left_out, by=caller.member),
            )

    async def run(self, caller: Caller, run: str) -> tuple[Run, Programme]:
        """A run of a programme that the caller leads."""
        found = await self.store.runs.load(caller.tenant, run)
        return found, await self.programme(caller, found.programme)

    async def cancel_run(self, caller: Caller, run: str) -> Run:
        """Stop a run; proposals made so far stay."""
        with told("cancel-run"):
            found, _ = await self.run(caller, run)
            at = clock.timestamp()
            await self.store.runs.change(caller.tenant, found.id, lambda job: job.cancel(at))
            return await self.store.runs.load(caller.tenant, found.id)

    async def _change(
        self, pair: Mentorship, side: Side, key: str, change: Callable[[Mentorship], object]
    ) -> Mentorship:
        return await self.store.command(pair, f"{side.value}:{key}", change)


async def queue_run(store: Store, programme: Programme, by: str) -> Run:
    """A new run of a programme, or the one that is unfinished."""
    newest = await store.newest_run(programme.tenant, programme.id)
    if newest is not None and newest.state in UNFINISHED:
        return newest
    number = newest.number + 1 if newest else 1
    run = Run.request(programme.tenant, programme.id, number, by, clock.timestamp())
    try:
        await store.runs.insert(run)
    except AlreadyExistsError:
        return await store.runs.load(programme.tenant, run.id)
    return run


@contextmanager
def told(name: str) -> Iterator[None]:
    """Count the command and give it a span."""
    with telemetry.span(f"command {name}", attributes={"command": name}):
        try:
            yield
        except TurnaboutError:
            metrics.COMMANDS.labels(command=name, outcome="refused").inc()
            raise
        metrics.COMMANDS.labels(command=name, outcome="done").inc()
