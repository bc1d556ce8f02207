"""A live engine where much happens at once: whatever room was set aside, what comes beyond it is taken in, too.

Kernels write without looking whether there is room, so one entry too many is somebody else's memory. What may bring a
process down is tried in another one.
"""

from dataclasses import replace

from matching.engine.engine import Engine
from matching.engine.rules import Rules
from matching_cast import junior, pairs, senior
from matching_crowds import couples, elsewhere, room_after_moves, room_for_former, without_the_head


def test_the_head_of_a_company_may_leave() -> None:
    """Nobody below is settled any more, so every proposal of theirs is withdrawn at once: 17,000."""
    change = elsewhere(without_the_head)
    assert set(change.withdrawn) == set(couples()[1])
    assert change.proposals == ()


def test_there_is_room_for_every_pair_that_parted_before_the_start() -> None:
    """34,000 people who each were somebody's pair once."""
    used, room = elsewhere(room_for_former)
    assert used <= room


def test_there_is_room_for_every_pair_that_parts_while_nobody_changes() -> None:
    """As many, one after the other, and no change of a person in between."""
    used, room = elsewhere(room_after_moves)
    assert used <= room


def test_the_last_of_sixty_four_functions_is_as_good_as_any() -> None:
    """Of 63 functions there are people already; Jay, of another, joins, and then Eve, who would like to meet them."""
    people = [replace(junior(f"j{number}", "cloud"), function=f"f{number}") for number in range(63)]
    engine = Engine(Rules(), people)
    engine.change(people[0])
    engine.change(replace(junior("jay", "cloud"), function="law", waiting_days=90))
    change = engine.change(replace(senior("eve", "cloud"), likes=("law",), function="f1"))
    assert [proposal.mentor for proposal in change.proposals] == ["jay"]
    assert change.proposals[0].terms["mentee-wish"] == Rules().weights.wish
    assert len(pairs(change.proposals)) == 1
