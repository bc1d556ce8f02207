"""Partitions: the choice is the one that every other client of Kafka makes."""

from aiokafka.partitioner import murmur2
from chassis.publishing.partitions import partition_of
from hypothesis import given
from hypothesis import strategies as st


@given(st.binary(max_size=80), st.integers(1, 50))
def test_a_key_goes_where_kafkas_own_clients_send_it(key: bytes, count: int) -> None:
    """A key that went elsewhere would lose its order, and consumers their co-partitioning."""
    assert partition_of(key, count) == (murmur2(key) & 0x7FFFFFFF) % count
