"""The gateway: Caddy gives the services one origin."""

import sys
from pathlib import Path
from typing import Final

from local.places import ROOT
from local.ports import HOST, Ports, listening
from local.processes import Child

PATHS: Final = {
    "profiles": "/sign-in /sign-in/* /signed-in /sign-out /profile /profile/* /people/* /import /import/* "
    "/taxonomy /taxonomy/* "
    "/operations /operations/profiles /operations/profiles/* /api/profiles/* /.well-known/jwks.json",
    "notifications": "/inbox /inbox/* /preferences /preferences/* "
    "/operations/notifications /operations/notifications/* /api/notifications/*",
    "analytics": "/insights /insights/* /operations/analytics /operations/analytics/* /api/analytics/*",
    "identity_provider": "/oidc /oidc/*",
    "mailbox": "/mailbox /mailbox/*",
}
RUNBOOKS: Final = "/runbooks"
_NOBODY_S: Final = "/metrics /readyz /livez"  # who looks after a process asks it, and not through here
_AWAY: Final = "This part of Turnabout is not there at the moment. Please try again in a few seconds."


def child(state: Path, ports: Ports, replicas: dict[str, list[int]] | None = None) -> Child:
    """Caddy with a file made for these ports; matching answers whatever no other service claims."""
    file = state / "Caddyfile"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_caddyfile(ports, replicas or {}))
    arguments: list[str | Path] = [
        Path(sys.executable).parent / "caddy",
        "run",
        "--config",
        file,
        "--adapter",
        "caddyfile",
    ]
    return Child("the gateway", arguments, state / "logs" / "gateway.log", lambda: listening(ports.gateway))


def _caddyfile(ports: Ports, replicas: dict[str, list[int]]) -> str:
    routes = [f"@inside path {_NOBODY_S}", "handle @inside {", "respond 404", "}", *_runbooks()]
    for name, paths in PATHS.items():
        routes += [
            f"@{name} path {paths}",
            f"handle @{name} {{",
            *_proxy(replicas.get(name, [getattr(ports, name)])),
            "}",
        ]
    routes += ["handle {", *_proxy(replicas.get("matching", [ports.matching])), "}"]
    lines = ["{", "admin off", "auto_https off", "persist_config off", "}"]
    away = f'respond "{_AWAY}" 503'
    lines += [
        f":{ports.gateway} {{",
        f"bind {HOST}",
        *routes,
        "handle_errors 502 503 504 {",
        "header Retry-After 5",
        away,
        "}",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _runbooks() -> list[str]:
    """The pages that operators are sent to, as they are written."""
    folder = ROOT / "docs" / "runbooks"
    plain = 'header Content-Type "text/plain; charset=utf-8"'
    return [f"handle_path {RUNBOOKS}/* {{", f'root * "{folder}"', plain, "file_server", "}"]


def _proxy(upstreams: list[int]) -> list[str]:
    targets = " ".join(f"{HOST}:{port}" for port in upstreams)
    # A service that is being restarted makes a request wait instead of fail; event streams are not buffered.
    return [f"reverse_proxy {targets} {{", "lb_try_duration 8s", "lb_try_interval 100ms", "flush_interval -1", "}"]
