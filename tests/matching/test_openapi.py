"""The description of matching's API: committed, and what the code serves."""

import json
from pathlib import Path

import matching
from matching.app import describe

COMMITTED = Path(matching.__file__).parents[1] / "openapi.json"


def test_what_is_committed_is_what_the_code_serves() -> None:
    """Whoever changes a route or a body runs `make contracts`."""
    assert COMMITTED.read_text() == describe(), "run `make contracts`"


def test_every_route_says_what_it_does() -> None:
    """A sentence for each; pages are no part of it."""
    paths = json.loads(COMMITTED.read_text())["paths"]
    assert all(path.startswith("/api/matching/v1/") for path in paths)
    silent = [path for path, routes in paths.items() for route in routes.values() if not route.get("description")]
    assert silent == []
