"""Sizes that a file declares and does not have, or that it has only after unpacking."""

import zlib
from functools import cache

import numpy as np

from . import models
from .case import ODD, PARTIAL, Case
from .hdf5 import F32, array, chunked, contiguous, dataset, pipeline, space

MEBI = 1 << 20


@cache
def zeros(mebibytes, times):
    """A deflate stream of zeros, deflated again `times - 1` times."""
    packer = zlib.compressobj(9)
    block = bytes(MEBI)
    data = b"".join(packer.compress(block) for _ in range(mebibytes)) + packer.flush()
    for _ in range(times - 1):
        data = zlib.compress(data, 9)
    return data


def kernel(shape, layout, filters=None):
    return dataset(F32, space(shape), layout, filters)


def declared():
    little = models.WEIGHTS["fc1"]["kernel"].tobytes()
    yield "exa_unallocated", kernel((1 << 31, 1 << 31), contiguous(b"", 1 << 62)), (
        "declares 2^62 values and stores none")
    yield "exa_allocated", kernel((1 << 31, 1 << 29), contiguous(little, 1 << 62)), (
        "declares 2^60 values in storage of 48 bytes")
    yield "overflow_64", kernel((1 << 32, 1 << 32, 4), contiguous(little)), (
        "declares dimensions whose product is 2^66, which wraps to 0 in 64 bits")
    yield "overflow_to_12", kernel((4, 3 + (1 << 62)), contiguous(little)), (
        "declares a product that wraps to the right number of values in 64 bits")
    yield "overflow_bytes", kernel((1 << 62, 1), contiguous(little)), (
        "declares a number of values that fits 64 bits while its bytes wrap to 0")
    yield "minus_one", kernel((2**64 - 1, 3), contiguous(little)), (
        "declares 2^64-1 rows, -1 in signed arithmetic")
    yield "storage_too_small", kernel((4, 3), contiguous(little[:8])), (
        "stores 8 bytes of the 48 that its shape needs")
    yield "storage_beyond_end", kernel((64, 64), contiguous(little, 64 * 64 * 4)), (
        "claims storage that runs past the end of the file")
    yield "layout_size_lies", kernel((4, 3), contiguous(little, 1 << 40)), (
        "is stored in a terabyte by its layout and in 48 bytes by its shape")
    compact = [b"\x03\x00\xff\xff" + little]
    yield "compact_lies", kernel((4, 3), compact), (
        "claims 65,535 bytes inside a message of 52")
    yield "chunks_terabyte", kernel((1 << 20, 1 << 18), chunked((1024, 1024), 4)), (
        "declares a terabyte of chunks and stores none: every value is the fill value")
    yield "chunk_16_exa", kernel((4, 3), chunked((0xFFFFFFFF, 0xFFFFFFFF), 4)), (
        "declares chunks of 2^66 bytes")
    yield "chunk_8_gib", kernel((1 << 31, 1), chunked((1 << 31, 1), 4, [((0, 0), 48, little)])), (
        "declares one chunk of 8 GiB stored in 48 bytes")
    yield "chunk_zero", kernel((4, 3), chunked((0, 3), 4)), (
        "declares chunks without rows: division by zero")
    yield "chunk_rank", kernel((4, 3), chunked((4, 3, 1), 4, [((0, 0, 0), 48, little)])), (
        "has chunks of another rank than its shape")
    yield "chunk_overlap", kernel((4, 3), chunked((4, 3), 4, [((0, 0), 48, little)] * 3)), (
        "stores the same chunk three times")
    yield "chunk_outside", kernel((4, 3), chunked((4, 3), 4, [((1 << 40, 0), 48, little)])), (
        "stores a chunk far outside its shape and none inside")
    yield "chunk_single_values", kernel((1 << 40, 3), chunked((1, 1), 4, [((0, 0), 4, little[:4])])), (
        "declares 3 * 2^40 chunks of one value each")
    yield "rank_32", kernel((1,) * 31 + (12,), contiguous(little)), "has rank 32"
    yield "rank_33", kernel((1,) * 32 + (12,), contiguous(little)), (
        "has rank 33, one more than the format allows")
    yield "zero_rows", kernel((0, 3), contiguous(b"", 0)), "has no rows"
    yield "zero_by_huge", kernel((0, 1 << 63), contiguous(b"", 0)), (
        "has no rows of 2^63 columns each")
    yield "scalar", kernel((), contiguous(little[:4])), "is a scalar where a matrix is expected"
    yield "null_space", kernel(None, contiguous(b"", 0)), "has the null dataspace: no value at all"
    yield "vector", kernel((12,), contiguous(little)), "is a vector where a matrix is expected"
    yield "transposed", kernel((3, 4), contiguous(little)), (
        "has its axes exchanged against the configuration and its bias")


def bombs():
    deflate = pipeline((1, 0, 9))
    once = zeros(16, 1)
    side = 1 << 22
    yield "bomb_deflate_16m", kernel((side, 1), chunked((side, 1), 4, [((0, 0), len(once), once)]), deflate), (
        "unpacks 16 KiB to 16 MiB of zeros")
    twice = zeros(256, 2)
    side = 1 << 26
    chunks = [((index * side, 0), len(twice), twice) for index in range(64)]
    double = pipeline((1, 0, 9), (1, 0, 9))
    yield "bomb_deflate_twice_16g", kernel((64 * side, 1), chunked((side, 1), 4, chunks), double), (
        "unpacks a chunk of a few KiB, deflated twice and shared 64 times, to 16 GiB")
    lie = chunked((4, 3), 4, [((0, 0), len(twice), twice)])
    yield "bomb_hidden", kernel((4, 3), lie, double), (
        "has 12 values whose one chunk unpacks to 256 MiB")


# All values are there, or the format defines them: accepting and declining are both right.
READABLE = {"layout_size_lies", "chunk_overlap", "chunk_outside"}


def cases():
    for name, target, what in [*declared(), *bombs()]:
        yield Case(
            f"sizes_{name}.h5",
            models.legacy(replace={"fc1/kernel": target}),
            f"fc1's kernel {what}",
            ODD if name in READABLE else PARTIAL,
        )
    for name, target in (
        ("exa", kernel((1 << 31, 1 << 31), contiguous(b"", 1 << 62))),
        ("terabyte_chunks", kernel((1 << 20, 1 << 18), chunked((1024, 1024), 4))),
    ):
        yield Case(
            f"sizes_torch_{name}.h5",
            models.state_dict({"fc1.weight": target}),
            "a PyTorch dump whose first weight is absurdly large and not stored",
            PARTIAL,
        )
    bias = array(np.zeros(3, "<f4"))
    yield Case(
        "sizes_weights_terabyte.weights.h5",
        models.weights_only({"fc1/kernel": kernel((1 << 20, 1 << 18), chunked((1024, 1024), 4)),
                             "fc1/bias": bias}),
        "a weights file without configuration whose first kernel is a terabyte of fill values",
        PARTIAL,
    )
