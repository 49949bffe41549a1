"""Services for tests: the program that serves, and one whose clock stands where a test puts it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = Path(os.environ.get("TENURE_PROGRAM", ROOT / "target" / "debug" / "tenure"))


def missing(why: str) -> NoReturn:
    """Leaves a test out; where all is tested, it fails."""
    if os.environ.get("TENURE_INTEROP") == "required":
        pytest.fail(why)
    pytest.skip(why)


class StandingClock:
    """The clock of a service in memory: it stands where it was set."""

    def __init__(self, service: subprocess.Popen[str], setup: dict[str, object]) -> None:
        self._service = service
        self.url = self._ask(setup)["url"]

    def _ask(self, question: dict[str, object]) -> dict[str, Any]:
        assert self._service.stdin is not None and self._service.stdout is not None
        self._service.stdin.write(json.dumps(question) + "\n")
        self._service.stdin.flush()
        answer: dict[str, Any] = json.loads(self._service.stdout.readline())
        return answer

    def set(self, now: float) -> None:
        self._ask({"now": round(now * 1000)})


@contextlib.contextmanager
def standing(setup: dict[str, object]) -> Iterator[StandingClock]:
    """A service in memory whose clock stands; `url` says where it is."""
    program = PROGRAM.parent / "examples" / "standing"
    if not program.exists():
        missing(f"{program} is not built: cargo build --workspace --all-features --examples")
    with subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:
        try:
            yield StandingClock(service, setup)
        finally:
            service.kill()
