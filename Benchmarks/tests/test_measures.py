"""The arithmetic behind the benchmark's verdicts, on numbers small enough to check by hand."""

from __future__ import annotations

import dataclasses
import json
import math
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import measures  # noqa: E402
from measures import Agreement, Measurement, Memory  # noqa: E402

GOOD = Measurement(
    workload="convnet64", ours=[100.0, 50.0, 100.0], peer=[200.0, 200.0, 150.0],
    peer_variant="compiled", floor=80.0, ours_memory=Memory(60, 50),
    peer_memory=Memory(800, 100), threads=2, agreement=Agreement(1e-5, 1e-12, 1e-3),
    tolerance=1e-4, alone=100.0, side_by_side=115.0)


def met(measured: Measurement) -> list[bool]:
    return [verdict.met for verdict in measures.verdicts(measured)]


class Ratios(unittest.TestCase):
    def test_the_ratio_is_the_median_over_pairs_not_the_ratio_of_medians(self) -> None:
        self.assertEqual(GOOD.ratios, [2.0, 4.0, 1.5])
        self.assertEqual(GOOD.ratio, 2.0)
        self.assertEqual(GOOD.result()["ratioSpread"], [1.5, 4.0])

    def test_blocks_without_a_partner_are_refused(self) -> None:
        with self.assertRaises(ValueError):
            _ = dataclasses.replace(GOOD, peer=[200.0]).ratio

    def test_the_floor_is_seven_passes_at_the_matrix_rate(self) -> None:
        self.assertAlmostEqual(measures.floor_milliseconds(1000, 200), 35.0)
        self.assertAlmostEqual(GOOD.floor_ratio, 0.8)


class Differences(unittest.TestCase):
    def test_a_vector_is_compared_in_the_euclidean_norm_of_the_peer(self) -> None:
        self.assertAlmostEqual(measures.relative_difference([3.0, 4.5], [3.0, 4.0]), 0.1)

    def test_what_cannot_be_compared_never_agrees(self) -> None:
        self.assertEqual(measures.relative_difference([1.0], [1.0, 2.0]), math.inf)
        self.assertEqual(measures.relative_difference([math.nan], [1.0]), math.inf)
        self.assertFalse(measures.relative_difference([1.0], [math.nan]) <= 1)
        self.assertFalse(measures.relative_difference([1.0], [0.0]) <= 1)
        self.assertEqual(measures.curve_difference([1.0, 1.0], [1.0]), math.inf)

    def test_equal_zeros_agree(self) -> None:
        self.assertEqual(measures.relative_difference([0.0, 0.0], [0.0, 0.0]), 0)

    def test_a_curve_is_as_far_off_as_its_worst_point(self) -> None:
        self.assertAlmostEqual(measures.curve_difference([1.0, 0.5, 0.2], [1.0, 0.4, 0.2]), 0.25)

    def test_one_bad_point_anywhere_in_a_curve_is_seen(self) -> None:
        for index in range(3):
            curve = [1.0, 1.0, 1.0]
            curve[index] = math.nan
            self.assertFalse(measures.curve_difference(curve, [1.0] * 3) <= 1)
            self.assertFalse(measures.curve_difference([1.0] * 3, curve) <= 1)


class Verdicts(unittest.TestCase):
    def test_a_measurement_within_every_limit_meets_every_promise(self) -> None:
        self.assertTrue(measures.agreement_verdict(GOOD).met)
        self.assertEqual(met(GOOD), [True] * 5)

    def test_each_limit_is_decided_by_its_own_number(self) -> None:
        for changes, missed in (
            ({"peer": [120.0, 60.0, 120.0]}, [0]),
            ({"ours_memory": Memory(60, 50), "peer_memory": Memory(239, 100)}, [1]),
            ({"peer_memory": Memory(800, 59)}, [2]),
            ({"side_by_side": 116.0}, [3]),
            ({"floor": 69.0}, [4]),
        ):
            found = met(dataclasses.replace(GOOD, **changes))
            self.assertEqual([i for i, holds in enumerate(found) if not holds], missed, changes)

    def test_agreement_needs_float_double_and_curve(self) -> None:
        for agreement in (Agreement(2e-4, 0, 0), Agreement(0, 2e-8, 0), Agreement(0, 0, 0.02),
                          Agreement(math.nan, 0, 0)):
            self.assertFalse(agreement.holds(1e-4), agreement)
        self.assertFalse(
            dataclasses.replace(GOOD, agreement=Agreement(1, 0, 0)).result()["iteratesAgree"])

    def test_the_floor_is_promised_for_two_workloads_only(self) -> None:
        self.assertEqual(len(met(dataclasses.replace(GOOD, workload="mlp"))), 4)

    def test_planning_has_a_limit_for_each_network(self) -> None:
        self.assertTrue(measures.planning_verdict("resnet18", 1999).met)
        self.assertFalse(measures.planning_verdict("resnet18", 2001).met)
        self.assertTrue(measures.planning_verdict("resnet152", 2001).met)

    def test_the_harder_of_two_memories_is_taken_field_by_field(self) -> None:
        self.assertEqual(Memory(700, 90).least(Memory(900, 30)), Memory(700, 30))


class Workloads(unittest.TestCase):
    def test_every_workload_has_a_promise_and_an_entry_of_the_stated_fields(self) -> None:
        workloads = json.loads((HERE.parent / "workloads.json").read_text())
        self.assertEqual(workloads.keys(), measures.SPEED.keys())
        self.assertEqual(list(GOOD.result()), [
            "workload", "oursMs", "peerMs", "ratio", "ratioSpread", "floorRatio", "oursPeakMiB",
            "peerPeakMiB", "threads", "iteratesAgree"])


if __name__ == "__main__":
    unittest.main()
