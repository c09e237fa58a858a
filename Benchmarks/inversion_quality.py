"""How near recovered pictures are to the true ones; NumPy alone, no attack reads it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy
from numpy.typing import ArrayLike, NDArray

# Below this mean squared error two pictures in [0, 1] count as equal: 300 dB.
EQUAL = 1e-30


def pictures(
    inputs: ArrayLike, mean: Sequence[float], deviation: Sequence[float]
) -> NDArray[numpy.float64]:
    """Inputs of a network [n, c, h, w] in units of pixels, clamped to [0, 1]."""
    values = numpy.asarray(inputs, numpy.float64)
    mean_, deviation_ = (numpy.reshape(value, (1, -1, 1, 1)) for value in (mean, deviation))
    return numpy.clip(values * deviation_ + mean_, 0, 1)


def psnr(found: NDArray[numpy.float64], truth: NDArray[numpy.float64]) -> list[float]:
    """Of each pair of pictures in [0, 1], in dB; what is not a number counts as 0 dB."""
    errors = ((found - truth) ** 2).reshape(len(truth), -1).mean(1)
    return [-10 * math.log10(max(error, EQUAL)) if math.isfinite(error) else 0.0
            for error in errors.tolist()]


def assignment(
    found: NDArray[numpy.float64], truth: NDArray[numpy.float64]
) -> list[int]:
    """For each true picture the place of the found one, each used once: least squared error."""
    flat, wanted = (values.reshape(len(values), -1) for values in (found, truth))
    costs = numpy.array([((flat - row) ** 2).mean(1) for row in wanted])
    return cheapest(numpy.where(numpy.isfinite(costs), costs, 1e6).tolist())


def cheapest(costs: Sequence[Sequence[float]]) -> list[int]:
    """For each row of a square matrix its column, so that the sum is least.

    Shortest augmenting paths with potentials (Kuhn 1955, Munkres 1957); O(n³).
    """
    size = len(costs)
    of_row, of_column = [0.0] * (size + 1), [0.0] * (size + 1)
    owner = [0] * (size + 1)  # Of each column, its row; both count from 1, and 0 is none.
    for row in range(1, size + 1):
        owner[0], column = row, 0
        least, previous = [math.inf] * (size + 1), [0] * (size + 1)
        visited = [False] * (size + 1)
        while owner[column]:
            visited[column] = True
            current, step, following = owner[column], math.inf, 0
            for other in range(1, size + 1):
                if visited[other]:
                    continue
                cost = costs[current - 1][other - 1] - of_row[current] - of_column[other]
                if cost < least[other]:
                    least[other], previous[other] = cost, column
                if least[other] < step:
                    step, following = least[other], other
            for other in range(size + 1):
                if visited[other]:
                    of_row[owner[other]] += step
                    of_column[other] -= step
                else:
                    least[other] -= step
            column = following
        while column:
            owner[column] = owner[previous[column]]
            column = previous[column]
    columns = [0] * size
    for column in range(1, size + 1):
        columns[owner[column] - 1] = column - 1
    return columns
