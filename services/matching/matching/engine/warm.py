"""Compile every kernel now, rather than at somebody's first run: at set-up, and when an engine starts.

python -m matching.engine.warm
"""

from dataclasses import replace

from matching.engine.engine import Engine
from matching.engine.people import Person
from matching.engine.proposals import Tie
from matching.engine.rules import Rules, Weights


def warm() -> None:
    """A minute the first time for a version of the engine, a second later."""
    mentors = [
        Person(f"mentor{number}", 1, "a", "GB", offers=("ai",), open_to_mentor=True, mentor_capacity=1)
        for number in range(2)
    ]
    mentees = [
        Person(f"mentee{number}", 5, "b", "GB", seeks=("ai",), open_to_be_mentored=True, mentee_capacity=1)
        for number in range(2)
    ]
    engine = Engine(Rules(weights=Weights(reach=50)), [*mentors, *mentees])
    engine.adopt(engine.run())
    engine.change(replace(mentors[0], open_to_mentor=False))
    engine.change(replace(mentors[0], level=2))
    engine.change(Person("boss", 9, "b", "GB"))
    engine.change(replace(mentees[0], manager="boss"))
    engine.change(Person("boss", 9, "b", "GB", manager="mentor0"))
    engine.move("mentor0", "mentee0", Tie.LOCKED)
    engine.move("mentor0", "mentee0", None)
    engine.propose("mentee0")
    engine.failed(*(engine.directory.open_rows(side) for side in engine.directory.capacity))


if __name__ == "__main__":
    warm()
