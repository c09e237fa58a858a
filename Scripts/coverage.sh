#!/usr/bin/env bash
# Line coverage of Sources by target, runs of the executable included; fails under 90 %.
#
# The reading child may open no file, so it leaves no profile; tests that parse in process count.
set -euo pipefail
cd "$(dirname "$0")/.."

build=.build-coverage
floor=${COVERAGE_FLOOR:-90}
# Another LLVM may not read the profiles, so Swift's own tools come first.
swift_bin=$(dirname "$(readlink -f "$(command -v swift)")")
tool() { if [ -x "$swift_bin/$1" ]; then echo "$swift_bin/$1"; else command -v "$1"; fi; }
profdata=$(tool llvm-profdata)
cov=$(tool llvm-cov)

swift build --scratch-path "$build" --build-tests --enable-code-coverage
bin=$(swift build --scratch-path "$build" --show-bin-path)
# `swift test` tells the test process where profiles go, and the tests pass it on to the tool.
profiles=$bin/codecov
rm -rf "$profiles"
swift test --scratch-path "$build" --enable-code-coverage --skip-build
# An instrumented child without an environment leaves an empty file where it ran.
rm -f default.profraw
find "$profiles" -name '*.profraw' -size +0 >"$profiles/list"
"$profdata" merge -sparse -failure-mode=all -f "$profiles/list" -o "$profiles/all.profdata"
objects=("$bin/leakauditPackageTests.xctest" -object "$bin/leakaudit")
"$cov" export "${objects[@]}" -instr-profile "$profiles/all.profdata" -summary-only \
  -ignore-filename-regex='(\.build[^/]*|Tests)/' >"$profiles/summary.json"
python3 - "$profiles/summary.json" "$floor" <<'PY'
import collections, json, pathlib, sys
files = json.load(open(sys.argv[1]))["data"][0]["files"]
totals = collections.defaultdict(lambda: [0, 0])
for file in files:
    parts = pathlib.Path(file["filename"]).parts
    if "Sources" not in parts or not file["filename"].endswith(".swift"):
        continue
    lines = file["summary"]["lines"]
    for key in (parts[parts.index("Sources") + 1], "total"):
        totals[key][0] += lines["covered"]
        totals[key][1] += lines["count"]
for name in sorted(totals, key=lambda name: (name == "total", name)):
    covered, count = totals[name]
    print(f"{name:<12} {covered:6} of {count:6} lines  {100 * covered / count:5.1f} %")
covered, count = totals["total"]
if 100 * covered < float(sys.argv[2]) * count:
    sys.exit(f"line coverage is under {sys.argv[2]} %")
PY
