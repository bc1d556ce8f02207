"""Bit tricks that numba has no words for: instructions of the processor, by LLVM's intrinsics of these names."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from matching.engine.compiled import inlined, kernel


@intrinsic
def _cttz(_typing: Any, word: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    return types.int64(word), generate


@intrinsic
def _ctlz(_typing: Any, word: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], ir.IntType(1)(1))

    return types.int64(word), generate


@inlined
def lowest_bit(word: int) -> int:
    """The number of the lowest bit that is set in a 64-bit word; undefined for 0."""
    return _cttz(word)  # type: ignore[call-arg]  # numba passes the context itself


@inlined
def highest_bit(word: int) -> int:
    """The number of the highest bit that is set in a 64-bit word; undefined for 0."""
    return 63 - _ctlz(word)  # type: ignore[call-arg]  # numba passes the context itself


@kernel
def mixed(number: int) -> int:
    """A fixed scramble of 64 bits (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    word = np.uint64(number)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64(word ^ (word >> np.uint64(31)))
