"""What one hostile file is and what a reader may do with it."""

from dataclasses import dataclass

# Everything was audited; whether something is found depends on the rules.
VALID = [0, 1]
# Unusual but well formed: reading it and declining a part of it are both right.
ODD = [0, 1, 2]
# A part cannot be audited. What remains may already be a finding, but it is never safe.
PARTIAL = [1, 2]
# Nothing of the file can be read.
UNREADABLE = [2]
# The container may be readable, but no model can come out of it.
NOTHING = [2, 3]
# How much survives depends on the reader; whatever it is, it is not safe.
NOT_SAFE = [1, 2, 3]

# What a reader sees differs, or the damage cannot be told from data.
ANY = [0, 1, 2, 3]

REASONS = {
    tuple(VALID): "everything can be audited",
    tuple(ODD): "reading it and declining a part are both right",
    tuple(PARTIAL): "a part cannot be audited, so whatever remains is not called safe",
    tuple(UNREADABLE): "nothing of it can be read",
    tuple(NOTHING): "no model can come out of it",
    tuple(NOT_SAFE): "how much survives depends on the reader, but it is not called safe",
    tuple(ANY): "no outcome is wrong but a crash or a hang",
}

SECRET = "LEAKAUDIT-SECRET-7f3a"
SECRET_FILE = "secret_marker.h5"


@dataclass
class Case:
    file: str
    data: bytes
    why: str
    exit: list
    must: tuple = ()
    must_not: tuple = ()
    # Only for reports in a markup language (Markdown, HTML).
    must_not_markup: tuple = ()

    def entry(self):
        entry = {
            "file": self.file,
            "why": f"{self.why}; {REASONS[tuple(self.exit)]}",
            "exit": self.exit,
            "must": list(self.must),
            "mustNot": list(self.must_not),
        }
        if self.must_not_markup:
            entry["mustNotMarkup"] = list(self.must_not_markup)
        return entry
