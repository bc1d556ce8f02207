"""A run's arithmetic in another process: the same answer, an end when it is not wanted, no silence when it dies."""

import asyncio
import multiprocessing
import pickle

import numpy as np
import pytest
import uvloop
from matching.engine.bulk.draft import Task, draft
from matching.engine.engine import Engine
from matching.proposing.weighing import DiedError, weigh

from benchmarks.matching.population import population
from benchmarks.matching.stream import Roster

PIPE = 1 << 16
"""What the system keeps of a pipe that nobody reads."""


def work(people: int) -> Task:
    profiles, rules = population(people, "tight", 1)
    areas = tuple(f"a{area:02}" for area in range(profiles.areas))
    return Engine(rules.model_copy(update={"areas": areas}), Roster(profiles).everybody()).task()


async def until_it_works() -> None:
    while not multiprocessing.active_children():
        await asyncio.sleep(0.01)


async def test_another_process_chooses_the_same_and_tells_how_far_it_is() -> None:
    """Pairs, prices and bound are those of this process; what is told of the work grows from 0 to 1."""
    task, told = work(600), list[float]()
    found, here = await weigh(task, told.append), draft(task, lambda _: None)
    assert np.array_equal(found.mentors, here.mentors)
    assert np.array_equal(found.mentees, here.mentees)
    assert np.array_equal(found.prices, here.prices)
    assert (found.value, found.bound) == (here.value, here.bound)
    assert told
    assert all(0 <= share <= 1 for share in told)
    assert not multiprocessing.active_children()


async def test_an_answer_of_any_size_arrives_on_the_loop_that_services_run_on() -> None:
    """That loop makes what it watches non-blocking, and the answer for so many people fills the pipe several times."""
    task = work(12_000)
    found = await asyncio.to_thread(uvloop.run, weigh(task, lambda _: None))
    assert len(pickle.dumps(found)) > 4 * PIPE
    assert found.value == draft(task, lambda _: None).value


async def test_a_cancel_ends_the_process() -> None:
    """Nothing goes on computing for a run that nobody wants any more."""
    weighing = asyncio.create_task(weigh(work(2_000), lambda _: None))
    await until_it_works()
    weighing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await weighing
    assert not multiprocessing.active_children()


async def test_a_process_that_dies_is_told() -> None:
    """As when memory runs out: the run ends with an error instead of never."""
    weighing = asyncio.create_task(weigh(work(2_000), lambda _: None))
    await until_it_works()
    for process in multiprocessing.active_children():
        process.kill()
    with pytest.raises(DiedError):
        await weighing
