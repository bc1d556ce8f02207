"""What poison costs those who sent none: `make bench-poison`.

A service on the chassis stores the effect of each healthy fact in the real database while records that nobody can
handle arrive on the same partitions. Each half of a pair is a process of its own, and the halves change places from
pair to pair. Open loop: a fact is sent when its moment comes, whatever became of those before it.

Left out is what is no poison (a type that this consumer does not know is skipped, a repeated fact is skipped by the
fence), what kills the process (a compressed bomb, which `tests/faults/test_poison.py` throws), and two kinds that
stop the consumer, so that nothing beside them could be measured: an incompressible record so near the broker's limit
that the origin of a dead letter no longer fits, and a header whose name is not UTF-8, which aiokafka itself can't read.
"""
