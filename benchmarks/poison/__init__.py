"""What poison costs those who sent none: `make bench-poison`.

A service on the chassis stores the effect of each healthy fact in the real database while records that nobody can
handle arrive on the same partitions. In each round the healthy facts come alone, beside as many sound facts of other
keys, and beside the poison; the ratio is of the last two, for half as many records more cost something whatever they
are. Each third is a process of its own, and they change places from round to round. Open loop: a fact is sent when its
moment comes, whatever became of those before it.

Left out is what is no poison (a type that this consumer does not know is skipped, a repeated fact is skipped by the
fence), and what is set aside with its whole batch: a compressed bomb, and a header whose name is not UTF-8.
`tests/faults/test_poison.py` throws both.
"""
