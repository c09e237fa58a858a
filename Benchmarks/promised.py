"""The entries of a file of promises."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any


def entries(text: str, file: str, limits: Collection[str]) -> list[dict[str, Any]]:
    """The entries, each of whose limits is one of those that are known."""
    found = json.loads(text)
    for entry in found:
        unknown = set(entry.get("limits", {})) - set(limits)
        if unknown:
            raise ValueError(f"{file}: no limit is called {min(unknown)}; "
                             f"there are {', '.join(limits)}")
    return found
