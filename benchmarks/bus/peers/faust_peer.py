"""The faust-streaming peer: an agent that validates each event. Run by the Python of its own environment."""

import argparse
import os
import uuid

import faust  # type: ignore[import-not-found]  # in an environment of its own
from contracts.matching import MatchProposed

from benchmarks.bus.meter import Meter


def run(arguments: argparse.Namespace) -> None:
    """Consume until enough is measured."""
    meter = Meter(arguments.warm, arguments.count)
    app = faust.App(
        f"bench-faust-{uuid.uuid4().hex[:8]}",
        broker=f"kafka://{arguments.kafka}",
        value_serializer="raw",
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
        topic_disable_leader=True,
    )
    topic = app.topic(arguments.topic, value_type=bytes, value_serializer="raw")

    @app.agent(topic)  # type: ignore[untyped-decorator]  # as above
    async def handle(stream: faust.StreamT) -> None:
        async for value in stream:
            MatchProposed.model_validate_json(value)
            meter.add()
            if meter.figures is not None:
                print(meter.figures.to_json(), flush=True)
                os._exit(0)  # leaving in order takes longer than the measurement, and nothing is lost here

    faust.Worker(app, loglevel="ERROR", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kafka")
    parser.add_argument("topic")
    parser.add_argument("warm", type=int)
    parser.add_argument("count", type=int)
    run(parser.parse_args())
