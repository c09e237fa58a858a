"""The arithmetic behind the verdicts on the cascade, on numbers small enough to check by hand."""

from __future__ import annotations

import dataclasses
import json
import math
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import cascade_measures as measures  # noqa: E402
from cascade_measures import NOTHING, Case, Run  # noqa: E402

GOOD = Run(seed=0, seconds=4.0, peak_mib=100.0, grey=11.0, mean_colour=12.0, psnr=110.0,
           proven=True, predicted=2e-6, measured=3e-6, ranked=True)
LIMITS = {"medianPSNR": 100, "worstPSNR": 80, "abovePSNR": 49.01, "proven": 1, "seconds": 5,
          "peakMiB": 4096, "errorFactor": 2, "ranked": 1}
CASE = Case("lenet", "lenet", 3, limits=LIMITS)


def missed(*runs: Run, case: Case = CASE) -> list[str]:
    found = measures.verdicts(case, runs)
    return [name for name, verdict in zip(case.limits, found, strict=True) if not verdict.met]


def change(**changes: object) -> Run:
    return dataclasses.replace(GOOD, **changes)


def recovery(psnr: float | None, proven: bool = True, square: float | None = 1e-12,
             is_input: bool = True) -> dict:
    return {"isModelInput": is_input, "proven": proven, "predictedError": 1e-6,
            "quality": {"psnr": [psnr], "meanSquaredError": [square]}}


def read(**report: object) -> Run:
    return measures.read(report, seed=0, seconds=1.0, peak_mib=1.0, grey=1.0, mean_colour=1.0)


class Limits(unittest.TestCase):
    def test_a_run_within_every_limit_meets_every_promise(self) -> None:
        self.assertEqual(missed(GOOD), [])
        self.assertEqual(set(LIMITS), set(measures.LIMITS))
        self.assertEqual(set(LIMITS), set(measures.CHECKS))

    def test_each_limit_is_decided_by_its_own_number(self) -> None:
        for changes, expected in (
            ({"psnr": 99.0}, ["medianPSNR"]),
            ({"psnr": 79.0}, ["medianPSNR", "worstPSNR"]),
            ({"psnr": 49.01}, ["medianPSNR", "worstPSNR", "abovePSNR"]),
            ({"proven": False}, ["proven"]),
            ({"seconds": 5.0}, ["seconds"]),
            ({"peak_mib": 4096.0}, ["peakMiB"]),
            ({"predicted": 1e-6}, ["errorFactor"]),
            ({"ranked": False}, ["ranked"]),
        ):
            self.assertEqual(missed(change(**changes)), expected, changes)

    def test_a_median_forgives_one_bad_seed_and_a_worst_does_not(self) -> None:
        self.assertEqual(missed(GOOD, GOOD, change(psnr=20.0)), ["worstPSNR", "abovePSNR"])

    def test_one_slow_or_large_or_unproven_seed_is_enough(self) -> None:
        for changes, expected in (({"seconds": 9.0}, "seconds"), ({"peak_mib": 5e3}, "peakMiB"),
                                  ({"proven": False}, "proven")):
            self.assertEqual(missed(GOOD, GOOD, change(**changes)), [expected])

    def test_a_failed_run_misses_every_promise(self) -> None:
        self.assertEqual(missed(GOOD, GOOD, change(failure="exit code -9")), list(LIMITS))

    def test_no_runs_keep_no_promise(self) -> None:
        self.assertEqual(missed(), list(LIMITS))

    def test_no_recovery_is_worse_than_any(self) -> None:
        lost = change(psnr=NOTHING, proven=False, predicted=None, measured=None)
        self.assertEqual(missed(lost), ["medianPSNR", "worstPSNR", "abovePSNR", "proven",
                                        "errorFactor"])
        self.assertEqual(measures.decibels(NOTHING), "–")

    def test_an_aim_that_is_missed_does_not_fail_the_run(self) -> None:
        bad = [change(psnr=20.0)]
        self.assertEqual(measures.exit_code([(CASE, [GOOD])]), 0)
        self.assertEqual(measures.exit_code([(CASE, [GOOD]), (CASE, bad)]), 1)
        self.assertEqual(measures.exit_code([(dataclasses.replace(CASE, aim=True), bad)]), 0)


class Errors(unittest.TestCase):
    def test_the_factor_is_the_same_for_too_bold_and_too_shy(self) -> None:
        self.assertAlmostEqual(change(predicted=1.0, measured=4.0).error_factor, 4.0)
        self.assertAlmostEqual(change(predicted=4.0, measured=1.0).error_factor, 4.0)

    def test_opposite_errors_do_not_cancel(self) -> None:
        bold, shy = change(predicted=1.0, measured=4.0), change(predicted=4.0, measured=1.0)
        self.assertIn("errorFactor", missed(bold, shy))

    def test_without_a_prediction_nothing_matches(self) -> None:
        for changes in ({"predicted": None}, {"measured": None}, {"predicted": 0.0}):
            self.assertEqual(change(**changes).error_factor, math.inf)


