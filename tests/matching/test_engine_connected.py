"""The engine role on the real broker and database: runs, and answers to one person's change."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from contracts.matching import Side, Status
from matching.commands import Commands
from matching.domain.programme import Programme
from matching.domain.run import Result, Run, RunState
from matching.proposing.proposer import Proposer
from matching.proposing.runs import Runner
from matching.settings import EngineSettings
from matching_engine_world import World, a_world, until
from matching_people import a_profile, an_entry
from matching_world import caller

from chassis import clock

pytestmark = pytest.mark.connected


@pytest.fixture(scope="module")
async def world(kafka: str, database: str) -> AsyncIterator[World]:
    """Both roles, with one open programme."""
    async with a_world(kafka, database) as made:
        yield made


async def test_a_run_proposes_and_says_who_has_nobody(world: World) -> None:
    """A junior who offers and a senior who seeks are proposed; the one who shares nothing is told of with a reason."""
    await world.join("junior", 2, offers=("ai-tools",), seeks=(), open_to_be_mentored=False)
    await world.join("senior", 8, offers=(), seeks=("ai-tools",), open_to_mentor=False)
    await world.join("loner", 9, offers=(), seeks=("sustainability",), open_to_mentor=False)
    assert (await world.run()).state is RunState.DONE
    (pair,) = await world.pairs("junior")
    assert (pair.mentee, pair.status, pair.direction) == ("senior", Status.PROPOSED, "reverse")
    assert pair.terms.score == sum(term.points for term in pair.terms.points)
    assert pair.terms.for_mentor
    (run,) = await world.store.runs_of(world.tenant, world.programme)
    assert run.result is not None
    alone = [each.member for each in run.result.unpaired if each.side is Side.MENTEE]
    assert "loner" in alone
    assert "senior" not in alone


async def test_a_run_that_fails_is_over_and_takes_no_engine_with_it(world: World) -> None:
    """Whatever it fails of: its lead reads that it could not be finished, and may run again."""

    class Broken(Runner):
        async def _execute(self, run: Run) -> tuple[Result | None, bool]:
            raise ZeroDivisionError(run.id)

    runner = Broken(Proposer(EngineSettings(instance="matching-engine-9")), world.store)
    tenant = f"{world.tenant}-other"  # of which the engine that is running does not know
    run = Run.request(tenant, "another-programme", 1, "lena", clock.timestamp())
    await world.store.runs.insert(run)
    await runner.attempt(run)
    assert (await world.store.runs.load(tenant, run.id)).state is RunState.FAILED


async def test_a_second_run_proposes_nobody_twice(world: World) -> None:
    """The same people again: nothing new, and the open proposal stays."""
    (before,) = await world.pairs("junior")
    assert (await world.run()).state is RunState.DONE
    (after,) = await world.pairs("junior")
    assert before.id == after.id


async def test_a_saved_profile_leads_to_a_proposal_at_once(world: World) -> None:
    """Somebody who now offers what a waiting mentee seeks is proposed well within a second and a half."""
    await world.tell(an_entry("newcomer", level=3, unit="labs"), "newcomer")
    await world.tell(a_profile("newcomer", offers=("sustainability",), seeks=(), open_to_be_mentored=False), "newcomer")

    async def proposed() -> bool:
        return bool(await world.pairs("loner"))

    assert await until(proposed, every=0.005) < 1.5
    (pair,) = await world.pairs("loner")
    assert pair.mentor == "newcomer"


async def test_a_new_manager_withdraws_the_proposal(world: World) -> None:
    """A re-organisation that puts the mentee above the mentor takes the unanswered proposal back."""
    await world.tell(an_entry("newcomer", level=3, unit="labs", manager="loner"), "newcomer")

    async def gone() -> bool:
        return not await world.pairs("loner")

    await until(gone)


async def test_other_rules_count_at_once(world: World) -> None:
    """A gap that the two don't have takes their proposal back; once it is gone they are proposed again."""
    (before,) = await world.pairs("junior")

    async def ask_for(levels: int) -> None:
        def edit(programme: Programme) -> bool:
            rules = programme.plan.rules.model_copy(update={"level_gap": levels})
            return programme.edit(programme.plan.model_copy(update={"rules": rules}))

        await world.store.programmes.change(world.tenant, world.programme, edit)

    async def has(pairs: int) -> bool:
        return len(await world.pairs("junior")) == pairs

    await ask_for(7)
    await until(lambda: has(0))
    await ask_for(2)
    await until(lambda: has(1))
    (after,) = await world.pairs("junior")
    assert (after.mentee, after.id == before.id) == (before.mentee, False)


async def test_whoever_leaves_the_programme_is_proposed_in_it_no_more(world: World) -> None:
    """What is open goes back at once, a run leaves them out, and having left another programme means nothing here."""
    (before,) = await world.pairs("junior")

    async def stay_away_from(*programmes: str) -> None:
        await world.tell(an_entry("junior", level=2, unit="unit-2", left=programmes), "junior")

    async def has(pairs: int) -> bool:
        return len(await world.pairs("junior")) == pairs

    await stay_away_from(world.programme)
    await until(lambda: has(0))
    assert (await world.run()).state is RunState.DONE
    assert await has(0)
    await stay_away_from("another-programme")
    await until(lambda: has(1))
    (after,) = await world.pairs("junior")
    assert after.mentee == before.mentee


async def test_an_ended_pair_is_not_proposed_again(world: World) -> None:
    """Whoever left is never proposed the same person, neither live nor by a run."""
    (pair,) = await world.pairs("junior")
    commands = Commands(world.store)
    await commands.decline(caller("senior", world.tenant), pair.id, "a-key-12345")
    await asyncio.sleep(1)
    await world.run()
    assert await world.pairs("junior") == []
