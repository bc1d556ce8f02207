"""The descriptions of the JSON APIs: committed, and what the code serves."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("profiles", "matching", "notifications", "analytics")


def committed(service: str) -> str:
    """The document as it stands beside the service."""
    return (ROOT / "services" / service / "openapi.json").read_text()


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_committed_is_what_the_code_serves(service: str) -> None:
    """Whoever changes a route or a body runs `make contracts`, and sees what others will see of it."""
    described = subprocess.run(
        [sys.executable, "-m", service, "openapi"], capture_output=True, text=True, check=True
    ).stdout
    assert described == committed(service), "run `make contracts`"


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_says_what_it_does(service: str) -> None:
    """A sentence for each; pages are no part of it."""
    paths: dict[str, dict[str, dict[str, Any]]] = json.loads(committed(service))["paths"]
    assert paths
    assert all(path.startswith(f"/api/{service}/v1/") for path in paths)
    silent = [path for path, routes in paths.items() for route in routes.values() if not route.get("description")]
    assert silent == []
