"""Weights of every datatype except the expected one."""

from struct import pack

import h5py
import numpy as np

from . import hdf5, models
from .case import ODD, PARTIAL, Case
from .hdf5 import F32, array, contiguous, dataset, floating, integer, space, text_type

SHAPE = (4, 3)


def kernel(kind, size):
    data = bytes((index * 37 + 11) % 251 for index in range(12 * size))
    return dataset(kind, space(SHAPE), contiguous(data))


def member(name, offset, kind):
    return name + b"\0" + bytes([offset]) + kind


def compound(size, *members):
    head = bytes([0x36]) + pack("<H", len(members)) + b"\0"
    return head + pack("<I", size) + b"".join(members)


def enumeration(base, names):
    values = b"".join(pack("<b", index) for index in range(len(names)))
    head = bytes([0x38]) + pack("<H", len(names)) + b"\0" + pack("<I", 1)
    return head + base + b"".join(name + b"\0" for name in names) + values


def written():
    half = floating(2, 16, (10, 5), (0, 10), 15)
    brain = floating(2, 16, (7, 8), (0, 7), 127)
    bit8 = floating(1, 8, (3, 4), (0, 3), 7)
    big = floating(4, 32, (23, 8), (0, 23), 127, flags=0x21)
    # Readable number types: an auditor may widen them or decline them.
    yield "half", kernel(half, 2), "16-bit floats", ODD
    yield "bfloat16", kernel(brain, 2), "bfloat16 values", ODD
    yield "float8", kernel(bit8, 1), "8-bit floats", ODD
    yield "big_endian", kernel(big, 4), "big-endian floats", ODD
    yield "float64", kernel(hdf5.F64, 8), "64-bit floats", ODD
    yield "int8", kernel(integer(1), 1), "8-bit integers (a quantised model)", ODD
    yield "uint64", kernel(integer(8, False), 8), "unsigned 64-bit integers", ODD
    yield "bool_enum", kernel(enumeration(integer(1), [b"FALSE", b"TRUE"]), 1), "Booleans", ODD
    # Not numbers, or numbers of nonsense.
    extended = floating(16, 80, (64, 15), (0, 64), 16383)
    quadruple = floating(16, 128, (112, 15), (0, 112), 16383)
    yield "float80", kernel(extended, 16), "80-bit floats", ODD
    yield "float128", kernel(quadruple, 16), "128-bit floats", ODD
    yield "vax", kernel(floating(4, 32, (23, 8), (0, 23), 129, flags=0x60), 4), "VAX floats", ODD
    yield "int_3_bytes", kernel(integer(3), 3), "integers of three bytes", ODD
    yield "int_100_bytes", kernel(integer(100), 100), "integers of 800 bits", PARTIAL
    precision = bytes([0x10, 8, 0, 0]) + pack("<IHH", 4, 30, 16)
    yield "int_bits_outside", kernel(precision, 4), "integers whose bits lie outside their bytes", PARTIAL
    overlap = floating(4, 32, (10, 8), (0, 23), 127)
    yield "float_overlap", kernel(overlap, 4), "floats whose exponent lies in the mantissa", PARTIAL
    outside = floating(4, 32, (200, 55), (0, 23), 127)
    yield "float_outside", kernel(outside, 4), "floats whose exponent lies outside their bytes", PARTIAL
    empty = floating(4, 0, (0, 0), (0, 0), 0, sign=0)
    yield "float_no_bits", kernel(empty, 4), "floats without bits", PARTIAL
    bias = floating(4, 32, (23, 8), (0, 23), 0xFFFFFFFF)
    yield "float_bias", kernel(bias, 4), "floats with an exponent bias of 2^32-1", PARTIAL
    yield "size_zero", kernel(floating(0, 32, (23, 8), (0, 23), 127), 4), "floats of zero bytes", PARTIAL
    huge = floating(0x7FFFFFFF, 32, (23, 8), (0, 23), 127)
    yield "size_2_gib", kernel(huge, 4), "floats of 2 GiB each", PARTIAL
    yield "text", kernel(text_type(8), 8), "texts", PARTIAL
    vlen = bytes([0x19, 1, 0, 0]) + pack("<I", 16) + text_type(1)
    yield "vlen_text_wild", kernel(vlen, 16), "variable-length texts with wild heap addresses", PARTIAL
    pair = compound(8, member(b"r", 0, F32), member(b"i", 4, F32))
    yield "complex", kernel(pair, 8), "complex numbers", PARTIAL
    outside = compound(8, member(b"a", 0, F32), member(b"b", 200, F32))
    yield "compound_outside", kernel(outside, 8), "compounds with a member outside", PARTIAL
    nested = F32
    for _ in range(900):
        nested = compound(4, member(b"a", 0, nested))
    yield "compound_900_deep", kernel(nested, 4), "compounds nested 900 deep", PARTIAL
    wide = compound(4, *[member(b"%d" % index, 0, F32) for index in range(900)])
    yield "compound_900_wide", kernel(wide, 4), "compounds of 900 overlapping members", PARTIAL
    yield "opaque", kernel(bytes([0x15, 8, 0, 0]) + pack("<I", 4) + b"picture\0", 4), "opaque bytes", PARTIAL
    yield "bitfield", kernel(bytes([0x14, 0, 0, 0]) + pack("<IHH", 4, 0, 32), 4), "bit fields", PARTIAL
    yield "time", kernel(bytes([0x12, 0, 0, 0]) + pack("<IH", 4, 32), 4), "times", PARTIAL
    rows = bytes([0x3A, 0, 0, 0]) + pack("<IBI", 48, 1, 12) + F32
    yield "array", kernel(rows, 48), "arrays of 12 floats", PARTIAL
    absurd = bytes([0x3A, 0, 0, 0]) + pack("<IBI", 48, 1, 0xFFFFFFFF) + F32
    yield "array_lies", kernel(absurd, 48), "arrays of 2^32-1 floats in 48 bytes", PARTIAL
    yield "class_14", kernel(bytes([0x1E, 0, 0, 0]) + pack("<I", 4), 4), "values of a class that does not exist", PARTIAL
    yield "version_15", kernel(b"\xf1" + F32[1:], 4), "floats of datatype version 15", PARTIAL


def by_library():
    def vlen(group, key):
        data = group.create_dataset(key, (4, 3), h5py.vlen_dtype(np.dtype("<f4")))
        data[0, 0] = np.arange(3, dtype="<f4")

    yield "vlen", models.with_kernel(vlen), "sequences of varying length"

    def record(group, key):
        kind = np.dtype([("a", "<f4"), ("b", h5py.string_dtype())])
        group.create_dataset(key, (4, 3), kind)

    yield "compound_vlen", models.with_kernel(record), "compounds with a variable-length text"


def cases():
    for name, target, what, exit in written():
        yield Case(
            f"types_{name}.h5",
            models.legacy(replace={"fc1/kernel": target}),
            f"fc1's kernel holds {what}",
            exit,
        )
    for name, data, what in by_library():
        yield Case(f"types_{name}.h5", data, f"fc1's kernel holds {what}", PARTIAL)
    text = array(np.array([b"0.5"] * 12).reshape(SHAPE))
    yield Case(
        "types_torch_text.h5",
        models.state_dict({"fc1.weight": text}),
        "a PyTorch dump whose first weight is a table of texts",
        PARTIAL,
    )
    yield Case(
        "types_config_numbers.h5",
        models.legacy(attributes={"model_config": np.arange(6.0)}),
        "model_config is six numbers instead of a text",
        PARTIAL,
    )
