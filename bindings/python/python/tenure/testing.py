"""Tests without waiting: a store in memory whose clock stands still until it is advanced.

The fixtures `tenure_clock` and `tenure_store` are there wherever pytest and tenure are installed.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import FakeClock, Store, memory

__all__ = ["FakeClock", "memory", "tenure_clock", "tenure_store"]


@pytest.fixture
def tenure_clock() -> FakeClock:
    """A clock that stands still; `advance(seconds)` wakes waiters and lets leases run out."""
    return FakeClock()


@pytest.fixture
def tenure_store(tenure_clock: FakeClock) -> Iterator[Store]:
    """A store in memory on `tenure_clock`."""
    with memory(clock=tenure_clock) as store:
        yield store
