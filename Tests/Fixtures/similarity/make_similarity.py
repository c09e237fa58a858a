"""Structural similarity of small pictures by scikit-image, for Tests/AttacksTests/SimilarityTests.swift.

Pictures are made of whole numbers, so that every language makes the same ones. Run it with
scikit-image 0.25 or newer; it prints the rows of the test's table.
"""

import numpy as np
from skimage.metrics import structural_similarity


def picture(height, width, channels, a, b, c):
    """Value at row i, column j and channel k: ((a·i·i + b·j + c·i·j + 31·k) mod 64) / 63."""
    i, j, k = np.meshgrid(range(height), range(width), range(channels), indexing="ij")
    return ((a * i * i + b * j + c * i * j + 31 * k) % 64) / 63


CASES = [
    ((16, 16, 1), (1, 3, 0), (1, 3, 0)),
    ((16, 16, 1), (1, 3, 0), (1, 3, 1)),
    ((16, 16, 3), (0, 4, 0), (4, 0, 0)),
    ((11, 11, 1), (2, 5, 1), (3, 5, 2)),
    ((13, 20, 3), (0, 2, 1), (0, 2, 1)),
    ((32, 24, 3), (1, 1, 1), (1, 2, 1)),
]

for shape, first, second in CASES:
    x, y = picture(*shape, *first), picture(*shape, *second)
    if shape == (13, 20, 3):
        y = 1 - y
    value = structural_similarity(
        x, y, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        channel_axis=2)
    print(shape, first, second, repr(float(value)))
