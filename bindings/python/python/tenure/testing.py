"""Tests without waiting: a store in memory whose clock stands still until it is advanced.

The fixtures `tenure_clock` and `tenure_store` are there wherever pytest and tenure are installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import pytest

from . import FakeClock, Store, _native, memory
from .journal import Journal

__all__ = ["FakeClock", "Finding", "check_journal", "memory", "tenure_clock", "tenure_store"]


class Finding(NamedTuple):
    """What came of one check of a journal."""

    contract: str
    statement: str
    verdict: Literal["kept", "broken", "skipped"]
    why: str


def check_journal(make: Callable[[], Journal], remake: Callable[[Journal], Journal] | None = None) -> list[Finding]:
    """Holds journals that `make` makes, each new and empty, against the contracts of the port.

    `remake` puts a new journal in the place of the one it is given, as if the store had been deleted and created again.

    >>> from tenure.journal import MemoryJournal
    >>> [finding for finding in check_journal(MemoryJournal) if finding.verdict == "broken"]
    []
    """
    return [Finding(*finding) for finding in _native.conformance(make, remake)]


@pytest.fixture
def tenure_clock() -> FakeClock:
    """A clock that stands still; `advance(seconds)` wakes waiters and lets leases run out."""
    return FakeClock()


@pytest.fixture
def tenure_store(tenure_clock: FakeClock) -> Iterator[Store]:
    """A store in memory on `tenure_clock`."""
    with memory(clock=tenure_clock) as store:
        yield store
