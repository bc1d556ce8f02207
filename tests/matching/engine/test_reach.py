"""What a lead decides with `reach`: somebody for most people, or the best pairs for each other."""

import pytest
from matching.engine.engine import Engine
from matching.engine.people import Person
from matching.engine.proposals import Pair
from matching.engine.rules import Rules, Weights


@pytest.mark.parametrize(
    ("reach", "expected"),
    [
        (100, {Pair("ann", "fay"), Pair("bob", "eve")}),
        (0, {Pair("ann", "eve")}),
    ],
)
def test_the_lead_decides_between_reach_and_the_best_fit(reach: int, expected: set[Pair]) -> None:
    """Ann and Eve fit best, but Eve could have Bob while Fay has only Ann: both get somebody, or Eve gets Ann."""

    def mentor(member: str, *offers: str) -> Person:
        return Person(member, 2, "shops", "GB", offers=offers, open_to_mentor=True, mentor_capacity=1)

    def mentee(member: str, *seeks: str) -> Person:
        return Person(member, 9, "board", "GB", seeks=seeks, open_to_be_mentored=True, mentee_capacity=1)

    people = [
        mentor("ann", "cloud", "fintech", "wellbeing"),
        mentor("bob", "fintech"),
        mentee("eve", "cloud", "fintech"),
        mentee("fay", "wellbeing"),
    ]
    run = Engine(Rules(weights=Weights(reach=reach)), people).run()
    assert {proposal.pair for proposal in run.proposals} == expected
    assert (run.certificate >= 9_900) == (reach == 100)
