"""``python -m contracts write | check | release``: the generated files and the gate."""

import argparse
import sys

from contracts.committed import FOLDER, Committed


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m contracts", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("write", help="bring schemas, AsyncAPI documents and the table in the README up to date")
    commands.add_parser("check", help="say what keeps a change from being merged; exit code 1 if anything does")
    commands.add_parser("release", help="keep the current schemas for ever, and judge later changes against them")
    command = parser.parse_args(arguments).command
    committed = Committed()
    if command == "check":
        problems = committed.check()
        sys.stdout.writelines(f"{problem}\n" for problem in problems)
        return 1 if problems else 0
    paths = committed.write() if command == "write" else committed.release()
    sys.stdout.writelines(f"{path.relative_to(FOLDER)}\n" for path in paths)
    return 0


if __name__ == "__main__":
    sys.exit(main())
