"""Writes the start of a workload and what PyTorch's driver makes of it, in Double.

    python make_start.py    # PyTorch 2.15.0, h5py 3.14.0
"""
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
DRIVER = HERE.parents[2] / "Benchmarks" / "peers" / "torch_driver.py"
ITERATIONS = 4


def main():
    load = {"workload": "lenet-zhu", "folder": str(HERE), "threads": 1, "precision": "double",
            "totalVariation": 1e-4, "learningRate": 1e-3}
    requests = [
        {"command": "prepare", "workload": "lenet-zhu", "folder": str(HERE), "seed": 1},
        {"command": "load"} | load,
        {"command": "objective", "output": str(HERE / "slope.f64")},
        {"command": "iterate", "iterations": ITERATIONS},
    ]
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    child = subprocess.run(
        [sys.executable, DRIVER, "eager"], input=lines, capture_output=True, text=True, check=True)
    replies = [json.loads(line) for line in child.stdout.splitlines()]
    if any("error" in reply for reply in replies):
        sys.exit(str(replies))
    (HERE / "expected.json").write_text(
        json.dumps({"objectives": replies[3]["objectives"]}, indent=1) + "\n")


if __name__ == "__main__":
    main()
