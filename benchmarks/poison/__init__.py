"""What poison costs those who sent none: `make bench-poison`.

A service on the chassis stores the effect of each healthy fact in the real database while records that nobody can
handle arrive on the same partitions. Each half of a pair is a process of its own, and the halves change places from
pair to pair. Open loop: a fact is sent when its moment comes, whatever became of those before it.

Left out is what is no poison (a type that this consumer does not know is skipped, a repeated fact is skipped by the
fence), and what kills the process: a compressed bomb, which `tests/faults/test_poison.py` throws.
"""
