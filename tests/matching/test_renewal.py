"""An engine that is made anew while the present one answers on: what is heard meanwhile must not be lost."""

from matching.engine.engine import Engine
from matching.engine.rules import Rules
from matching.proposing.landscape import Change
from matching.proposing.proposer import Proposer
from matching_world import api_settings, engine_settings


def test_what_is_heard_meanwhile_is_answered_by_the_new_engine() -> None:
    """People of the tenant and new rules of the programme; nothing of other tenants or programmes."""
    proposer, engine = Proposer(engine_settings(api_settings("none", "none"), "tenant")), Engine(Rules(), [])
    person, rules = Change("tenant", member="ann"), Change("tenant", programme="ours")
    with proposer.renewing("tenant", "ours") as renewal:
        for change in (person, Change("other", member="bob"), rules, Change("tenant", programme="theirs")):
            renewal.hear(change)
        renewal.put_in_force(engine)
    assert proposer.engines == {"ours": engine}
    assert [proposer._changes.get_nowait() for _ in range(proposer._changes.qsize())] == [person, rules]
