"""PSNR and the assignment of found pictures to true ones; skipped where NumPy is not installed."""

from __future__ import annotations

import importlib.util
import itertools
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

COMPLETE = importlib.util.find_spec("numpy") is not None
if COMPLETE:
    import numpy

    import inversion_quality as quality


@unittest.skipUnless(COMPLETE, "needs numpy")
class Quality(unittest.TestCase):
    def test_pictures_are_denormalised_and_clamped(self) -> None:
        inputs = numpy.array([[-3.0, 0.0, 3.0], [1.0, 0.0, 1.0]]).T.reshape(3, 2, 1, 1)
        found = quality.pictures(inputs, [0.5, 0.2], [0.25, 0.1])
        self.assertTrue(numpy.allclose(found.reshape(3, 2), [[0, 0.3], [0.5, 0.2], [1, 0.3]]))

    def test_decibels_are_of_each_picture(self) -> None:
        truth = numpy.zeros((3, 1, 2, 2))
        found = numpy.stack([numpy.full((1, 2, 2), value) for value in (0.1, 0.0, numpy.nan)])
        self.assertEqual([round(value, 6) for value in quality.psnr(found, truth)], [20, 300, 0])

    def test_each_true_picture_gets_a_found_one_of_its_own(self) -> None:
        truth = numpy.linspace(0, 1, 5).reshape(5, 1, 1, 1)
        order = [3, 0, 4, 1, 2]
        places = quality.assignment(truth[order] + 0.01, truth)
        self.assertEqual([order[place] for place in places], [0, 1, 2, 3, 4])

    def test_the_assignment_is_the_cheapest_of_all(self) -> None:
        dice = random.Random(0)
        for size in (1, 2, 3, 5, 6):
            for _ in range(20):
                costs = [[float(dice.randrange(10)) for _ in range(size)] for _ in range(size)]
                found = quality.cheapest(costs)
                self.assertEqual(sorted(found), list(range(size)))
                least = min(sum(row[column] for row, column in zip(costs, order))
                            for order in itertools.permutations(range(size)))
                self.assertEqual(sum(row[column] for row, column in zip(costs, found)), least)


if __name__ == "__main__":
    unittest.main()
