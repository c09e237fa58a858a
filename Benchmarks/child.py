"""A child process that answers JSON lines; drives our executable and PyTorch alike."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from types import TracebackType

# What PyTorch runs with: glibc gives large blocks back and faults them in again at each iteration
# unless told otherwise, worth 10 to 45 %. It takes no threshold above 32 MiB.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(4 << 30)}


class ChildError(Exception):
    """A command that the child refused, or a child that ended."""


class Child:
    """One process on one side of the comparison. Leaving the `with` block ends it."""

    def __init__(
        self, command: list[str], threads: int, log: pathlib.Path,
        settings: dict[str, str] | None = None
    ) -> None:
        self.name = pathlib.Path(command[-1]).name
        self.log = log
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)} | (settings or {})
        with log.open("a") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                env=environment)

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the child: the end of its input asks it to, a signal makes it."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def ask(self, command: str, **arguments: object) -> dict:
        """Sends one command and returns the reply's fields."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({"command": command} | arguments) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            status = self.process.wait()
            raise ChildError(f"{self.name} ended at {command} with status {status}; see {self.log}")
        try:
            reply = json.loads(line)
        except json.JSONDecodeError:
            raise ChildError(f"{self.name} answered {command} with {line!r}, not JSON") from None
        if "error" in reply:
            raise ChildError(f"{self.name} refused {command}: {reply['error']}")
        return reply
