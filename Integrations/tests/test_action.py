"""action.yml: its schema, and its own steps run in a shell as a runner would run them."""

import os
import pathlib
import re
import tempfile
import unittest

import yaml

from tool import BIN, ROOT, TOOL, path_with_tool, run

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())


class Runner:
    """Enough of a runner: variables, files for outputs, conditions of the form used here."""

    def __init__(self, folder, inputs, path):
        self.folder = pathlib.Path(folder)
        self.inputs = {name: spec["default"] for name, spec in ACTION["inputs"].items()}
        self.inputs.update(inputs)
        self.outputs = {}
        self.uploaded = None
        self.env = {
            "PATH": path, "HOME": folder, "RUNNER_TEMP": folder, "GOMP_SPINCOUNT": "0",
            "GITHUB_ACTION_PATH": str(self.folder / "action"),
        }
        for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH"):
            self.env[name] = str(self.folder / name)
            (self.folder / name).write_text("")

    def expand(self, text):
        def value(match):
            words = match[1].strip().split(".")
            if words[0] == "inputs":
                return self.inputs[words[1]]
            assert words[0] == "steps" and words[2] == "outputs", match[0]
            return self.outputs.get((words[1], words[3]), "")
        return re.sub(r"\$\{\{(.*?)\}\}", value, text)

    def holds(self, condition):
        parts = condition.strip("${} ").split(" && ")
        for part in parts:
            left, operator, right = re.fullmatch(r"(\S+) (==|!=) '(.*)'", part).groups()
            equal = self.expand("${{ " + left + " }}") == right
            if equal != (operator == "=="):
                return False
        return True

    def run(self):
        """Runs the steps until one fails; returns its code and everything printed."""
        log = ""
        for step in ACTION["runs"]["steps"]:
            if "if" in step and not self.holds(step["if"]):
                continue
            if "uses" in step:
                self.uploaded = self.expand(step["with"]["sarif_file"])
                continue
            assert "${{" not in step["run"], "an expression inside a script is open to injection"
            env = dict(self.env)
            env.update({k: self.expand(v) for k, v in step.get("env", {}).items()})
            added = (self.folder / "GITHUB_PATH").read_text().split()
            env["PATH"] = ":".join(added + [env["PATH"]])
            script = self.folder / "step.sh"
            script.write_text(step["run"])
            outcome = run(
                "bash", "--noprofile", "--norc", "-eo", "pipefail", script, cwd=ROOT, env=env)
            log += outcome.stdout + outcome.stderr
            for line in (self.folder / "GITHUB_OUTPUT").read_text().splitlines():
                name, value = line.split("=", 1)
                self.outputs[(step.get("id"), name)] = value
            if outcome.returncode:
                return outcome.returncode, log
        return 0, log


class Action(unittest.TestCase):
    def act(self, path=None, **inputs):
        with tempfile.TemporaryDirectory() as folder:
            inputs = {name.replace("_", "-"): value for name, value in inputs.items()}
            runner = Runner(folder, inputs, path or path_with_tool())
            code, log = runner.run()
            summary = (runner.folder / "GITHUB_STEP_SUMMARY").read_text()
            return code, log, summary, runner

    def test_schema(self):
        outcome = run(
            BIN / "check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml")
        self.assertEqual(outcome.returncode, 0, outcome.stdout)

    def test_leak_fails_and_is_shown(self):
        code, log, summary, runner = self.act(
            models="Models/mlp.h5", gradient="Models/mlp_gradient.h5", upload_sarif="true")
        self.assertEqual(code, 1)
        self.assertIn("::error file=Models/mlp.h5,line=1,", log)
        self.assertIn("## leakaudit: exit code 1", summary)
        self.assertTrue(runner.uploaded.endswith("leakaudit.sarif"))
        self.assertEqual(runner.outputs[("audit", "exit-code")], "1")

    def test_every_input_reaches_the_tool(self):
        """A stub in place of the tool prints its arguments, one a line."""
        with tempfile.TemporaryDirectory() as folder:
            stub = pathlib.Path(folder) / "leakaudit"
            stub.write_text('#!/bin/sh\nprintf "<%s>\\n" "$@"\n')
            stub.chmod(0o755)
            values = {name: f"a '{name}' $(id)" for name in ACTION["inputs"]}
            values.update({"models": "one two\n\n--three", "upload-sarif": "false"})
            code, log, _, _ = self.act(
                path=f"{folder}:/usr/bin:/bin", **{k.replace("-", "_"): v for k, v in values.items()})
        self.assertEqual(code, 0, log)
        for name in ("gradient", "before", "after", "fail-on", "sensitivity", "config", "baseline"):
            self.assertIn(f"<--{name}=a '{name}' $(id)>", log)
        self.assertIn("<-->\n<one two>\n<--three>\n", log)

    def test_several_models(self):
        code, log, _, _ = self.act(
            models="Models/mlp.h5\nModels/adam_one_step.h5\n", fail_on="critical")
        self.assertEqual(code, 1)
        self.assertIn("file=Models/adam_one_step.h5", log)
        self.assertIn("file=Models/mlp.h5", log)

    def test_partly_audited_fails_unless_accepted(self):
        for accept, expected in (("false", 2), ("true", 0)):
            code, _, summary, _ = self.act(
                models="Models/cnn_without_dense.h5", accept_incomplete=accept)
            self.assertEqual(code, expected)
            self.assertIn("exit code 2", summary)

    def test_wrong_use_fails_and_uploads_nothing(self):
        code, log, _, runner = self.act(models="Models/mlp.h5", fail_on="x", upload_sarif="true")
        self.assertEqual(code, 4)
        self.assertIn("fail-on", log)
        self.assertIsNone(runner.uploaded)
        self.assertEqual(self.act(accept_incomplete="true")[0], 4)

    def test_install_builds_where_the_tool_is_missing(self):
        with tempfile.TemporaryDirectory() as folder:
            make = pathlib.Path(folder) / "make"
            make.write_text(
                f'#!/bin/sh\n[ "$1" = -C ] && [ "$3" = build ] || exit 9\n'
                f'mkdir -p "$2/.build/release" && ln -s {TOOL} "$2/.build/release/leakaudit"\n')
            make.chmod(0o755)
            code, log, _, _ = self.act(
                path=f"{folder}:/usr/bin:/bin", models="Models/mlp.h5", fail_on="critical")
        self.assertEqual(code, 0, log)
        self.assertIn("::notice title=leakaudit::", log)


if __name__ == "__main__":
    unittest.main()
