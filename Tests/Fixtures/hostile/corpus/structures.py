"""Structures inside a container: flipped bits, B-trees, heaps and object headers that lie."""

import random
from struct import pack

import numpy as np

from . import models, old
from .case import ANY, NOTHING, NOT_SAFE, ODD, PARTIAL, Case

REGIONS = {
    # Region: start and length of a structure of the sound old-format model.
    "superblock": lambda data: (8, 88),
    "tree": lambda data: (old.symbol_table(data, "model_weights")[0], 48),
    "heap": lambda data: (old.symbol_table(data, "model_weights")[1], 32),
    "symbols": lambda data: (data.index(b"SNOD"), 8 + 40),
    "root_header": lambda data: (old.header(data, "/"), 40),
    "dataset_header": lambda data: (old.header(data, KERNEL), 16 + 8 + 24 + 8 + 24),
    "layout": lambda data: (old.message(data, KERNEL, 8)[0], 18),
    "names_attribute": lambda data: (old.message(data, "model_weights/fc1", 12)[0], 48),
    "config_attribute": lambda data: (old.message(data, "/", 12)[0], 48),
}
KERNEL = "model_weights/fc1/fc1/kernel:0"
FLIPS = 2
# Flips that no reader can be blamed for: what they leave, and what may come of it.
UNDETECTABLE = {
    ("dataset_header", 0): ("unused bits, so every value is still right", ODD),
    ("layout", 0): ("unused bytes, so every value is still right", ODD),
    ("names_attribute", 0): ("unused bits, so every value is still right", ODD),
    ("config_attribute", 1): ("model_config has another name, so there is none", ANY),
}


def flipped():
    base = models.with_kernel(None)
    for region, place in REGIONS.items():
        start, length = place(base)
        for seed in range(FLIPS):
            source = random.Random(f"{region} {seed}")
            data = bytearray(base)
            for _ in range(1 + seed):
                data[start + source.randrange(length)] ^= 1 << source.randrange(8)
            left, exit = UNDETECTABLE.get((region, seed), ("damage that must be noticed", NOT_SAFE))
            yield (
                f"flip_{region}_{seed}.h5",
                bytes(data),
                f"{1 + seed} flipped bit(s) in the {region.replace('_', ' ')} of a sound model: {left}",
                exit,
            )


def trees():
    base = models.with_kernel(None)
    end = len(base)
    leaf, _ = old.symbol_table(base, "/")

    def node(level, children):
        links = b"".join(pack("<QQ", 0, child) for child in children)
        body = b"TREE\x00" + bytes([level]) + pack("<HQQ", len(children), ~0 % 2**64, ~0 % 2**64)
        return (body + links).ljust(544, b"\0")

    loop = old.append(base, node(1, [end]))
    yield (
        "tree_self.h5",
        old.set_tree(loop, "/", end),
        "the root group's B-tree node is its own child: endless recursion",
        NOTHING,
    )
    pair = old.append(base, node(2, [end + 544]) + node(1, [end]))
    yield (
        "tree_cycle.h5",
        old.set_tree(pair, "/", end),
        "two B-tree nodes are each other's children",
        NOTHING,
    )
    levels = [node(level, [end + 544 * (level - 2) if level > 1 else leaf] * 32)
              for level in range(1, 9)]
    bomb = old.append(base, b"".join(levels))
    yield (
        "tree_bomb.h5",
        old.set_tree(bomb, "/", end + 544 * 7),
        "eight B-tree levels whose 32 children are one node: 10^12 entries of the root group",
        NOTHING,
    )
    yield (
        "tree_sibling_self.h5",
        old.put(base, leaf + 16, "Q", leaf),
        "the root B-tree node is its own right sibling",
        ODD,
    )
    _, heap = old.symbol_table(base, "/model_weights")
    segment = old.get(base, heap + 24, "Q")
    yield (
        "heap_beyond_end.h5",
        old.put(base, heap + 24, "Q", 1 << 40),
        "the names of the layer groups lie beyond the end of the file",
        NOT_SAFE,
    )
    yield (
        "heap_huge.h5",
        old.put(base, heap + 8, "Q", (1 << 63) - 1),
        "the local heap of the layer groups claims 2^63-1 bytes",
        NOT_SAFE,
    )
    free = old.get(base, heap + 16, "Q")
    yield (
        "heap_free_cycle.h5",
        old.put(base, segment + free, "Q", free),
        "the local heap's free list is a cycle: endless loop; names can still be read",
        ODD,
    )
    symbols = old.get(base, old.symbol_table(base, "/model_weights")[0] + 32, "Q")
    yield (
        "symbols_count.h5",
        old.put(base, symbols + 6, "H", 65535),
        "the symbol table node of the layers claims 65,535 entries",
        NOT_SAFE,
    )
    yield (
        "symbols_name_outside_heap.h5",
        old.put(base, symbols + 8, "Q", 1 << 33),
        "a group's name offset lies outside its heap",
        NOT_SAFE,
    )


