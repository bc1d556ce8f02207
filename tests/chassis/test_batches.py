"""Record batches as the broker keeps them: where one ends, whether it inflates, and whether it can be read."""

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from chassis.consuming.batches import is_readable, offsets_of
from chassis.consuming.inflate import inflates


def test_the_offsets_of_a_batch_stand_in_its_header() -> None:
    """Base offset 40, last offset delta 4, asked for 42: what is skipped is 42, 43 and 44."""
    header = (40).to_bytes(8, "big") + bytes(15) + (4).to_bytes(4, "big") + bytes(34)
    assert offsets_of(header, 42) == range(42, 45)


def _batch(value: bytes, compression: int) -> bytes:
    """One record in a batch as the broker keeps it; 0 is none, 1 gzip, 3 lz4."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=compression,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=len(value) + 1000,
    )
    builder.append(offset=0, timestamp=1, key=b"k", value=value, headers=[])
    return bytes(builder.build())


@pytest.mark.parametrize(
    ("batch", "harmless"),
    [
        (_batch(b"small", 0), True),
        (_batch(b"small" * 1000, 1), True),
        (_batch(b"small" * 1000, 3), True),
        (_batch(b"0" * 300_000_000, 1), False),
    ],
    ids=["plain", "gzip", "lz4", "bomb"],
)
async def test_only_a_batch_that_does_not_inflate_is_accused(batch: bytes, harmless: bool) -> None:
    """Three kills in front of an ordinary batch must not set it aside."""
    assert await inflates(batch) is harmless


def test_a_batch_that_aiokafka_fails_to_read_is_not_readable() -> None:
    """Cut off in its only record."""
    batch = _batch(b"small", 0)
    assert is_readable(batch)
    assert not is_readable(batch[:-3])
