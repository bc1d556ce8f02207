"""The checker: a pure program over what a system left behind, which says where a promise of delivery was broken.

`python -m operations.checker <folder>` reads a folder of JSON lines (`operations.checker.folder` says which), prints
each breach with the smallest witness, and exits with 1 when there is one.
"""
