"""Crops of the photographs inside scikit-image's package; nothing is downloaded."""

from __future__ import annotations

import functools
import pathlib

import numpy
import skimage
from skimage import io, transform

# In the public domain or CC0, as `skimage.data` says of each.
SUBJECTS = ("astronaut", "chelsea", "coffee", "rocket")
# Ten classes to train on: the subjects, then other colour images and grey textures.
CLASSES = SUBJECTS + ("hubble_deep_field", "retina", "ihc", "brick", "grass", "gravel")


@functools.cache
def photograph(name: str) -> numpy.ndarray:
    """[height, width, 3] in [0, 1]."""
    folder = pathlib.Path(skimage.__file__).parent / "data"
    found = [path for path in (folder / f"{name}.png", folder / f"{name}.jpg") if path.exists()]
    if not found:
        raise FileNotFoundError(f"this scikit-image does not ship {name}; version 0.26 does")
    image = io.imread(found[0]) / 255.0
    return numpy.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image[..., :3]


def crop(
    name: str, extent: int, random: numpy.random.Generator, largest: int | None = None
) -> numpy.ndarray:
    """A random square of the photograph, reduced without aliasing: [3, extent, extent] in [0, 1].

    Its side is at least 96 pixels, and at most `largest` or what the photograph has.
    """
    image = photograph(name)
    most = min(*image.shape[:2], largest or max(image.shape))
    side = int(random.integers(min(max(extent, 96), most), most + 1))
    top, left = (int(random.integers(0, edge - side + 1)) for edge in image.shape[:2])
    square = image[top:top + side, left:left + side]
    small = transform.resize(square, (extent, extent, 3), anti_aliasing=True)
    return numpy.clip(small, 0, 1).transpose(2, 0, 1)


def example(seed: int, extent: int) -> tuple[numpy.ndarray, str]:
    """The photograph crop that belongs to a seed, and the name of its subject."""
    random = numpy.random.default_rng([seed, extent])
    name = SUBJECTS[seed % len(SUBJECTS)]
    return crop(name, extent, random), name


def reduced(index: int, extent: int = 32, largest: int = 288) -> numpy.ndarray:
    """The photograph crop of an index, each pixel the mean of a square: [3, extent, extent] in [0, 1].

    The subjects take turns; the side is 3·extent to `largest`, a multiple of the extent.
    """
    image = photograph(SUBJECTS[index % len(SUBJECTS)])
    random = numpy.random.default_rng([index, extent, 1])
    factor = int(random.integers(3, min(*image.shape[:2], largest) // extent + 1))
    side = factor * extent
    top, left = (int(random.integers(0, edge - side + 1)) for edge in image.shape[:2])
    square = image[top:top + side, left:left + side]
    means = square.reshape(extent, factor, extent, factor, 3).mean((1, 3))
    return numpy.clip(means, 0, 1).transpose(2, 0, 1)
