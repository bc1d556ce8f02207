"""Reading a topic as a subscriber that begins today: every record that is there, from offset 0."""

from aiokafka import AIOKafkaConsumer, TopicPartition
from chassis.records import Record
from contracts.topics import Topic
from local.kafka import PARTITIONS


async def all_records(servers: str, topic: Topic) -> list[Record]:
    """What a reader without a group gets up to the ends of now; of one key in the order of its partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=None, auto_offset_reset="none")
    await consumer.start()
    found: list[Record] = []
    try:
        partitions = [TopicPartition(topic.name, each) for each in range(PARTITIONS)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found += records
    finally:
        await consumer.stop()
    return found
