"""The arithmetic behind the verdicts on numerical inversion, on numbers to check by hand."""

from __future__ import annotations

import json
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import inversion  # noqa: E402
import inversion_measures as measures  # noqa: E402
import inversion_runs  # noqa: E402
import inversion_table  # noqa: E402
from inversion_measures import Case, Results  # noqa: E402

PROMISED = measures.load(HERE.parent / "inversion_promises.json")
PAGE = HERE.parents[1] / "Documentation" / "Inversion.md"
RESULTS = HERE.parent / "inversion_results.json"


def case(limits: dict[str, float], kind: str = "case", **fields: object) -> Case:
    return Case(2, "lenet-zhu", kind, limits=limits, **fields)


def results(ours: list[dict], peer: list[dict] = [], kind: str = "case") -> Results:
    found = Results()
    for side, runs in (("ours", ours), ("peer", peer)):
        for seed, run in enumerate(runs):
            found.add(case({}, kind).name, side, seed, run)
    return found


def met(limits: dict[str, float], ours: list[dict], peer: list[dict] = []) -> bool:
    return measures.verdicts(case(limits), results(ours, peer))[0].met


def run(psnr: float = 20.0, **fields: object) -> dict:
    return {"psnr": [psnr], "objective": 0.1, **fields}


class Promises(unittest.TestCase):
    def test_every_check_is_promised_somewhere(self) -> None:
        self.assertEqual({name for each in PROMISED for name in each.limits}, set(measures.CHECKS))

    def test_names_tell_cases_apart_and_every_rival_is_one(self) -> None:
        names = [each.name for each in PROMISED]
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual({each.rival for each in PROMISED if each.against}, set(names))

    def test_an_unknown_limit_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "no limit is called brightness"):
            measures.cases('[{"promise": 1, "networks": [], "limits": {"brightness": 1}}]')


class Limits(unittest.TestCase):
    def test_nothing_measured_meets_nothing(self) -> None:
        for each in PROMISED:
            for verdict in measures.verdicts(each, Results()):
                self.assertFalse(verdict.met, verdict)

    def test_a_failed_run_breaks_the_promise_and_says_why(self) -> None:
        found = results([run(50), {"failure": "exit code 4"}])
        verdict = measures.verdicts(case({"atLeast": 40}), found)[0]
        self.assertEqual((verdict.met, verdict.measured), (False, "1 failed: exit code 4"))

    def test_fewer_seeds_than_promised_meet_nothing(self) -> None:
        few = results([run(50)])
        verdict = measures.verdicts(case({"atLeast": 40}, seeds=2), few)[0]
        self.assertEqual((verdict.met, verdict.measured), (False, "50.0 dB (1 of 2 seeds)"))
        found = results([run(seconds=1.0, peerSeconds=2.0), run(seconds=1.0)])
        verdict = measures.verdicts(case({"ratio": 2}, seeds=2), found)[0]
        self.assertEqual((verdict.met, verdict.measured), (False, "2.00 (1 of 2 side by side)"))

    def test_curves_agree_point_by_point(self) -> None:
        limit, peer = {"curve": 1e-8}, [run(curve=[1.0, 0.5])]
        self.assertTrue(met(limit, [run(curve=[1.0, 0.5 + 4e-9])], peer))
        self.assertFalse(met(limit, [run(curve=[1.0, 0.5 + 6e-9])], peer))
        self.assertFalse(met(limit, [run(curve=[1.0])], peer))

    def test_means_lie_within_the_deviation_of_starts(self) -> None:
        peer = [run(20, objective=1), run(22, objective=3)]
        self.assertTrue(met({"spread": 1}, [run(21, objective=1), run(23, objective=3)], peer))
        self.assertFalse(met({"spread": 1}, [run(23, objective=1), run(25, objective=3)], peer))
        self.assertFalse(met({"spread": 1}, [run(21, objective=4), run(23, objective=6)], peer))

    def test_the_published_mean_or_the_peers_on_the_same_pictures(self) -> None:
        limit, near, far = {"published": 18}, [17.9, 18.1] * 25, [20.0, 20.2] * 25
        self.assertTrue(met(limit, [run(value) for value in near]))
        self.assertFalse(met(limit, [run(value) for value in near[:48]]))
        self.assertFalse(met(limit, [run(value) for value in far]))
        self.assertTrue(met(limit, [run(value) for value in far], [run(value) for value in far]))
        self.assertFalse(met(limit, [run(value) for value in far], [run(v) for v in near]))

    def test_better_is_decibels_or_time(self) -> None:
        auto = case({"better": 3}, "auto", against="case")
        for psnr, wall, expected in ((23, 10, True), (22.9, 10, False), (23, 11, False),
                                     (20, 2, True), (20, 2.1, False), (19.9, 1, False)):
            found = results([run(20, wall=10.0)])
            found.add(auto.name, "ours", 0, run(psnr, wall=float(wall)))
            self.assertEqual(measures.verdicts(auto, found)[0].met, expected, (psnr, wall))

    def test_pictures_differ_by_decibels_either_way(self) -> None:
        for psnr, expected in ((20.5, True), (19.5, True), (20.6, False), (19.4, False)):
            self.assertEqual(met({"difference": 0.5}, [run(psnr)], [run(20)]), expected, psnr)

    def test_a_ratio_needs_the_peer_beside_it(self) -> None:
        self.assertTrue(met({"ratio": 2}, [run(seconds=1.0, peerSeconds=2.0)]))
        self.assertFalse(met({"ratio": 2}, [run(seconds=1.0, peerSeconds=1.9)]))
        self.assertFalse(met({"ratio": 2}, [run(seconds=1.0)], [run(seconds=9.0)]))

    def test_memory_is_compared_with_the_rivals(self) -> None:
        more = case({"growth": 1.05}, "more", against="case")
        for peak, expected in ((105.0, True), (106.0, False)):
            found = results([run(peakMiB=100.0)])
            found.add(more.name, "ours", 0, run(peakMiB=peak))
            self.assertEqual(measures.verdicts(more, found)[0].met, expected)

    def test_time_and_bytes(self) -> None:
        self.assertTrue(met({"seconds": 3}, [run(seconds=2.0), run(seconds=2.9)]))
        self.assertFalse(met({"seconds": 3}, [run(seconds=2.0), run(seconds=3.0)]))
        self.assertTrue(met({"resumed": 1}, [{"equal": True}]))
        self.assertFalse(met({"resumed": 1}, [{"equal": True}, {"equal": False}]))


