#!/usr/bin/env python3
"""Writes files/ and manifest.json: `python make_hostile.py`. Needs h5py and numpy.

Every run with one h5py gives the same bytes; `--check` writes nothing and compares instead.
"""

import json
import sys
from pathlib import Path

from corpus import (
    archives, configs, containers, datatypes, filters, graphs, layouts, links, names, quantities,
    sizes, structures,
)

HERE = Path(__file__).resolve().parent
MODULES = (
    archives, configs, containers, datatypes, filters, graphs, layouts, links, names, quantities,
    sizes, structures,
)
FILE_LIMIT = 64 * 1024
# 3,000 nested groups need 37 bytes each whatever is done.
LARGER = {"container_nested_3000.h5": 128 * 1024}
TOTAL_LIMIT = 2_500_000


def everything():
    """The bytes of every file by name, the manifest and the number of cases per category."""
    cases = sorted((case for module in MODULES for case in module.cases()), key=lambda c: c.file)
    files = {case.file: case.data for case in cases}
    assert len(files) == len(cases), "two cases share a file name"
    files |= links.targets()
    for name, data in files.items():
        assert len(data) < LARGER.get(name, FILE_LIMIT), f"{name} has {len(data)} bytes"
    total = sum(map(len, files.values()))
    assert total < TOTAL_LIMIT, f"{total:,} bytes in all"
    manifest = json.dumps([case.entry() for case in cases], indent=1, ensure_ascii=True) + "\n"
    counts = {}
    for case in cases:
        category = case.file.split("_")[0]
        counts[category] = counts.get(category, 0) + 1
    return files, manifest, counts


def main():
    files, manifest, counts = everything()
    folder, listing = HERE / "files", HERE / "manifest.json"
    if "--check" in sys.argv[1:]:
        present = {path.name: path.read_bytes() for path in folder.iterdir()}
        different = sorted(
            name for name in files | present if files.get(name) != present.get(name)
        )
        if listing.read_text() != manifest:
            different.append(listing.name)
        print("\n".join(different) or "nothing differs")
        sys.exit(1 if different else 0)
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.name not in files:
            path.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    listing.write_text(manifest)
    for category, count in sorted(counts.items()):
        print(f"{category:12} {count:4}")
    print(f"{'files':12} {sum(counts.values()):4} of {sum(map(len, files.values())):,} bytes")


if __name__ == "__main__":
    main()
