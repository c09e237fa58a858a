"""The files for GitLab, pre-commit and containers: their schemas, and what they run."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml
from dockerfile_parse import DockerfileParser

from tool import BIN, ROOT, TOOL, path_with_tool, run


class GitLab(unittest.TestCase):
    file = ROOT / "Integrations/gitlab-ci.yml"

    def test_schema(self):
        outcome = run(
            BIN / "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", self.file)
        self.assertEqual(outcome.returncode, 0, outcome.stdout)

    def test_script_writes_what_the_job_keeps(self):
        pipeline = yaml.safe_load(self.file.read_text())
        job = pipeline["leakaudit"]
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(ROOT / "Models", pathlib.Path(folder) / "models")
            env = {**pipeline["variables"], "PATH": path_with_tool(), "GOMP_SPINCOUNT": "0"}
            outcome = run("sh", "-e", "-c", "\n".join(job["script"]), cwd=folder, env=env)
            self.assertEqual(outcome.returncode, 1, outcome.stderr)
            kept = job["artifacts"]["paths"] + [job["artifacts"]["reports"]["junit"]]
            for name in kept:
                self.assertGreater((pathlib.Path(folder) / name).stat().st_size, 0)
            os.remove(pathlib.Path(folder) / "models" / "adam_one_step.h5")
            for path in (pathlib.Path(folder) / "models").iterdir():
                if path.name != "cnn_without_dense.h5":
                    path.unlink()
            partly = run("sh", "-e", "-c", "\n".join(job["script"]), cwd=folder, env=env)
        self.assertIn(partly.returncode, job["allow_failure"]["exit_codes"])


class PreCommit(unittest.TestCase):
    def test_manifest(self):
        outcome = run(BIN / "pre-commit", "validate-manifest", ".pre-commit-hooks.yaml")
        self.assertEqual(outcome.returncode, 0, outcome.stdout)

    def test_hook_stops_a_commit(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            env = {
                "PATH": path_with_tool(), "HOME": str(folder), "PRE_COMMIT_HOME": str(folder / "c"),
                "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com",
                "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
                "GOMP_SPINCOUNT": "0",
            }

            def git(where, *words):
                outcome = run("git", *words, cwd=where, env=env)
                self.assertEqual(outcome.returncode, 0, outcome.stderr)
                return outcome.stdout.strip()

            hooks, project = folder / "hooks", folder / "project"
            for place in (hooks, project):
                place.mkdir()
                git(place, "init", "-q")
            shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
            git(hooks, "add", "-A")
            git(hooks, "commit", "-qm", "hooks")
            (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [{
                "repo": str(hooks), "rev": git(hooks, "rev-parse", "HEAD"),
                "hooks": [{"id": "leakaudit-system"}]}]}))
            shutil.copy(ROOT / "Models/adam_one_step.h5", project / "--state of it.h5")
            (project / "notes.txt").write_text("no checkpoint\n")
            git(project, "add", "-A")
            leak = run(BIN / "pre-commit", "run", "--all-files", cwd=project, env=env)
            self.assertEqual(leak.returncode, 1, leak.stdout + leak.stderr)
            self.assertIn("--state of it.h5: critical: ", leak.stdout)
            self.assertNotIn("notes.txt", leak.stdout)
            git(project, "rm", "-qf", "--", "--state of it.h5")
            shutil.copy(ROOT / "Models/mlp.h5", project / "m.h5")
            (project / ".leakaudit.yml").write_text("fail-on: critical\n")
            git(project, "add", "-A")
            clean = run(BIN / "pre-commit", "run", "--all-files", cwd=project, env=env)
            self.assertEqual(clean.returncode, 0, clean.stdout + clean.stderr)


class Container(unittest.TestCase):
    def setUp(self):
        with tempfile.TemporaryDirectory() as folder:
            parser = DockerfileParser(path=folder)
            parser.content = (ROOT / "Dockerfile").read_text()
            self.instructions = [
                (i["instruction"], i["value"]) for i in parser.structure
                if i["instruction"] != "COMMENT"]
        self.last_stage = self.instructions[
            max(i for i, (name, _) in enumerate(self.instructions) if name == "FROM"):]

    def values(self, name, instructions=None):
        return [v for n, v in instructions or self.instructions if n == name]

    def test_copied_files_are_there_and_not_ignored(self):
        kept = [
            line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines()
            if line.startswith("!")]
        for value in self.values("COPY"):
            if value.startswith("--from=build"):
                continue
            for source in value.split()[:-1]:
                self.assertTrue((ROOT / source).exists(), source)
                self.assertIn(source, kept)

    def test_scripts_are_shell(self):
        for value in self.values("RUN"):
            outcome = run("sh", "-n", "-c", value)
            self.assertEqual(outcome.returncode, 0, outcome.stderr)

    def test_it_builds_the_product_and_runs_as_nobody(self):
        build = [v for v in self.values("RUN") if v.startswith("swift build")]
        self.assertEqual(build, ["swift build -c release --product leakaudit"])
        self.assertIn('.executable(name: "leakaudit"', (ROOT / "Package.swift").read_text())
        self.assertEqual(self.values("ENTRYPOINT", self.last_stage), ['["leakaudit"]'])
        user = self.values("USER", self.last_stage)[0].split(":")[0]
        self.assertNotEqual(int(user), 0)

    def test_both_stages_are_one_system_and_new_enough(self):
        versions = [re.search(r"swift:(\d+\.\d+)-(\w+)", v) for v in self.values("FROM")]
        self.assertEqual(len({(v[1], v[2]) for v in versions}), 1)
        needed = re.search(r"swift-tools-version: (\S+)", (ROOT / "Package.swift").read_text())[1]
        as_numbers = lambda text: [int(word) for word in text.split(".")]
        self.assertGreaterEqual(as_numbers(versions[0][1]), as_numbers(needed))

    def test_every_library_of_the_tool_is_installed(self):
        release = pathlib.Path("/etc/os-release").read_text()
        codename = re.search(r"VERSION_CODENAME=(\w+)", release)
        image = re.search(r"-(\w+)-slim", self.values("FROM", self.last_stage)[0])[1]
        if not codename or codename[1] != image or not shutil.which("dpkg"):
            self.skipTest(f"this system is not {image}")
        installed = set(re.findall(
            r"\blib[\w.+-]+", " ".join(self.values("RUN", self.last_stage)).split("install", 1)[1]))
        # What every image of Swift has.
        base = {"libc6", "libgcc-s1", "libstdc++6", "zlib1g"}
        needed = re.findall(r"NEEDED +(\S+)", run("objdump", "-p", TOOL).stdout)
        paths = dict(re.findall(r"(\S+) => (\S+)", run("ldd", TOOL).stdout))
        self.assertIn("libhdf5_serial.so.103", needed)
        for library in needed:
            path = pathlib.Path(paths.get(library, library)).resolve()
            if "/swift/" in str(path) or library.startswith("ld-linux"):
                continue
            owner = run("dpkg", "-S", path).stdout or run(
                "dpkg", "-S", str(path).removeprefix("/usr")).stdout
            package = owner.split(":")[0]
            self.assertIn(package, installed | base, library)


if __name__ == "__main__":
    unittest.main()
