"""Filter pipelines that are unknown, damaged or wrongly set."""

import zlib

from . import models
from .case import ODD, PARTIAL, Case
from .hdf5 import F32, chunked, dataset, pipeline, space

VALUES = models.WEIGHTS["fc1"]["kernel"].tobytes()


def kernel(data, *filters, declared=None):
    size = len(data) if declared is None else declared
    layout = chunked((4, 3), 4, [((0, 0), size, data)])
    return dataset(F32, space((4, 3)), layout, pipeline(*filters))


def made():
    packed = zlib.compress(VALUES)
    deflate = (1, 0, 6)
    yield "deflate", kernel(packed, deflate), "is deflated: valid", ODD
    yield "blosc", kernel(VALUES, (32001, 0, 2, 2, 4, 48)), (
        "needs filter 32001, a plug-in: loading one would run its code"), PARTIAL
    yield "plugin_optional", kernel(VALUES, (32001, 1)), (
        "needs filter 32001, marked optional, so unread bytes look like values"), PARTIAL
    yield "filter_305", kernel(VALUES, (305, 0)), "needs filter 305, which is registered nowhere", PARTIAL
    yield "filter_65535", kernel(VALUES, (65535, 0)), "needs filter 65535", PARTIAL
    yield "filter_0", kernel(VALUES, (0, 0)), "needs filter 0, which the format reserves", PARTIAL
    yield "szip_noise", kernel(VALUES, (4, 0, 141, 32, 32, 12)), "holds bytes no szip encoder wrote, which no checksum tells", ODD
    yield "szip_parameters", kernel(VALUES, (4, 0, 0, 0, 0, 0)), "has szip parameters of zero", PARTIAL
    yield "nbit_parameters", kernel(VALUES, (5, 0, 9999, 1, 1, 1, 4, 0, 255, 255)), (
        "has n-bit parameters that read past their end"), PARTIAL
    yield "scaleoffset_parameters", kernel(VALUES, (6, 0, *[0xFFFFFFFF] * 20)), (
        "has scale-offset parameters of 2^32-1"), PARTIAL
    yield "deflate_noise", kernel(b"\x78\x9c" + bytes(range(40)), deflate), (
        "is no deflate stream"), PARTIAL
    yield "deflate_cut", kernel(packed[:-9], deflate), "has a deflate stream that ends early", PARTIAL
    yield "deflate_checksum", kernel(packed[:-1] + bytes([packed[-1] ^ 1]), deflate), (
        "has a deflate stream with a wrong checksum"), PARTIAL
    yield "deflate_short", kernel(zlib.compress(VALUES[:8]), deflate), (
        "unpacks to 8 of its 48 bytes"), PARTIAL
    yield "deflate_declared", kernel(packed, deflate, declared=0xFFFFFFFF), (
        "declares a deflated chunk of 4 GiB"), PARTIAL
    yield "deflate_empty", kernel(b"", deflate, declared=0), "has a deflated chunk of no bytes", PARTIAL
    yield "fletcher_wrong", kernel(VALUES + b"\1\2\3\4", (3, 0)), "has a wrong Fletcher checksum", PARTIAL
    yield "fletcher_short", kernel(b"\1\2", (3, 0)), (
        "has a chunk shorter than its Fletcher checksum"), PARTIAL
    yield "shuffle_size_3", kernel(VALUES, (2, 0, 3)), (
        "is shuffled by an element size of 3 although its values have 4"), ODD
    yield "shuffle_size_0", kernel(VALUES, (2, 0, 0)), "is shuffled by an element size of 0", PARTIAL
    yield "shuffle_size_huge", kernel(VALUES, (2, 0, 0xFFFFFFFF)), (
        "is shuffled by an element size of 4 GiB"), ODD
    yield "shuffle_no_size", kernel(VALUES, (2, 0)), "is shuffled without an element size", PARTIAL
    yield "pipeline_40", kernel(VALUES, *[(2, 0, 4)] * 40), (
        "has 40 filters where the format allows 32"), PARTIAL
    yield "pipeline_32_deflate", kernel(VALUES, *[deflate] * 32), (
        "has 32 deflate filters, none of which its bytes passed through"), PARTIAL


def by_library():
    values = models.WEIGHTS["fc1"]["kernel"]

    def lzf(group, key):
        group.create_dataset(key, data=values, compression="lzf", shuffle=True)

    yield "lzf", models.with_kernel(lzf), "is compressed with lzf, which most builds lack"

    def scaled(group, key):
        group.create_dataset(key, data=values, chunks=(4, 3), scaleoffset=3)

    yield "scaleoffset", models.with_kernel(scaled), "is stored with the scale-offset filter: valid"

    def mixed(group, key):
        group.create_dataset(
            key, data=values, chunks=(2, 2), compression="gzip", shuffle=True, fletcher32=True
        )

    yield "mixed", models.with_kernel(mixed), "is shuffled, deflated and checksummed: valid"


def cases():
    for name, target, what, exit in made():
        yield Case(
            f"filters_{name}.h5",
            models.legacy(replace={"fc1/kernel": target}),
            f"fc1's kernel {what}",
            exit,
        )
    for name, data, what in by_library():
        yield Case(f"filters_{name}.h5", data, f"fc1's kernel {what}", ODD)
