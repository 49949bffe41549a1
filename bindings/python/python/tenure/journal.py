"""A journal of your own: a place of your choice that keeps rows, one for each entry.

A subclass says how rows are kept; what they mean is Tenure's business. `tenure.open(journal)` opens a store on it, and
`tenure.testing.check_journal` holds it against the contracts. Methods are called on threads of Tenure's, one at a time
but for `sync` and those that have to do with snapshots. A call that does not return within `journal_timeout` seconds
(see `tenure.open`) is a `Timeout` for whoever asked. A method must not ask the store that stands on it.

What a method raises comes out of the call that needed it, unchanged. An exception of `append` leaves open whether the
rows are there, and Tenure looks; one that is a `TenureError` whose `outcome` is `refused` or `not_started` says surely
not.

>>> import tenure
>>> journal = tenure.journal.MemoryJournal()
>>> with tenure.open(journal) as store:
...     task = store.add("map", "part-1")
>>> with tenure.open(journal) as store:
...     store.claim("map").text()
'part-1'
"""

from __future__ import annotations

import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

__all__ = ["Journal", "MemoryJournal"]


class Journal(ABC):
    """What a host has to offer.

    A subclass may also have `lock(seconds) -> bool` and `unlock()`, called round catching up and appending: a lock, or
    an SQL transaction, saves conflicts. And it may have `sync()`, if `append` answers before its rows are on stable
    storage; a sync that succeeds after one that failed must cover what that one did not."""

    @abstractmethod
    def identity(self) -> bytes:
        """16 random bytes, drawn when the journal was created, the same as long as it is the same journal."""

    @abstractmethod
    def floor(self) -> tuple[int, bytes]:
        """The first position that is still held, 1 in a new journal, and the mark that `truncate` was given with it."""

    @abstractmethod
    def read(self, position: int) -> Iterable[tuple[int, bytes]] | None:
        """Position and row from `position` on, in order, without a gap; `None` where that lies below the floor."""

    @abstractmethod
    def append(self, position: int, rows: Sequence[bytes]) -> bool:
        """Adds rows at `position`, `position + 1`, … in one atomic step, if `position` is one past the last row, or the
        floor of an empty journal. Otherwise `False`, and nothing is added."""

    @abstractmethod
    def truncate(self, floor: int, mark: bytes) -> None:
        """Lets go of the rows before `floor` and keeps `mark`. A floor at or below the present one changes nothing."""

    @abstractmethod
    def publish_snapshot(self, name: str, data: bytes) -> None:
        """Stores a snapshot, whole or not at all."""

    @abstractmethod
    def snapshots(self) -> Iterable[str]:
        """The names of the snapshots, in any order."""

    @abstractmethod
    def read_snapshot(self, name: str) -> bytes | None:
        """A snapshot, or `None`."""

    @abstractmethod
    def remove_snapshot(self, name: str) -> None:
        """Removes a snapshot; one that is gone already is no error."""

    def sizes(self) -> tuple[int, int, int]:
        """Bytes of rows, bytes of snapshots, number of rows; for `stats`, and for the limit of the journal's size."""
        return 0, 0, 0


class MemoryJournal(Journal):
    """Rows in memory, which several stores in one process can open: the shortest journal that keeps every contract."""

    def __init__(self) -> None:
        self._identity = secrets.token_bytes(16)
        self._floor = 1
        self._mark = b""
        self._rows: list[bytes] = []
        self._snapshots: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def identity(self) -> bytes:
        return self._identity

    def floor(self) -> tuple[int, bytes]:
        with self._lock:
            return self._floor, self._mark

    def read(self, position: int) -> Iterable[tuple[int, bytes]] | None:
        with self._lock:
            if position < self._floor:
                return None
            return list(enumerate(self._rows[position - self._floor :], position))

    def append(self, position: int, rows: Sequence[bytes]) -> bool:
        with self._lock:
            if position != self._floor + len(self._rows):
                return False
            self._rows.extend(rows)
            return True

    def truncate(self, floor: int, mark: bytes) -> None:
        with self._lock:
            if floor > self._floor:
                del self._rows[: floor - self._floor]
                self._floor, self._mark = floor, mark

    def publish_snapshot(self, name: str, data: bytes) -> None:
        self._snapshots[name] = data

    def snapshots(self) -> Iterable[str]:
        return list(self._snapshots)

    def read_snapshot(self, name: str) -> bytes | None:
        return self._snapshots.get(name)

    def remove_snapshot(self, name: str) -> None:
        self._snapshots.pop(name, None)

    def sizes(self) -> tuple[int, int, int]:
        with self._lock:
            rows, snapshots = self._rows, self._snapshots.values()
            return sum(map(len, rows)), sum(map(len, snapshots)), len(rows)
