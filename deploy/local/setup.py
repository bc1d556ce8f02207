"""What the stack needs beyond the Python packages: Kafka's jars and a few packages from npm, fetched once."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import chassis
from local import kafka
from local.identity import node
from local.places import CACHE, FAST_DATABASE, NODE_MODULES
from local.processes import StackError

OIDC_PROVIDER: Final = "9"
_FAST_DATABASE_VERSION: Final = "0.5.3-beta.196"
_INSTALLED: Final = NODE_MODULES.parent / "installed.json"
FREE_BYTES: Final = 1_500_000_000


def prepare() -> None:
    """Fetch whatever is missing; does nothing the second time.

    Raises:
        StackError: no room on the disk, or a registry that can't be reached.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(CACHE).free < FREE_BYTES:
        raise StackError(
            f"Less than {FREE_BYTES // 10**9 + 1} GB is free at {CACHE}. Make room and run the command again."
        )
    install_npm_packages()
    kafka.class_path()


def npm_packages() -> dict[str, str]:
    """Npm package → version: the browser's scripts that the web shell names, and the identity provider."""
    vendor = json.loads((Path(chassis.__file__).parent / "web" / "static" / "vendor.json").read_text())
    return {"oidc-provider": OIDC_PROVIDER, **vendor["packages"]}


def npm_installed() -> bool:
    """Whether the wanted npm packages lie in the user's cache."""
    return _INSTALLED.exists() and bool(json.loads(_INSTALLED.read_text()) == npm_packages())


def install_npm_packages() -> None:
    """Install with the npm of the Node wheel, unless the same set is there already."""
    if npm_installed():
        return
    wanted = npm_packages()
    NODE_MODULES.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PATH": f"{node().parent}{os.pathsep}{os.environ['PATH']}"}
    script = node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [
        node(),
        script,
        "install",
        "--prefix",
        NODE_MODULES.parent,
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
    ]
    command += [f"{name}@{version}" for name, version in wanted.items()]
    done = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(
            f"npm could not install {', '.join(wanted)}. Check the network connection.\n{done.stderr[-600:]}"
        )
    _INSTALLED.write_text(json.dumps(wanted))


def build_fast_database() -> None:
    """Build the faster database server from its crate, once: some seven minutes on two cores."""
    if FAST_DATABASE.exists():
        print(f"The fast database is built already: {FAST_DATABASE}")
        return
    if (cargo := shutil.which("cargo")) is None:
        raise StackError(
            "Building the fast database needs Rust's cargo. Install Rust, or go on with the default database."
        )
    print("Building the fast database once. This takes about seven minutes on two cores.")
    environment = {**os.environ, "CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16"}
    command = [
        cargo,
        "install",
        "secantus-mdb",
        "--version",
        _FAST_DATABASE_VERSION,
        "--locked",
        "--ignore-rust-version",
    ]
    command += ["--root", str(FAST_DATABASE.parents[1])]
    if subprocess.run(command, env=environment, check=False).returncode:
        raise StackError("The build failed; its messages are above. The default database goes on working.")