class Reports(unittest.TestCase):
    SEARCH = {"attack": "inverting-gradients", "objective": 0.1, "seconds": 2.0,
              "curve": [[0, 0.5]], "quality": {"psnr": [20.0, None]}}

    def test_the_attack_that_was_asked_for_is_read(self) -> None:
        report = {"inversions": [self.SEARCH | {"attack": "dlg"}, self.SEARCH]}
        found = inversion_runs.read(report, "inverting-gradients")
        self.assertEqual(found, {"psnr": [20.0, measures.EQUAL], "objective": 0.1, "seconds": 2.0,
                                 "curve": [0.5]})
        with self.assertRaises(ValueError):
            inversion_runs.read(report, "idlg")

    def test_auto_is_the_best_of_closed_form_and_search(self) -> None:
        recovery = {"isModelInput": True, "quality": {"psnr": [90.0, 200.0]}}
        other = {"isModelInput": False, "quality": {"psnr": [250.0]}}
        found = inversion_runs.read(
            {"inversions": [self.SEARCH], "recoveries": [recovery, other]}, "auto")
        self.assertEqual(found["psnr"], [20.0, 300.0])
        found = inversion_runs.read({"recoveries": [recovery, other]}, "auto")
        self.assertEqual(found["psnr"], [90.0, 200.0])

    def test_what_is_stored_can_be_read_again(self) -> None:
        found = results([run(20), run(21)], [run(22)])
        again = Results(json.loads(json.dumps(found.document())))
        self.assertEqual(again.document(), found.document())
        self.assertEqual(again.of(case({}).name, "ours"), {0: run(20), 1: run(21)})


class Options(unittest.TestCase):
    FILES = {"mean": [0.5], "deviation": [0.25], "labels": [3, 5]}

    def test_only_the_published_attack_is_told_labels(self) -> None:
        given = inversion_runs.settings(case({}), 0, self.FILES)
        self.assertIn("3,5", given)
        self.assertIn("--total-variation", given)
        for attack in ("dlg", "auto"):
            self.assertNotIn("--labels",
                             inversion_runs.settings(case({}, attack=attack), 0, self.FILES))

    def test_the_sides_take_turns_and_what_is_there_is_left_out(self) -> None:
        options = inversion.argparse.Namespace(peer_only=False, ours_only=False, missing=True)
        self.assertEqual(inversion.sides(case({}), 0, options, Results()), ["peer", "ours"])
        self.assertEqual(inversion.sides(case({}), 1, options, Results()), ["ours", "peer"])
        self.assertEqual(inversion.sides(case({}), 0, options, results([], [run()])), ["ours"])
        self.assertEqual(inversion.sides(case({}, peer=False), 0, options, Results()), ["ours"])


class Table(unittest.TestCase):
    def test_a_line_has_means_medians_and_the_verdict(self) -> None:
        found = results([run(20, seconds=1.0, peerSeconds=3.0), run(22, seconds=2.0)], [run(21)])
        line = inversion_table.line(case({"atLeast": 22}), found)
        self.assertEqual(
            line, "| 2 | `lenet-zhu` | case | 2 | 21.00 ± 1.41 | 21.00 | 1.50 | 3.00 "
            "| mean ≥ 22 dB | 21.0 dB | **no** |")
        self.assertTrue(
            inversion_table.line(case({"atLeast": 22}), Results()).endswith("| – | – |"))

    @unittest.skipUnless(PAGE.exists(), "the page is not written yet")
    def test_the_documentation_shows_the_committed_results(self) -> None:
        table = inversion_table.table(PROMISED, Results(json.loads(RESULTS.read_text())))
        self.assertIn(table, PAGE.read_text(), "paste what `inversion.py --table` prints")


if __name__ == "__main__":
    unittest.main()
