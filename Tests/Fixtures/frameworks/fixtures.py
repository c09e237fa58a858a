"""Shared by the generators: pictures and their labels, truth files, trees of arrays."""
import os

import h5py
import numpy as np
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
SIDE = 14
PHOTOGRAPH = np.asarray(Image.open(os.path.join(HERE, "astronaut.png")), "f4") / 255


def folder(name):
    """The folder of one framework, created if it is missing, as a function of file names."""
    os.makedirs(os.path.join(HERE, name), exist_ok=True)
    return lambda file: os.path.join(HERE, name, file)


def pictures(*numbers, side=SIDE):
    """Tiles of the photograph, `[n, side, side, 1]`; no two numbers give the same tile."""
    steps = PHOTOGRAPH.shape[0] - side
    places = [((17 * n) % steps, (31 * n) % steps) for n in numbers]
    tiles = [PHOTOGRAPH[top:top + side, left:left + side] for top, left in places]
    return np.stack(tiles)[..., None].copy()


def labels(*numbers):
    """A class from 0 to 9 per tile."""
    return np.array([(7 * n + 3) % 10 for n in numbers], "i8")


def truth(path, inputs, classes, second=None):
    """What an audit should find; batch axis first."""
    with h5py.File(path, "w") as file:
        file["inputs"], file["labels"] = inputs, classes
        if second is not None:
            file["inputs_1"] = second


def write_tree(group, tree, **options):
    """Nested dictionaries of arrays become groups and datasets."""
    for name, value in tree.items():
        if hasattr(value, "items"):
            write_tree(group.require_group(name), value, **options)
        else:
            value = np.asarray(value)
            group.create_dataset(name, data=value, **(options if value.ndim else {}))