def headers():
    base = models.with_kernel(None)
    position, _ = old.message(base, "model_weights", 0x10)
    first = old.header(base, "model_weights") + 16
    yield (
        "header_continues_itself.h5",
        old.put(base, position, "QQ", first, old.get(base, first - 8, "I")),
        "the object header of model_weights continues in itself: endless loop",
        NOT_SAFE,
    )
    kernel = old.header(base, KERNEL)
    yield (
        "header_message_count.h5",
        old.put(base, kernel + 2, "H", 65535),
        "a dataset's object header claims 65,535 messages",
        NOT_SAFE,
    )
    yield (
        "header_size.h5",
        old.put(base, kernel + 8, "I", 0xFFFFFFF8),
        "a dataset's object header claims 4 GiB",
        NOT_SAFE,
    )
    shape, _ = old.message(base, KERNEL, 1)
    yield (
        "header_rank_255.h5",
        old.put(base, shape + 1, "B", 255),
        "a dataspace message of 40 bytes claims rank 255",
        PARTIAL,
    )

    def committed(group, name):
        group.file["type"] = np.dtype("<f4")
        group.create_dataset(name, data=models.WEIGHTS["fc1"]["kernel"], dtype=group.file["type"])

    data = models.with_kernel(committed)
    yield "committed_type.h5", data, "a weight of a committed datatype: valid", ODD
    address = old.header(data, "type").to_bytes(8, "little")
    position, size = old.message(data, KERNEL, 3)
    target = old.header(data, KERNEL).to_bytes(8, "little")
    assert address in data[position : position + size]
    body = data[position : position + size].replace(address, target)
    yield (
        "committed_type_is_self.h5",
        data[:position] + body + data[position + size :],
        "the datatype of a weight is shared with the weight itself: endless recursion",
        NOT_SAFE,
    )
    strings = models.library(lambda file: models.fill_legacy(file, strings=str))
    length = len(models.text(models.sequential()))
    heap = strings.index(b"GCOL")
    reference = next(
        pack("<IQI", length, heap, index)
        for index in range(1, 99)
        if pack("<IQI", length, heap, index) in strings
    )
    for name, value, why in (
        ("length", pack("<I", 0xFFFFFFF0) + reference[4:], "claims 4 GiB"),
        ("index", reference[:12] + pack("<I", 65000), "has an index that its heap does not hold"),
        ("address", reference[:4] + pack("<QI", 1 << 40, 1), "lies beyond the end of the file"),
    ):
        yield (
            f"string_{name}.h5",
            strings.replace(reference, value),
            f"the variable-length string of model_config {why}",
            NOT_SAFE,
        )


def cases():
    for part in (flipped, trees, headers):
        for name, data, why, exit in part():
            yield Case(f"container_{name}", data, why, exit)
