"""A lead looks over what a run has found before anybody hears of it: both roles, real broker and database."""

from collections.abc import AsyncIterator

import pytest
from chassis.errors import ConflictError, NotFoundError
from contracts.matching import Status
from matching.commands import Commands
from matching.domain.run import Run, RunState
from matching_engine_world import World, a_world, until
from matching_people import a_profile
from matching_world import caller

pytestmark = pytest.mark.connected


@pytest.fixture(scope="module")
async def world(kafka: str, database: str) -> AsyncIterator[World]:
    """One programme whose leads look runs over; one of them takes part in it."""
    async with a_world(kafka, database, review=True, leads=("lena", "senior-1")) as made:
        for number in range(3):
            await made.join(f"junior-{number}", 2, offers=("ai-tools",), seeks=(), open_to_be_mentored=False)
            await made.join(
                f"senior-{number}", 8, offers=(), seeks=("ai-tools",), open_to_mentor=False, mentee_capacity=1
            )
        yield made


async def found(world: World) -> Run:
    """The programme's newest run."""
    run = await world.store.newest_run(world.tenant, world.programme)
    assert run is not None
    return run


async def everybodys_pairs(world: World) -> set[tuple[str, str]]:
    """Mentor and mentee of every live pair."""
    pairs = [pair for number in range(3) for pair in await world.pairs(f"senior-{number}")]
    return {(pair.mentor, pair.mentee) for pair in pairs}


async def test_what_a_run_finds_is_told_to_nobody_before_it_is_sent(world: World) -> None:
    """Three pairs wait, the best first, with everything that is to be said of them; whoever changes waits, too."""
    run = await world.run()
    assert run.state is RunState.REVIEW
    assert run.result is not None
    assert run.result.proposed == 3
    suggestions = await world.store.suggested(run, 1, 10)
    assert sorted(each.mentee for each in suggestions) == ["senior-0", "senior-1", "senior-2"]
    scores = [each.terms.score for each in suggestions]
    assert scores == sorted(scores, reverse=True)
    assert all(sum(term.points for term in each.terms.points) == each.terms.score for each in suggestions)
    assert all(each.terms.for_mentor and each.terms.for_mentee for each in suggestions)
    await world.tell(a_profile("junior-0", offers=("ai-tools", "sustainability"), seeks=()), "junior-0")
    assert await everybodys_pairs(world) == set()


async def test_only_its_leads_look_a_run_over(world: World) -> None:
    """Nobody else sends it, discards it or leaves a pair out."""
    run, commands, ana = await found(world), Commands(world.store), caller("ana", world.tenant)
    for refused in (
        commands.send_run(ana, run.id),
        commands.discard_run(ana, run.id),
        commands.leave_out(ana, run.id, 1, left_out=True),
    ):
        with pytest.raises(Exception, match="does not allow"):
            await refused
    assert (await found(world)).state is RunState.REVIEW


async def test_a_lead_who_takes_part_does_not_choose_for_themselves(world: World) -> None:
    """Of their own pair they leave the decision to others; with everybody else's they do as any lead."""
    run, commands, senior = await found(world), Commands(world.store), caller("senior-1", world.tenant)
    ranks = {each.mentee: rank for rank, each in enumerate(await world.store.suggested(run, 1, 3), start=1)}
    with pytest.raises(ConflictError, match="You are one of this pair"):
        await commands.leave_out(senior, run.id, ranks["senior-1"], left_out=True)
    await commands.leave_out(senior, run.id, ranks["senior-0"], left_out=True)
    assert await world.store.left_out(run) == 1


async def test_discarded_nobody_ever_hears_of_it(world: World) -> None:
    """What was found is forgotten, and another run finds it again."""
    run, commands, lena = await found(world), Commands(world.store), caller("lena", world.tenant)
    assert (await commands.discard_run(lena, run.id)).state is RunState.CANCELLED

    async def forgotten() -> bool:
        return not await world.store.suggested(run, 1, 10)

    await until(forgotten)
    with pytest.raises(ConflictError, match="nothing to send"):
        await commands.send_run(lena, run.id)
    again = await world.run()
    assert (again.number, again.state) == (run.number + 1, RunState.REVIEW)
    assert await everybodys_pairs(world) == set()


async def test_sent_is_what_was_not_left_out_and_still_holds(world: World) -> None:
    """One pair is left out, one taken in again, of one the mentee leaves; a second click sends nothing twice."""
    run, commands, lena = await found(world), Commands(world.store), caller("lena", world.tenant)
    out, stays, leaves = await world.store.suggested(run, 1, 3)
    await commands.leave_out(lena, run.id, 1, left_out=True)
    await commands.leave_out(lena, run.id, 2, left_out=True)
    await commands.leave_out(lena, run.id, 2, left_out=False)
    assert await world.store.left_out(run) == 1
    with pytest.raises(NotFoundError):
        await commands.leave_out(lena, run.id, 4, left_out=True)
    await world.tell(a_profile(leaves.mentee, enrolled=False), leaves.mentee)
    await commands.send_run(lena, run.id)
    await commands.send_run(lena, run.id)
    sent = await world.ended(run.id)
    assert (sent.state, sent.result.proposed if sent.result else 0) == (RunState.DONE, 1)
    assert await everybodys_pairs(world) == {(stays.mentor, stays.mentee)}
    (pair,) = await world.pairs(stays.mentee)
    assert (pair.status, pair.terms.score, pair.terms.points) == (
        Status.PROPOSED,
        stays.terms.score,
        stays.terms.points,
    )
    with pytest.raises(ConflictError, match="no longer looked over"):
        await commands.leave_out(lena, run.id, 1, left_out=False)
    # From now on whoever changes is proposed at once.
    await world.join("junior-9", 3, offers=("ai-tools",), seeks=(), open_to_be_mentored=False)

    async def somebody() -> bool:
        return [pair.mentor for pair in await world.pairs(out.mentee)] == ["junior-9"]

    await until(somebody)
