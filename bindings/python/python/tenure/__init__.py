"""An embeddable, durable, transactional coordination store: claim work, commit once.

>>> import tenure
>>> with tenure.memory() as store:
...     tasks = store.add_many("map", ["part-1", "part-2"])
...     for held in store.claims("map", lease=60, idle=0):
...         with held:  # leaving the block finishes the task, an exception fails it
...             with store.transaction() as tx:
...                 tx.finish(held)
...                 tx.add("reduce", held.data.upper())
...     store.group("reduce").tasks
2
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from . import _native, journal
from ._native import (
    Cancel,
    Change,
    Claims,
    Closed,
    Committed,
    Corrupt,
    Event,
    FakeClock,
    Fenced,
    Full,
    GroupStats,
    Held,
    Internal,
    Invalid,
    LeaseLost,
    NotFound,
    Record,
    Rejected,
    Store,
    Task,
    TenureError,
    Timeout,
    Transaction,
    Unavailable,
    Unknown,
    Watch,
    __version__,
)

__all__ = [
    "Cancel",
    "Change",
    "Claims",
    "Closed",
    "Committed",
    "Corrupt",
    "Event",
    "FakeClock",
    "Fenced",
    "Full",
    "GroupStats",
    "Held",
    "Internal",
    "Invalid",
    "LeaseLost",
    "NotFound",
    "Record",
    "Rejected",
    "Store",
    "Task",
    "TenureError",
    "Timeout",
    "Transaction",
    "Unavailable",
    "Unknown",
    "Watch",
    "__version__",
    "connect",
    "journal",
    "memory",
    "open",
]

Seconds = float | timedelta


def open(
    place: str | os.PathLike[str] | journal.Journal,
    *,
    durability: Literal["strict", "opportunistic"] = "strict",
    exclusive: bool = False,
    take_over: bool = False,
    read_only: bool = False,
    create: bool = True,
    owner: int | None = None,
    actor: str | None = None,
    limits: Mapping[str, Any] | None = None,
    lock_wait: Seconds = 10,
    journal_timeout: Seconds | None = 30,
    flush_every: Seconds = 0.05,
    segment_bytes: int | None = None,
    file_mode: int | None = None,
    folder_mode: int | None = None,
    allow_network: bool = False,
    snapshots: bool = True,
    snapshot_bytes: int | None = None,
    snapshot_entries: int | None = None,
    clock: FakeClock | None = None,
    seed: int | None = None,
) -> Store:
    """Opens the store in a folder, and creates it where there is none; or on a journal of your own.

    `durability="strict"` answers once it is on stable storage, `"opportunistic"` before, and flushes within
    `flush_every` seconds. `exclusive` keeps every other handle from writing, `take_over` fences the one that has it so.
    `read_only` writes nothing, not even a lock. `limits` changes single limits by their names. A call of your own
    journal that has not returned after `journal_timeout` seconds counts as failed, and the ones after it until it has.

    >>> import tempfile, tenure
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with tenure.open(f"{folder}/work.tenure", actor="web-1") as store:
    ...         store.actor
    'web-1'
    """
    options = {
        "durability": durability,
        "exclusive": exclusive,
        "take_over": take_over,
        "read_only": read_only,
        "create": create,
        "owner": owner,
        "actor": actor,
        "limits": None if limits is None else dict(limits),
        "lock_wait": lock_wait,
        "journal_timeout": math.inf if journal_timeout is None else journal_timeout,
        "flush_every": flush_every,
        "segment_bytes": segment_bytes,
        "file_mode": file_mode,
        "folder_mode": folder_mode,
        "allow_network": allow_network,
        "snapshots": snapshots,
        "snapshot_bytes": snapshot_bytes,
        "snapshot_entries": snapshot_entries,
        "clock": clock,
        "seed": seed,
    }
    return _native.open(place, options)


def connect(
    url: str,
    *,
    token: str | None = None,
    owner: int | None = None,
    actor: str | None = None,
    ca: str | os.PathLike[str] | bytes | None = None,
    retry_for: Seconds = 30,
    answer_within: Seconds = 20,
) -> Store:
    """Connects to a store that `tenure serve` serves, as `http://127.0.0.1:8048`: the same `Store` as `open` gives.

    `token` is what the service asks for, `ca` a file of certificates (PEM), or its bytes, by which it is believed to be
    what it says; those of the system by default. A call whose answer does not come is made again under the same
    request id for `retry_for` seconds, so that it is committed once. An answer may take `answer_within` seconds beyond
    what the call itself waits for.

    >>> import tenure
    >>> tenure.connect("http://127.0.0.1:1", retry_for=0)
    Traceback (most recent call last):
    tenure.Unavailable: ...
    """
    options = {
        "token": token,
        "owner": owner,
        "actor": actor,
        "ca": ca if ca is None or isinstance(ca, bytes) else Path(ca).read_bytes(),
        "retry_for": retry_for,
        "answer_within": answer_within,
    }
    return _native.connect(url, options)


def memory(
    *,
    owner: int | None = None,
    actor: str | None = None,
    limits: Mapping[str, Any] | None = None,
    clock: FakeClock | None = None,
    seed: int | None = None,
) -> Store:
    """A store in memory that nothing else can open: all the rules, and nothing on disk.

    >>> import tenure
    >>> with tenure.memory(limits={"max_tasks": 1}) as store:
    ...     task = store.add("g")
    ...     store.add("g")
    Traceback (most recent call last):
    tenure.Full: ...
    """
    return _native.memory(
        {
            "owner": owner,
            "actor": actor,
            "limits": None if limits is None else dict(limits),
            "clock": clock,
            "seed": seed,
        }
    )
