"""Interleaved rounds: every measurement once, then every measurement again, each in a process of its own."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from local.places import ROOT

from benchmarks.bus.meter import HEADING, Figures, Summary

SECONDS: Final = 240  # of one round; more is a hang


class RoundError(Exception):
    """A measurement ended without figures; the message holds its last words."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What is run in each round, and what it is called in the table."""

    title: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: Path = ROOT


def ours(title: str, name: str, arguments: Sequence[str]) -> Measurement:
    """A measurement of `benchmarks.bus.measure`."""
    return Measurement(title, [sys.executable, "-m", "benchmarks.bus.measure", name, *arguments])


async def run(measurements: Sequence[Measurement], rounds: int) -> dict[str, Summary]:
    """All rounds; one that fails is said, and left out."""
    figures: dict[str, list[Figures]] = {each.title: [] for each in measurements}
    for _ in range(rounds):
        for each in [each for each in measurements if each.title in figures]:
            try:
                figures[each.title].append(await _round(each))
            except RoundError as error:
                print(f"{each.title} is left out: {error}")
                del figures[each.title]
    return {title: Summary.of(title, found) for title, found in figures.items()}


async def _round(measurement: Measurement) -> Figures:
    output = await answer(measurement.command, measurement.environment, folder=measurement.folder)
    return Figures.from_json(output.splitlines()[-1])


async def answer(
    command: Sequence[str], environment: Mapping[str, str] | None = None, seconds: int = SECONDS, folder: Path = ROOT
) -> str:
    """What a process prints that works in this folder.

    Raises:
        RoundError: it failed, printed nothing, or took too long.
    """
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(seconds):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise RoundError(f"no end after {seconds} s") from None
    if process.returncode or not output.strip():
        words = errors.decode(errors="replace").strip().splitlines()
        raise RoundError(words[-1][:200] if words else f"exit code {process.returncode}")
    return output.decode().strip()


def table(caption: str, summaries: Mapping[str, Summary], base: str) -> None:
    """Print a table; ratios are to `base`, of the best rounds and of the median pair."""
    print(f"\n{caption}\n{HEADING}")
    for summary in summaries.values():
        print(summary.line(summaries[base]))
    print(f"load average {os.getloadavg()[0]:.1f}", flush=True)
