"""The consumer's protocol explored exhaustively: fences, offsets, dead letters, parking and redrive of one key.

`pytest -s` prints how many states there were.
"""

from dataclasses import replace

import pytest
from relay_model.consuming import ConsumingBounds, ConsumingModel, ConsumingRules
from relay_model.explore import explore

ONE_BUG = ConsumingBounds()
CRASH = ConsumingBounds(bugs=0, takeovers=1)
TWO_BUGS = ConsumingBounds(bugs=2)


@pytest.mark.parametrize(
    "bounds",
    [
        TWO_BUGS,
        ConsumingBounds(log=(1, 2, 1, 2, 3)),
        ConsumingBounds(log=(1, 2), bugs=2, takeovers=1),
        ConsumingBounds(log=(1, 2), bugs=2, redrivers=2),
        ConsumingBounds(log=(1, 1, 2), takeovers=2, redrivers=0, bugs=0),
    ],
    ids=["two bugs", "published again", "another member", "two operators", "two more members"],
)
def test_each_event_has_its_effect_once_and_in_order(bounds: ConsumingBounds) -> None:
    """Whoever dies, freezes, redrives or is redriven: 1, 2, 3; and all comes to rest with nothing parked."""
    report = explore(ConsumingModel(ConsumingRules(), bounds))
    print(f"\n{report.states} states, {report.steps} steps, {report.rests} at rest")  # noqa: T201 - seen with -s
    assert str(report.flaw) == "None"
    assert report.rests > 0


@pytest.mark.parametrize(
    ("rule", "bounds", "what", "last"),
    [
        ("fences", ONE_BUG, "event 2 took effect twice", "the member handles event 2"),
        ("commits_what_is_finished", CRASH, "event 2 took effect before event 1", "the member handles event 2"),
        ("parks", ONE_BUG, "event 2 took effect before event 1", "the member handles event 2"),
        ("loads_parked", ConsumingBounds(takeovers=1), "event 2 took effect before event 1", "the member handles"),
        ("buries_first", ONE_BUG, "event 3 took effect before event 2", "the member handles event 3"),
        ("handles_when_released", ONE_BUG, "event 3 took effect before event 2", "the member handles event 3"),
        ("settles_afterwards", TWO_BUGS, "event 3 took effect before event 2", "redrive 1 feeds event 3"),
        ("reads_token_first", ONE_BUG, "event 3 took effect before event 2", "the member handles event 3"),
        ("releases_by_token", ONE_BUG, "event 3 took effect before event 2", "the member handles event 3"),
        ("feeds_in_order", TWO_BUGS, "event 2 took effect before event 1", "redrive 1 feeds event 2"),
    ],
    ids=lambda each: str(each) if hasattr(ConsumingRules, str(each)) else "",
)
def test_each_rule_of_consuming_is_needed(rule: str, bounds: ConsumingBounds, what: str, last: str) -> None:
    """Without the rule an event has its effect too early, twice or never, and the shortest way there is told."""
    flaw = explore(ConsumingModel(replace(ConsumingRules(), **{rule: False}), bounds)).flaw
    print(f"\nwithout {rule}: {flaw}")  # noqa: T201 - seen with -s
    assert flaw is not None
    assert flaw.what == what
    assert flaw.trace[-1].startswith(last)
