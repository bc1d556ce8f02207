"""What the bus costs, beside peers, in one run on the real broker: `make bench-bus`.

Each measurement is a process of its own (`measure`), rounds are interleaved, and a result is the minimum and the
median of its rounds: the minimum is what the code costs, the median what this machine made of it.
"""
