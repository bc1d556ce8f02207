"""Bit tricks that numba has no words for: instructions of the processor, by LLVM's intrinsics."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def lowest_bit(_typing: Any, word: Any) -> Any:
    """The number of the lowest bit that is set in a 64-bit word; undefined for 0 (LLVM's `llvm.cttz`)."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ARG001 - numba's signature
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    return types.int64(word), generate


@intrinsic
def highest_bit(_typing: Any, word: Any) -> Any:
    """The number of the highest bit that is set in a 64-bit word; undefined for 0 (LLVM's `llvm.ctlz`)."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ARG001 - numba's signature
        return builder.sub(ir.IntType(64)(63), builder.ctlz(arguments[0], ir.IntType(1)(1)))

    return types.int64(word), generate
