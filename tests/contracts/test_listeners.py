"""The catalogue's listeners are the real ones: nobody listens undeclared, and nobody is declared who doesn't listen."""

import ast
from pathlib import Path
from typing import Any

import pytest
from analytics import rebuild
from analytics.projections import handlers as analytics_handlers
from contracts.catalogue import CATALOGUE
from contracts.envelope import Event
from matching.handlers import handlers as matching_handlers
from notifications.handlers import handlers as notifications_handlers

SERVICES = Path(__file__).parents[2] / "services"
REGISTERED: list[Any] = [analytics_handlers, matching_handlers, notifications_handlers]


def readers() -> dict[str, set[type[Event]]]:
    """What each whole-topic reader is declared to read."""
    found: dict[str, set[type[Event]]] = {}
    for entry in CATALOGUE:
        for reader in entry.readers:
            found.setdefault(reader, set()).add(entry.event)
    return found


def read_whole(path: Path) -> set[str]:
    """Names of the event classes that a module gives to a whole-topic reader."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    events = [call.args[1] for call in calls if ast.unparse(call.func) == "TopicReader"]
    return {node.id for event in events for node in ast.walk(event) if isinstance(node, ast.Name)}


def test_declared_groups_are_the_registered_ones() -> None:
    """Each group handles exactly the events that it is declared for, both ways."""
    registered = {
        f"{handlers.service}.{group}": frozenset(table.handlers)
        for handlers in REGISTERED
        for group, table in handlers.groups.items()
    }
    assert registered == CATALOGUE.consumers()


def test_no_service_keeps_handlers_that_this_test_does_not_see() -> None:
    """A new table of handlers has to be added above."""
    made = [path.parts[-3] for path in SERVICES.rglob("*.py") if "Handlers[" in path.read_text() and _makes(path)]
    assert sorted(made) == sorted(handlers.service for handlers in REGISTERED)


def _makes(path: Path) -> bool:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return any(ast.unparse(call.func).partition("[")[0] == "Handlers" for call in calls)


@pytest.mark.parametrize(
    ("reader", "module"),
    [
        ("matching.engine", "matching/matching/proposing/proposer.py"),
        ("matching.labels", "matching/matching/labels.py"),
        ("notifications.inbox", "notifications/notifications/app.py"),
        ("notifications.areas", "notifications/notifications/areas.py"),
    ],
)
def test_declared_readers_read_what_they_are_declared_for(reader: str, module: str) -> None:
    """A whole-topic reader keeps no group, so only its code can tell."""
    assert read_whole(SERVICES / module) == {event.__name__ for event in readers()[reader]}


def test_the_rebuild_reads_what_it_is_declared_for() -> None:
    """Analytics is rebuilt from compacted topics alone."""
    assert set(rebuild.SOURCES.values()) == readers()["analytics.rebuild"]


def test_no_other_reader_is_declared() -> None:
    """Each declared reader is looked at above."""
    assert set(readers()) == {
        *("analytics.rebuild", "matching.engine", "matching.labels", "notifications.inbox", "notifications.areas"),
    }
