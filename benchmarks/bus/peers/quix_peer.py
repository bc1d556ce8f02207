"""quixstreams: a function over each event that validates it. Run by the Python of its own environment."""

import sys
import uuid

from contracts.matching import MatchProposed
from quixstreams import Application  # type: ignore[import-not-found]  # in an environment of its own

from benchmarks.bus.meter import Meter


def run(kafka: str, topic: str, warm: int, count: int) -> None:
    """Consume until enough is measured."""
    meter = Meter(warm, count)
    app = Application(
        broker_address=kafka,
        consumer_group=f"bench-quix-{uuid.uuid4().hex[:8]}",
        auto_offset_reset="earliest",
        auto_create_topics=False,
        loglevel="ERROR",
    )

    def handle(value: bytes) -> None:
        MatchProposed.model_validate_json(value)
        meter.add()
        if meter.figures is not None:
            app.stop()

    frame = app.dataframe(app.topic(topic, value_deserializer="bytes"))
    frame.update(handle)
    app.run()
    if meter.figures is not None:
        print(meter.figures.to_json(), flush=True)


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
