"""Groups without end: cycles, depth, breadth, and attributes beyond measure."""

import numpy as np

from . import hdf5, models
from .case import NOTHING, NOT_SAFE, ODD, PARTIAL, Case
from .hdf5 import array, group, soft


def graphs():
    weights = models.WEIGHTS["fc1"]["kernel"]

    def cycle(file):
        models.fill_legacy(file)
        file["model_weights/fc1/again"] = file["model_weights"]
        file["model_weights/root"] = file["/"]

    yield (
        "cycle_hard_links.h5",
        models.library(cycle),
        "groups contain their own parents; every listed weight is sound",
        ODD,
    )
    self = group()
    self.messages.append(hdf5.link("self", self))
    yield "cycle_root.h5", hdf5.file(self), "a root group that contains only itself, with a reference count that hides it", NOTHING
    loops = {"a": soft("/b"), "b": soft("/a"), "c": soft("/c/c"), "d": soft("/d")}
    yield (
        "cycle_soft_links.h5",
        models.legacy(replace={"fc1/kernel": soft("/a")}, links=loops),
        "a kernel is a soft link into a cycle of soft links",
        PARTIAL,
    )
    chain = group()
    for _ in range(3000):
        chain = group({"g": chain})
    yield (
        "nested_3000.h5",
        hdf5.file(chain, width=4),
        "3,000 nested groups and no weight: recursion and quadratic path handling",
        NOTHING,
    )
    diamond = group({"fc1.weight": array(weights.T)})
    for _ in range(60):
        diamond = group({"a": diamond, "b": diamond})
    yield (
        "diamond_60.h5",
        hdf5.file(diamond),
        "60 levels, each linked twice but counted once: 2^60 paths to one tensor",
        NOT_SAFE,
    )
    empty = group()
    yield (
        "siblings_2000.h5",
        hdf5.file(group((f"g{index:04}", empty) for index in range(2000)), width=4),
        "2,000 sibling links to one empty group in one object header",
        NOTHING,
    )
    inner = group((f"{index:03}", empty) for index in range(142))
    yield (
        "siblings_20164.h5",
        hdf5.file(group((f"{index:03}", inner) for index in range(142))),
        "142 groups of 142 groups each, 20,164 paths in all",
        NOTHING,
    )
    yield (
        "attributes_1000.h5",
        models.legacy(attributes={f"a{index:04}": np.int8(1) for index in range(1000)}),
        "1,000 attributes on the root group of a sound model",
        ODD,
    )

    def dense(file):
        models.fill_legacy(file)
        for index in range(60):
            file.attrs[f"note{index:03}"] = np.bytes_(b"x" * 40)

    yield (
        "attributes_dense.h5",
        models.library(dense, libver=("v110", "v110")),
        "60 attributes in dense storage; model_config is one of them",
        ODD,
    )
    yield (
        "attribute_60k.h5",
        models.legacy(attributes={"note": b"A" * 60000}),
        "one attribute of 60,000 bytes beside a sound model",
        ODD,
    )
    huge = (hdf5.text_type(1), hdf5.space((1 << 40,)), b"x")
    yield (
        "attribute_terabyte.h5",
        models.legacy(attributes={"training_config": huge}),
        "training_config claims a terabyte in one byte",
        NOT_SAFE,
    )


def cases():
    for name, data, why, exit in graphs():
        yield Case(f"container_{name}", data, why, exit)
