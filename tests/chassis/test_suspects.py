"""Which batches are accused: those with unclean deaths at one place."""

from typing import Any

import pytest
from chassis.consuming.suspects import Stand, deaths_at
from contracts.topics import NOTICE


@pytest.mark.parametrize(
    ("before", "deaths"),
    [
        (None, 0),
        ({"position": 7, "deaths": 2, "running": False}, 0),
        ({"position": 3, "deaths": 2, "running": True}, 1),
        ({"position": 7, "deaths": 2, "running": True}, 3),
        ({"position": 7, "deaths": 2, "running": True, "process": "another"}, 3),
        ({"position": 7, "deaths": 2, "running": True, "process": "this"}, 2),
        ({"position": 3, "deaths": 2, "running": True, "process": "this"}, 0),
    ],
)
def test_deaths_count_only_at_one_place_and_only_unclean_ones(before: dict[str, Any] | None, deaths: int) -> None:
    """A process that looks twice, because the database failed between, has not died."""
    assert deaths_at(before, Stand(NOTICE.name, 0, position=7, end=9), "this") == deaths


def test_a_death_in_front_of_nothing_accuses_nobody() -> None:
    assert (
        deaths_at({"position": 7, "deaths": 2, "running": True}, Stand(NOTICE.name, 0, position=7, end=7), "this") == 0
    )
