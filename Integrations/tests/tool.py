"""The built tool and the repository, for the tests beside this file."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = pathlib.Path(os.environ["LEAKAUDIT"])
BIN = pathlib.Path(sys.executable).parent


def run(*command, cwd=ROOT, env=None, text=True):
    """Runs a program to its end and returns what it left behind."""
    return subprocess.run(
        [str(word) for word in command], cwd=cwd, env=env, text=text,
        stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)


def audit(*arguments, cwd=ROOT):
    return run(TOOL, "audit", *arguments, cwd=cwd)


def path_with_tool():
    return f"{TOOL.parent}:{BIN}:/usr/bin:/bin"
