"""The same facts consumed with FastStream's default acknowledgement, killed by the same schedule, for comparison.

Like ours it writes to the database and then reaches the outside.

Eight workers, because one can't keep up with effects as slow as these; all else is as FastStream sets it.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

from contracts.topics import MENTORSHIP
from faststream import FastStream
from faststream.kafka import KafkaBroker
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import BaseModel

from faults_world.letters import DELIVERY_SECONDS
from faults_world.sink import Sink

broker = KafkaBroker(os.environ["TURNABOUT_KAFKA"], logger=None)
sink = Sink(Path(os.environ["FAULTS_SINK"]), "stock")
rows: Any = AsyncIOMotorClient(os.environ["TURNABOUT_MONGO"])["faults-stock"]["rows"]


class Fact(BaseModel):
    """The parts of the fact that are needed."""

    mentorship: str
    session: str


@broker.subscriber(MENTORSHIP.name, group_id="stock", auto_offset_reset="earliest", max_workers=8)
async def effect(fact: Fact) -> None:
    """One effect a fact, as slow as ours; the defaults have no claim, so the key is made anew each time."""
    key = os.urandom(8).hex()
    await rows.insert_one({"_id": key, "order": fact.mentorship, "name": fact.session})
    await asyncio.sleep(DELIVERY_SECONDS)
    sink.accept(key, {"order": fact.mentorship, "name": fact.session, "follower": "stock", "trace": ""})


if __name__ == "__main__":
    asyncio.run(FastStream(broker).run())
