"""Wider bounds than the tests have time for: `PYTHONPATH=tests python -m relay_model`, minutes and gigabytes."""

import sys
from dataclasses import replace

from relay_model.consuming import ConsumingBounds, ConsumingModel, ConsumingRules
from relay_model.explore import Report, explore
from relay_model.model import RelayModel
from relay_model.rules import Bounds, Rules

QUIET = Bounds(failures=0, suspicions=0, crashes=0)
RELAY = (
    replace(QUIET, commands="bb", failures=1, crashes=1),
    replace(QUIET, commands="bbb", failures=2),
    replace(QUIET, commands="bbf", suspicions=1),
    replace(QUIET, commands="bb", failures=1, suspicions=1),
    replace(QUIET, commands="ss", suspicions=2),
    replace(QUIET, commands="ss", failures=2, suspicions=1),
    replace(QUIET, commands="bb", suspicions=1, crashes=1, late="within a minute of the adoption"),
    replace(QUIET, commands="sss", suspicions=1, crashes=1, late="within a minute of the adoption"),
)
CONSUMING = (
    ConsumingBounds(bugs=3),
    ConsumingBounds(takeovers=1),
    ConsumingBounds(bugs=2, redrivers=2),
    ConsumingBounds(log=(1, 2, 1, 3), bugs=2, takeovers=1),
)


def _tell(bounds: object, report: Report) -> None:
    sys.stdout.write(f"{bounds}: {report.states} states, {report.steps} steps, flaw: {report.flaw}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    for consuming in CONSUMING:
        _tell(consuming, explore(ConsumingModel(ConsumingRules(), consuming)))
    for relay in RELAY:
        _tell(relay, explore(RelayModel(Rules(), relay)))
