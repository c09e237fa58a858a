#!/usr/bin/env bash
# Installs what the build needs and only that; prints what is missing where it may not install.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }

find_swift() {
  local version
  if ! command -v swift >/dev/null; then
    say "Swift is missing. Swift 6.2 or newer is needed: https://www.swift.org/install/linux/"
    exit 1
  fi
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
  # shellcheck disable=SC2086
  set -- $version
  if [ "${1:-0}" -lt 6 ] || { [ "$1" -eq 6 ] && [ "${2:-0}" -lt 2 ]; }; then
    say "Swift ${1:-?}.${2:-?} is too old. Swift 6.2 or newer is needed: https://www.swift.org/install/linux/"
    exit 1
  fi
}

# A library counts as present if pkg-config finds it, however it was installed.
missing_packages() {
  local pair
  command -v pkg-config >/dev/null || echo pkg-config
  command -v make >/dev/null || echo make
  command -v g++ >/dev/null || command -v clang++ >/dev/null || echo g++
  for pair in hdf5:libhdf5-dev libcrypto:libssl-dev libpng:libpng-dev; do
    pkg-config --exists "${pair%%:*}" 2>/dev/null || echo "${pair##*:}"
  done
  # oneDNN and OpenBLAS come without pkg-config files on some systems; a header says enough.
  has_header oneapi/dnnl/dnnl.h || echo libdnnl-dev
  has_header cblas.h || echo libopenblas-dev
}

has_header() {
  printf '#include <%s>\n' "$1" | "$(compiler)" -x c -E - >/dev/null 2>&1
}

compiler() { command -v clang || command -v cc || echo false; }

find_swift
missing=$(missing_packages | tr '\n' ' ')
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  say "Missing: $missing(names as in Debian). Install them, then run make again."
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
    say "Missing: $missing"
    say "Install them, then run make again:"
    say "  sudo apt-get update && sudo apt-get install $missing"
    exit 1
  fi
  as_root=(sudo -n)
fi
say "Installing $missing"
"${as_root[@]}" apt-get update -q
# shellcheck disable=SC2086
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends $missing </dev/null
