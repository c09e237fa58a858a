#!/usr/bin/env python3
"""Prints the objectives that a file of `leakaudit audit --state` keeps, to the last bit.

A report rounds to six digits. One search and one restart; a JSON list of pairs: steps, objective.

    python Benchmarks/search_curve.py STATE
"""

from __future__ import annotations

import json
import sys

import h5py

with h5py.File(sys.argv[1]) as file:
    values = file["search_0/restart_0/curve"][()].tolist()
print(json.dumps(list(zip(values[::2], values[1::2]))))
