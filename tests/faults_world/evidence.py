"""The same run seen by the general checker: what this world says and hears, what its clients and its outside saw."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from contracts.matching import SessionLogged
from contracts.notifications import NoticeSent
from contracts.topics import MENTORSHIP, NOTICE, PROGRAMME
from operations.checker.checks import check
from operations.checker.model import Breach, Command, Effect, Ending, Expected
from operations.checker.topology import Stream, Subscription, Topology
from operations.evidence import collect

from faults_world import load, sink
from faults_world.orders import session
from faults_world.world import World

_SINK: Final = "letters"
WORLD: Final = Topology(
    streams=(
        Stream(MENTORSHIP.name, "orders", MENTORSHIP.stream, compacted=False),
        Stream(PROGRAMME.name, "orders", PROGRAMME.stream, compacted=True),
        Stream(NOTICE.name, "parcels", NOTICE.stream, compacted=False),
    ),
    subscriptions=(
        Subscription("parcels.orders", MENTORSHIP.name, (SessionLogged.event_type(),)),
        Subscription("letters.notices", NOTICE.name, (NoticeSent.event_type(),), fences=False),
    ),
    once=((MENTORSHIP.name, "session"), (NOTICE.name, "notice")),
)


async def judge(world: World, history: Sequence[load.Command], *, settled: bool) -> list[Breach]:
    """Every breach that the checker finds; `settled` when nothing is due to be published again."""
    found = await collect(world.settings("checker"), WORLD, settled=settled)
    lines, _ = sink.read(world.sink)
    return check(replace(found, commands=[*_commands(history)], effects=[*_effects(lines)]))


def _commands(history: Iterable[load.Command]) -> Iterable[Command]:
    """Those of unknown fate lead to a step that nobody can name beforehand."""
    for each in history:
        if each.outcome != "ok":
            yield Command(each.key, each.order, Ending(each.outcome))
            continue
        name = session(each.step, each.move, each.key)
        expected = Expected(MENTORSHIP.name, SessionLogged.event_type(), each.order, (("session", name),))
        yield Command(each.key, each.order, Ending.OK, (expected,), ((_SINK, name),))


def _effects(lines: Iterable[sink.Line]) -> Iterable[Effect]:
    return (Effect(_SINK, line.name, accepted=not line.again, event=line.id, trace=line.trace) for line in lines)
