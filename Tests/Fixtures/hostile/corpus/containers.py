"""The container as a whole: cut short, scrambled, or merely unusual."""

import random
from struct import pack

from . import hdf5, models, old
from .case import NOTHING, NOT_SAFE, ODD, UNREADABLE, VALID, Case
from .hdf5 import group


def valid():
    """Controls: a reader that merely refuses everything fails here."""
    base = models.with_kernel(None)
    yield "valid_legacy.h5", base, "control: a sound Keras 2 model in the old format", VALID
    yield (
        "valid_strings.h5",
        models.library(lambda file: models.fill_legacy(file, strings=str)),
        "control: a sound model whose strings lie in the global heap",
        VALID,
    )
    yield (
        "valid_gradient.h5",
        models.gradient_file(),
        "control: a sound gradient of one sample; its input is determined, so 0 needs a high --fail-on",
        VALID,
    )
    for version, bounds in ((2, ("v108", "v108")), (3, ("v110", "v110"))):
        yield (
            f"valid_superblock{version}.h5",
            models.with_kernel(None, libver=bounds),
            f"control: a sound model with superblock version {version} and new-style groups",
            VALID,
        )
    block = bytearray(models.with_kernel(None, userblock_size=512))
    block[:24] = b"#!/bin/sh\nexit 1\n# stub\n"
    yield (
        "valid_userblock.h5",
        bytes(block),
        "sound, but the signature stands at offset 512 behind a shell script",
        ODD,
    )
    yield (
        "valid_offsets4.h5",
        models.legacy(width=4),
        "sound, but every address in the file has four bytes",
        ODD,
    )


def cut():
    base = models.with_kernel(None)
    new = models.legacy()
    unreadable = "nothing behind the cut can be trusted"
    yield "cut_empty.h5", b"", "no bytes at all", UNREADABLE
    yield "cut_one_byte.h5", b"\x89", "the first byte of the signature only", UNREADABLE
    yield "cut_signature.h5", base[:8], "the signature only", UNREADABLE
    yield "cut_half_superblock.h5", base[:48], "half a superblock", UNREADABLE
    yield "cut_superblock.h5", base[:96], "the superblock only; its root group is missing", UNREADABLE
    yield "cut_half.h5", base[: len(base) // 2], f"half a model: {unreadable}", UNREADABLE
    yield "cut_last_byte.h5", base[:-1], f"the last byte is missing: {unreadable}", UNREADABLE
    yield "cut_new_half.h5", new[: len(new) // 2], "half a model in the new format", UNREADABLE
    yield "cut_new_last_byte.h5", new[:-1], "the new format without its last byte", UNREADABLE
    noise = random.Random(1).randbytes(4096)
    yield "noise.h5", noise, "random bytes", UNREADABLE
    yield "noise_signature.h5", hdf5.SIGNATURE + noise, "a signature, then random bytes", UNREADABLE
    yield "zeros_signature.h5", hdf5.SIGNATURE + bytes(4096), "a signature, then zeros", UNREADABLE
    yield (
        "end_too_far.h5",
        old.put(base, 40, "Q", 1 << 40),
        "the superblock promises a terabyte that is not there",
        UNREADABLE,
    )
    yield (
        "end_too_near.h5",
        old.put(base, 40, "Q", 2048),
        "the superblock ends the file in the middle of its objects",
        NOT_SAFE,
    )
    yield (
        "base_beyond_end.h5",
        old.put(base, 24, "Q", 1 << 62),
        "the base address that all others are relative to lies beyond the file",
        UNREADABLE,
    )
    yield (
        "superblock_flagged_open.h5",
        hdf5.file(group({"a": group()}), version=3, flags=5),
        "superblock 3 says that a writer still has the file open; it holds one empty group",
        NOTHING,
    )
    yield (
        "superblock_extension_is_root.h5",
        root_as_extension(),
        "the superblock extension is the root group itself; the model beside it is sound",
        ODD,
    )
    yield (
        "superblock_checksum.h5",
        new[:40] + bytes([new[40] ^ 1]) + new[41:],
        "one bit of the superblock differs, so its checksum is wrong",
        UNREADABLE,
    )
    yield (
        "driver_information.h5",
        driver_information(base),
        "a driver information block names other files as the places of its pieces",
        ODD,
    )


def root_as_extension():
    # The root group is the first block behind the superblock.
    return models.state_dict(extension=48)


def driver_information(base):
    names = b"secret_marker.h5\0".ljust(24, b"\0") * 2
    body = bytes([1, 2, 1, 1, 1, 1, 0, 0]) + pack("<QQQQ", 0, 4096, 4096, 8192) + names
    block = b"\0\0\0\0" + pack("<I", len(body)) + b"NCSAmult" + body
    return old.put(old.append(base, block), 48, "Q", len(base))


def cases():
    for part in (valid, cut):
        for name, data, why, exit in part():
            yield Case(f"container_{name}", data, why, exit)
