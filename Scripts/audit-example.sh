#!/usr/bin/env bash
# Audits the example and explains the exit code, since a leak is what this example is about.
set -euo pipefail
cd "$(dirname "$0")/.."

report=.build/example
mkdir -p "$report"
code=0
.build/release/leakaudit audit Models/mlp.h5 --gradient Models/mlp_gradient.h5 \
  --truth Models/mlp_truth.h5 --save-recovered "$report" \
  --format md="$report/report.md" --format json="$report/report.json" || code=$?

if [ "$code" -ne 1 ]; then
  echo "Expected exit code 1 for this example, got $code." >&2
  exit 1
fi
cat <<TEXT

The leak was expected: Models/mlp_gradient.h5 is the gradient of one picture, and the audit read
the picture back out of it. In a build, exit code 1 is what stops the release.

  report     $report/report.md (for people), $report/report.json (for programs)
  recovered  $report/sample_0.png
TEXT