class Medians(unittest.TestCase):
    def test_infinities_never_make_a_nan(self) -> None:
        self.assertEqual(measures.median([NOTHING, math.inf]), NOTHING)
        self.assertEqual(measures.median([1.0, 3.0]), 2.0)
        self.assertTrue(math.isnan(measures.median([])))


class Reading(unittest.TestCase):
    def test_only_the_models_own_input_counts(self) -> None:
        self.assertEqual(read(recoveries=[recovery(120, is_input=False)]).psnr, NOTHING)
        self.assertEqual(read(recoveries=[]).psnr, NOTHING)

    def test_a_proven_recovery_goes_before_a_better_one(self) -> None:
        run = read(recoveries=[recovery(90, proven=False), recovery(80), recovery(70)])
        self.assertEqual((run.psnr, run.proven), (80, True))

    def test_null_decibels_mean_equal(self) -> None:
        self.assertEqual(read(recoveries=[recovery(None, square=0.0)]).psnr, math.inf)
        self.assertEqual(measures.decibels(math.inf), "equal")

    def test_a_recovery_without_a_truth_has_no_quality(self) -> None:
        self.assertEqual(read(recoveries=[recovery(90) | {"quality": None}]).psnr, NOTHING)

    def test_the_measured_error_is_the_root_of_the_mean_square(self) -> None:
        self.assertAlmostEqual(read(recoveries=[recovery(90)]).measured, 1e-6)

    def test_what_is_not_claimed_has_its_errors_but_no_decibels(self) -> None:
        quality = {"meanSquaredError": [0.0081]}
        run = read(chains=[{}, {"withheld": {"predictedError": 0.109, "quality": quality}}])
        self.assertEqual((run.psnr, run.predicted), (NOTHING, 0.109))
        self.assertAlmostEqual(run.measured, 0.09)
        self.assertIsNone(read(chains=[{"withheld": None}]).measured)
        self.assertIsNone(
            read(chains=[{"withheld": {"predictedError": 1, "quality": None}}]).measured)

    def test_a_report_without_chains_is_read(self) -> None:
        self.assertEqual((read().stop, read().ranked), (None, False))

    def test_rank_and_stop_come_from_the_chains(self) -> None:
        run = read(chains=[{"stop": "conv1: too narrow", "steps": [{"rank": None}, {"rank": 3}]}])
        self.assertEqual((run.stop, run.ranked), ("conv1: too narrow", True))


class Tables(unittest.TestCase):
    def test_every_row_has_the_columns_of_the_header(self) -> None:
        columns = measures.HEADER.splitlines()[0].count("|")
        for runs in ([GOOD], [change(psnr=NOTHING, predicted=None)], [change(psnr=math.inf)]):
            self.assertEqual(measures.row(CASE, runs).count("|"), columns)

    def test_a_missed_promise_is_named_with_its_number(self) -> None:
        self.assertIn("**no**: worst ≥ 80 dB (20.0)",
                      measures.row(CASE, [GOOD, GOOD, change(psnr=20.0)]))

    def test_a_chain_is_a_table_of_the_fields_it_has(self) -> None:
        lines = measures.chain_table(
            {"steps": [{"layer": "a|b", "rank": None}, {"layer": "c", "residual": 1.23456}]})
        self.assertEqual(lines.splitlines()[0], "| layer | rank | residual |")
        self.assertIn("| a/b | – | – |", lines)
        self.assertIn("| c | – | 1.23 |", lines)

    def test_results_are_plain_json(self) -> None:
        result = measures.result(CASE, [change(psnr=NOTHING)])
        self.assertEqual(json.loads(json.dumps(result, allow_nan=False))["runs"][0]["psnr"], "-inf")

    def test_chains_are_kept_of_the_first_seed(self) -> None:
        runs = measures.result(CASE, [change(chains=[{"stop": "a"}])] * 3)["runs"]
        self.assertEqual([len(run["chains"]) for run in runs], [1, 0, 0])


class Promises(unittest.TestCase):
    def test_the_committed_promises_are_read(self) -> None:
        found = measures.load(HERE.parent / "cascade_promises.json")
        names = [case.name for case in found]
        self.assertEqual(len(names), len(set(names)), "two cases have one name")
        self.assertTrue(all(case.seeds > 0 for case in found))

    def test_an_unknown_limit_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "speed"):
            measures.cases('[{"families": ["a"], "seeds": 1, "limits": {"speed": 1}}]')


if __name__ == "__main__":
    unittest.main()
