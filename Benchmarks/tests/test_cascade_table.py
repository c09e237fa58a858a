"""The tables of families and of noise: complete, and those that the documentation shows."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import cascade_measures as measures  # noqa: E402
import cascade_table  # noqa: E402
from cascade_measures import NOTHING, Case, Run  # noqa: E402

PROMISED = measures.load(HERE.parent / "cascade_promises.json")
GOOD = Run(seed=0, seconds=4.0, peak_mib=100.0, grey=11.0, mean_colour=12.0, psnr=110.0,
           proven=True)
CASE = Case("lenet", "lenet", 3)


class Families(unittest.TestCase):
    def test_every_promised_family_is_described(self) -> None:
        for case in PROMISED:
            self.assertTrue(cascade_table.network(case), case.family)

    def test_a_disturbed_gradient_has_no_line(self) -> None:
        noisy = Case("lenet noise", "lenet", 3, ["--noise", "1e-3"])
        self.assertEqual(cascade_table.table([noisy], []), cascade_table.HEADER)


class Lines(unittest.TestCase):
    def cells(self, *runs: Run) -> list[str]:
        result = json.loads(json.dumps(measures.result(CASE, runs)))
        line = cascade_table.table([CASE], [result]).splitlines()[-1]
        return line.strip("| ").split(" | ")[2:]

    def test_medians_are_over_seeds_and_memory_is_the_most(self) -> None:
        other = Run(seed=1, seconds=2.0, peak_mib=300.0, grey=11.0, mean_colour=12.0, psnr=90.0)
        self.assertEqual(self.cells(GOOD, other), ["100.0", "90.0", "1 of 2", "3.0", "300"])

    def test_nothing_recovered_and_nothing_measured_are_dashes(self) -> None:
        lost = Run(seed=1, seconds=2.0, peak_mib=300.0, grey=11.0, mean_colour=12.0, psnr=NOTHING)
        self.assertEqual(self.cells(lost)[:3], ["–", "–", "0 of 1"])
        self.assertEqual(cascade_table.line(CASE, ()).count("–"), 5)


class Noise(unittest.TestCase):
    def test_ratios_are_one_per_seed_and_in_brackets_where_nothing_is_claimed(self) -> None:
        case = Case("lenet noise 1e-3", "lenet", 3, ["--noise", "1e-3"], {"errorFactor": 2})
        runs = [dataclasses.replace(GOOD, predicted=2e-3, measured=1e-3),
                dataclasses.replace(GOOD, predicted=3e-2, measured=2e-2, psnr=NOTHING), GOOD]
        result = json.loads(json.dumps(measures.result(case, runs)))
        lines = cascade_table.noise_table([CASE, case], [result]).splitlines()
        self.assertEqual(
            lines[-1],
            "| noise of 1e-3 of the gradient's norm | 1.1e-02 | 2.0, (1.5), – |")
        self.assertEqual(len(lines), 3)

    def test_what_was_not_measured_is_a_dash(self) -> None:
        lines = cascade_table.noise_table(PROMISED, []).splitlines()
        self.assertTrue(all(line.count("| – ") == 4 for line in lines[2:]))


class Page(unittest.TestCase):
    def test_the_documentation_shows_the_committed_results(self) -> None:
        file = HERE.parent / "cascade_results.json"
        results = json.loads(file.read_text()) if file.exists() else []
        page = (HERE.parents[1] / "Documentation" / "Attacks.md").read_text()
        for table in (cascade_table.table, cascade_table.noise_table):
            self.assertTrue(table(PROMISED, results) in page,
                            "paste what `cascade.py --table Benchmarks/cascade_results.json` prints")


if __name__ == "__main__":
    unittest.main()
