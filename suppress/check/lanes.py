"""Sixty-four bytes looked at together: which of them are so, as the bits of one number.

    commas = equal(text, at, COMMA)             # bit 3: text[at + 3] is a comma
    behind = first(commas)                      # how far it is to the first of them, WIDE if there is none

In compiled code each of these is an instruction or two of the processor (SSE2, AVX2, AVX-512, NEON: whatever
there is), which no loop in Python becomes by itself. What stands here in Python says what they mean, and runs
where nothing is compiled. A buffer that is looked at goes on for `WIDE` bytes behind the last place that is
asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.config import DISABLE_JIT  # type: ignore[attr-defined]  # made when it is imported
from numba.extending import intrinsic

from suppress.check.compiled import inlined
from suppress.check.hashing import Bytes

WIDE = 64

_BITS, _LANES = ir.IntType(WIDE), ir.VectorType(ir.IntType(8), WIDE)
_ONE, _NOTHING = np.uint8(1), np.uint8(0)

Function = TypeVar("Function", bound=Callable[..., Any])


def _by_machine(made: Callable[..., Any]) -> Callable[[Function], Function]:
    """What stands for a function in compiled code."""

    def chosen(function: Function) -> Function:
        found: Any = function if DISABLE_JIT else intrinsic(made)
        return found  # type: ignore[no-any-return]

    return chosen


def _emit_within(_typing: Any, text: Any, _at: Any, _low: Any, _count: Any, _fold: Any) -> Any:
    def emitted(context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
        start = context.make_array(text)(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(start, [arguments[1]]), _LANES.as_pointer())
        low, count, fold = (_spread(builder, each) for each in arguments[2:])
        moved = builder.sub(builder.or_(builder.load(place, align=1), fold), low)
        return builder.bitcast(builder.icmp_unsigned("<", moved, count), _BITS)

    return types.uint64(text, types.uint64, types.uint8, types.uint8, types.uint8), emitted


def _spread(builder: ir.IRBuilder, byte: Any) -> Any:
    """One byte in all places."""
    nothing, zero = ir.Constant(_LANES, ir.Undefined), ir.Constant(ir.IntType(32), 0)
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), WIDE), None)
    return builder.shuffle_vector(builder.insert_element(nothing, byte, zero), nothing, zeros)


def _emit_first(_typing: Any, _bits: Any) -> Any:
    def emitted(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), emitted


def _emit_ones(_typing: Any, _bits: Any) -> Any:
    def emitted(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), emitted


@_by_machine(_emit_within)
def within(text: Bytes, at: np.uint64, low: np.uint8, count: np.uint8, fold: np.uint8) -> np.uint64:
    """Which of the bytes from `at` on are among the `count` from `low` on, with the bits in `fold` set."""
    lanes = (text[int(at) : int(at) + WIDE] | fold) - low < count
    return np.uint64(int.from_bytes(np.packbits(lanes, bitorder="little").tobytes(), "little"))


@inlined
def equal(text: Bytes, at: np.uint64, byte: np.uint8) -> np.uint64:
    """Which of the bytes from `at` on are this one."""
    return within(text, at, byte, _ONE, _NOTHING)


@_by_machine(_emit_first)
def first(bits: np.uint64) -> np.uint64:
    """How many places lie before the first of them; WIDE if there is none."""
    number = int(bits)
    return np.uint64((number & -number).bit_length() - 1 if number else WIDE)


@_by_machine(_emit_ones)
def ones(bits: np.uint64) -> np.uint64:
    """How many they are."""
    return np.uint64(int(bits).bit_count())
