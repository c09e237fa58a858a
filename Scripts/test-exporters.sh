#!/usr/bin/env bash
# Runs the exporters' tests in .venv. A framework that cannot be installed is a counted skip, but
# in CI (CI=true) PyTorch must be there.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
case ${CI:-} in true | 1) export REQUIRE_TORCH=1 ;; esac
give_up() {
  say "$1"
  [ "${REQUIRE_TORCH:-}" != 1 ] || exit 1
  say "1 skipped: the exporters' tests"
  exit 0
}

has() { .venv/bin/python -c "import $1" >/dev/null 2>&1; }
add() { timeout "$1" .venv/bin/python -m pip install --quiet "${@:2}" </dev/null >&2; }
may_install() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; }
# An index that is older than the packages it names is brought up to date once.
apt_install() {
  local options=(-q -y --no-install-recommends)
  DEBIAN_FRONTEND=noninteractive apt-get install "${options[@]}" "$@" </dev/null >/dev/null 2>&1 || {
    apt-get update -q </dev/null >/dev/null 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get install "${options[@]}" "$@" </dev/null >/dev/null
  }
}
system_torch() { /usr/bin/python3 -c 'import torch' >/dev/null 2>&1; }

# Debian's PyTorch is built for processors alone, so it is a fraction of the size of PyPI's.
if [ ! -x .venv/bin/python ] && ! system_torch && may_install &&
  apt-cache show python3-torch >/dev/null 2>&1; then
  say "Installing PyTorch from Debian for the exporters' tests"
  apt_install python3-torch python3-venv || say "Debian's PyTorch cannot be installed"
fi

if [ ! -x .venv/bin/python ]; then
  rm -rf .venv
  if system_torch && /usr/bin/python3 -m venv --system-site-packages .venv >/dev/null 2>&1; then :; else
    rm -rf .venv
    python3 -m venv .venv >/dev/null 2>&1 ||
      { may_install && apt_install python3-venv && rm -rf .venv && python3 -m venv .venv; } ||
      give_up "No Python environment can be made; python3-venv is needed."
  fi
fi

# PyTorch before 2.3 works with NumPy 1 only.
limits=()
if has torch && ! .venv/bin/python - <<'PY'
import sys, torch
sys.exit(tuple(map(int, torch.__version__.split("+")[0].split(".")[:2])) < (2, 3))
PY
then limits=("numpy<2"); fi

{ has numpy && has h5py; } || add 240 "${limits[@]}" numpy h5py ||
  give_up "numpy and h5py cannot be installed."
has torch || add 420 torch || give_up "PyTorch cannot be installed."
for package in tensorflow keras jax flax flwr; do
  # TensorFlow's build for processors alone is imported under the plain name.
  has "$package" || add 240 "${limits[@]}" "${package/tensorflow/tensorflow-cpu}" ||
    say "$package cannot be installed; what needs it is skipped"
done

if [ -z "${LEAKAUDIT:-}" ] && [ -x .build/debug/leakaudit ]; then
  export LEAKAUDIT=$PWD/.build/debug/leakaudit
fi
.venv/bin/python -m unittest discover -s Exporters/tests
